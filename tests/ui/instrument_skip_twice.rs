use async_log::instrument;

#[instrument(skip(pw, pw))]
fn login(pw: &str) -> usize {
    pw.len()
}

fn main() {
    login("a");
}
