//! A piece of a log with the records in it.

use std::sync::Arc;

use super::colors;
use super::dialect::Dialect;
use super::record::Record;
use super::wrapped;

/// Whole lines of one source, and the records that a reader found in them.
///
/// The lines stay where they are; records and all that is asked of them are parts of these bytes.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The lines. Behind them may stand text that had to be decoded.
    pub bytes: Vec<u8>,
    /// How many of the bytes are lines. Fewer, once they are parsed, if colours were taken off.
    pub lines_len: usize,
    /// Where these lines come from: the index of their source.
    pub source: usize,
    /// How many lines that source had before.
    pub lines_before: u64,
    /// How the lines are to be read.
    pub dialect: Arc<Dialect>,
    /// The records, in the order of the log.
    pub records: Vec<Record>,
    /// What was passed over before these lines or behind them.
    pub passed_over: Unreadable,
    /// What could not be read, what was passed over with it.
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
        if self.first.is_none_or(|(first, _)| line < first) {
            self.first = Some((line, why));
        }
    }
}

impl Batch {
    /// Finds the records in the lines. Colours are taken off the lines before; what is decoded is
    /// added behind the bytes.
    pub fn parse(&mut self) {
        self.records.clear();
        self.unreadable = Unreadable::default();
        let len = self.lines_len.min(self.bytes.len());
        let dialect = Arc::clone(&self.dialect);
        let len = match dialect.wrapped {
            true => wrapped::unwrap(&mut self.bytes[..len]),
            false => len,
        };
        self.lines_len = colors::strip(&mut self.bytes[..len]);
        dialect.parse(self);
        self.look_for_binary();
        if let Some((line, why)) = self.passed_over.first {
            self.unreadable.add(line, self.passed_over.lines, why);
        }
    }

    /// Says of the first line that is no record, which alone is told of, whether it is text.
    fn look_for_binary(&mut self) {
        let Some((number, why)) = &mut self.unreadable.first else {
            return;
        };
        let lines = &self.bytes[..self.lines_len];
        let index = number.saturating_sub(self.lines_before + 1) as usize;
        let mut lines = lines.split(|byte| *byte == b'\n').skip(index);
        if lines.next().is_some_and(is_binary) {
            *why = Why::Binary;
        }
    }
}

/// Whether these are bytes that stand in no text of any encoding that loggers write.
fn is_binary(line: &[u8]) -> bool {
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 0x0e..=0x1a | 0x1c..=0x1f);
    memchr::memchr(0, line).is_some()
        || line.iter().any(is_control) && std::str::from_utf8(line).is_err()
}
