//! The writer's own keys, section 5 of `docs/format.md`, where they stand as pairs that a logger wrote.

use super::record::{Kind, Outcome, Part, Record, TraceKept};
use super::text::{number, process_id, seconds};

/// The reserved keys of one record. The last of a key counts.
#[derive(Debug, Default)]
pub(crate) struct Reserved {
    record: Record,
    has_task: bool,
    has_thread: bool,
}

/// A key of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Name {
    Mark,
    Id,
    Parent,
    At,
    Elapsed,
    Outcome,
    TaskParent,
    SpawnLine,
    Process,
    Task,
    Thread,
    Root,
    Busy,
    Polls,
    PollMax,
    Kept,
    Dropped,
}

impl Reserved {
    /// Which of our keys it is.
    #[inline]
    pub(crate) fn name(key: &[u8]) -> Option<Name> {
        Some(match key {
            b"span_id" => Name::Id,
            b"task_id" => Name::Task,
            b"span_at" => Name::At,
            b"span_mark" => Name::Mark,
            b"thread_id" => Name::Thread,
            b"process_id" => Name::Process,
            b"spawn_line" => Name::SpawnLine,
            b"span_parent" => Name::Parent,
            b"span_elapsed" => Name::Elapsed,
            b"span_outcome" => Name::Outcome,
            b"task_parent_id" => Name::TaskParent,
            b"span_root" => Name::Root,
            b"span_busy" => Name::Busy,
            b"span_polls" => Name::Polls,
            b"span_poll_max" => Name::PollMax,
            b"trace_kept" => Name::Kept,
            b"spans_dropped" => Name::Dropped,
            _ => return None,
        })
    }

    /// Takes a value, which stands at `at` in the batch.
    #[inline]
    pub(crate) fn set(&mut self, name: Name, value: &[u8], at: usize) {
        let record = &mut self.record;
        match name {
            Name::Task => set(&mut record.task_id, number(value), &mut self.has_task),
            Name::Thread => set(&mut record.thread_id, number(value), &mut self.has_thread),
            Name::Id => record.span_id = number(value).unwrap_or(record.span_id),
            Name::Parent => record.span_parent = number(value).unwrap_or(record.span_parent),
            Name::At => record.at = seconds(value).or(record.at),
            Name::Elapsed => record.elapsed = seconds(value).or(record.elapsed),
            Name::Outcome => record.outcome = Outcome::from_word(value),
            Name::Mark => {
                if let Some(mark) = mark(value) {
                    (record.kind, record.is_whole) = mark;
                }
            }
            Name::TaskParent => record.task_parent_id = number(value).or(record.task_parent_id),
            Name::SpawnLine => record.spawn_line = Part::new(at, at + value.len()),
            Name::Process => record.process = process_id(value).or(record.process),
            Name::Root => record.span_root = number(value).unwrap_or(record.span_root),
            Name::Busy => record.busy = seconds(value).unwrap_or(record.busy),
            Name::Polls => record.polls = number(value).unwrap_or(record.polls),
            Name::PollMax => record.poll_max = seconds(value).unwrap_or(record.poll_max),
            Name::Kept => record.trace_kept = TraceKept::from_word(value),
            Name::Dropped => record.spans_dropped = dropped(value).unwrap_or(record.spans_dropped),
        }
    }

    /// The record, if it has what every record has.
    pub(crate) fn record(self) -> Option<Record> {
        (self.has_task && self.has_thread).then_some(self.record)
    }
}

/// What a mark makes a record, and whether that is a whole span.
pub(crate) fn mark(word: &[u8]) -> Option<(Kind, bool)> {
    match word {
        b"start" => Some((Kind::Start, false)),
        b"end" => Some((Kind::End, false)),
        b"whole" => Some((Kind::Start, true)),
        _ => None,
    }
}

/// How many spans were not written; more than anybody counts are as many as can be counted.
pub(crate) fn dropped(value: &[u8]) -> Option<u32> {
    number(value).map(|dropped| u32::try_from(dropped).unwrap_or(u32::MAX))
}

fn set(field: &mut u64, value: Option<u64>, has: &mut bool) {
    if let Some(value) = value {
        *field = value;
        *has = true;
    }
}
