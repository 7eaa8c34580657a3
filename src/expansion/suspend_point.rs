//! A suspending await: how the open spans of a state machine are suspended with it.

use std::future::{Future, IntoFuture};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::record::outcome::Outcome;
use crate::stack::{self, Block, SuspendedContext};

/// What each `.await` in a span's block becomes: `.__async_log_suspend(MACHINE).await`.
#[doc(hidden)]
pub trait SuspendPoint: IntoFuture + Sized {
    #[inline]
    fn __async_log_suspend(self, block: impl Into<Block>) -> SuspendingAwait<Self::IntoFuture> {
        // A block without an open span (they were all filtered out, or this await is in one that
        // some other macro makes of the block's tokens) has nothing to suspend.
        let (block, state) = match stack::running(block.into()) {
            Some(block) => (block, State::Running),
            None => (stack::BOUNDARY, State::Done),
        };
        SuspendingAwait {
            future: Some(self.into_future()),
            suspension: Suspension {
                block,
                state,
                held: SuspendedContext::default(),
            },
        }
    }
}

impl<F: IntoFuture> SuspendPoint for F {}

pin_project! {
    #[doc(hidden)]
    #[derive(Debug)]
    #[must_use]
    pub struct SuspendingAwait<F> {
        #[pin]
        future: Option<F>,
        suspension: Suspension,
    }

    impl<F> PinnedDrop for SuspendingAwait<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if matches!(this.suspension.state, State::Suspended) {
                let _cancel = Cancel::enter(this.suspension);
                this.future.set(None);
            }
        }
    }
}

#[derive(Debug)]
struct Suspension {
    block: Block,
    state: State,
    /// The innermost span of the block while it is suspended here.
    held: SuspendedContext,
}

#[derive(Debug)]
enum State {
    /// The block's level is on the stack.
    Running,
    /// It is in `held`.
    Suspended,
    /// It is the block's own affair again, or there never was one.
    Done,
}

impl<F: Future> Future for SuspendingAwait<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future.as_pin_mut().expect("taken only when dropped");
        let Some(polling) = Polling::enter(this.suspension) else {
            return future.poll(cx);
        };
        let polled = future.poll(cx);
        if polled.is_pending() {
            polling.suspend();
        }
        polled
    }
}

/// The awaited future is being polled, in a place of its own. When it is ready or panics, this is dropped and the
/// block goes on.
struct Polling<'a> {
    suspension: &'a mut Suspension,
    depth: usize,
}

impl<'a> Polling<'a> {
    /// `None` where there is nothing to suspend.
    #[inline]
    fn enter(suspension: &'a mut Suspension) -> Option<Self> {
        let depth = match suspension.state {
            State::Suspended => suspension.held.enter(),
            State::Running => suspension.held.take_over(suspension.block),
            State::Done => return None,
        };
        Some(Polling { suspension, depth })
    }

    /// The block is suspended, its level goes with it.
    #[inline]
    fn suspend(self) {
        let mut polling = ManuallyDrop::new(self);
        let depth = polling.depth;
        polling.suspension.held.leave(depth);
        polling.suspension.state = State::Suspended;
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        SuspendedContext::hand_over(self.depth, self.suspension.block, None);
        self.suspension.state = State::Done;
    }
}

/// The block is being dropped while it is suspended here. First the awaited future goes, in the place
/// where it was; then the block's locals go, in their span, so the level stays: the outermost span
/// of the block takes it off, and what the dropper had is found below.
struct Cancel<'a> {
    suspension: &'a mut Suspension,
    depth: usize,
}

impl<'a> Cancel<'a> {
    fn enter(suspension: &'a mut Suspension) -> Self {
        suspension.held.cancel();
        let depth = suspension.held.enter();
        Cancel { suspension, depth }
    }
}

impl Drop for Cancel<'_> {
    fn drop(&mut self) {
        SuspendedContext::hand_over(self.depth, self.suspension.block, Some(Outcome::Cancelled));
        self.suspension.state = State::Done;
    }
}
