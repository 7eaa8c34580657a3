//! The records that a span consists of.

use std::cell::OnceCell;
use std::fmt;
use std::panic::Location;

use log::kv::{self, Source, Value, VisitSource};
use log::{Metadata, Record};

use crate::logger::in_flight::{self, Arrived, Name, Passing, Seen};
use crate::process;
use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::record::pairs::{First, OTHER_MARK};
use crate::record::text;
use crate::target::Target;

/// The start or the end of a span.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) id: u64,
    /// The span's own fields with those around it.
    pub(crate) fields: Fields,
    pub(crate) event: Event,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Start {
        /// 0 for a root.
        parent: u64,
        at: Seconds,
        /// How many of the record's pairs, the first ones, are a function's arguments.
        arguments: usize,
        spawned: Option<Spawned>,
    },
    End {
        elapsed: Seconds,
        outcome: Option<Outcome>,
        /// The task in which the span started, in the words of the logger that wrote it there.
        task_id: Option<u64>,
    },
}

/// Where a task comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spawned {
    pub(crate) parent_task: u64,
    pub(crate) line: SpawnLine,
}

/// Nanoseconds, shown as seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:09}",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

/// Shown as `src/main.rs:12`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpawnLine(pub(crate) &'static Location<'static>);

impl fmt::Display for SpawnLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

/// This process, shown as `PID-STARTNANOS`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process;

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pid, start) = process::process();
        write!(f, "{pid}-{start}")
    }
}

/// A value of one of our own keys.
#[derive(Clone, Copy)]
pub(crate) enum Own<'a> {
    Number(u64),
    Word(&'static str),
    Seconds(&'a Seconds),
    Line(&'a SpawnLine),
    Process,
}

impl<'a> Own<'a> {
    pub(crate) fn to_value(self) -> Value<'a> {
        match self {
            Own::Number(number) => Value::from(number),
            Own::Word(word) => Value::from(word),
            Own::Seconds(seconds) => Value::from_display(seconds),
            Own::Line(line) => Value::from_display(line),
            Own::Process => Value::from_display(&Process),
        }
    }

    /// Writes `, KEY=VALUE`.
    #[inline(always)] // most often it is known which value it is
    pub(crate) fn push(self, line: &mut String, key: Key) {
        line.push_str(key.0);
        match self {
            Own::Number(number) => text::push_u64(line, number),
            Own::Word(word) => line.push_str(word),
            Own::Seconds(seconds) => text::push_seconds(line, seconds.0),
            // A path is the one value of ours that may need quotes.
            Own::Line(spawned) => text::push_text(line, &spawned.to_string(), false),
            Own::Process => push_process(line),
        }
    }
}

fn push_process(line: &mut String) {
    let (pid, start) = process::process();
    text::push_u64(line, pid.into());
    line.push('-');
    text::push_u64(line, start);
}

/// One of our own keys, as a line has it.
#[derive(Clone, Copy)]
pub(crate) struct Key(&'static str);

pub(crate) const SPAN_MARK: Key = Key(", span_mark=");
pub(crate) const SPAN_ID: Key = Key(", span_id=");
const SPAN_PARENT: Key = Key(", span_parent=");
const SPAN_AT: Key = Key(", span_at=");
const SPAN_ELAPSED: Key = Key(", span_elapsed=");
const SPAN_OUTCOME: Key = Key(", span_outcome=");
const TASK_PARENT_ID: Key = Key(", task_parent_id=");
const SPAWN_LINE: Key = Key(", spawn_line=");
pub(crate) const PROCESS_ID: Key = Key(", process_id=");
pub(crate) const TASK_ID: Key = Key(", task_id=");
pub(crate) const THREAD_ID: Key = Key(", thread_id=");

impl Key {
    pub(crate) fn name(self) -> &'static str {
        &self.0[2..self.0.len() - 1]
    }

    pub(crate) fn to_key(self) -> kv::Key<'static> {
        kv::Key::from_str(self.name())
    }
}

impl Mark {
    /// What a `Logger` sees it to be.
    pub(crate) fn seen(&self) -> Seen {
        match self.event {
            Event::Start { .. } => Seen::Start,
            Event::End { task_id, .. } => Seen::End(task_id),
        }
    }

    /// Whether it says the process itself.
    pub(crate) fn has_process_id(&self) -> bool {
        matches!(self.event, Event::Start { parent: 0, .. })
    }

    /// `start` or `end`.
    pub(crate) fn word(&self) -> &'static str {
        match self.event {
            Event::Start { .. } => "start",
            Event::End { .. } => "end",
        }
    }

    pub(crate) fn arguments(&self) -> usize {
        match self.event {
            Event::Start { arguments, .. } => arguments,
            Event::End { .. } => 0,
        }
    }

    /// Calls `each` with our keys that stand behind the fields, in their order.
    #[inline]
    pub(crate) fn own<'a>(&'a self, mut each: impl FnMut(Key, Own<'a>)) {
        each(SPAN_ID, Own::Number(self.id));
        match &self.event {
            Event::Start {
                parent,
                at,
                spawned,
                ..
            } => {
                if *parent != 0 {
                    each(SPAN_PARENT, Own::Number(*parent));
                }
                each(SPAN_AT, Own::Seconds(at));
                if let Some(spawned) = spawned {
                    each(TASK_PARENT_ID, Own::Number(spawned.parent_task));
                    each(SPAWN_LINE, Own::Line(&spawned.line));
                }
                if self.has_process_id() {
                    each(PROCESS_ID, Own::Process);
                }
            }
            Event::End {
                elapsed, outcome, ..
            } => {
                each(SPAN_ELAPSED, Own::Seconds(elapsed));
                if let Some(outcome) = outcome {
                    each(SPAN_OUTCOME, Own::Word(outcome.word()));
                }
            }
        }
    }
}

/// The key-values of a mark as a logger sees them that is no `Logger`.
struct Pairs<'a> {
    arguments: &'a dyn Source,
    /// The mark that is on its way, once somebody looks.
    mark: OnceCell<Option<Mark>>,
}

impl Source for Pairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let Some(mark) = self.mark.get_or_init(in_flight::mark) else {
            return Ok(());
        };
        let arguments = First::new(self.arguments, mark.arguments());
        arguments.visit(visitor)?;
        visitor.visit_pair(SPAN_MARK.to_key(), Value::from(mark.word()))?;
        for field in mark.fields.iter() {
            if !arguments.hides(field.key) {
                visitor.visit_pair(kv::Key::from_str(field.key), field.to_value())?;
            }
        }
        let mut visited = Ok(());
        mark.own(|key, own| {
            if visited.is_ok() {
                visited = visitor.visit_pair(key.to_key(), own.to_value());
            }
        });
        visited
    }

    fn get(&self, key: kv::Key<'_>) -> Option<Value<'_>> {
        if key.as_str() == OTHER_MARK {
            return Some(Value::from(true));
        }
        let mut get = Get { key, found: None };
        let _ = self.visit(&mut get);
        get.found
    }
}

struct Get<'k, 'v> {
    key: kv::Key<'k>,
    found: Option<Value<'v>>,
}

impl<'v> VisitSource<'v> for Get<'_, 'v> {
    fn visit_pair(&mut self, key: kv::Key<'v>, value: Value<'v>) -> Result<(), kv::Error> {
        if self.key == key {
            self.found = Some(value);
        }
        Ok(())
    }
}

/// Where in the program a span comes from, and what it is called.
pub(crate) trait Origin {
    /// `None` where it stands with the fields.
    fn name(&self) -> Option<&str>;
    fn target(&self) -> &str;
    /// The target if it is static.
    fn static_target(&self) -> Target;
    fn module_path(&self) -> Option<&'static str>;
    fn line(&self) -> (&'static str, u32);
}

/// Where a `span!` or an annotated function stands, and what is known of it when it is compiled.
#[doc(hidden)]
#[derive(Debug)]
pub struct Site {
    /// `None` where the name has to be formatted.
    pub name: Option<&'static str>,
    pub target: &'static str,
    pub module_path: &'static str,
    pub file: &'static str,
    pub line: u32,
}

impl Origin for &'static Site {
    fn name(&self) -> Option<&str> {
        self.name
    }

    fn target(&self) -> &str {
        self.target
    }

    #[inline]
    fn static_target(&self) -> Target {
        Target::of(self.target)
    }

    fn module_path(&self) -> Option<&'static str> {
        Some(self.module_path)
    }

    fn line(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }
}

/// Writes a mark to `log`'s global logger, and gives its fields back with what is known of it then.
pub(crate) fn emit(
    mark: Mark,
    origin: &impl Origin,
    metadata: Metadata<'_>,
    name: &Name<'_>,
    arguments: &dyn Source,
) -> Option<Arrived> {
    let pairs = Pairs {
        arguments,
        mark: OnceCell::new(),
    };
    let (file, line) = origin.line();
    let mut record = Record::builder();
    record
        .metadata(metadata)
        .module_path_static(origin.module_path())
        .file_static(Some(file))
        .line(Some(line))
        .key_values(&pairs);
    write(&record.args(format_args!("{name}")).build(), name, mark)
}

#[inline(always)] // a mark is too large to be moved for nothing
fn write(record: &Record<'_>, name: &Name<'_>, mark: Mark) -> Option<Arrived> {
    let passing = Passing::of(record, name, mark);
    log::logger().log(record);
    passing.end()
}
