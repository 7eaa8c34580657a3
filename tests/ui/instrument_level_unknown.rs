//! A level that is none.

use async_log::instrument;

#[instrument(level = "verbose")]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
