use async_log::instrument;

struct Session;

#[instrument(names)]
#[instrument(skip(pw))]
impl Session {
    fn login(&self, pw: &str) -> usize {
        pw.len()
    }
}

fn main() {
    Session.login("a");
}
