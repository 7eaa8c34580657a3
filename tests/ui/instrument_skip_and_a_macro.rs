use async_log::instrument;

struct Session;

macro_rules! methods {
    () => {
        #[instrument]
        fn login(&self, pw: &str) -> usize {
            pw.len()
        }
    };
}

#[instrument(skip_all)]
impl Session {
    methods!();
}

fn main() {
    Session.login("a");
}
