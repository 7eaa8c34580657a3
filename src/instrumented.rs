//! Instrumented futures: a future in a span, a task.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::FusedFuture;
use pin_project_lite::pin_project;

use crate::active_span::{ActiveSpan, EnteredSpan};
use crate::call_site::{CallSite, SpanSource};
use crate::record::outcome::Outcome;
use crate::span::Span;
use crate::stack::{self, LeftOpen};
use crate::task::{NewTask, SpawnSite};

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F, O: SpanSource> {
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
    struct Spanned<F, O: SpanSource> {
        #[pin]
        state: State<F, O>,
    }

    impl<F, O: SpanSource> PinnedDrop for Spanned<F, O> {
        fn drop(this: Pin<&mut Self>) {
            this.end(true);
        }
    }
}

#[derive(Debug)]
struct Body<O: SpanSource> {
    span: ActiveSpan<O>,
    open: LeftOpen,
}

impl<O: SpanSource> Body<O> {
    fn new(span: ActiveSpan<O>) -> Self {
        Body {
            span,
            open: LeftOpen::default(),
        }
    }

    #[inline]
    fn enter(&mut self) -> Option<EnteredSpan<'_, O>> {
        self.span.enter(&mut self.open)
    }
}

impl<F, O: SpanSource> Spanned<F, O> {
    #[inline]
    fn new(span: ActiveSpan<O>, future: F) -> Self {
        Spanned {
            state: State::Running {
                future,
                body: Body::new(span),
            },
        }
    }

    fn set_span(self: Pin<&mut Self>, span: ActiveSpan<O>) {
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
        let mut body = std::mem::replace(body, Body::new(ActiveSpan::none()));
        if is_unfinished {
            body.open.cancel();
        }
        let inside = body.enter();
        state.set(State::Done);
        EnteredSpan::leave(inside);
        let cancelled = is_unfinished.then_some(Outcome::Cancelled);
        body.span.end(cancelled);
    }
}

impl<F: Future, O: SpanSource> Future for Spanned<F, O> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let StateProjection::Running { future, body } = self.as_mut().project().state.project()
        else {
            panic!("polled again after it was ready");
        };
        let inside = body.enter();
        let polled = future.poll(cx);
        EnteredSpan::leave(inside);
        if polled.is_ready() {
            self.end(false);
        }
        polled
    }
}

impl<F: FusedFuture, O: SpanSource> FusedFuture for Spanned<F, O> {
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
        inner: Spanned<F, &'static CallSite>,
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
        inner: Spanned<F, SpawnSite>,
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
            inner: Spanned::new(ActiveSpan::none(), future),
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
