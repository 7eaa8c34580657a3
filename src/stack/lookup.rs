//! Where the running code is, or was.

use crate::stack::position::Position;
use crate::stack::slots::{depth, take_stale_off, with_slot, Slot};

/// The span that the running code is in.
#[inline]
pub(crate) fn current() -> Position {
    if depth() == 0 {
        return Position::default();
    }
    take_stale_off();
    at(depth())
}

/// The span in which code was that found the stack so deep.
pub(crate) fn at(depth: usize) -> Position {
    with(depth, Position::clone)
}

/// As [`at`], without a copy; `f` must not call back into this module.
pub(crate) fn with<R>(mut depth: usize, f: impl FnOnce(&Position) -> R) -> R {
    let at = loop {
        match depth.checked_sub(1) {
            None => return f(&Position::default()),
            Some(at) if with_slot(at, Slot::is_stale) == Some(true) => depth = at,
            Some(at) => break at,
        }
    };
    let position = with_slot(at, Slot::take_position).unwrap_or_default();
    let result = f(&position);
    with_slot(at, |slot| slot.fields.set(position.fields));
    result
}

/// Whether the running code is there anyway.
pub(crate) fn is_here(position: &Position) -> bool {
    with(depth(), |here| {
        here.span.id == position.span.id && here.fields.is_same(&position.fields)
    })
}
