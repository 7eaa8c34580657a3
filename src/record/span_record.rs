//! The records that a span consists of.

use std::fmt;
use std::panic::Location;

use log::kv::{self, Value};

use crate::process;
use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::record::text;

/// The start or the end of a span.
#[derive(Clone, Debug)]
pub(crate) struct SpanRecord {
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
pub(crate) enum ReservedValue<'a> {
    Number(u64),
    Word(&'static str),
    Seconds(&'a Seconds),
    Line(&'a SpawnLine),
    Process,
}

impl<'a> ReservedValue<'a> {
    pub(crate) fn to_value(self) -> Value<'a> {
        match self {
            ReservedValue::Number(number) => Value::from(number),
            ReservedValue::Word(word) => Value::from(word),
            ReservedValue::Seconds(seconds) => Value::from_display(seconds),
            ReservedValue::Line(line) => Value::from_display(line),
            ReservedValue::Process => Value::from_display(&Process),
        }
    }

    /// Writes `, KEY=VALUE`.
    #[inline(always)] // most often it is known which value it is
    pub(crate) fn push(self, line: &mut String, key: Key) {
        line.push_str(key.0);
        match self {
            ReservedValue::Number(number) => text::push_u64(line, number),
            ReservedValue::Word(word) => line.push_str(word),
            ReservedValue::Seconds(seconds) => text::push_seconds(line, seconds.0),
            // A path is the one value of ours that may need quotes.
            ReservedValue::Line(spawned) => text::push_text(line, &spawned.to_string(), false),
            ReservedValue::Process => push_process(line),
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

impl SpanRecord {
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
    pub(crate) fn own<'a>(&'a self, mut each: impl FnMut(Key, ReservedValue<'a>)) {
        each(SPAN_ID, ReservedValue::Number(self.id));
        match &self.event {
            Event::Start {
                parent,
                at,
                spawned,
                ..
            } => {
                if *parent != 0 {
                    each(SPAN_PARENT, ReservedValue::Number(*parent));
                }
                each(SPAN_AT, ReservedValue::Seconds(at));
                if let Some(spawned) = spawned {
                    each(TASK_PARENT_ID, ReservedValue::Number(spawned.parent_task));
                    each(SPAWN_LINE, ReservedValue::Line(&spawned.line));
                }
                if self.has_process_id() {
                    each(PROCESS_ID, ReservedValue::Process);
                }
            }
            Event::End {
                elapsed, outcome, ..
            } => {
                each(SPAN_ELAPSED, ReservedValue::Seconds(elapsed));
                if let Some(outcome) = outcome {
                    each(SPAN_OUTCOME, ReservedValue::Word(outcome.word()));
                }
            }
        }
    }
}
