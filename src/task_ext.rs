//! Tasks: what an executor runs, made visible to the log.

use std::borrow::Cow;
use std::future::Future;

use crate::instrumented::{InSpan, InTask};
use crate::span::Span;
use crate::stack;
use crate::task::NewTask;

/// The number of the task that runs now, 0 outside any.
///
/// It is the usual task-id source of a [`Logger`](crate::Logger). It knows the futures that
/// [`in_task`](TaskExt::in_task) made tasks, whatever executor runs them.
///
/// ```
/// use async_log::{task_id, TaskExt};
///
/// assert_eq!(task_id(), 0);
/// let id = smol::block_on(async { task_id() }.in_task());
/// assert_ne!(id, 0);
/// ```
pub fn task_id() -> u64 {
    stack::task()
}

/// Puts futures into tasks and spans.
pub trait TaskExt: Future + Sized {
    /// Makes this future a task of its own, for any executor.
    ///
    /// The task has a number, which [`task_id`] gives to its records, and a span from its first
    /// poll to its end, that says who spawned it (`task_parent_id`, `spawn_line`) and has the
    /// fields of the spans that this was called in. The span has the name of the
    /// function whose future this is (`server::handle`, `server::Session::run`), else `task`.
    ///
    /// The target of its records is the module of the function that the future's type names, also through futures
    /// around it such as a `Timeout`. If the type names none, as that of a boxed future, it is the target of the span
    /// around; if there is no span either, that of [`Logger::with_task_target`](crate::Logger::with_task_target).
    ///
    /// A task that is dropped before it was ever polled leaves no record; one that is dropped
    /// later was `cancelled`. If the task's span is filtered out, the task has its number all the same, and its code is
    /// in the span that this was called in.
    ///
    /// ```
    /// use async_log::TaskExt;
    ///
    /// async fn work() -> u32 { 7 }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let seven = tokio::spawn(work().in_task()).await.unwrap();
    /// assert_eq!(seven, 7);
    /// # }
    /// ```
    #[track_caller]
    fn in_task(self) -> InTask<Self> {
        InTask::new(NewTask::here::<Self>(None), self)
    }

    /// As [`in_task`](TaskExt::in_task), under a name of yours.
    #[track_caller]
    fn in_named_task(self, name: impl Into<Cow<'static, str>>) -> InTask<Self> {
        InTask::new(NewTask::here::<Self>(Some(name.into())), self)
    }

    /// Runs this future inside `span`, which ends when the future does.
    ///
    /// ```
    /// use async_log::{span, TaskExt};
    ///
    /// # smol::block_on(async {
    /// let upload = async { log::info!("sending"); };
    /// upload.in_span(span!(size = 3; "upload")).await;
    /// # });
    /// ```
    fn in_span(self, span: Span) -> InSpan<Self> {
        InSpan::new(span, self)
    }
}

impl<F: Future> TaskExt for F {}
