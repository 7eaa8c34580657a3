use async_log::instrument;
use async_log::instrument as traced;

struct Session;

#[instrument]
impl Session {
    #[cfg_attr(all(), traced(skip(pw)))]
    #[traced]
    fn login(&self, pw: &str) -> usize {
        pw.len()
    }
}

fn main() {
    Session.login("a");
}
