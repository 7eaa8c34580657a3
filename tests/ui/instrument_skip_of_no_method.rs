use async_log::instrument;

struct Session;

#[instrument(skip(pasword))]
impl Session {
    fn login(&self, password: &str) -> usize {
        password.len()
    }
}

fn main() {
    Session.login("a");
}
