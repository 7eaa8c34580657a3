//! The work that every peer does, and how it is repeated.

use std::future::Future;
use std::hint::black_box;
use std::pin::{pin, Pin};
use std::task::{Context, Poll, Waker};

/// A number and a text: the two fields.
pub const USER: u64 = 7421;
pub const PATH: &str = "/tmp/cats";

/// How many operations are in one [`Work::batch`].
const BATCH: u64 = 1000;

/// One peer's way to do it. What stands for code in place is inlined, what stands for a function is not.
pub trait Work {
    /// What code inside a span is handed, where it has to be.
    type Inside;

    /// Runs a batch of operations in what this peer wants around them.
    fn batch(body: impl FnOnce()) {
        body();
    }

    /// Writes a record with a number in its message, outside of any span.
    fn record(n: u64);

    /// Runs `body` in a span with two fields.
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&Self::Inside) -> R) -> R;

    /// Writes a record inside that span. The fields are for those who write them by hand.
    fn record_inside(inside: &Self::Inside, n: u64, user: u64, path: &'static str);

    /// A function that is traced with its two arguments.
    fn function(user: u64, path: &'static str) -> u64;

    /// The same as an `async fn`, which awaits something that stalls.
    fn async_function(user: u64, path: &'static str, stalls: u64) -> impl Future<Output = u64>;

    /// An `async fn` that awaits it inside a span of its own.
    fn kept(user: u64, path: &'static str, stalls: u64) -> impl Future<Output = u64>;
}

/// A future that is pending so many times.
pub struct Stalled(pub u64);

impl Future for Stalled {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
        if self.0 == 0 {
            return Poll::Ready(1);
        }
        self.0 -= 1;
        Poll::Pending
    }
}

/// A column of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    FilteredSpan,
    FilteredFunction,
    Record,
    RecordInside,
    Span,
    Function,
    Poll,
    KeptPoll,
}

impl Operation {
    pub const ALL: [Operation; 8] = [
        Operation::FilteredSpan,
        Operation::FilteredFunction,
        Operation::Record,
        Operation::RecordInside,
        Operation::Span,
        Operation::Function,
        Operation::Poll,
        Operation::KeptPoll,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Operation::FilteredSpan => "filtered span",
            Operation::FilteredFunction => "filtered fn",
            Operation::Record => "record",
            Operation::RecordInside => "record in a span",
            Operation::Span => "span",
            Operation::Function => "annotated fn",
            Operation::Poll => "poll",
            Operation::KeptPoll => "poll in a span",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.name() == name)
    }

    /// Whether spans are filtered out.
    pub fn is_filtered(self) -> bool {
        matches!(self, Operation::FilteredSpan | Operation::FilteredFunction)
    }
}

/// Does an operation `n` times.
#[inline(never)]
pub fn run<W: Work>(operation: Operation, n: u64) {
    match operation {
        Operation::FilteredSpan | Operation::Span => batches::<W>(n, |_| {
            W::span(black_box(USER), black_box(PATH), |_| black_box(()));
        }),
        Operation::FilteredFunction | Operation::Function => batches::<W>(n, |_| {
            black_box(W::function(black_box(USER), black_box(PATH)));
        }),
        Operation::Record => batches::<W>(n, W::record),
        Operation::RecordInside => record_inside::<W>(n),
        Operation::Poll => {
            W::batch(|| poll(W::async_function(black_box(USER), black_box(PATH), n)))
        }
        Operation::KeptPoll => W::batch(|| poll(W::kept(black_box(USER), black_box(PATH), n))),
    }
}

#[inline(always)]
fn batches<W: Work>(n: u64, mut operation: impl FnMut(u64)) {
    for start in (0..n).step_by(BATCH as usize) {
        W::batch(|| {
            for i in start..n.min(start + BATCH) {
                operation(black_box(i % 10));
            }
        });
    }
}

#[inline(always)]
fn record_inside<W: Work>(n: u64) {
    for start in (0..n).step_by(BATCH as usize) {
        W::batch(|| {
            W::span(USER, PATH, |inside| {
                for i in start..n.min(start + BATCH) {
                    W::record_inside(inside, black_box(i % 10), black_box(USER), black_box(PATH));
                }
            });
        });
    }
}

/// Polls it as an executor does, which knows nothing of the future: else the compiler turns a future without any logging
/// into a loop.
#[inline(always)]
fn poll(future: impl Future<Output = u64>) {
    let mut future: Pin<&mut dyn Future<Output = u64>> = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    while black_box(future.as_mut()).poll(&mut context).is_pending() {}
}
