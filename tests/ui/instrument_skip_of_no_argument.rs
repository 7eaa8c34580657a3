//! A name in `skip` that is no argument.

use async_log::instrument;

#[instrument(skip(passwort))]
fn login(user: &str, password: &str) -> bool {
    user == password
}

fn main() {
    login("a", "b");
}
