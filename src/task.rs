//! Tasks: what an executor runs, made visible to the log.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;

use log::{Level, Metadata};

use crate::frame::{InSpan, InTask};
use crate::ids;
use crate::mark::{Origin, SpawnLine, Spawned};
use crate::pairs::NO_PAIRS;
use crate::passing;
use crate::place::{self, Position};
use crate::span::{Beginning, Live, Span};

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
    place::task()
}

/// Puts futures into tasks and spans.
pub trait TaskExt: Future + Sized {
    /// Makes this future a task of its own, for any executor.
    ///
    /// The task has a number, which [`task_id`] gives to its records, and a span from its first
    /// poll to its end, that says who spawned it (`task_parent_id`, `spawn_line`) and has the
    /// fields of the spans that this was called in. The span has the name of the
    /// function whose future this is (`server::handle`), else `task`.
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
    target: &'static str,
    location: &'static Location<'static>,
}

impl Origin for TaskOrigin {
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn target(&self) -> &str {
        self.target
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
        let target = target::<F>();
        let parent_task = match is_enabled(target) {
            true => passing::logged_task_id(),
            false => place::task(),
        };
        NewTask {
            id: ids::next_task(),
            origin: TaskOrigin {
                name: name.unwrap_or_else(|| path::<F>().unwrap_or("task").into()),
                target,
                location: Location::caller(),
            },
            parent_task,
            around: place::current(),
        }
    }

    /// Starts the task's own span. If that is filtered out, the task is in the context that it was made in.
    pub(crate) fn start(self) -> Live<TaskOrigin> {
        let target = self.origin.target;
        if !is_enabled(target) {
            return Live::transparent(self.around);
        }
        Live::start(Beginning {
            metadata: Metadata::builder().level(LEVEL).target(target).build(),
            name: format_args!(""),
            pairs: &NO_PAIRS,
            arguments: 0,
            around: self.around,
            spawned: Some(Spawned {
                parent_task: self.parent_task,
                line: SpawnLine(self.origin.location),
            }),
            origin: self.origin,
        })
    }
}

fn is_enabled(target: &str) -> bool {
    LEVEL <= log::STATIC_MAX_LEVEL
        && LEVEL <= log::max_level()
        && log::logger().enabled(&Metadata::builder().level(LEVEL).target(target).build())
}

/// The path of the `async fn` whose future this type is.
///
/// The compiler names such a future `server::handle::{{closure}}`. An `async` block has one
/// `{{closure}}` more than the function that it is in, a generic function has its arguments
/// behind it, and other futures are types of other crates: those say nothing about the operation.
fn path<F>() -> Option<&'static str> {
    let path = std::any::type_name::<F>().strip_suffix("::{{closure}}")?;
    let is_path = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'));
    is_path.then_some(path)
}

/// The module of that function, or of whatever other function made the future.
fn target<F>() -> &'static str {
    let name = std::any::type_name::<F>();
    // The future of a generic function has the types of its arguments in its own name, closures too.
    let path = match name.ends_with("::{{closure}}") && !name.starts_with('<') {
        true => name.split('<').next().unwrap_or(name),
        false => name,
    };
    let path = path.split("::{{closure}}").next().unwrap_or(name);
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    let start = path
        .bytes()
        .rposition(|byte| !is_path(byte))
        .map_or(0, |before| before + 1);
    match path[start..].rsplit_once("::") {
        Some((module, _)) if path.len() < name.len() => module,
        _ => "async_log",
    }
}
