use async_log::instrument;

struct Session;

#[instrument(skip_all)]
impl Session {
    #[instrument(off)]
    #[instrument(names)]
    fn login(&self, pw: &str) -> usize {
        pw.len()
    }
}

fn main() {
    Session.login("a");
}
