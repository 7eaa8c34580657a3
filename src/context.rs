//! Where the code is, to be taken along.

use crate::span::Span;
use crate::stack::{self, Position};

/// Where the code is, task and span, to be taken where futures do not reach: another thread, a
/// thread pool, a callback.
///
/// ```
/// use async_log::{span, Context};
///
/// span!("outer", {
///     let context = Context::current();
///     std::thread::spawn(move || {
///         context.run(|| log::info!("still in outer"));
///     })
///     .join()
///     .unwrap();
/// });
/// ```
///
/// It does not keep the span open, but it keeps the span's fields and number: a record that is logged in the context after
/// the span's end still has both, and a span that starts there has it as its parent.
#[derive(Clone, Debug, Default)]
pub struct Context {
    task: u64,
    position: Position,
}

impl Context {
    /// The task and the span that the running code is in.
    pub fn current() -> Self {
        Context {
            task: stack::task(),
            position: stack::current(),
        }
    }

    /// Runs synchronous code there; then all is as it was, also after a panic.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        let _task = stack::enter_task(self.task);
        stack::run(self.position.clone(), f)
    }
}

/// What an annotated function can be told to be inside of: a [`Span`](crate::Span), a [`Context`], or with a `None`
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
        stack::run(Position::default(), start)
    }
}
