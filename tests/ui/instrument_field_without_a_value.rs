//! A key alone is a variable, not a field that is recorded later.

use async_log::instrument;

#[instrument(fields(foo = "bar", result))]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
