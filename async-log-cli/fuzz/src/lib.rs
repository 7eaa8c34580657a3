//! What holds for bytes of any kind. A fuzz target is one of these functions; `tests/fuzzed.rs` calls
//! them with the inputs that are kept.

#![allow(unreachable_pub)]

mod chain;
mod grammar;
mod input;
mod prefix;
mod readers;
mod records;
mod time;

pub use chain::chain;
pub use input::input;
pub use prefix::prefix;
pub use readers::{json, key_value, legacy, text};
pub use time::time;

/// Numbers that follow from the bytes: the same for the same bytes.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Numbers(hash)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        let multiplied = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = multiplied.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}
