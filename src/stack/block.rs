//! The owner of an entry: a block, or whoever polls.

/// A state machine.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Whose code it is: a number that only the tokens of one block have.
    code: u64,
    /// Which run of that code, as code may poll itself by hand, `now_or_never()`, in a span that is
    /// open in the one and filtered out in the other. 0 for any.
    pub(super) run: usize,
}

/// The block of an entry that belongs to whoever polls or calls: no suspending await may suspend it, and it is taken off
/// by code that runs on this thread in any case.
pub(crate) const BOUNDARY: Block = Block { code: 0, run: 0 };

/// The block of an entry in which no await can be seen. So none may suspend it; if there is one all the same,
/// in the definition of a macro, the span may end on another thread.
pub(crate) const SYNC_BLOCK: Block = Block { code: 0, run: 1 };

impl Block {
    /// Whether this, of an entry, is the one that is meant.
    pub(super) fn is(self, meant: Block) -> bool {
        self.code == meant.code && (self.run == meant.run || meant.run == 0)
    }
}

/// For what cannot name the [`BlockInstance`]: an await in the tokens of a macro that may put it anywhere.
impl From<u64> for Block {
    #[inline]
    fn from(code: u64) -> Self {
        Block { code, run: 0 }
    }
}

/// A local of a block: its address tells the instances of the block apart. It is borrowed, so it lies in
/// the state machine as long as the block lasts, and that does not move once it is polled.
#[doc(hidden)]
#[derive(Debug)]
pub struct BlockInstance(#[allow(dead_code)] u8); // of no size, it could share its address

impl BlockInstance {
    #[allow(clippy::new_without_default)]
    #[inline]
    pub const fn new() -> Self {
        BlockInstance(0)
    }

    #[inline]
    pub fn of(&self, code: u64) -> Block {
        let run = self as *const BlockInstance as usize;
        Block { code, run }
    }
}
