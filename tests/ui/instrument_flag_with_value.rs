//! A flag has no value.

use async_log::instrument;

#[instrument(names = true)]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
