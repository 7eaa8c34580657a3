//! Numbers for spans, tasks and threads.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many span ids a thread takes at once, so that threads do not share a cache line for each.
const BLOCK_LEN: u64 = 256;

static NEXT_SPAN: AtomicU64 = AtomicU64::new(1);
static NEXT_TASK: AtomicU64 = AtomicU64::new(1);

/// Smaller numbers are of spans and tasks of the process that this was forked from. 0 for none.
static FIRST: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // The next id of a span and the end of the block.
    static IDS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// The number of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanId(NonZeroU64);

impl SpanId {
    /// `None` for 0.
    #[inline]
    pub(crate) fn new(id: u64) -> Option<Self> {
        NonZeroU64::new(id).map(SpanId)
    }

    #[inline]
    pub(crate) fn get(self) -> u64 {
        self.0.get()
    }

    /// Whether this is a span of the process that this was forked from.
    #[inline]
    pub(crate) fn is_inherited(self) -> bool {
        is_inherited(self.get())
    }
}

/// A span id that no other span of the process has.
pub(crate) fn next_span() -> SpanId {
    IDS.with(|ids| {
        let (next, end) = match ids.get() {
            (next, end) if next < end => (next, end),
            _ => {
                let next = NEXT_SPAN.fetch_add(BLOCK_LEN, Ordering::Relaxed);
                (next, next + BLOCK_LEN)
            }
        };
        ids.set((next + 1, end));
        // The first number is 1.
        SpanId(NonZeroU64::new(next).unwrap_or(NonZeroU64::MIN))
    })
}

/// A task id: small numbers from 1, in the order in which tasks are made.
pub(crate) fn next_task() -> u64 {
    NEXT_TASK.fetch_add(1, Ordering::Relaxed)
}

/// Whether this is a span or a task of the process that this was forked from.
#[inline]
pub(crate) fn is_inherited(id: u64) -> bool {
    id < FIRST.load(Ordering::Relaxed) && id != 0
}

/// Lets numbers begin anew in a child: above all that were inherited, and apart from those of other children, so that a
/// reader of a common log does not take the one for the other.
pub(crate) fn renew(pid: u32) {
    const GENERATION: u64 = 1 << 46;
    let inherited = NEXT_SPAN
        .load(Ordering::Relaxed)
        .max(NEXT_TASK.load(Ordering::Relaxed));
    let generation = (inherited / GENERATION + 1) * GENERATION;
    let first = generation + (u64::from(pid) << 24) % GENERATION;
    for numbers in [&NEXT_SPAN, &NEXT_TASK, &FIRST] {
        numbers.store(first, Ordering::Relaxed);
    }
    IDS.with(|ids| ids.set((0, 0)));
}

/// The number that the standard library gives this thread; the main thread has 1. Read once a
/// thread: there is no stable way to it but its `Debug` form.
pub(crate) fn thread() -> u64 {
    thread_local! {
        static ID: Cell<u64> = const { Cell::new(0) };
    }
    ID.with(|id| match id.get() {
        0 => {
            let number = read_thread();
            id.set(number);
            number
        }
        number => number,
    })
}

#[cold]
fn read_thread() -> u64 {
    // Early versions of the standard library panic here while the thread's locals are destroyed.
    let text = std::panic::catch_unwind(|| format!("{:?}", std::thread::current().id()));
    let text = text.unwrap_or_default();
    let digits = text.trim_matches(|c: char| !c.is_ascii_digit());
    digits.parse().unwrap_or(u64::MAX)
}
