//! A `const` method that is to be traced all the same.

use async_log::instrument;

struct Counter(u8);

#[instrument]
impl Counter {
    #[instrument(names)]
    const fn get(&self) -> u8 {
        self.0
    }
}

fn main() {
    Counter(0).get();
}
