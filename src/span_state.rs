//! What every thread can see of a span: its shared state.
//!
//! A stack entry, a suspended future or a context may outlive the span that it names, on any thread. Each of them has the
//! span's number and its state, and the state has the number of the span that it belongs to now. So anybody can tell
//! at any time whether a span has ended: then the two numbers differ.
//!
//! A state is never freed, so that it can be copied freely, but used again for another span. There are as many as
//! there ever were open spans at once.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Mutex;
use std::thread;

use crate::ids::SpanId;
use crate::target::Target;

/// The shared state of a span. What two spans write is on two cache lines.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct SharedState {
    /// The span's number, a [`SpanId`]; 0 once it has ended.
    id: AtomicU64,
    start: AtomicU64,
    task_id: AtomicU64,
    target: AtomicUsize,
    anchored_at: AtomicU64,
}

/// What its shared state knows of a span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanData {
    /// When it has started, as [`clock::now`](crate::clock::now) has it.
    pub(crate) start: u64,
    /// The task of the start record, if a `Logger` wrote it.
    pub(crate) task_id: Option<u64>,
    /// The target of its records if that is static.
    pub(crate) target: Target,
    /// The Unix time of the clock's anchor, in the view of the root that it is inside of.
    pub(crate) anchored_at: u64,
}

/// A span, open or not; or no span.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpanRef {
    /// `None` for no span.
    pub(crate) id: Option<SpanId>,
    pub(crate) state: Option<&'static SharedState>,
}

impl SpanRef {
    pub(crate) const NONE: SpanRef = SpanRef {
        id: None,
        state: None,
    };

    /// The span that has this state now.
    #[inline]
    pub(crate) fn now(state: Option<&'static SharedState>) -> Self {
        let id = state.and_then(|state| SpanId::new(state.id.load(Ordering::Acquire)));
        SpanRef { id, state }
    }

    #[inline]
    pub(crate) fn open(id: SpanId, data: SpanData) -> Self {
        let state = take();
        state.start.store(data.start, Ordering::Relaxed);
        (state.task_id).store(data.task_id.unwrap_or(NO_TASK), Ordering::Relaxed);
        // Whoever sees one of these sees, too, that the span before has ended.
        state.target.store(data.target.number(), Ordering::Release);
        (state.anchored_at).store(data.anchored_at, Ordering::Release);
        state.id.store(id.get(), Ordering::Release);
        SpanRef {
            id: Some(id),
            state: Some(state),
        }
    }

    /// Whether it is a span that has ended. Another thread may have ended it: all that it did before is seen then.
    #[inline]
    pub(crate) fn is_over(self) -> bool {
        self.state
            .is_some_and(|state| SpanId::new(state.id.load(Ordering::Acquire)) != self.id)
    }

    /// Whether it is a span of the process that this was forked from.
    #[inline]
    pub(crate) fn is_inherited(self) -> bool {
        self.id.is_some_and(SpanId::is_inherited)
    }

    /// The target of its records if that is static, and while it is open.
    pub(crate) fn target(self) -> Target {
        let number = self.ask(|state| state.target.load(Ordering::Acquire));
        number.map_or(Target::UNKNOWN, Target::from_number)
    }

    /// See [`SpanData`]; while it is open.
    #[inline]
    pub(crate) fn anchored_at(self) -> Option<u64> {
        self.ask(|state| state.anchored_at.load(Ordering::Acquire))
    }

    #[inline]
    fn ask<T>(self, what: impl FnOnce(&SharedState) -> T) -> Option<T> {
        let data = what(self.state?);
        // Asked behind that, since another thread may end it meanwhile.
        (!self.is_over()).then_some(data)
    }

    /// Ends it, for whoever has opened it; gives its start and its task. `None` if it has ended, as when a logger that
    /// panicked keeps it from being forgotten: its state may be another span's then.
    #[inline]
    pub(crate) fn close(self) -> Option<(u64, Option<u64>)> {
        let state = self.state.filter(|_| !self.is_over())?;
        let data = (
            state.start.load(Ordering::Relaxed),
            Some(state.task_id.load(Ordering::Relaxed)).filter(|task_id| *task_id != NO_TASK),
        );
        state.id.store(0, Ordering::Release);
        give_back(state);
        Some(data)
    }
}

/// In the memory of a state, no task.
const NO_TASK: u64 = u64::MAX;

/// How many states a thread makes, takes or leaves to others at once. It keeps twice as many.
const BLOCK_LEN: usize = 16;

/// States that no span has.
struct Free {
    count: Cell<usize>,
    states: [Cell<Option<&'static SharedState>>; 2 * BLOCK_LEN],
}

impl Free {
    fn pop(&self) -> Option<&'static SharedState> {
        let last = self.count.get().checked_sub(1)?;
        self.count.set(last);
        self.states.get(last)?.get()
    }

    /// Whether there was room.
    fn push(&self, state: &'static SharedState) -> bool {
        let count = self.count.get();
        match self.states.get(count) {
            Some(room) => {
                room.set(Some(state));
                self.count.set(count + 1);
                true
            }
            None => false,
        }
    }

    fn drain(&self, count: usize) -> impl Iterator<Item = &'static SharedState> + '_ {
        (0..count).map_while(|_| self.pop())
    }
}

impl Drop for Free {
    fn drop(&mut self) {
        share(self.drain(usize::MAX));
    }
}

thread_local! {
    static FREE: Free = const {
        // Each has a cell of its own.
        #[allow(clippy::declare_interior_mutable_const)]
        const NONE: Cell<Option<&'static SharedState>> = Cell::new(None);
        Free {
            count: Cell::new(0),
            states: [NONE; 2 * BLOCK_LEN],
        }
    };
}

/// Those of threads that have ended, or that end more spans than they start.
static SHARED: Mutex<Vec<&'static SharedState>> = Mutex::new(Vec::new());

#[inline]
fn take() -> &'static SharedState {
    match FREE.try_with(Free::pop) {
        Ok(Some(state)) => state,
        _ => take_block(),
    }
}

#[cold]
#[inline(never)]
fn take_block() -> &'static SharedState {
    // Never waited for: a fork may have left it locked.
    let shared = SHARED.try_lock().map(|mut shared| {
        let from = shared.len().saturating_sub(BLOCK_LEN);
        shared.split_off(from)
    });
    let mut block = shared.unwrap_or_default();
    if block.is_empty() {
        let states: Box<[SharedState]> = (0..BLOCK_LEN).map(|_| SharedState::default()).collect();
        block.extend(Box::leak(states).iter());
    }
    let state = block.pop().expect("at least one");
    block.into_iter().for_each(give_back);
    state
}

#[inline]
fn give_back(state: &'static SharedState) {
    if !FREE.try_with(|free| free.push(state)).unwrap_or(false) {
        give_block_back(state);
    }
}

#[cold]
#[inline(never)]
fn give_block_back(state: &'static SharedState) {
    let more = FREE.try_with(|free| share(free.drain(BLOCK_LEN).chain([state])));
    if more.is_err() {
        share([state]);
    }
}

/// Leaves states to other threads. They are lost if the lock stays taken, as in the child of a fork, or if this is
/// an allocator that logs while the list grows.
fn share(states: impl IntoIterator<Item = &'static SharedState>) {
    for _ in 0..64 {
        if let Ok(mut shared) = SHARED.try_lock() {
            shared.extend(states);
            return;
        }
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_over_for_all_who_have_it() {
        let id = |id| SpanId::new(id).unwrap();
        let data = |start, task_id| SpanData {
            start,
            task_id,
            target: Target::UNKNOWN,
            anchored_at: 5,
        };
        let first = SpanRef::open(id(1 << 60), data(3, Some(4)));
        assert_eq!(first.anchored_at(), Some(5));
        let other = std::thread::spawn(move || first.close()).join();
        assert_eq!(other.unwrap(), Some((3, Some(4))));
        assert_eq!(first.close(), None);
        assert!(first.is_over());
        assert_eq!(first.anchored_at(), None);
        let again: Vec<_> = (1..1000)
            .map(|n| SpanRef::open(id((1 << 60) + n), data(n, None)))
            .collect();
        assert!(first.is_over() && again.iter().all(|span| !span.is_over()));
        for (n, span) in (1..).zip(&again) {
            assert_eq!(span.close(), Some((n, None)));
            assert_eq!(span.close(), None);
            assert!(span.is_over());
        }
        assert!(!SpanRef::NONE.is_over());
    }
}
