//! The writer's own keys, section 5 of `docs/format.md`, where they stand as pairs that a logger wrote.

use super::record::{Kind, Outcome, Part, Record};
use super::text::{number, process_id, seconds};

/// The reserved keys of one record. The last of a key counts.
#[derive(Debug, Default)]
pub(crate) struct Reserved {
    record: Record,
    has_task: bool,
    has_thread: bool,
}

impl Reserved {
    /// Takes a value, which stands at `at` in the batch, if the key is one of ours.
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8], at: usize) -> bool {
        let record = &mut self.record;
        match key {
            b"task_id" => set(&mut record.task_id, number(value), &mut self.has_task),
            b"thread_id" => set(&mut record.thread_id, number(value), &mut self.has_thread),
            b"span_id" => record.span_id = number(value).unwrap_or(record.span_id),
            b"span_parent" => record.span_parent = number(value).unwrap_or(record.span_parent),
            b"span_at" => record.at = seconds(value).or(record.at),
            b"span_elapsed" => record.elapsed = seconds(value).or(record.elapsed),
            b"span_outcome" => record.outcome = Outcome::from_word(value),
            b"span_mark" => match value {
                b"start" => record.kind = Kind::Start,
                b"end" => record.kind = Kind::End,
                _ => {}
            },
            b"task_parent_id" => record.task_parent_id = number(value).or(record.task_parent_id),
            b"spawn_line" => record.spawn_line = Part::new(at, at + value.len()),
            b"process_id" => record.process = process_id(value).or(record.process),
            _ => return false,
        }
        true
    }

    /// The record, if it has what every record has.
    pub(crate) fn record(self) -> Option<Record> {
        (self.has_task && self.has_thread).then_some(self.record)
    }
}

fn set(field: &mut u64, value: Option<u64>, has: &mut bool) {
    if let Some(value) = value {
        *field = value;
        *has = true;
    }
}
