use async_log::instrument;

#[instrument]
#[instrument(skip(pw))]
fn login(pw: &str) -> usize {
    pw.len()
}

fn main() {
    login("a");
}
