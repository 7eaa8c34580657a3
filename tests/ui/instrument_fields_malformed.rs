//! `fields` takes a list.

use async_log::instrument;

#[instrument(fields = a)]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
