//! Futures: how they bring their place along and take it away while they are suspended.

use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::span_state::{SharedState, SpanRef};
use crate::stack::block::{Block, BOUNDARY};
use crate::stack::blocks::{enter, running};
use crate::stack::position::SpanContext;
use crate::stack::slots::{self, pop, push, truncate, with_top, Entry, ROOM, STACK};

/// What a future that owns its context had left open above it when it was suspended. Suspending awaits leave
/// nothing open: what is found there is a span around an await that no macro of ours could see.
#[derive(Debug, Default)]
#[allow(clippy::box_collection)] // a single word in each suspended future, and almost never anything in it
pub(crate) struct LeftOpen(Option<Box<Vec<Entry>>>);

impl LeftOpen {
    /// The future is going to be dropped unfinished.
    pub(crate) fn cancel(&mut self) {
        for entry in self.0.iter_mut().flat_map(|open| open.iter_mut()) {
            entry.outcome = Some(Outcome::Cancelled);
        }
    }

    /// Takes off what is above this entry.
    fn take_off(&mut self, depth: usize) {
        let mut open: Vec<_> = (depth..slots::depth())
            .filter_map(|_| pop())
            .filter(|entry| entry.block == BOUNDARY || !entry.position.span.is_over())
            .collect();
        open.reverse();
        self.0 = Some(Box::new(open)).filter(|open| !open.is_empty());
    }
}

/// Enters the place of a future in an open span: its state, its fields, which are taken for as long, and what the future
/// had left open. Gives the depth to come back to.
#[inline]
pub(crate) fn enter_future(
    state: Option<&'static SharedState>,
    fields: &mut Fields,
    open: &mut LeftOpen,
) -> usize {
    let depth = slots::depth();
    if open.0.is_some() || depth >= ROOM {
        enter_future_open(SpanRef::now(state), fields, open);
        return depth;
    }
    STACK.with(|stack| {
        stack.slots[depth].put_open(state, fields.take());
        stack.depth.set(depth + 1);
    });
    depth
}

/// The same where something was left open, or the stack is deep, or the span may have ended.
#[cold]
#[inline(never)]
pub(crate) fn enter_future_open(span: SpanRef, fields: &mut Fields, open: &mut LeftOpen) -> usize {
    let depth = slots::depth();
    let fields = fields.take();
    enter(SpanContext { span, fields }, BOUNDARY);
    let open = open.0.take().into_iter();
    open.for_each(|open| open.into_iter().for_each(push));
    depth
}

/// Leaves the place of a future, with what it leaves open. What was there before is put back exactly.
/// Gives its fields back, and says how the code there has ended.
#[inline]
pub(crate) fn leave_future(
    depth: usize,
    fields: &mut Fields,
    open: &mut LeftOpen,
) -> Option<Outcome> {
    let is_left = STACK.with(|stack| match stack.slots.get(depth) {
        Some(slot) if stack.depth.get() == depth + 1 && !slot.special.get() => {
            stack.depth.set(depth);
            fields.put_back(slot.fields.take());
            true
        }
        _ => false,
    });
    if is_left {
        None
    } else {
        leave_future_open(depth, fields, open)
    }
}

/// The same where something is left open, or the code has failed, or the stack is deep.
#[cold]
#[inline(never)]
fn leave_future_open(depth: usize, fields: &mut Fields, open: &mut LeftOpen) -> Option<Outcome> {
    if slots::depth() > depth + 1 {
        open.take_off(depth + 1);
    }
    if slots::depth() <= depth {
        return None;
    }
    let entry = pop()?;
    fields.put_back(entry.position.fields);
    entry.outcome
}

/// A place that a future owns, kept while the future is suspended.
#[derive(Debug, Default)]
pub(crate) struct SuspendedContext {
    own: SpanContext,
    open: LeftOpen,
}

impl SuspendedContext {
    pub(crate) fn new(own: SpanContext) -> Self {
        SuspendedContext {
            own,
            open: LeftOpen::default(),
        }
    }

    #[inline]
    pub(crate) fn enter(&mut self) -> usize {
        enter_future(self.own.span.state, &mut self.own.fields, &mut self.open)
    }

    /// See [`LeftOpen::cancel`].
    pub(crate) fn cancel(&mut self) {
        self.open.cancel();
    }

    /// Whether the span has ended that this place is in.
    pub(crate) fn is_over(&self) -> bool {
        self.own.span.is_over()
    }

    #[inline]
    pub(crate) fn leave(&mut self, depth: usize) {
        leave_future(depth, &mut self.own.fields, &mut self.open);
    }

    /// Turns the entry of the running block into this context, whose code it was until now.
    #[inline(never)]
    pub(crate) fn take_over(&mut self, block: Block) -> usize {
        if running(block).is_none() {
            return self.enter();
        }
        with_top(|top| {
            top.block.set(BOUNDARY);
            self.own.span = top.span();
        });
        slots::depth() - 1
    }

    /// Turns this context into the entry of the block that owns it, which goes on, or is dropped.
    #[inline(never)]
    pub(crate) fn hand_over(depth: usize, block: Block, outcome: Option<Outcome>) {
        truncate(depth + 1);
        if slots::depth() > depth {
            with_top(|top| {
                top.block.set(block);
                top.id.set(top.span().id);
                top.set_outcome(outcome);
            });
        }
    }
}
