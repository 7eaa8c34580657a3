//! The span of a task.

use std::borrow::Cow;
use std::panic::Location;

use log::{Level, Metadata};

use crate::active_span::{ActiveSpan, StartArguments};
use crate::call_site::SpanSource;
use crate::function_name;
use crate::ids;
use crate::logger::task_source;
use crate::record::pairs::NO_PAIRS;
use crate::record::reserved_value::SpawnLine;
use crate::record::span_record::Spawned;
use crate::stack::{self, SpanContext};
use crate::target::{self, Target};

/// A task before its first poll.
#[derive(Debug)]
pub(crate) struct NewTask {
    pub(crate) id: u64,
    origin: SpawnSite,
    parent_task: u64,
    around: SpanContext,
}

/// Where a task comes from.
#[derive(Debug)]
pub(crate) struct SpawnSite {
    name: Cow<'static, str>,
    target: Cow<'static, str>,
    location: &'static Location<'static>,
}

impl SpanSource for SpawnSite {
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
    pub(crate) fn here<F>(name: Option<Cow<'static, str>>) -> Self {
        let around = stack::current();
        let target = target(function_name::module::<F>(), &around);
        let parent_task = if is_enabled(&target) {
            task_source::written_task_id()
        } else {
            stack::task()
        };
        NewTask {
            id: ids::next_task(),
            origin: SpawnSite {
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
    pub(crate) fn start(self) -> ActiveSpan<SpawnSite> {
        if !is_enabled(&self.origin.target) {
            return ActiveSpan::transparent(self.around);
        }
        let target = self.origin.target.clone();
        ActiveSpan::start(StartArguments {
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
fn target(module: Option<&'static str>, around: &SpanContext) -> Cow<'static, str> {
    let known = module.or_else(|| around.span.target().text());
    let of_fields = || Some(around.fields.target()).filter(|target| !target.is_empty());
    match known {
        Some(target) => target.into(),
        None if around.span.id.is_none() || around.span.is_over() => target::of_tasks().into(),
        None => of_fields().map_or(target::of_tasks().into(), |target| target.to_owned().into()),
    }
}

fn is_enabled(target: &str) -> bool {
    LEVEL <= log::STATIC_MAX_LEVEL
        && LEVEL <= log::max_level()
        && log::logger().enabled(&Metadata::builder().level(LEVEL).target(target).build())
}
