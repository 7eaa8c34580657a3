//! Blocks of code: how they enter their spans and leave them.

use crate::ids::SpanId;
use crate::record::outcome::Outcome;
use crate::stack::block::{Block, BOUNDARY};
use crate::stack::position::SpanContext;
use crate::stack::slots::{
    depth, find, pop, pop_stale, push, truncate, with_slot, with_top, Entry, STACK,
};

/// Enters a span whose code runs from here to [`exit`]: a synchronous block, or the outermost span
/// of this block.
#[inline]
pub(crate) fn enter(position: SpanContext, block: Block) {
    reenter_block(position, block, None);
}

/// Leaves the span `id` and whatever was left open inside it; says how it ended.
///
/// The entry is the topmost one unless an await that could not be seen has left something above
/// it, or has carried it away (then there is nothing to do: it was taken off on the way out).
pub(crate) fn exit(id: Option<SpanId>) -> Option<Outcome> {
    let exited = STACK.with(|stack| {
        let top = stack.depth.get().checked_sub(1)?;
        // An entry that [`enter`] has pushed has the number itself.
        let slot = (stack.slots.get(top)).filter(|slot| slot.id.get() == id)?;
        stack.depth.set(top);
        Some(slot.clear())
    });
    match exited {
        Some(outcome) => outcome,
        None => exit_deep(id),
    }
}

/// The same where the entry is not the topmost one, or the stack is deep.
#[cold]
#[inline(never)]
fn exit_deep(id: Option<SpanId>) -> Option<Outcome> {
    truncate(find(id)? + 1);
    pop()?.outcome
}

/// The innermost span has failed.
#[doc(hidden)]
pub fn mark_failed() {
    pop_stale();
    with_top(|top| top.set_outcome(Some(Outcome::Error)));
}

/// Runs synchronous code at another position.
pub(crate) fn run<R>(position: SpanContext, f: impl FnOnce() -> R) -> R {
    struct Leave(usize);

    impl Drop for Leave {
        fn drop(&mut self) {
            truncate(self.0);
        }
    }

    let _leave = Leave(depth());
    enter(position, BOUNDARY);
    f()
}

/// Enters a span nested in a block that already has an entry: gives what that entry held, for
/// [`exit_nested`]. Gives the position back where this block has no entry of its own on top, as
/// when the spans around were filtered out: then it is for [`enter`].
pub(crate) fn enter_nested(
    position: SpanContext,
    block: Block,
) -> Result<SpanContext, SpanContext> {
    match running(block) {
        Some(_) => Ok(with_top(|top| top.replace_position(position)).unwrap_or_default()),
        None => Err(position),
    }
}

/// Leaves the span `id`, nested in one at `parent`; says as [`exit`] does how it ended.
pub(crate) fn exit_nested(id: Option<SpanId>, parent: SpanContext) -> Option<Outcome> {
    truncate(find(id)? + 1);
    with_top(|entry| {
        entry.replace_position(parent);
        entry.outcome.get()
    })?
}

/// Takes the entry of the running block off, and gives what it held; `None` where this block
/// has no open span.
pub(crate) fn leave_block(block: Block) -> Option<(SpanContext, Block)> {
    running(block)?;
    pop().map(|entry| (entry.position, entry.block))
}

/// Puts the entry of a block back, with an outcome where that is only for its locals to be dropped.
#[inline]
pub(crate) fn reenter_block(position: SpanContext, block: Block, outcome: Option<Outcome>) {
    push(Entry {
        position,
        block,
        outcome,
    });
}

/// The running block if it has an open span.
#[inline]
pub(crate) fn running(block: Block) -> Option<Block> {
    match with_top(|top| top.block.get())? {
        BOUNDARY => None,
        top if top.is(block) => Some(top),
        _ => uncover(block),
    }
}

/// Takes off what lies above the entry of a block that is running: what its code has called, or polled by hand, has
/// come back, and has left that open in awaits that could not be seen.
#[cold]
#[inline(never)]
fn uncover(block: Block) -> Option<Block> {
    let is_own = |at: &usize| with_slot(*at, |slot| slot.block.get()) == Some(block);
    // The number of its code alone may be that of another run, further out.
    let own = (0..depth()).rev().find(is_own).filter(|_| block.run != 0);
    match own {
        Some(own) => truncate(own + 1),
        None => pop_stale(),
    }
    with_top(|top| top.block.get()).filter(|top| top.is(block))
}
