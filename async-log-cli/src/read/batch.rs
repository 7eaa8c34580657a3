//! A piece of a log with the records in it.

use std::sync::Arc;

use super::dialect::Dialect;
use super::record::Record;

/// Whole lines of one source, and the records that a reader found in them.
///
/// The lines stay where they are; records and all that is asked of them are parts of these bytes.
#[derive(Debug, Default)]
pub struct Batch {
    /// The lines. Behind them may stand text that had to be decoded.
    pub bytes: Vec<u8>,
    /// How many of the bytes are lines.
    pub lines_len: usize,
    /// Where these lines come from: the index of their source.
    pub source: usize,
    /// How many lines that source had before.
    pub lines_before: u64,
    /// How the lines are to be read.
    pub dialect: Arc<Dialect>,
    /// The records, in the order of the log.
    pub records: Vec<Record>,
    /// What could not be read.
    pub unreadable: Unreadable,
}

/// The lines that are no records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// How many.
    pub lines: u64,
    /// The number of the first in its source, and why it is none.
    pub first: Option<(u64, Why)>,
}

/// Why a line is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It does not end with `task_id` and `thread_id`.
    NoTask,
    /// It looks like JSON and is none.
    Json,
    /// The log ends inside of it.
    Torn,
    /// It is longer than a reader keeps.
    Long,
    /// It has bytes that no text has.
    Binary,
}

impl Why {
    /// The reason, to be put behind a line's number.
    pub fn reason(self) -> &'static str {
        match self {
            Why::NoTask => "it does not end with task_id and thread_id",
            Why::Json => "it is not a whole JSON object",
            Why::Torn => "the log ends in the middle of it",
            Why::Long => "it is longer than 8 MiB",
            Why::Binary => "it is binary data",
        }
    }
}

impl Unreadable {
    pub(crate) fn add(&mut self, line: u64, lines: u64, why: Why) {
        self.lines += lines;
        self.first.get_or_insert((line, why));
    }
}

impl Batch {
    /// Finds the records in the lines.
    pub fn parse(&mut self) {
        self.records.clear();
        self.unreadable = Unreadable::default();
        let dialect = Arc::clone(&self.dialect);
        dialect.parse(self);
    }
}
