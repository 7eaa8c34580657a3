//! `off` on a function.

use async_log::instrument;

#[instrument(off)]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
