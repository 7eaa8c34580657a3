//! Eight bytes at once.

const LOW: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// The eight bytes that `bytes` begins with, the first in the lowest; none if there are fewer.
#[inline]
pub(crate) fn first(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// Text that stands as it is, most of it so short that two words hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) bytes: Box<[u8]>,
    /// The first eight bytes, and which of them there are.
    word: u64,
    mask: u64,
    /// The last eight, if there are as many.
    last: u64,
}

impl Literal {
    pub(crate) fn new(bytes: &[u8]) -> Literal {
        let mut word = [0; 8];
        let mut mask = [0; 8];
        for ((word, mask), byte) in word.iter_mut().zip(&mut mask).zip(bytes) {
            (*word, *mask) = (*byte, u8::MAX);
        }
        let last = bytes.last_chunk().copied().unwrap_or_default();
        Literal {
            bytes: bytes.into(),
            word: u64::from_le_bytes(word),
            mask: u64::from_le_bytes(mask),
            last: u64::from_le_bytes(last),
        }
    }

    /// Whether `text` begins with it.
    #[inline]
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        let len = self.bytes.len();
        match first(text) {
            Some(word) if word & self.mask != self.word => false,
            Some(_) if len <= 8 => true,
            Some(_) if len <= 16 => text.get(len - 8..).and_then(first) == Some(self.last),
            _ => text.starts_with(&self.bytes),
        }
    }
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
