//! The text form: sections 2 to 6 of `docs/format.md`.
//!
//! A line is read from its end. Our own keys stand there with plain values, so most records are read
//! without a look at the rest; what does not stand as the writer puts it is read by the grammar.

use super::pairs::{self, Pair, is_key_byte};
use super::record::{Kind, Outcome, Part, ProcessId, Record};

const MARK: &[u8] = b", span_mark=";

/// The keys of section 5.
const RESERVED: [&[u8]; 11] = [
    b"span_mark",
    b"span_id",
    b"span_parent",
    b"span_at",
    b"span_elapsed",
    b"span_outcome",
    b"task_parent_id",
    b"spawn_line",
    b"process_id",
    b"task_id",
    b"thread_id",
];

/// Whether a key is the writer's own.
pub(crate) fn is_reserved(key: &[u8]) -> bool {
    matches!(key.first(), Some(b's' | b't' | b'p')) && RESERVED.contains(&key)
}

/// Whether a line ends as every record does: with `task_id` and `thread_id`.
pub(crate) fn is_complete(line: &[u8]) -> bool {
    let Some((thread, rest)) = number_before(line, b", thread_id=") else {
        return false;
    };
    thread.is_some() && matches!(number_before(rest, b", task_id="), Some((Some(_), _)))
}

/// What a line's leading white space makes it: what a continuation line adds to its record.
pub(crate) fn continuation(line: &[u8]) -> Option<&[u8]> {
    let indented = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    let tab = memchr::memchr(b'\t', &line[..indented.unwrap_or(line.len())])?;
    Some(&line[tab + 1..])
}

/// Reads the pairs of a record's last line, `line`, which stands at `at` in the batch. `None` if it
/// is no record.
///
/// `legacy` is said of a log without span ids, where values may hold anything.
pub(crate) fn record(line: &[u8], at: usize, legacy: bool) -> Option<Record> {
    let mut own = Own::new(line, at);
    let tail = own.tail()?;
    own.record.tail = (at + tail) as u32;
    if tail == 0 || own.mark_seen {
        return Some(own.record);
    }
    // A start or an end has its fields between its mark and the rest; all else has no mark.
    let fields = memchr::memmem::rfind(&line[..tail], MARK);
    let is_read = fields.is_none() || fields.is_some_and(|mark| own.pairs(&line[mark..tail]));
    if !(is_read && own.is_whole()) && memchr::memrchr(b'=', &line[..tail]).is_some() {
        own.pairs(&line[pairs::begin(&line[..tail])..tail]);
    }
    if let Some(mark) = fields.filter(|_| legacy && !own.mark_seen)
        && !line[mark..].contains(&b'"')
    {
        own.legacy_pairs(&line[mark..tail]);
    }
    Some(own.record)
}

/// A number with its key at the end of a line, and what stands before. The number is none where it is
/// not of the form that a writer gives it.
fn number_before<'a>(line: &'a [u8], key: &[u8]) -> Option<(Option<u64>, &'a [u8])> {
    let digits = line.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (rest, digits) = line.split_at(line.len() - digits);
    Some((number(digits), rest.strip_suffix(key)?))
}

/// A decimal number without sign or leading zero, below 2⁶⁴.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    match digits {
        [b'0'] => return Some(0),
        [] | [b'0', ..] => return None,
        _ if digits.len() > 20 => return None,
        _ => {}
    }
    let mut number = 0u64;
    if digits.len() < 20 {
        for digit in digits {
            let digit = digit.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + u64::from(digit);
        }
        return Some(number);
    }
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(number)
}

/// Seconds with nine digits behind the point, as nanoseconds.
pub(crate) fn seconds(value: &[u8]) -> Option<u64> {
    let (seconds, fraction) = value.split_at(value.len().checked_sub(10)?);
    let fraction = fraction.strip_prefix(b".")?;
    let mut nanos = 0;
    for digit in fraction {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        nanos = nanos * 10 + u64::from(digit);
    }
    number(seconds)?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
}

pub(crate) fn process_id(value: &[u8]) -> Option<ProcessId> {
    let dash = memchr::memchr(b'-', value)?;
    Some(ProcessId {
        pid: number(&value[..dash])?,
        start: number(&value[dash + 1..])?,
    })
}

/// The reserved keys of one line as they are found, the last of the line first.
struct Own<'a> {
    line: &'a [u8],
    at: usize,
    record: Record,
    mark_seen: bool,
    parent_seen: bool,
    outcome_seen: bool,
}

impl<'a> Own<'a> {
    fn new(line: &'a [u8], at: usize) -> Self {
        Own {
            line,
            at,
            record: Record::default(),
            mark_seen: false,
            parent_seen: false,
            outcome_seen: false,
        }
    }

    /// Reads our keys from the end of the line on to the left; says where they begin.
    fn tail(&mut self) -> Option<usize> {
        let (thread, rest) = number_before(self.line, b", thread_id=")?;
        let (task, mut rest) = number_before(rest, b", task_id=")?;
        self.record.thread_id = thread?;
        self.record.task_id = task?;
        while let Some((key, value, before)) = last_plain_pair(rest) {
            if !self.set(key, value) {
                break;
            }
            rest = before;
            if self.mark_seen {
                break;
            }
        }
        Some(rest.len())
    }

    /// Whether it has all that a writer puts into a record of its kind.
    fn is_whole(&self) -> bool {
        let record = &self.record;
        record.span_id != 0
            && match record.kind {
                Kind::Start => record.at.is_some(),
                Kind::End => record.elapsed.is_some(),
                Kind::Event => true,
            }
    }

    /// Takes our keys out of pairs in any order; the last of a key counts. False if these are not all
    /// pairs; then nothing is taken.
    fn pairs(&mut self, pairs: &'a [u8]) -> bool {
        // Usually the first alone is ours, so one is kept without a heap.
        let mut first: Option<Pair<'a>> = None;
        let mut others: Vec<Pair<'a>> = Vec::new();
        let mut rest = pairs;
        while !rest.is_empty() {
            let Some(pair) = pairs::pair(rest) else {
                return false;
            };
            rest = &rest[pair.len..];
            if !is_reserved(pair.key) {
                continue;
            }
            match first {
                None => first = Some(pair),
                Some(_) => others.push(pair),
            }
        }
        for pair in others.into_iter().rev().chain(first) {
            self.set(pair.key, pair.value);
        }
        true
    }

    /// Pairs without quoting: `, ` ends a value, whatever it holds.
    fn legacy_pairs(&mut self, rest: &'a [u8]) {
        for mark in [&b", span_mark=start"[..], b", span_mark=end"] {
            let behind = rest.get(mark.len()..).unwrap_or_default();
            if rest.starts_with(mark) && (behind.is_empty() || behind.starts_with(b", ")) {
                self.set(b"span_mark", &mark[MARK.len()..]);
            }
        }
    }

    /// Takes the value of one of our keys, if none that stands further right had one. False if the
    /// key is none of ours.
    fn set(&mut self, key: &[u8], value: &'a [u8]) -> bool {
        let record = &mut self.record;
        match key {
            b"span_id" if record.span_id == 0 => record.span_id = number(value).unwrap_or(0),
            b"span_parent" if !self.parent_seen => {
                self.parent_seen = true;
                record.span_parent = number(value).unwrap_or(0);
            }
            b"span_at" => record.at = record.at.or_else(|| seconds(value)),
            b"span_elapsed" => record.elapsed = record.elapsed.or_else(|| seconds(value)),
            b"span_outcome" if !self.outcome_seen => {
                self.outcome_seen = true;
                record.outcome = Outcome::from_word(value);
            }
            b"span_mark" if !self.mark_seen => {
                record.kind = match value {
                    b"start" => Kind::Start,
                    b"end" => Kind::End,
                    _ => return true,
                };
                self.mark_seen = true;
            }
            b"task_parent_id" => {
                record.task_parent_id = record.task_parent_id.or_else(|| number(value));
            }
            b"spawn_line" if record.spawn_line.is_empty() => {
                // A slice of the line: its address says where it stands.
                let start = self.at + (value.as_ptr().addr() - self.line.as_ptr().addr());
                record.spawn_line = Part::new(start, start + value.len());
            }
            b"process_id" => record.process = record.process.or_else(|| process_id(value)),
            b"span_id" | b"span_parent" | b"span_outcome" | b"span_mark" | b"spawn_line"
            | b"task_id" | b"thread_id" => {}
            _ => return false,
        }
        true
    }
}

/// The pair that a line ends with, if its value is surely a plain one, and what stands before it.
fn last_plain_pair(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut equals = line.len();
    loop {
        equals = equals.checked_sub(1)?;
        match line[equals] {
            b'=' => break,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' | b'_' | b'/' | b':' => {}
            _ => return None,
        }
    }
    let mut key = equals;
    while key > 0 && is_key_byte(line[key - 1]) {
        key -= 1;
    }
    let before = line[..key].strip_suffix(b", ")?;
    let has_both = key < equals && equals + 1 < line.len();
    has_both.then(|| (&line[key..equals], &line[equals + 1..], before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Record> {
        record(line.as_bytes(), 0, false)
    }

    #[test]
    fn a_start_is_read_whole() {
        let line = "[2026 TRACE shop] load 7, span_mark=start, user=7, path=\"/tmp/a, b\", span_id=3, span_parent=2, span_at=1700000000.000000001, task_parent_id=0, spawn_line=src/a.rs:1, process_id=42-17, task_id=5, thread_id=1";
        let record = read(line).unwrap();
        assert_eq!(record.kind, Kind::Start);
        assert_eq!((record.span_id, record.span_parent), (3, 2));
        assert_eq!(record.at, Some(1_700_000_000_000_000_001));
        assert_eq!((record.task_id, record.thread_id), (5, 1));
        assert_eq!(record.task_parent_id, Some(0));
        assert_eq!(&line[record.spawn_line.range()], "src/a.rs:1");
        assert_eq!(record.process, Some(ProcessId { pid: 42, start: 17 }));
    }

    #[test]
    fn keys_inside_of_a_string_are_no_keys() {
        let record =
            read(r#"a, x="b, span_mark=start, span_id=9", task_id=0, thread_id=1"#).unwrap();
        assert_eq!((record.kind, record.span_id), (Kind::Event, 0));
    }

    #[test]
    fn other_orders_are_read() {
        let record = read(r#"a, span_id=4, user=7, span_at=1.000000000, b=" ", span_mark=start, new=x, task_id=0, thread_id=1"#).unwrap();
        assert_eq!((record.kind, record.span_id), (Kind::Start, 4));
        assert_eq!(record.at, Some(1_000_000_000));
    }

    #[test]
    fn what_is_no_record() {
        assert!(read("hello").is_none());
        assert!(read("a, task_id=1, thread_id=01").is_none());
        assert!(read("a, task_id=99999999999999999999, thread_id=1").is_none());
        assert!(read("a, thread_id=1, task_id=1").is_none());
    }
}
