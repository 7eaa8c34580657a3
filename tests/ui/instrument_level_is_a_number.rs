//! Numbers of levels go up in `log` and down in tracing.

use async_log::instrument;

#[instrument(level = 1)]
fn double(a: u8) -> u8 {
    a * 2
}

fn main() {
    double(1);
}
