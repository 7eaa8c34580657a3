//! A kept await: how the open spans of a state machine are suspended with it.

use std::future::{Future, IntoFuture};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::record::outcome::Outcome;
use crate::stack::{self, Held, Machine};

/// What each `.await` in a span's block becomes: `.__async_log_keep(MACHINE).await`.
#[doc(hidden)]
pub trait KeepPlace: IntoFuture + Sized {
    #[inline]
    fn __async_log_keep(self, machine: impl Into<Machine>) -> Keep<Self::IntoFuture> {
        // A machine without an open span (they were all filtered out, or this await is in one that
        // some other macro makes of the block's tokens) has nothing to suspend.
        let (machine, state) = match stack::running(machine.into()) {
            Some(machine) => (machine, State::Running),
            None => (stack::BOUNDARY, State::Done),
        };
        Keep {
            future: Some(self.into_future()),
            suspension: Suspension {
                machine,
                state,
                held: Held::default(),
            },
        }
    }
}

impl<F: IntoFuture> KeepPlace for F {}

pin_project! {
    #[doc(hidden)]
    #[derive(Debug)]
    #[must_use]
    pub struct Keep<F> {
        #[pin]
        future: Option<F>,
        suspension: Suspension,
    }

    impl<F> PinnedDrop for Keep<F> {
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
    machine: Machine,
    state: State,
    /// The innermost span of the machine while it is suspended here.
    held: Held,
}

#[derive(Debug)]
enum State {
    /// The machine's level is on the stack.
    Running,
    /// It is in `held`.
    Suspended,
    /// It is the machine's own affair again, or there never was one.
    Done,
}

impl<F: Future> Future for Keep<F> {
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
/// machine goes on.
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
            State::Running => suspension.held.take_over(suspension.machine),
            State::Done => return None,
        };
        Some(Polling { suspension, depth })
    }

    /// The machine is suspended, its level goes with it.
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
        Held::hand_over(self.depth, self.suspension.machine, None);
        self.suspension.state = State::Done;
    }
}

/// The machine is being dropped while it is suspended here. First the awaited future goes, in the place
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
        Held::hand_over(
            self.depth,
            self.suspension.machine,
            Some(Outcome::Cancelled),
        );
        self.suspension.state = State::Done;
    }
}
