//! Where the running code is, or was.

use crate::stack::position::SpanContext;
use crate::stack::slots::{depth, pop_stale, with_slot, Slot};

/// The span that the running code is in.
#[inline]
pub(crate) fn current() -> SpanContext {
    if depth() == 0 {
        return SpanContext::default();
    }
    pop_stale();
    at(depth())
}

/// The span in which code was that found the stack so deep.
pub(crate) fn at(depth: usize) -> SpanContext {
    with(depth, SpanContext::clone)
}

/// As [`at`], without a copy; `f` must not call back into this module.
pub(crate) fn with<R>(mut depth: usize, f: impl FnOnce(&SpanContext) -> R) -> R {
    let at = loop {
        match depth.checked_sub(1) {
            None => return f(&SpanContext::default()),
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
pub(crate) fn is_here(position: &SpanContext) -> bool {
    with(depth(), |here| {
        here.span.id == position.span.id && here.fields.is_same(&position.fields)
    })
}
