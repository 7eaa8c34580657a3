//! A future that owns its context: a branch of a macro.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::FusedFuture;
use pin_project_lite::pin_project;

use crate::stack::{SpanContext, SuspendedContext};

pin_project! {
    /// A future that runs at one position whoever polls it.
    #[doc(hidden)]
    #[derive(Debug)]
    #[must_use]
    pub struct BranchFuture<F> {
        #[pin]
        future: Option<F>,
        // `None` where all spans around were filtered out.
        held: Option<SuspendedContext>,
        done: bool,
    }

    impl<F> PinnedDrop for BranchFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let (Some(held), false) = (&mut *this.held, *this.done) {
                held.cancel();
            }
            let _there = EnteredContext::enter(this.held);
            this.future.set(None);
        }
    }
}

impl<F> BranchFuture<F> {
    #[inline]
    pub(crate) fn new(own: Option<SpanContext>, future: F) -> Self {
        BranchFuture {
            future: Some(future),
            held: own.map(SuspendedContext::new),
            done: false,
        }
    }
}

impl<F: Future> Future for BranchFuture<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future.as_pin_mut().expect("taken only when dropped");
        let there = EnteredContext::enter(this.held);
        let polled = future.poll(cx);
        there.leave();
        *this.done = polled.is_ready();
        polled
    }
}

impl<F: FusedFuture> FusedFuture for BranchFuture<F> {
    fn is_terminated(&self) -> bool {
        self.future.as_ref().map_or(true, F::is_terminated)
    }
}

/// Code is running in a future's context; what was there before is put back when this is dropped.
struct EnteredContext<'a> {
    /// `None` too where the span that the context is in has ended: then the code is where it is polled.
    held: Option<&'a mut SuspendedContext>,
    depth: usize,
}

impl<'a> EnteredContext<'a> {
    #[inline]
    fn enter(held: &'a mut Option<SuspendedContext>) -> Self {
        let mut held = held.as_mut().filter(|held| !held.is_over());
        let depth = held.as_mut().map_or(0, |held| held.enter());
        EnteredContext { held, depth }
    }
}

impl EnteredContext<'_> {
    #[inline]
    fn leave(self) {
        ManuallyDrop::new(self).put_back();
    }

    #[inline]
    fn put_back(&mut self) {
        if let Some(held) = &mut self.held {
            held.leave(self.depth);
        }
    }
}

impl Drop for EnteredContext<'_> {
    fn drop(&mut self) {
        self.put_back();
    }
}
