//! The spans that have ended: a second end of one is not the end of another.

use hashbrown::HashMap;

/// Ids are given out in blocks that are soon used up, so what has ended is kept as bits, and as one
/// number where a block is full.
#[derive(Debug, Default)]
pub(crate) struct Closed {
    /// Where the block of a number is, unless it is full.
    index: HashMap<u64, u32>,
    full: HashMap<u64, ()>,
    blocks: Vec<Block>,
    /// The blocks that are full: the next ones are put there.
    unused: Vec<u32>,
    /// The block that was used last.
    recent: Option<(u64, u32)>,
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
        let at = match self.recent {
            Some((recent, at)) if recent == number => at,
            _ => match self.find(number) {
                Some(at) => at,
                None => return false,
            },
        };
        let block = &mut self.blocks[at as usize];
        let (word, bit) = place(id);
        let is_new = block.bits[word] & bit == 0;
        block.bits[word] |= bit;
        block.count += u64::from(is_new);
        if block.count == BITS {
            self.fill(number, at);
        }
        is_new
    }

    /// Whether a span has ended.
    pub(crate) fn contains(&self, id: u64) -> bool {
        let number = id / BITS;
        let at = match self.recent {
            Some((recent, at)) if recent == number => Some(at),
            _ => self.index.get(&number).copied(),
        };
        let (word, bit) = place(id);
        match at {
            Some(at) => self.blocks[at as usize].bits[word] & bit != 0,
            None => self.full.contains_key(&number),
        }
    }

    /// Where the block of that number is, from now on the recent one; none if all of it has ended.
    fn find(&mut self, number: u64) -> Option<u32> {
        let at = match self.index.get(&number) {
            Some(at) => *at,
            None => self.add(number)?,
        };
        self.recent = Some((number, at));
        Some(at)
    }

    #[cold]
    fn add(&mut self, number: u64) -> Option<u32> {
        if self.full.contains_key(&number) {
            return None;
        }
        let at = match self.unused.pop() {
            Some(at) => at,
            None => {
                self.blocks.push(Block::default());
                self.blocks.len() as u32 - 1
            }
        };
        self.blocks[at as usize] = Block::default();
        self.index.insert(number, at);
        Some(at)
    }

    /// All of a block has ended.
    #[cold]
    fn fill(&mut self, number: u64, at: u32) {
        self.recent = None;
        self.index.remove(&number);
        self.full.insert(number, ());
        self.unused.push(at);
    }
}

fn place(id: u64) -> (usize, u64) {
    let bit = id % BITS;
    ((bit / 64) as usize, 1 << (bit % 64))
}
