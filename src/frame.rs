//! Futures that own their place: an arm of a macro, a future in a span, a task.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::FusedFuture;
use pin_project_lite::pin_project;

use crate::mark::Outcome;
use crate::place::{self, Held, Position};
use crate::span::Span;
use crate::task::NewTask;

pin_project! {
    /// A future that runs at one position whoever polls it.
    #[doc(hidden)]
    #[derive(Debug)]
    #[must_use]
    pub struct Frame<F> {
        #[pin]
        future: Option<F>,
        place: FramePlace,
    }

    impl<F> PinnedDrop for Frame<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _there = this.place.enter_to_drop();
            this.future.set(None);
        }
    }
}

impl<F> Frame<F> {
    #[inline]
    pub(crate) fn new(own: Option<Position>, future: F) -> Self {
        Frame {
            future: Some(future),
            place: FramePlace {
                held: own.map(Held::new),
                task: None,
                done: false,
            },
        }
    }
}

impl<F: Future> Future for Frame<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future.as_pin_mut().expect("taken only when dropped");
        let there = this.place.enter();
        let polled = future.poll(cx);
        there.place.done = polled.is_ready();
        polled
    }
}

impl<F: FusedFuture> FusedFuture for Frame<F> {
    fn is_terminated(&self) -> bool {
        self.future.as_ref().map_or(true, F::is_terminated)
    }
}

/// The place that a future owns, and the task if it is one.
#[derive(Debug, Default)]
struct FramePlace {
    /// `None` where all spans around were filtered out.
    held: Option<Held>,
    task: Option<u64>,
    /// Its future has come to an end.
    done: bool,
}

impl FramePlace {
    #[inline]
    fn enter(&mut self) -> There<'_> {
        let depth = self.held.as_mut().map(Held::enter);
        There {
            depth,
            _task: self.task.map(place::enter_task),
            place: self,
        }
    }

    #[inline]
    fn enter_to_drop(&mut self) -> There<'_> {
        let depth = match self.done {
            true => self.held.as_mut().map(Held::enter),
            false => self.held.as_mut().map(Held::enter_cancelled),
        };
        There {
            depth,
            _task: self.task.map(place::enter_task),
            place: self,
        }
    }
}

/// Code is running in a frame's place; what was there before is put back when this is dropped.
struct There<'a> {
    place: &'a mut FramePlace,
    depth: Option<usize>,
    _task: Option<place::TaskGuard>,
}

impl Drop for There<'_> {
    #[inline]
    fn drop(&mut self) {
        if let (Some(held), Some(depth)) = (&mut self.place.held, self.depth) {
            held.leave(depth);
        }
    }
}

/// A span that ends with the future that runs in it.
#[derive(Debug)]
struct Body {
    place: FramePlace,
    span: Span,
    /// A poll has unwound.
    panicked: bool,
}

impl Body {
    fn new(span: Span, task: Option<u64>) -> Self {
        Body {
            place: FramePlace {
                held: span.position().map(Held::new),
                task,
                done: false,
            },
            span,
            panicked: false,
        }
    }

    fn poll<F: Future>(
        &mut self,
        mut slot: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        let future = slot
            .as_mut()
            .as_pin_mut()
            .expect("polled again after it was ready");
        self.panicked = true;
        let there = self.place.enter();
        let polled = future.poll(cx);
        if polled.is_ready() {
            // What the future still holds goes inside the span.
            there.place.done = true;
            slot.set(None);
        }
        drop(there);
        self.panicked = false;
        if polled.is_ready() {
            self.end(None);
        }
        polled
    }

    fn cancel<F>(&mut self, mut slot: Pin<&mut Option<F>>) {
        let there = self.place.enter_to_drop();
        slot.set(None);
        drop(there);
        self.end(Some(Outcome::Cancelled));
    }

    /// What a logger does while it writes the end belongs to the task that ends.
    fn end(&mut self, outcome: Option<Outcome>) {
        let outcome = match self.panicked {
            true => Some(Outcome::Panicked),
            false => outcome,
        };
        let _task = self.place.task.map(place::enter_task);
        self.span.end(outcome);
    }
}

pin_project! {
    /// A future that runs inside a [`Span`], from [`TaskExt::in_span`](crate::TaskExt::in_span).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InSpan<F> {
        #[pin]
        future: Option<F>,
        body: Body,
    }

    impl<F> PinnedDrop for InSpan<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.future.is_some() {
                this.body.cancel(this.future);
            }
        }
    }
}

impl<F> InSpan<F> {
    pub(crate) fn new(span: Span, future: F) -> Self {
        InSpan {
            future: Some(future),
            body: Body::new(span, None),
        }
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.body.poll(this.future, cx)
    }
}

impl<F: FusedFuture> FusedFuture for InSpan<F> {
    fn is_terminated(&self) -> bool {
        self.future.as_ref().map_or(true, F::is_terminated)
    }
}

pin_project! {
    /// A future that is a task of its own, from [`TaskExt::in_task`](crate::TaskExt::in_task).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InTask<F> {
        #[pin]
        future: Option<F>,
        state: TaskState,
    }

    impl<F> PinnedDrop for InTask<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let TaskState::Running(body) = this.state {
                if this.future.is_some() {
                    body.cancel(this.future);
                }
            }
        }
    }
}

#[derive(Debug)]
enum TaskState {
    /// Not polled yet.
    New(NewTask),
    Running(Body),
}

impl<F> InTask<F> {
    pub(crate) fn new(task: NewTask, future: F) -> Self {
        InTask {
            future: Some(future),
            state: TaskState::New(task),
        }
    }
}

impl<F: Future> Future for InTask<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let TaskState::New(task) = this.state {
            let span = task.start::<F>();
            let own = span.position().unwrap_or_else(|| task.outside());
            let mut body = Body::new(span, Some(task.id));
            body.place.held = Some(Held::new(own));
            *this.state = TaskState::Running(body);
        }
        match this.state {
            TaskState::Running(body) => body.poll(this.future, cx),
            TaskState::New(_) => unreachable!("started above"),
        }
    }
}

impl<F: FusedFuture> FusedFuture for InTask<F> {
    fn is_terminated(&self) -> bool {
        self.future.as_ref().map_or(true, F::is_terminated)
    }
}
