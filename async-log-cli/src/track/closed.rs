//! The spans that have ended: a second end of one is not the end of another.

use hashbrown::HashMap;

/// Ids are given out in blocks that are soon used up, so what has ended is kept as bits, and as one
/// number where a block is full.
#[derive(Debug, Default)]
pub(crate) struct Closed {
    blocks: HashMap<u64, Box<Block>>,
    full: HashMap<u64, ()>,
    /// The block that was used last.
    recent: Option<(u64, Box<Block>)>,
}

const BITS: u64 = 1024;

#[derive(Debug, Default)]
struct Block {
    bits: [u64; BITS as usize / 64],
    count: u64,
}

impl Closed {
    /// Says that a span has ended; false if it had already.
    pub(crate) fn insert(&mut self, id: u64) -> bool {
        let number = id / BITS;
        let Some(block) = self.block(number) else {
            return false;
        };
        let (word, bit) = place(id);
        let is_new = block.bits[word] & bit == 0;
        block.bits[word] |= bit;
        block.count += u64::from(is_new);
        if block.count == BITS {
            self.recent = None;
            self.full.insert(number, ());
        }
        is_new
    }

    /// Whether a span has ended.
    pub(crate) fn contains(&self, id: u64) -> bool {
        let number = id / BITS;
        let block = match &self.recent {
            Some((recent, block)) if *recent == number => Some(block),
            _ => self.blocks.get(&number),
        };
        let (word, bit) = place(id);
        match block {
            Some(block) => block.bits[word] & bit != 0,
            None => self.full.contains_key(&number),
        }
    }

    /// The block of that number, made the recent one; none if all of it has ended.
    fn block(&mut self, number: u64) -> Option<&mut Block> {
        if self
            .recent
            .as_ref()
            .is_none_or(|(recent, _)| *recent != number)
        {
            if self.full.contains_key(&number) {
                return None;
            }
            let block = self.blocks.remove(&number).unwrap_or_default();
            if let Some((before, block)) = self.recent.replace((number, block)) {
                self.blocks.insert(before, block);
            }
        }
        self.recent.as_mut().map(|(_, block)| &mut **block)
    }
}

fn place(id: u64) -> (usize, u64) {
    let bit = id % BITS;
    ((bit / 64) as usize, 1 << (bit % 64))
}
