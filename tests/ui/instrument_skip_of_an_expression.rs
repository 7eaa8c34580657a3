//! `skip` takes names.

use async_log::instrument;

#[instrument(skip(a.b))]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
