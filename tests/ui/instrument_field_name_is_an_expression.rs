//! A key is written where it is used: it decides which argument the field replaces.

use async_log::instrument;

const KEY: &str = "user.id";

#[instrument(fields({ KEY } = 1))]
fn constant() -> &'static str {
    KEY
}

#[instrument(fields("user.id" = 1, {"user"} = "ada"))]
fn literal(a: u8) -> u8 {
    a
}

fn main() {
    literal(constant().len() as u8);
}
