//! The key-value form as env_logger prints it, section 8 of `docs/format.md`: `MESSAGE key=value
//! key=value`. Nothing is quoted, so nothing here can be relied upon where a program logs what others
//! send.

use super::batch::{Batch, Why};
use super::dialect::{Dialect, Form, trim_end};
use super::json;
use super::pairs::is_key_byte;
use super::record::{Part, Record};
use super::reserved::Reserved;
use super::text::number;

/// Whether a line ends as every record does: with `task_id` and `thread_id`, which version 2 wrote the
/// other way round.
pub(crate) fn is_complete(line: &[u8]) -> bool {
    let Some((last, rest)) = last_number(line) else {
        return false;
    };
    match (last, last_number(rest)) {
        (b"thread_id", Some((before, _))) => before == b"task_id",
        (b"task_id", Some((before, _))) => before == b"thread_id",
        _ => false,
    }
}

/// The key of the pair that a line ends with, if its value is a number, and what stands before.
fn last_number(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr::memrchr(b' ', line)?;
    let pair = &line[space + 1..];
    let equals = memchr::memchr(b'=', pair)?;
    number(&pair[equals + 1..])?;
    Some((&pair[..equals], &line[..space]))
}

/// The pairs of `line`: the first ` key=` begins them, and each value goes up to the next.
pub(crate) fn pairs(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut next = key(line, 0);
    std::iter::from_fn(move || {
        let (start, equals) = next?;
        next = key(line, equals + 1);
        let end = next.map_or(line.len(), |(start, _)| start - 1);
        // Version 2 wrote its pairs into the message, with commas.
        let value = &line[equals + 1..end];
        let value = value.strip_suffix(b",").unwrap_or(value);
        Some((&line[start..equals], value))
    })
}

/// Where `line` has its pairs.
pub(crate) fn begin(line: &[u8]) -> usize {
    let begin = key(line, 0).map_or(line.len(), |(start, _)| start - 1);
    begin - usize::from(line[..begin].ends_with(b","))
}

/// How much of a message version 2 had from the program: it wrote arguments and places behind it.
pub(crate) fn version_2(message: &[u8]) -> usize {
    let places = [&b", arg_0="[..], b", filename="];
    let begins = places
        .into_iter()
        .filter_map(|place| memchr::memmem::find(message, place));
    begins.min().unwrap_or(message.len())
}

/// Where the next key begins, behind a space, and where its `=` is.
fn key(line: &[u8], from: usize) -> Option<(usize, usize)> {
    memchr::memchr_iter(b'=', line.get(from..)?).find_map(|equals| {
        let equals = from + equals;
        let key = line[from..equals].iter().rev();
        let start = equals - key.take_while(|byte| is_key_byte(**byte)).count();
        let is_key = start < equals && start > from && line[start - 1] == b' ';
        is_key.then_some((start, equals))
    })
}

pub(crate) fn parse(dialect: &Dialect, batch: &mut Batch) {
    let mut others = json::Reader::new(dialect);
    let lines = &batch.bytes[..batch.lines_len];
    let behind = batch.bytes.len();
    let mut number = batch.lines_before;
    let mut start = 0;
    // Where a record began that is not complete yet, and how many lines it has.
    let mut open: Option<(usize, u64)> = None;
    for newline in memchr::memchr_iter(b'\n', lines) {
        number += 1;
        let at = start;
        let line = trim_end(&lines[start..newline]);
        start = newline + 1;
        let front = dialect.shapes.front_len(line);
        let rest = &line[front..];
        if dialect.begins_record(line, front)
            && let Some((_, count)) = open.take()
        {
            batch.unreadable.add(number - count, count, Why::NoTask);
        }
        let (first, before) = *open.get_or_insert((at, 0));
        open = Some((first, before + 1));
        if !is_complete(rest) {
            // Another logger may write there too.
            if let Some(mut record) =
                dialect.other_form(&mut others, lines, at..at + line.len(), behind)
            {
                let before = open.take().map_or(0, |(_, count)| count - 1);
                if before > 0 {
                    batch.unreadable.add(number - before, before, Why::NoTask);
                }
                record.line = number;
                batch.records.push(record);
            }
            continue;
        }
        let last_line = at + line.len() - rest.len();
        if let Some(mut record) = record(rest, last_line) {
            record.text = Part::new(first, at + line.len());
            record.last_line = last_line as u32;
            record.last_line_end = record.text.end;
            record.line = number - before;
            record.message = Some(dialect.key_value_message(lines, &record));
            batch.records.push(record);
            open = None;
        }
    }
    if let Some((_, count)) = open {
        batch.unreadable.add(number + 1 - count, count, Why::NoTask);
    }
    batch.bytes.append(&mut others.decoded);
}

/// Reads the pairs of a record's last line, which stands at `at` in the batch.
pub(super) fn record(line: &[u8], at: usize) -> Option<Record> {
    let mut reserved = Reserved::default();
    for (key, value) in pairs(line) {
        let value_at = at + (value.as_ptr().addr() - line.as_ptr().addr());
        if let Some(name) = Reserved::name(key) {
            reserved.set(name, value, value_at);
        }
    }
    let mut record = reserved.record()?;
    record.form = Form::KeyValue;
    Some(record)
}
