//! A piece of a log with the records in it.

use std::sync::Arc;

use super::colors;
use super::container;
use super::dialect::{self, Dialect};
use super::record::Record;

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
    /// Nothing comes behind them at the moment: whoever waits for them should have them.
    pub pauses: bool,
    /// What was passed over before these lines or behind them.
    pub passed_over: Unreadable,
    /// What could not be read, what was passed over with it.
    pub unreadable: Unreadable,
    /// Of each line its number in the batch as it was, from 0; empty if nothing was taken off.
    pub numbers: Vec<u32>,
    /// Lines that break off in zeros, with another line behind those.
    pub torn: Unreadable,
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
    /// Finds the records in the lines. What is not the program's is taken off the lines before; what is
    /// decoded is added behind the bytes.
    pub fn parse(&mut self) {
        self.unreadable = Unreadable::default();
        self.open();
        self.parse_lines();
        self.number_lines();
        self.look_for_binary();
        for others in [&self.passed_over, &self.torn] {
            if let Some((line, why)) = others.first {
                self.unreadable.add(line, others.lines, why);
            }
        }
    }

    /// Takes the lines out of what they are kept in, and colours off them.
    pub(super) fn open(&mut self) {
        self.numbers.clear();
        self.torn = Unreadable::default();
        let len = self.lines_len.min(self.bytes.len());
        let dialect = Arc::clone(&self.dialect);
        let container = &dialect.container;
        let is_plain = container.is_plain();
        let mut len = len;
        let mut is_marked = !is_plain;
        if is_marked || memchr::memchr2(0x1b, 0, &self.bytes[..len]).is_some() {
            is_marked = true;
            len = self.clean_lines(len);
        }
        if !is_plain {
            len = container.unwrap(&mut self.bytes[..len], &mut self.numbers);
            len = container.restore_colors(&mut self.bytes[..len]);
        }
        self.lines_len = match is_marked {
            true => colors::strip(&mut self.bytes[..len]),
            false => len,
        };
    }

    /// Takes zeros that a crash left, and marks between JSON texts, off the front of lines; says how many
    /// bytes are left.
    fn clean_lines(&mut self, len: usize) -> usize {
        let bytes = &mut self.bytes[..len];
        if memchr::memchr2(0, container::SEQUENCE, bytes).is_none() {
            return len;
        }
        let (mut from, mut to, mut number) = (0, 0, self.lines_before);
        while from < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[from..]);
            let end = end.map_or(bytes.len(), |end| from + end + 1);
            let len = dialect::clean(&bytes[from..end]).len();
            number += 1;
            let taken = &bytes[from..end - len];
            if taken
                .iter()
                .any(|byte| !matches!(*byte, 0 | container::SEQUENCE))
            {
                self.torn.add(number, 1, Why::Torn);
            }
            bytes.copy_within(end - len..end, to);
            to += len;
            from = end;
        }
        to
    }

    /// Finds the records in lines as their program wrote them.
    pub(super) fn parse_lines(&mut self) {
        self.records.clear();
        self.unreadable = Unreadable::default();
        let dialect = Arc::clone(&self.dialect);
        dialect.parse(self);
    }

    /// Gives the lines the numbers that they had before they were opened.
    fn number_lines(&mut self) {
        if self.numbers.is_empty() {
            return;
        }
        let (before, numbers) = (self.lines_before, &self.numbers);
        let number = |line: u64| {
            let index = line.saturating_sub(before + 1) as usize;
            numbers
                .get(index)
                .map_or(line, |number| before + 1 + u64::from(*number))
        };
        for record in &mut self.records {
            record.line = number(record.line);
        }
        if let Some((line, _)) = &mut self.unreadable.first {
            *line = number(*line);
        }
    }

    /// Says of the first line that is no record, which alone is told of, whether it is text.
    fn look_for_binary(&mut self) {
        let Some((number, why)) = &mut self.unreadable.first else {
            return;
        };
        let lines = &self.bytes[..self.lines_len];
        if !self.numbers.is_empty() {
            return;
        }
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
