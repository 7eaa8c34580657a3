use async_log::instrument;

#[instrument(name = "greet {user}")]
fn greet(user: &str) -> usize {
    user.len()
}

#[instrument(name = "")]
fn empty(user: &str) -> usize {
    user.len()
}

fn main() {
    greet("a");
    empty("b");
}
