//! Tasks: what an executor runs, made visible to the log.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;

use log::{Level, Metadata};

use crate::function_name;
use crate::ids;
use crate::instrumented::{InSpan, InTask};
use crate::logger::in_flight;
use crate::record::pairs::NO_PAIRS;
use crate::record::span_record::{Origin, SpawnLine, Spawned};
use crate::span::{Beginning, Live, Span};
use crate::stack::{self, Position};
use crate::target::{self, Target};

/// The number of the task that runs now, 0 outside any.
///
/// It is the usual task-id source of a [`Logger`](crate::Logger). It knows the futures that
/// [`in_task`](TaskExt::in_task) made tasks, whatever executor runs them.
///
/// ```
/// use async_log::{task_id, TaskExt};
///
/// assert_eq!(task_id(), 0);
/// let id = futures::executor::block_on(async { task_id() }.in_task());
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
    /// # futures::executor::block_on(async {
    /// let upload = async { log::info!("sending"); };
    /// upload.in_span(span!(size = 3; "upload")).await;
    /// # });
    /// ```
    fn in_span(self, span: Span) -> InSpan<Self> {
        InSpan::new(span, self)
    }
}

impl<F: Future> TaskExt for F {}

/// A task before its first poll.
#[derive(Debug)]
pub(crate) struct NewTask {
    pub(crate) id: u64,
    origin: TaskOrigin,
    parent_task: u64,
    around: Position,
}

/// Where a task comes from.
#[derive(Debug)]
pub(crate) struct TaskOrigin {
    name: Cow<'static, str>,
    target: Cow<'static, str>,
    location: &'static Location<'static>,
}

impl Origin for TaskOrigin {
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn static_target(&self) -> Target {
        match self.target {
            Cow::Borrowed(target) => Target::of(target),
            Cow::Owned(_) => Target::UNKNOWN,
        }
    }

    fn module_path(&self) -> Option<&'static str> {
        None
    }

    fn line(&self) -> (&'static str, u32) {
        (self.location.file(), self.location.line())
    }
}

/// Tasks are spans at the level of all spans.
const LEVEL: Level = Level::Trace;

impl NewTask {
    #[track_caller]
    fn here<F>(name: Option<Cow<'static, str>>) -> Self {
        let around = stack::current();
        let target = target(function_name::module::<F>(), &around);
        let parent_task = match is_enabled(&target) {
            true => in_flight::logged_task_id(),
            false => stack::task(),
        };
        NewTask {
            id: ids::next_task(),
            origin: TaskOrigin {
                name: name
                    .or_else(function_name::name::<F>)
                    .unwrap_or("task".into()),
                target,
                location: Location::caller(),
            },
            parent_task,
            around,
        }
    }

    /// Starts the task's own span. If that is filtered out, the task is in the context that it was made in.
    pub(crate) fn start(self) -> Live<TaskOrigin> {
        if !is_enabled(&self.origin.target) {
            return Live::transparent(self.around);
        }
        let target = self.origin.target.clone();
        Live::start(Beginning {
            metadata: Metadata::builder().level(LEVEL).target(&target).build(),
            name: format_args!(""),
            pairs: &NO_PAIRS,
            arguments: 0,
            around: self.around,
            spawned: Some(Spawned {
                parent_task: stack::ours(self.parent_task),
                line: SpawnLine(self.origin.location),
            }),
            origin: self.origin,
        })
    }
}

/// The target of a task: the module of the function that its future's type names; else the target of the span
/// around; else what the program says.
fn target(module: Option<&'static str>, around: &Position) -> Cow<'static, str> {
    let known = module.or_else(|| around.span.target().text());
    let of_fields = || Some(around.fields.target()).filter(|target| !target.is_empty());
    match known {
        Some(target) => target.into(),
        None if around.span.id == 0 || around.span.is_over() => target::of_tasks().into(),
        None => of_fields().map_or(target::of_tasks().into(), |target| target.to_owned().into()),
    }
}

fn is_enabled(target: &str) -> bool {
    LEVEL <= log::STATIC_MAX_LEVEL
        && LEVEL <= log::max_level()
        && log::logger().enabled(&Metadata::builder().level(LEVEL).target(target).build())
}
