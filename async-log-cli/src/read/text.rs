//! The text form: sections 2 to 6 of `docs/format.md`.
//!
//! A line is read from its end. Our own keys stand there with plain values, so most records are read
//! without a look at the rest; what does not stand as the writer puts it is read by the grammar.

use memchr::memmem::Finder;

use super::pairs::{self, Pair};
use super::record::{Kind, Outcome, Part, ProcessId, Record, TraceKept};
use super::reserved::{self, dropped};

const MARK: &[u8] = b", span_mark=";

/// Whether a key is the writer's own, and says nothing to who reads the log's fields: one of section
/// 5. Others of that section are shown as fields are.
#[inline]
pub(crate) fn is_reserved(key: &[u8]) -> bool {
    may_be_reserved(key) && is_one_of_ours(key)
}

/// Whether a key begins as one of ours does, which most do not.
#[inline]
fn may_be_reserved(key: &[u8]) -> bool {
    matches!(key.first(), Some(b's' | b't' | b'p'))
}

fn is_one_of_ours(key: &[u8]) -> bool {
    matches!(
        key,
        b"span_mark"
            | b"span_root"
            | b"span_busy"
            | b"span_polls"
            | b"span_poll_max"
            | b"span_id"
            | b"span_parent"
            | b"span_at"
            | b"span_elapsed"
            | b"span_outcome"
            | b"task_parent_id"
            | b"spawn_line"
            | b"process_id"
            | b"task_id"
            | b"thread_id"
    )
}

/// Whether a key is one that a record has a place for.
#[inline]
fn is_kept(key: &[u8]) -> bool {
    may_be_reserved(key) && (is_one_of_ours(key) || matches!(key, b"trace_kept" | b"spans_dropped"))
}

/// Whether a line ends as every record does: with `task_id` and `thread_id`.
pub(crate) fn is_complete(line: &[u8]) -> bool {
    last_pairs(line).is_some()
}

/// What a line's leading white space makes it: what a continuation line adds to its record.
pub(crate) fn continuation(line: &[u8]) -> Option<&[u8]> {
    let indented = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    let tab = memchr::memchr(b'\t', &line[..indented.unwrap_or(line.len())])?;
    Some(&line[tab + 1..])
}

/// Whether a line looks like one that continues a message, with something in front or not: it is never
/// read as anything else, as a message can hold anything.
pub(crate) fn is_indented(line: &[u8]) -> bool {
    let head = &line[..line.len().min(128)];
    let mut tabs = memchr::memchr_iter(b'\t', head);
    tabs.any(|tab| tab == 0 || matches!(head[tab - 1], b' ' | b'\t'))
}

/// Where the message ends on a record's last line, `line`, which stands at `at` in the batch: where
/// the program's own pairs begin.
pub(crate) fn message_end(line: &[u8], at: usize, record: &Record) -> usize {
    let tail = (record.tail as usize).saturating_sub(at).min(line.len());
    let head = &line[..tail];
    // Names are short: a search made for long texts would cost more than it saves.
    let has_pair = head.iter().fold(false, |has, byte| has | (*byte == b'='));
    match has_pair {
        false => at + tail,
        true => at + pairs::begin(head),
    }
}

/// Reads records of the text form.
#[derive(Debug)]
pub(crate) struct Reader {
    mark: Finder<'static>,
    /// There are no span ids, and values may hold anything.
    legacy: bool,
}

impl Reader {
    pub(crate) fn new(legacy: bool) -> Self {
        Reader {
            mark: Finder::new(MARK),
            legacy,
        }
    }

    /// Reads the pairs of a record's last line, `line`, which stands at `at` in the batch, into
    /// `record`. False if it is no record; then `record` is as it was.
    pub(crate) fn read(&self, line: &[u8], at: usize, record: &mut Record) -> bool {
        let Some((task_id, thread_id, rest)) = last_pairs(line) else {
            return false;
        };
        record.task_id = task_id;
        record.thread_id = thread_id;
        let mut own = Own::new(record, line, at);
        let mut tail = own.tail(rest);
        own.record.ours_at = (at + tail) as u32;
        // Behind a mark a writer puts all of our keys; others may not.
        if tail != 0 && (!own.mark_seen || !self.legacy && !own.is_whole()) {
            tail = self.read_before(&mut own, tail);
        }
        record.tail = (at + tail) as u32;
        true
    }

    /// Reads what stands before `tail`, where the first pair from the right is that is none of ours.
    /// Says from where on all is pairs.
    fn read_before(&self, own: &mut Own<'_, '_>, tail: usize) -> usize {
        let line = &own.line[..tail];
        // A start or an end has its fields between its mark and the rest; all else has no mark.
        let mark = self.mark.find(line);
        let is_read = mark.is_none_or(|mark| own.mark(mark, tail));
        if is_read && own.is_whole() {
            return mark.unwrap_or(tail);
        }
        if memchr::memrchr(b'=', line).is_none() {
            return tail;
        }
        let begin = pairs::begin(line);
        own.pairs(&line[begin..]);
        if self.legacy && !own.mark_seen {
            own.legacy_mark(tail).unwrap_or(begin)
        } else {
            begin
        }
    }
}

/// What every record ends with: its task, its thread, and what stands before.
fn last_pairs(line: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (thread, rest) = last_number(line)?;
    let (task, rest) = last_number(rest.strip_suffix(b", thread_id=")?)?;
    Some((task, thread, rest.strip_suffix(b", task_id=")?))
}

const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; 8]);
/// What makes the high bit of a byte of more than nine.
const OVER_NINE: u64 = u64::from_ne_bytes([0x76; 8]);
const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Eight digits, the first in the lowest byte, as a number; each byte is the digit's value.
fn eight_digits(digits: u64) -> u64 {
    let twos = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(100).wrapping_add(twos >> 16)) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff
}

/// The last digits of a line, eight at most.
struct Digits {
    value: u64,
    count: usize,
    /// The first of them is a zero.
    leads_with_zero: bool,
}

#[inline(always)]
fn last_digits(line: &[u8]) -> Digits {
    let last = match line.split_last_chunk::<8>() {
        Some((_, last)) => *last,
        None => {
            let mut padded = [0; 8];
            padded[8 - line.len()..].copy_from_slice(line);
            padded
        }
    };
    // The distance of each byte from `0`, and which of them are no digits.
    let digits = u64::from_le_bytes(last) ^ ZEROS;
    let others = (((digits & LOW_BITS) + OVER_NINE) | digits) & HIGH_BITS;
    let bits = others.leading_zeros() & !7;
    // Where there is no digit what is kept does not matter.
    let kept = digits & (u64::MAX << ((64 - bits) & 63));
    Digits {
        value: eight_digits(kept),
        count: (bits / 8) as usize,
        leads_with_zero: digits.rotate_left(bits) & 0xff == 0,
    }
}

/// The number that a line ends with, and what stands before it. None where it is not of the form that
/// a writer gives it: without sign or leading zero, below 2⁶⁴.
// A handful of calls a line: out of line they would cost as much again.
#[inline(always)]
fn last_number(line: &[u8]) -> Option<(u64, &[u8])> {
    let digits = last_digits(line);
    match digits.count {
        0 => None,
        1 => Some((digits.value, &line[..line.len() - 1])),
        8 => last_long_number(line),
        _ if digits.leads_with_zero => None,
        count => Some((digits.value, &line[..line.len() - count])),
    }
}

#[inline(never)]
fn last_long_number(line: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut scale, mut rest) = (0u64, 1u64, line);
    loop {
        let digits = last_digits(rest);
        number = digits.value.checked_mul(scale)?.checked_add(number)?;
        rest = &rest[..rest.len() - digits.count];
        let is_all = digits.count < 8 || !rest.last().is_some_and(u8::is_ascii_digit);
        if is_all {
            return (!digits.leads_with_zero).then_some((number, rest));
        }
        scale = scale.checked_mul(100_000_000)?;
    }
}

/// The seconds with nanoseconds that a line ends with, and what stands before them.
fn last_seconds(line: &[u8]) -> Option<(u64, &[u8])> {
    let (rest, fraction) = line.split_last_chunk::<10>()?;
    let [b'.', eight @ .., last] = fraction else {
        return None;
    };
    let digits = u64::from_le_bytes(*eight) ^ ZEROS;
    let others = (((digits & LOW_BITS) + OVER_NINE) | digits) & HIGH_BITS;
    if others != 0 || !last.is_ascii_digit() {
        return None;
    }
    let nanos = eight_digits(digits) * 10 + u64::from(last - b'0');
    let (seconds, rest) = last_number(rest)?;
    let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    Some((nanos, rest))
}

/// A decimal number without sign or leading zero, below 2⁶⁴.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let (number, rest) = last_number(digits)?;
    rest.is_empty().then_some(number)
}

/// Seconds with nine digits behind the point, as nanoseconds.
pub(crate) fn seconds(value: &[u8]) -> Option<u64> {
    let (nanos, rest) = last_seconds(value)?;
    rest.is_empty().then_some(nanos)
}

pub(crate) fn process_id(value: &[u8]) -> Option<ProcessId> {
    let dash = memchr::memchr(b'-', value)?;
    Some(ProcessId {
        pid: number(&value[..dash])?,
        start: number(&value[dash + 1..])?,
    })
}

/// The reserved keys of one line as they are found, the last of the line first.
struct Own<'a, 'r> {
    record: &'r mut Record,
    line: &'a [u8],
    at: usize,
    mark_seen: bool,
    parent_seen: bool,
    outcome_seen: bool,
}

impl<'a, 'r> Own<'a, 'r> {
    fn new(record: &'r mut Record, line: &'a [u8], at: usize) -> Self {
        Own {
            record,
            line,
            at,
            mark_seen: false,
            parent_seen: false,
            outcome_seen: false,
        }
    }

    /// Reads our keys from behind `rest` on to the left, as far as they stand as a writer puts them;
    /// says where they begin.
    fn tail(&mut self, mut rest: &'a [u8]) -> usize {
        while let Some(before) = self.last_pair(rest) {
            rest = before;
            if self.mark_seen {
                break;
            }
        }
        rest.len()
    }

    /// Takes the pair that `rest` ends with, if it is one of ours in the form that a writer gives it;
    /// says what stands before.
    fn last_pair(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        if !rest.last()?.is_ascii_digit() {
            return self.last_word(rest);
        }
        if rest.get(rest.len().wrapping_sub(10)) == Some(&b'.') {
            let (nanos, key) = last_seconds(rest)?;
            if let Some(before) = key.strip_suffix(b", span_at=") {
                self.record.at.get_or_insert(nanos);
                return Some(before);
            }
            if let Some(before) = key.strip_suffix(b", span_elapsed=") {
                self.record.elapsed.get_or_insert(nanos);
                return Some(before);
            }
            return self.last_polled(nanos, key);
        }
        let (number, key) = last_number(rest)?;
        if let Some(before) = key.strip_suffix(b", span_id=") {
            if self.record.span_id == 0 {
                self.record.span_id = number;
            }
            return Some(before);
        }
        if let Some(before) = key.strip_suffix(b", span_parent=") {
            if !self.parent_seen {
                self.parent_seen = true;
                self.record.span_parent = number;
            }
            return Some(before);
        }
        if let Some(before) = key.strip_suffix(b", task_parent_id=") {
            self.record.task_parent_id.get_or_insert(number);
            return Some(before);
        }
        if let Some(pid) = key.strip_suffix(b"-") {
            let (pid, key) = last_number(pid)?;
            let before = key.strip_suffix(b", process_id=")?;
            self.record
                .process
                .get_or_insert(ProcessId { pid, start: number });
            return Some(before);
        }
        if let Some(before) = key.strip_suffix(b", span_root=") {
            set_first(&mut self.record.span_root, number);
            return Some(before);
        }
        if let Some(before) = key.strip_suffix(b", span_polls=") {
            set_first(&mut self.record.polls, number);
            return Some(before);
        }
        self.last_spawn_line(rest)
    }

    /// Takes one of the times that say how a task was polled.
    fn last_polled(&mut self, nanos: u64, key: &'a [u8]) -> Option<&'a [u8]> {
        if let Some(before) = key.strip_suffix(b", span_busy=") {
            set_first(&mut self.record.busy, nanos);
            return Some(before);
        }
        let before = key.strip_suffix(b", span_poll_max=")?;
        set_first(&mut self.record.poll_max, nanos);
        Some(before)
    }

    fn last_word(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        if let Some(before) = rest.strip_suffix(b", span_mark=start") {
            return Some(self.see_mark((Kind::Start, false), before));
        }
        if let Some(before) = rest.strip_suffix(b", span_mark=end") {
            return Some(self.see_mark((Kind::End, false), before));
        }
        if let Some(before) = rest.strip_suffix(b", span_mark=whole") {
            return Some(self.see_mark((Kind::Start, true), before));
        }
        let (outcome, before) = if let Some(key) = rest.strip_suffix(b"=cancelled") {
            (Outcome::Cancelled, key)
        } else if let Some(key) = rest.strip_suffix(b"=error") {
            (Outcome::Error, key)
        } else {
            (Outcome::Panicked, rest.strip_suffix(b"=panicked")?)
        };
        let before = before.strip_suffix(b", span_outcome")?;
        self.record.outcome = outcome;
        self.outcome_seen = true;
        Some(before)
    }

    fn see_mark(&mut self, mark: (Kind, bool), before: &'a [u8]) -> &'a [u8] {
        (self.record.kind, self.record.is_whole) = mark;
        self.mark_seen = true;
        before
    }

    fn last_spawn_line(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let value = memchr::memrchr(b'=', rest)? + 1;
        let before = rest[..value].strip_suffix(b", spawn_line=")?;
        // What needs quotes is left to the grammar.
        let is_pair = pairs::pair(&rest[before.len()..])
            .is_some_and(|pair| before.len() + pair.len == rest.len());
        is_pair.then(|| {
            self.set(b"spawn_line", &rest[value..]);
            before
        })
    }

    /// Whether it has all that a writer puts into a record of its kind.
    fn is_whole(&self) -> bool {
        let record = &*self.record;
        record.span_id != 0
            && match record.kind {
                Kind::Start => {
                    record.at.is_some() && (!record.is_whole || record.elapsed.is_some())
                }
                Kind::End => record.elapsed.is_some(),
                Kind::Event => true,
            }
    }

    /// Takes the mark at `at`, if from there on to `tail` all is pairs, and none other is ours.
    fn mark(&mut self, at: usize, tail: usize) -> bool {
        let value = &self.line[at + MARK.len()..tail];
        let (mark, rest) = if let Some(rest) = value.strip_prefix(b"start, ") {
            ((Kind::Start, false), rest)
        } else if let Some(rest) = value.strip_prefix(b"end, ") {
            ((Kind::End, false), rest)
        } else if let Some(rest) = value.strip_prefix(b"whole, ") {
            ((Kind::Start, true), rest)
        } else {
            return false;
        };
        let mut rest = &value[value.len() - rest.len() - 2..];
        while let Some(pair) = pairs::pair(rest) {
            if is_kept(pair.key) {
                return false;
            }
            rest = &rest[pair.len..];
        }
        if rest.is_empty() {
            self.see_mark(mark, rest);
        }
        rest.is_empty()
    }

    /// Takes our keys out of pairs in any order; the last of a key counts.
    fn pairs(&mut self, mut rest: &'a [u8]) {
        let mut ours: Vec<Pair<'a>> = Vec::new();
        while let Some(pair) = pairs::pair(rest) {
            rest = &rest[pair.len..];
            if is_kept(pair.key) {
                ours.push(pair);
            }
        }
        for pair in ours.into_iter().rev() {
            self.set(pair.key, pair.value);
        }
    }

    /// Takes the mark of a line without quoting, where `, ` ends a value, whatever that holds; says
    /// where it stands.
    fn legacy_mark(&mut self, tail: usize) -> Option<usize> {
        let line = &self.line[..tail];
        let at = memchr::memmem::rfind(line, MARK)?;
        let value = &line[at + MARK.len()..];
        if memchr::memchr(b'"', value).is_some() {
            return None;
        }
        let end = memchr::memmem::find(value, b", ").unwrap_or(value.len());
        self.set(b"span_mark", &value[..end]);
        Some(at)
    }

    /// Takes the value of one of our keys, if none that stands further right had one. False if the
    /// key is none of ours.
    fn set(&mut self, key: &[u8], value: &'a [u8]) -> bool {
        let record = &mut *self.record;
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
                let Some(mark) = reserved::mark(value) else {
                    return true;
                };
                (record.kind, record.is_whole) = mark;
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
            b"span_root" => set_first(&mut record.span_root, number(value).unwrap_or(0)),
            b"span_busy" => set_first(&mut record.busy, seconds(value).unwrap_or(0)),
            b"span_polls" => set_first(&mut record.polls, number(value).unwrap_or(0)),
            b"span_poll_max" => set_first(&mut record.poll_max, seconds(value).unwrap_or(0)),
            b"trace_kept" if record.trace_kept == TraceKept::Unsaid => {
                record.trace_kept = TraceKept::from_word(value);
            }
            b"spans_dropped" if record.spans_dropped == 0 => {
                record.spans_dropped = dropped(value).unwrap_or(0);
            }
            b"span_id" | b"span_parent" | b"span_outcome" | b"span_mark" | b"spawn_line"
            | b"trace_kept" | b"spans_dropped" | b"task_id" | b"thread_id" => {}
            _ => return false,
        }
        true
    }
}

/// Sets what nothing further right has set.
fn set_first(field: &mut u64, value: u64) {
    if *field == 0 {
        *field = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Record> {
        let mut record = Record::default();
        Reader::new(false)
            .read(line.as_bytes(), 0, &mut record)
            .then_some(record)
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
    fn an_id_before_its_mark_is_read() {
        let line = "a, span_id=2, span_mark=end, span_elapsed=1.000000000, task_id=0, thread_id=1";
        let record = read(line).unwrap();
        assert_eq!((record.kind, record.span_id), (Kind::End, 2));
    }

    #[test]
    fn numbers_of_any_length() {
        for number in (0..20).map(|power| 10u64.pow(power)) {
            for number in [number - 1, number, number + 7, u64::MAX / 10 + number] {
                let line = format!("a, n={number}");
                let read = last_number(line.as_bytes());
                assert_eq!(read, Some((number, &b"a, n="[..])));
                assert_eq!(super::number(number.to_string().as_bytes()), Some(number));
            }
        }
        assert_eq!(
            super::number(u64::MAX.to_string().as_bytes()),
            Some(u64::MAX)
        );
        for none in [
            "",
            "x",
            "01",
            "00",
            "0000000012345678",
            "00000000",
            "18446744073709551616",
            "100000000000000000000",
            "000000000000000000000000000000",
            "1x",
        ] {
            assert_eq!(super::number(none.as_bytes()), None, "{none}");
        }
        assert_eq!(seconds(b"3.000198042"), Some(3_000_198_042));
        assert_eq!(seconds(b"03.000198042"), None);
        assert_eq!(seconds(b"3.00019804x"), None);
        assert_eq!(seconds(b".000198042"), None);
        assert_eq!(seconds(b"18446744074.000000000"), None);
    }

    #[test]
    fn what_is_no_record() {
        assert!(read("hello").is_none());
        assert!(read("a, task_id=1, thread_id=01").is_none());
        assert!(read("a, task_id=99999999999999999999, thread_id=1").is_none());
        assert!(read("a, thread_id=1, task_id=1").is_none());
    }
}
