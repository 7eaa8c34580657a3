//! The records that a span consists of.

use crate::ids::SpanId;
use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::record::reserved_key::*;
use crate::record::reserved_value::{ReservedValue, Seconds, SpawnLine};

/// The start or the end of a span.
#[derive(Clone, Debug)]
pub(crate) struct SpanRecord {
    pub(crate) id: SpanId,
    /// The span's own fields with those around it.
    pub(crate) fields: Fields,
    pub(crate) event: Event,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Start {
        /// `None` for a root.
        parent: Option<SpanId>,
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

impl SpanRecord {
    /// Whether it says the process itself.
    pub(crate) fn has_process_id(&self) -> bool {
        matches!(self.event, Event::Start { parent: None, .. })
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

    /// Calls `each` with our keys behind the fields, in their order.
    #[inline]
    pub(crate) fn reserved_pairs<'a>(
        &'a self,
        mut each: impl FnMut(ReservedKey, ReservedValue<'a>),
    ) {
        each(SPAN_ID, ReservedValue::Number(self.id.get()));
        match &self.event {
            Event::Start {
                parent,
                at,
                spawned,
                ..
            } => {
                if let Some(parent) = parent {
                    each(SPAN_PARENT, ReservedValue::Number(parent.get()));
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
