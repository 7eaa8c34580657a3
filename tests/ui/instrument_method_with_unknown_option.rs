//! An unknown option of a method in an annotated `impl`.

use async_log::instrument;

struct Counter(u8);

#[instrument]
impl Counter {
    #[instrument(of)]
    fn next(&mut self) -> u8 {
        self.0 += 1;
        self.0
    }
}

fn main() {
    Counter(0).next();
}
