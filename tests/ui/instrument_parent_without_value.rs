//! `parent` wants a value.

use async_log::instrument;

#[instrument(parent)]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
