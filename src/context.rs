//! Where the code is, to be taken along.

use crate::stack::{self, SpanContext};

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
    pub(crate) position: SpanContext,
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
