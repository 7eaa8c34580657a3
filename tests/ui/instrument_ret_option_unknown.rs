//! What `ret` does not know.

use async_log::instrument;

#[instrument(ret(Pretty))]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
