//! Futures that own their place: an arm of a macro, a future in a span, a task.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::FusedFuture;
use pin_project_lite::pin_project;

use crate::record::outcome::Outcome;
use crate::record::span_record::{Origin, Site};
use crate::span::{Inside, Live, Span};
use crate::stack::{self, Held, LeftOpen, Position};
use crate::task::{NewTask, TaskOrigin};

pin_project! {
    /// A future that runs at one position whoever polls it.
    #[doc(hidden)]
    #[derive(Debug)]
    #[must_use]
    pub struct Frame<F> {
        #[pin]
        future: Option<F>,
        // `None` where all spans around were filtered out.
        held: Option<Held>,
        done: bool,
    }

    impl<F> PinnedDrop for Frame<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let (Some(held), false) = (&mut *this.held, *this.done) {
                held.cancel();
            }
            let _there = There::enter(this.held);
            this.future.set(None);
        }
    }
}

impl<F> Frame<F> {
    #[inline]
    pub(crate) fn new(own: Option<Position>, future: F) -> Self {
        Frame {
            future: Some(future),
            held: own.map(Held::new),
            done: false,
        }
    }
}

impl<F: Future> Future for Frame<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future.as_pin_mut().expect("taken only when dropped");
        let there = There::enter(this.held);
        let polled = future.poll(cx);
        there.leave();
        *this.done = polled.is_ready();
        polled
    }
}

impl<F: FusedFuture> FusedFuture for Frame<F> {
    fn is_terminated(&self) -> bool {
        self.future.as_ref().map_or(true, F::is_terminated)
    }
}

/// Code is running in a frame's place; what was there before is put back when this is dropped.
struct There<'a> {
    /// `None` too where the span that the place is in has ended: then the code is where it is polled.
    held: Option<&'a mut Held>,
    depth: usize,
}

impl<'a> There<'a> {
    #[inline]
    fn enter(held: &'a mut Option<Held>) -> Self {
        let mut held = held.as_mut().filter(|held| !held.is_over());
        let depth = held.as_mut().map_or(0, |held| held.enter());
        There { held, depth }
    }
}

impl There<'_> {
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

impl Drop for There<'_> {
    fn drop(&mut self) {
        self.put_back();
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F, O: Origin> {
        Running {
            #[pin]
            future: F,
            body: Body<O>,
        },
        Done,
    }
}

pin_project! {
    /// A future in an open span, which ends with it.
    #[derive(Debug)]
    struct Spanned<F, O: Origin> {
        #[pin]
        state: State<F, O>,
    }

    impl<F, O: Origin> PinnedDrop for Spanned<F, O> {
        fn drop(this: Pin<&mut Self>) {
            this.end(true);
        }
    }
}

#[derive(Debug)]
struct Body<O: Origin> {
    span: Live<O>,
    open: LeftOpen,
}

impl<O: Origin> Body<O> {
    fn new(span: Live<O>) -> Self {
        Body {
            span,
            open: LeftOpen::default(),
        }
    }

    #[inline]
    fn enter(&mut self) -> Option<Inside<'_, O>> {
        self.span.enter(&mut self.open)
    }
}

impl<F, O: Origin> Spanned<F, O> {
    #[inline]
    fn new(span: Live<O>, future: F) -> Self {
        Spanned {
            state: State::Running {
                future,
                body: Body::new(span),
            },
        }
    }

    fn set_span(self: Pin<&mut Self>, span: Live<O>) {
        if let StateProjection::Running { body, .. } = self.project().state.project() {
            body.span = span;
        }
    }

    /// Drops the future in its place and ends the span, once.
    fn end(self: Pin<&mut Self>, is_unfinished: bool) {
        let mut state = self.project().state;
        let StateProjection::Running { body, .. } = state.as_mut().project() else {
            return;
        };
        let mut body = std::mem::replace(body, Body::new(Live::none()));
        if is_unfinished {
            body.open.cancel();
        }
        let inside = body.enter();
        state.set(State::Done);
        Inside::leave(inside);
        let cancelled = is_unfinished.then_some(Outcome::Cancelled);
        body.span.end(cancelled);
    }
}

impl<F: Future, O: Origin> Future for Spanned<F, O> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let StateProjection::Running { future, body } = self.as_mut().project().state.project()
        else {
            panic!("polled again after it was ready");
        };
        let inside = body.enter();
        let polled = future.poll(cx);
        Inside::leave(inside);
        if polled.is_ready() {
            self.end(false);
        }
        polled
    }
}

impl<F: FusedFuture, O: Origin> FusedFuture for Spanned<F, O> {
    fn is_terminated(&self) -> bool {
        match &self.state {
            State::Running { future, .. } => future.is_terminated(),
            State::Done => true,
        }
    }
}

pin_project! {
    /// A future that runs inside a [`Span`], from [`TaskExt::in_span`](crate::TaskExt::in_span).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InSpan<F> {
        #[pin]
        inner: Spanned<F, &'static Site>,
    }
}

impl<F> InSpan<F> {
    #[doc(hidden)]
    #[inline]
    pub fn new(span: Span, future: F) -> Self {
        InSpan {
            inner: Spanned::new(span.into_live(), future),
        }
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}

impl<F: FusedFuture> FusedFuture for InSpan<F> {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}

pin_project! {
    /// A future that is a task of its own, from [`TaskExt::in_task`](crate::TaskExt::in_task).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InTask<F> {
        #[pin]
        inner: Spanned<F, TaskOrigin>,
        id: u64,
        // Until the first poll.
        new: Option<NewTask>,
    }

    impl<F> PinnedDrop for InTask<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // What was never polled is dropped by whoever drops it.
            if this.new.is_none() {
                let _task = stack::enter_task(*this.id);
                this.inner.end(true);
            }
        }
    }
}

impl<F> InTask<F> {
    pub(crate) fn new(task: NewTask, future: F) -> Self {
        InTask {
            inner: Spanned::new(Live::none(), future),
            id: task.id,
            new: Some(task),
        }
    }
}

impl<F: Future> Future for InTask<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _task = stack::enter_task(*this.id);
        if let Some(new) = this.new.take() {
            this.inner.as_mut().set_span(new.start());
        }
        this.inner.poll(cx)
    }
}

impl<F: FusedFuture> FusedFuture for InTask<F> {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}
