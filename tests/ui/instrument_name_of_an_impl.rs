//! One name for all methods.

use async_log::instrument;

struct Counter(u8);

#[instrument(name = "counter")]
impl Counter {
    fn next(&mut self) -> u8 {
        self.0 += 1;
        self.0
    }
}

fn main() {
    Counter(0).next();
}
