//! Whose a level is.

/// A state machine.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Whose code it is: a number that only the tokens of one block have.
    code: u64,
    /// Which run of that code, as code may poll itself by hand, `now_or_never()`, in a span that is
    /// open in the one and filtered out in the other. 0 for any.
    pub(super) run: usize,
}

/// The machine of a level that belongs to whoever polls or calls: no kept await may suspend it, and it is taken off
/// by code that runs on this thread in any case.
pub(crate) const BOUNDARY: Machine = Machine { code: 0, run: 0 };

/// The machine of a block's level in which no await can be seen. So none may suspend it; if there is one all the same,
/// in the definition of a macro, the span may end on another thread.
pub(crate) const BLOCK: Machine = Machine { code: 0, run: 1 };

impl Machine {
    /// Whether this, of a level, is the one that is meant.
    pub(super) fn is(self, meant: Machine) -> bool {
        self.code == meant.code && (self.run == meant.run || meant.run == 0)
    }
}

/// For what cannot name the [`Run`]: an await in the tokens of a macro that may put it anywhere.
impl From<u64> for Machine {
    #[inline]
    fn from(code: u64) -> Self {
        Machine { code, run: 0 }
    }
}

/// A local of a machine: its address tells the machine's runs apart. It is borrowed, so it lies in
/// the state machine as long as the block lasts, and that does not move once it is polled.
#[doc(hidden)]
#[derive(Debug)]
pub struct Run(#[allow(dead_code)] u8); // of no size, it could share its address

impl Run {
    #[allow(clippy::new_without_default)]
    #[inline]
    pub const fn new() -> Self {
        Run(0)
    }

    #[inline]
    pub fn of(&self, code: u64) -> Machine {
        let run = self as *const Run as usize;
        Machine { code, run }
    }
}
