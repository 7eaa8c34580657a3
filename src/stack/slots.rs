//! The slots of a thread's span stack.

use std::cell::{Cell, RefCell};
use std::mem::{self, ManuallyDrop};

use crate::ids::SpanId;
use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::span_state::{SharedState, SpanRef};
use crate::stack::block::{Block, BOUNDARY};
use crate::stack::position::SpanContext;

/// One entry of a thread's stack.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) position: SpanContext,
    /// The block whose spans this entry holds, or [`SYNC_BLOCK`], or [`BOUNDARY`].
    pub(super) block: Block,
    /// What became of the code that this entry belongs to, if it did not just end.
    pub(super) outcome: Option<Outcome>,
}

/// Room for one entry. Room that is not in use has no fields, is a boundary, and has nothing special.
pub(super) struct Slot {
    pub(super) state: Cell<Option<&'static SharedState>>,
    pub(super) fields: Cell<Fields>,
    pub(super) block: Cell<Block>,
    /// Whether there is more to it than to the place of a future in a span that is open for as long. The rest is
    /// for what is special.
    pub(super) special: Cell<bool>,
    /// The span's number; `None` if its state has that.
    pub(super) id: Cell<Option<SpanId>>,
    pub(super) outcome: Cell<Option<Outcome>>,
    /// Nine words are a size by which a processor multiplies in one step.
    _size: [usize; 3],
}

impl Slot {
    pub(super) const fn new() -> Self {
        Slot {
            state: Cell::new(None),
            fields: Cell::new(Fields::none()),
            block: Cell::new(BOUNDARY),
            special: Cell::new(false),
            id: Cell::new(None),
            outcome: Cell::new(None),
            _size: [0; 3],
        }
    }

    /// Makes it the place of a future in an open span.
    #[inline]
    pub(super) fn put_open(&self, state: Option<&'static SharedState>, fields: Fields) {
        self.state.set(state);
        // There are none that would have to be dropped.
        mem::forget(self.fields.replace(fields));
    }

    #[inline]
    pub(super) fn put(&self, entry: Entry) {
        let SpanContext { span, fields } = entry.position;
        self.put_open(span.state, fields);
        self.block.set(entry.block);
        self.special.set(true);
        self.id.set(span.id);
        self.outcome.set(entry.outcome);
    }

    /// As [`take`](Slot::take), where nobody wants the position.
    #[inline]
    pub(super) fn clear(&self) -> Option<Outcome> {
        drop(self.fields.take());
        self.block.set(BOUNDARY);
        self.special.set(false);
        self.id.set(None);
        self.outcome.take()
    }

    pub(super) fn take(&self) -> Entry {
        let entry = Entry {
            position: self.take_position(),
            block: self.block.replace(BOUNDARY),
            outcome: self.outcome.take(),
        };
        self.special.set(false);
        self.id.set(None);
        entry
    }

    pub(super) fn span(&self) -> SpanRef {
        let state = self.state.get();
        match self.id.get() {
            None => SpanRef::now(state),
            id => SpanRef { id, state },
        }
    }

    pub(super) fn take_position(&self) -> SpanContext {
        SpanContext {
            span: self.span(),
            fields: self.fields.take(),
        }
    }

    pub(super) fn replace_position(&self, position: SpanContext) -> SpanContext {
        let before = self.take_position();
        self.state.set(position.span.state);
        self.special.set(true);
        self.id.set(position.span.id);
        self.fields.set(position.fields);
        before
    }

    pub(super) fn set_outcome(&self, outcome: Option<Outcome>) {
        self.special.set(true);
        self.outcome.set(outcome);
    }

    /// Whether this is an entry that nobody has taken off where its span ended: an await that could not be seen has left
    /// it here, and the code has gone on elsewhere. Or its span is one of the process from which this was forked.
    #[inline]
    pub(super) fn is_stale(&self) -> bool {
        let span = self.span();
        self.block.get() != BOUNDARY && span.is_over() || span.is_inherited()
    }
}

/// How many entries a thread has room for from the beginning.
pub(super) const ROOM: usize = 16;

pub(super) struct Stack {
    pub(super) depth: Cell<usize>,
    pub(super) slots: ManuallyDrop<[Slot; ROOM]>,
}

thread_local! {
    // Nothing here needs a destructor, since a thread that ends is in no span. So it is there also for what the
    // destructors of other locals log, and no access has to ask whether it is.
    pub(super) static STACK: Stack = const {
        // Each has a cell of its own.
        #[allow(clippy::declare_interior_mutable_const)]
        const EMPTY: Slot = Slot::new();
        Stack {
            depth: Cell::new(0),
            slots: ManuallyDrop::new([EMPTY; ROOM]),
        }
    };
    /// Room for more entries, as many as there ever were.
    static MORE: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// Gives `None` where there is no such slot: after the thread's locals are destroyed, or for an allocator that logs
/// while the stack grows. Nothing is known of the context there, and all goes on.
#[inline]
pub(super) fn with_slot<R>(at: usize, f: impl FnOnce(&Slot) -> R) -> Option<R> {
    STACK.with(|stack| match stack.slots.get(at) {
        Some(slot) => Some(f(slot)),
        None => with_more(at.checked_sub(ROOM)?, f),
    })
}

#[cold]
#[inline(never)]
pub(super) fn with_more<R>(at: usize, f: impl FnOnce(&Slot) -> R) -> Option<R> {
    let f = |more: &RefCell<Vec<Slot>>| {
        if more.try_borrow().ok()?.len() == at {
            more.try_borrow_mut().ok()?.push(Slot::new());
        }
        more.try_borrow().ok()?.get(at).map(f)
    };
    MORE.try_with(f).ok().flatten()
}

/// The topmost entry.
#[inline]
pub(super) fn with_top<R>(f: impl FnOnce(&Slot) -> R) -> Option<R> {
    with_slot(depth().checked_sub(1)?, f)
}

#[inline]
pub(super) fn push(entry: Entry) {
    STACK.with(|stack| {
        let depth = stack.depth.get();
        match stack.slots.get(depth) {
            Some(slot) => {
                slot.put(entry);
                stack.depth.set(depth + 1);
            }
            None => push_more(depth, entry),
        }
    })
}

#[cold]
#[inline(never)]
pub(super) fn push_more(depth: usize, entry: Entry) {
    if with_slot(depth, |slot| slot.put(entry)).is_some() {
        STACK.with(|stack| stack.depth.set(depth + 1));
    }
}

#[inline]
pub(super) fn pop() -> Option<Entry> {
    let top = depth().checked_sub(1)?;
    STACK.with(|stack| stack.depth.set(top));
    with_slot(top, Slot::take)
}

pub(super) fn truncate(depth_before: usize) {
    while depth() > depth_before {
        pop();
    }
}

/// Which entry the span `id` has.
pub(super) fn find(id: Option<SpanId>) -> Option<usize> {
    (0..depth())
        .rev()
        .find(|&at| with_slot(at, |slot| slot.span().id) == Some(id))
}

/// How deep the stack is. As long as the running code has not come back, it says where that code was.
#[inline]
pub(crate) fn depth() -> usize {
    STACK.with(|stack| stack.depth.get())
}

/// Takes off the topmost entries if their spans have ended.
pub(super) fn pop_stale() {
    while with_top(Slot::is_stale) == Some(true) {
        pop();
    }
}
