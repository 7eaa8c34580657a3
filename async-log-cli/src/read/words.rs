//! Eight bytes at once.

const LOW: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// The eight bytes that `bytes` begins with, the first in the lowest; none if there are fewer.
#[inline]
pub(crate) fn first(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// The high bits of those bytes of `word` that are `byte`; above the lowest of them others may be set.
#[inline]
pub(crate) fn equal(word: u64, byte: u8) -> u64 {
    let word = word ^ LOW.wrapping_mul(byte.into());
    word.wrapping_sub(LOW) & !word & HIGH
}

/// Which byte the lowest of these high bits is of.
#[inline]
pub(crate) fn lowest(bits: u64) -> usize {
    (bits.trailing_zeros() / 8) as usize
}
