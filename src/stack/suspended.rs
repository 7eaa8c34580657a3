//! Futures: how they bring their place along and take it away while they are suspended.

use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::span_state::{SpanRef, State};
use crate::stack::blocks::{enter, running};
use crate::stack::machine::{Machine, BOUNDARY};
use crate::stack::position::Position;
use crate::stack::slots::{self, pop, push, truncate, with_top, Level, ROOM, STACK};

/// What a future that owns its place had left open above it when it was suspended. Kept awaits leave
/// nothing open: what is found there is a span around an await that no macro of ours could see.
#[derive(Debug, Default)]
#[allow(clippy::box_collection)] // a single word in each suspended future, and almost never anything in it
pub(crate) struct LeftOpen(Option<Box<Vec<Level>>>);

impl LeftOpen {
    /// The future is going to be dropped unfinished.
    pub(crate) fn cancel(&mut self) {
        for level in self.0.iter_mut().flat_map(|open| open.iter_mut()) {
            level.outcome = Some(Outcome::Cancelled);
        }
    }

    /// Takes off what is above this level.
    fn take_off(&mut self, depth: usize) {
        let mut open: Vec<_> = (depth..slots::depth())
            .filter_map(|_| pop())
            .filter(|level| level.machine == BOUNDARY || !level.position.span.is_over())
            .collect();
        open.reverse();
        self.0 = Some(Box::new(open)).filter(|open| !open.is_empty());
    }
}

/// Enters the place of a future in an open span: its state, its fields, which are taken for as long, and what the future
/// had left open. Gives the depth to come back to.
#[inline]
pub(crate) fn enter_frame(
    state: Option<&'static State>,
    fields: &mut Fields,
    open: &mut LeftOpen,
) -> usize {
    let depth = slots::depth();
    if open.0.is_some() || depth >= ROOM {
        enter_frame_open(SpanRef::now(state), fields, open);
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
pub(crate) fn enter_frame_open(span: SpanRef, fields: &mut Fields, open: &mut LeftOpen) -> usize {
    let depth = slots::depth();
    let fields = fields.take();
    enter(Position { span, fields }, BOUNDARY);
    let open = open.0.take().into_iter();
    open.for_each(|open| open.into_iter().for_each(push));
    depth
}

/// Leaves the place of a future, with what it leaves open. What was there before is put back exactly.
/// Gives its fields back, and says how the code there has ended.
#[inline]
pub(crate) fn leave_frame(
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
    match is_left {
        true => None,
        false => leave_frame_open(depth, fields, open),
    }
}

/// The same where something is left open, or the code has failed, or the stack is deep.
#[cold]
#[inline(never)]
fn leave_frame_open(depth: usize, fields: &mut Fields, open: &mut LeftOpen) -> Option<Outcome> {
    if slots::depth() > depth + 1 {
        open.take_off(depth + 1);
    }
    if slots::depth() <= depth {
        return None;
    }
    let level = pop()?;
    fields.put_back(level.position.fields);
    level.outcome
}

/// A place that a future owns, kept while the future is suspended.
#[derive(Debug, Default)]
pub(crate) struct Held {
    own: Position,
    open: LeftOpen,
}

impl Held {
    pub(crate) fn new(own: Position) -> Self {
        Held {
            own,
            open: LeftOpen::default(),
        }
    }

    #[inline]
    pub(crate) fn enter(&mut self) -> usize {
        enter_frame(self.own.span.state, &mut self.own.fields, &mut self.open)
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
        leave_frame(depth, &mut self.own.fields, &mut self.open);
    }

    /// Turns the level of the running machine into this place, whose code it was until now.
    #[inline(never)]
    pub(crate) fn take_over(&mut self, machine: Machine) -> usize {
        if running(machine).is_none() {
            return self.enter();
        }
        with_top(|top| {
            top.machine.set(BOUNDARY);
            self.own.span = top.span();
        });
        slots::depth() - 1
    }

    /// Turns this place into the level of the machine that owns it, which goes on, or is dropped.
    #[inline(never)]
    pub(crate) fn hand_over(depth: usize, machine: Machine, outcome: Option<Outcome>) {
        truncate(depth + 1);
        if slots::depth() > depth {
            with_top(|top| {
                top.machine.set(machine);
                top.id.set(top.span().id);
                top.set_outcome(outcome);
            });
        }
    }
}
