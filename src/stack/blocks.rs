//! Blocks of code: how they enter their spans and leave them.

use crate::record::outcome::Outcome;
use crate::stack::machine::{Machine, BOUNDARY};
use crate::stack::position::Position;
use crate::stack::slots::{
    depth, find, pop, push, take_stale_off, truncate, with_slot, with_top, Level, STACK,
};

/// Enters a span whose code runs from here to [`exit`]: a synchronous block, or the outermost span
/// of this machine.
#[inline]
pub(crate) fn enter(position: Position, machine: Machine) {
    reenter_machine(position, machine, None);
}

/// Leaves the span `id` and whatever was left open inside it; says how it ended.
///
/// The level is the topmost one unless an await that could not be seen has left something above
/// it, or has carried it away (then there is nothing to do: it was taken off on the way out).
pub(crate) fn exit(id: u64) -> Option<Outcome> {
    let exited = STACK.with(|stack| {
        let top = stack.depth.get().checked_sub(1)?;
        // A level that [`enter`] has pushed has the number itself.
        let slot = (stack.slots.get(top)).filter(|slot| slot.id.get() == id)?;
        stack.depth.set(top);
        Some(slot.clear())
    });
    match exited {
        Some(outcome) => outcome,
        None => exit_deep(id),
    }
}

/// The same where the level is not the topmost one, or the stack is deep.
#[cold]
#[inline(never)]
fn exit_deep(id: u64) -> Option<Outcome> {
    truncate(find(id)? + 1);
    pop()?.outcome
}

/// The innermost span has failed.
#[doc(hidden)]
pub fn fail() {
    take_stale_off();
    with_top(|top| top.set_outcome(Some(Outcome::Error)));
}

/// Runs synchronous code at another position.
pub(crate) fn run<R>(position: Position, f: impl FnOnce() -> R) -> R {
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

/// Enters a span nested in a machine that already has a level: gives what that level held, for
/// [`exit_nested`]. Gives the position back where this machine has no level of its own on top, as
/// when the spans around were filtered out: then it is for [`enter`].
pub(crate) fn enter_nested(position: Position, machine: Machine) -> Result<Position, Position> {
    match running(machine) {
        Some(_) => Ok(with_top(|top| top.replace_position(position)).unwrap_or_default()),
        None => Err(position),
    }
}

/// Leaves the span `id`, nested in one at `parent`; says as [`exit`] does how it ended.
pub(crate) fn exit_nested(id: u64, parent: Position) -> Option<Outcome> {
    truncate(find(id)? + 1);
    with_top(|level| {
        level.replace_position(parent);
        level.outcome.get()
    })?
}

/// Takes the level of the running machine off, and gives what it held; `None` where this machine
/// has no open span.
pub(crate) fn leave_machine(machine: Machine) -> Option<(Position, Machine)> {
    running(machine)?;
    pop().map(|level| (level.position, level.machine))
}

/// Puts the level of a machine back, with an outcome where that is only for its locals to be dropped.
#[inline]
pub(crate) fn reenter_machine(position: Position, machine: Machine, outcome: Option<Outcome>) {
    push(Level {
        position,
        machine,
        outcome,
    });
}

/// The running machine if it has an open span.
#[inline]
pub(crate) fn running(machine: Machine) -> Option<Machine> {
    match with_top(|top| top.machine.get())? {
        BOUNDARY => None,
        top if top.is(machine) => Some(top),
        _ => uncover(machine),
    }
}

/// Takes off what lies above the level of a machine that is running: what its code has called, or polled by hand, has
/// come back, and has left that open in awaits that could not be seen.
#[cold]
#[inline(never)]
fn uncover(machine: Machine) -> Option<Machine> {
    let is_own = |at: &usize| with_slot(*at, |slot| slot.machine.get()) == Some(machine);
    // The number of its code alone may be that of another run, further out.
    let own = (0..depth()).rev().find(is_own).filter(|_| machine.run != 0);
    match own {
        Some(own) => truncate(own + 1),
        None => take_stale_off(),
    }
    with_top(|top| top.machine.get()).filter(|top| top.is(machine))
}
