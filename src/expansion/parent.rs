//! The `parent` option of `#[instrument]`.

use crate::context::Context;
use crate::span::Span;
use crate::stack::{self, SpanContext};

/// What an annotated function can be told to be inside of: a [`Span`](crate::Span), a [`Context`](crate::Context), or with a `None`
/// of either nothing.
#[doc(hidden)]
pub trait Parent {
    /// Starts a span there; in the task that runs.
    fn within<R>(&self, start: impl FnOnce() -> R) -> R;
}

impl Parent for Span {
    fn within<R>(&self, start: impl FnOnce() -> R) -> R {
        self.run(start)
    }
}

impl Parent for Context {
    fn within<R>(&self, start: impl FnOnce() -> R) -> R {
        stack::run(self.position.clone(), start)
    }
}

impl<P: Parent> Parent for &P {
    fn within<R>(&self, start: impl FnOnce() -> R) -> R {
        (**self).within(start)
    }
}

impl<P: Parent> Parent for Option<P> {
    fn within<R>(&self, start: impl FnOnce() -> R) -> R {
        match self {
            Some(parent) => parent.within(start),
            None => Root.within(start),
        }
    }
}

/// What a lone `None` stands for, whose type nobody says.
#[doc(hidden)]
#[derive(Debug)]
pub struct Root;

impl Parent for Root {
    fn within<R>(&self, start: impl FnOnce() -> R) -> R {
        stack::run(SpanContext::default(), start)
    }
}
