//! JSON lines: the key-value form through a logger that writes JSON, or the text form in its message.
//!
//! The pairs are the members of the object that has `task_id` and `thread_id`, which may be the line's
//! own or one inside of it.

use std::borrow::Cow;

use super::batch::{Batch, Why};
use super::dialect::{Dialect, Form, trim_end};
use super::record::{FAR, Level, Offset, Part, Record};
use super::reserved::Reserved;
use super::{key_value, text, words};

/// How deep objects may stand in each other.
const DEPTH: usize = 8;

/// Whether a line is a record.
pub(crate) fn is_complete(line: &[u8]) -> bool {
    let Some(found) = Found::in_line(line, 0) else {
        return false;
    };
    if found.record.is_some() {
        return true;
    }
    let Some(message) = found.message else {
        return false;
    };
    let mut decoded = Vec::new();
    message.decode(line, &mut decoded);
    text::is_complete(trim_newline(&decoded))
}

pub(crate) fn parse(dialect: &Dialect, batch: &mut Batch) {
    let reader = text::Reader::new(dialect.legacy);
    let mut decoded = Vec::new();
    let lines = &batch.bytes[..batch.lines_len];
    let behind = batch.bytes.len();
    let mut number = batch.lines_before;
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', lines) {
        number += 1;
        let line = trim_end(&lines[start..newline]);
        let at = start + dialect.host.cut(line).len.min(line.len());
        let line = &lines[at..start + line.len()];
        let whole = Part::new(start, at + line.len());
        start = newline + 1;
        if line.is_empty() {
            continue;
        }
        let Some(found) = Found::in_line(line, at) else {
            let is_json = line.first() == Some(&b'{');
            let why = if is_json { Why::Json } else { Why::NoTask };
            batch.unreadable.add(number, 1, why);
            continue;
        };
        let mut line = Line {
            line,
            at,
            legacy: dialect.legacy,
            behind,
            decoded: &mut decoded,
        };
        match line.record(&reader, found) {
            Some(mut record) => {
                record.text = whole;
                record.line = number;
                batch.records.push(record);
            }
            None => batch.unreadable.add(number, 1, Why::NoTask),
        }
    }
    batch.bytes.append(&mut decoded);
}

/// A line, and where text goes that has to be decoded.
struct Line<'a, 'd> {
    line: &'a [u8],
    /// Where it stands in the batch.
    at: usize,
    /// There are no span ids.
    legacy: bool,
    /// Where in the batch decoded text will stand.
    behind: usize,
    decoded: &'d mut Vec<u8>,
}

impl Line<'_, '_> {
    fn record(&mut self, reader: &text::Reader, mut found: Found) -> Option<Record> {
        let message = found.message.take();
        let mut record = match found.record.take() {
            Some(mut record) => {
                record.form = Form::Json;
                let mut part = message.map_or(Part::new(self.at, self.at), |text| self.part(text));
                if self.legacy {
                    part.end = part.start + key_value::version_2(self.bytes(part)) as u32;
                }
                record.message = Some(part);
                record
            }
            None => self.text_record(reader, message?)?,
        };
        record.level = found.level;
        record.time_at = self.offset(found.time);
        record.target_at = self.offset(found.target);
        Some(record)
    }

    /// How far behind the start of the line, with what the host put there, something is.
    fn offset(&self, at: usize) -> Offset {
        Offset::try_from(at).unwrap_or(FAR)
    }

    /// A string, decoded where it has to be.
    fn part(&mut self, text: Text) -> Part {
        if !text.escaped {
            return Part::new(self.at + text.start, self.at + text.end);
        }
        let start = self.behind + self.decoded.len();
        text.decode(self.line, self.decoded);
        Part::new(start, self.behind + self.decoded.len())
    }

    /// What a part of the line, or of what was decoded, is.
    fn bytes(&self, part: Part) -> &[u8] {
        let range = part.range();
        match range.start.checked_sub(self.behind) {
            Some(start) => &self.decoded[start..range.end - self.behind],
            None => &self.line[range.start - self.at..range.end - self.at],
        }
    }

    /// The record that a message in the text form is.
    fn text_record(&mut self, reader: &text::Reader, message: Text) -> Option<Record> {
        let part = self.part(message);
        let range = part.range();
        let bytes = trim_newline(self.bytes(part));
        let newline = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        let last = &bytes[newline..];
        // Behind a line break there is a TAB.
        let last = match newline {
            0 => last,
            _ => text::continuation(last)?,
        };
        let last_line = range.start + bytes.len() - last.len();
        let mut record = Record::default();
        if !reader.read(last, last_line, &mut record) {
            return None;
        }
        record.last_line = last_line as u32;
        record.last_line_end = (last_line + last.len()) as u32;
        let end = text::message_end(last, last_line, &record);
        record.message = Some(Part::new(range.start, end.max(range.start)));
        Some(record)
    }
}

fn trim_newline(text: &[u8]) -> &[u8] {
    trim_end(text.strip_suffix(b"\n").unwrap_or(text))
}

/// A string in a line, without its quotes.
#[derive(Clone, Copy, Debug)]
struct Text {
    start: usize,
    end: usize,
    escaped: bool,
}

impl Text {
    fn decode(self, line: &[u8], into: &mut Vec<u8>) {
        decode(&line[self.start..self.end], into);
    }
}

/// What is in one line.
#[derive(Default)]
struct Found {
    /// The innermost object that is a record.
    record: Option<Record>,
    /// Where its members are.
    members: usize,
    /// It stands inside of the line's own object.
    nested: bool,
    message: Option<Text>,
    message_rank: u8,
    level: Option<Level>,
    level_rank: u8,
    time: usize,
    time_rank: u8,
    target: usize,
    target_rank: u8,
}

/// What a logger writes of its own, and how sure it is to be that, by its key.
fn own_field(key: &[u8]) -> Option<(Own, u8)> {
    Some(match key {
        b"message" => (Own::Message, 9),
        b"msg" => (Own::Message, 8),
        b"text" => (Own::Message, 7),
        b"payload" => (Own::Message, 6),
        b"MESSAGE" => (Own::Message, 5),
        b"log" => (Own::Message, 4),
        b"body" => (Own::Message, 3),
        b"timestamp" => (Own::Time, 9),
        b"@timestamp" => (Own::Time, 8),
        b"time" => (Own::Time, 7),
        b"ts" => (Own::Time, 6),
        b"datetime" => (Own::Time, 5),
        b"date" => (Own::Time, 4),
        b"__REALTIME_TIMESTAMP" => (Own::Time, 3),
        b"level" => (Own::Level, 9),
        b"severity" => (Own::Level, 8),
        b"lvl" => (Own::Level, 7),
        b"log.level" => (Own::Level, 6),
        b"target" => (Own::Target, 9),
        b"logger" => (Own::Target, 8),
        b"module_path" => (Own::Target, 7),
        b"module" => (Own::Target, 6),
        _ => return None,
    })
}

enum Own {
    Message,
    Time,
    Level,
    Target,
}

/// What stands beside the pairs where a logger writes them at top level: these are none.
fn is_beside(key: &[u8]) -> bool {
    matches!(key, b"file" | b"line") || own_field(key).is_some()
}

impl Found {
    /// All that is to be found in a line, which stands at `at` in the batch. None if it is no JSON
    /// object.
    fn in_line(line: &[u8], at: usize) -> Option<Found> {
        let mut found = Found::default();
        let mut scan = Scan { line, at: 0 };
        scan.space();
        scan.expect(b'{')?;
        scan.object(0, at, &mut found)?;
        scan.space();
        (scan.at == line.len()).then_some(found)
    }

    /// Takes a member that is none of ours. The outer of two counts, then the surer.
    fn own(&mut self, line: &[u8], depth: usize, key: &[u8], at: usize, value: Value) {
        let Some((own, rank)) = own_field(key) else {
            return;
        };
        let rank = 200u8.saturating_sub((depth * 16) as u8) + rank;
        match (own, value) {
            (Own::Message, Value::Text(text)) if rank > self.message_rank => {
                (self.message, self.message_rank) = (Some(text), rank);
            }
            (Own::Level, Value::Text(text)) if rank > self.level_rank => {
                if let Some(level) = Level::from_word(&line[text.start..text.end]) {
                    (self.level, self.level_rank) = (Some(level), rank);
                }
            }
            (Own::Time, Value::Text(_) | Value::Plain) if rank > self.time_rank => {
                (self.time, self.time_rank) = (at, rank);
            }
            (Own::Target, Value::Text(_)) if rank > self.target_rank => {
                (self.target, self.target_rank) = (at, rank);
            }
            _ => {}
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Text(Text),
    /// A number, `true`, `false` or `null`.
    Plain,
    /// An object or an array.
    Nested,
}

/// Goes through a line.
struct Scan<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        if self.peek()? != byte {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// A string whose first quote is next.
    #[inline]
    fn string(&mut self) -> Option<Text> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.line.get(self.at..)?;
            self.at += quote(rest)?;
            if self.line[self.at] == b'"' {
                let end = self.at;
                self.at += 1;
                return Some(Text {
                    start,
                    end,
                    escaped,
                });
            }
            escaped = true;
            self.at += 2;
        }
    }

    /// The key of a member, or the end of its object.
    #[inline]
    fn key(&mut self, is_first: bool) -> Option<Option<Text>> {
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(None);
        }
        if !is_first {
            self.expect(b',')?;
            self.space();
        }
        let key = self.string()?;
        self.space();
        self.expect(b':')?;
        self.space();
        Some(Some(key))
    }

    /// The members of an object behind its bracket, and what is inside of them.
    fn object(&mut self, depth: usize, batch_at: usize, found: &mut Found) -> Option<()> {
        let members = self.at;
        let mut reserved: Option<Reserved> = None;
        let mut is_first = true;
        while let Some(key) = self.key(is_first)? {
            is_first = false;
            let key = &self.line[key.start..key.end];
            let at = self.at;
            let value = match self.peek()? {
                b'{' if depth < DEPTH => {
                    self.at += 1;
                    self.object(depth + 1, batch_at, found)?;
                    continue;
                }
                _ => self.value()?,
            };
            let Some(name) = Reserved::name(key) else {
                found.own(self.line, depth, key, at, value);
                continue;
            };
            let range = match value {
                Value::Text(text) => text.start..text.end,
                Value::Plain => at..self.at,
                Value::Nested => continue,
            };
            let reserved = reserved.get_or_insert_default();
            reserved.set(name, &self.line[range.clone()], batch_at + range.start);
        }
        if let Some(reserved) = reserved
            && found.record.is_none()
            && let Some(record) = reserved.record()
        {
            found.record = Some(record);
            found.members = members;
            found.nested = depth > 0;
        }
        Some(())
    }

    #[inline]
    fn value(&mut self) -> Option<Value> {
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            b'{' | b'[' => self.nested(),
            _ => {
                let plain = self.line[self.at..].iter();
                let is_plain =
                    |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                let len = plain.take_while(|byte| is_plain(byte)).count();
                self.at += len;
                (len > 0).then_some(Value::Plain)
            }
        }
    }

    /// Steps over an object or an array.
    fn nested(&mut self) -> Option<Value> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(Value::Nested);
            }
        }
    }
}

/// Where the next quote or backslash is.
#[inline]
fn quote(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    // Most strings are short.
    while at < 32 {
        let Some(word) = words::first(rest.get(at..)?) else {
            break;
        };
        let found = words::equal(word, b'"') | words::equal(word, b'\\');
        if found != 0 {
            return Some(at + words::lowest(found));
        }
        at += 8;
    }
    Some(at + memchr::memchr2(b'"', b'\\', rest.get(at..)?)?)
}

/// Writes what a JSON string stands for; what is no escape stays as it is.
fn decode(mut raw: &[u8], into: &mut Vec<u8>) {
    while let Some(backslash) = memchr::memchr(b'\\', raw) {
        into.extend_from_slice(&raw[..backslash]);
        let escape = &raw[backslash..];
        let (len, c) = match escape.get(1) {
            Some(b'n') => (2, '\n'),
            Some(b'r') => (2, '\r'),
            Some(b't') => (2, '\t'),
            Some(b'b') => (2, '\u{8}'),
            Some(b'f') => (2, '\u{c}'),
            Some(b'u') => unicode(escape),
            Some(c @ (b'"' | b'\\' | b'/')) => (2, char::from(*c)),
            _ => (1, '\\'),
        };
        let mut utf8 = [0; 4];
        into.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
        raw = &escape[len.min(escape.len())..];
    }
    into.extend_from_slice(raw);
}

/// `\uXXXX`, or two of them that are one character.
fn unicode(escape: &[u8]) -> (usize, char) {
    let unit = |at: usize| {
        let escape = escape.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let digits = std::str::from_utf8(escape).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else {
        return (1, '\\');
    };
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, unit(6)) {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (
            12,
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
        );
    }
    (
        6,
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
    )
}

fn decoded_text(line: &[u8], text: Text) -> Cow<'_, str> {
    if !text.escaped {
        return String::from_utf8_lossy(&line[text.start..text.end]);
    }
    let mut bytes = Vec::new();
    text.decode(line, &mut bytes);
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        .into()
}

/// A string without its quotes, as it was before it was written.
pub(crate) fn unescape(raw: &[u8]) -> Cow<'_, str> {
    let text = Text {
        start: 0,
        end: raw.len(),
        escaped: memchr::memchr(b'\\', raw).is_some(),
    };
    decoded_text(raw, text)
}

/// A field of the logger's own: one whose place is known, or that is to be found again.
pub(crate) fn field(line: &[u8], at: Offset, is_time: bool) -> Option<Cow<'_, str>> {
    let at = match at {
        0 => return None,
        FAR => {
            let found = Found::in_line(line, 0)?;
            if is_time { found.time } else { found.target }
        }
        at => at.into(),
    };
    let mut scan = Scan { line, at };
    match scan.value()? {
        Value::Text(text) => Some(decoded_text(line, text)),
        _ => Some(String::from_utf8_lossy(line.get(at..scan.at)?)),
    }
}

/// Calls `each` with the program's own pairs.
pub(crate) fn pairs<'a>(line: &'a [u8], mut each: impl FnMut(&str, Cow<'a, str>)) -> Option<()> {
    let found = Found::in_line(line, 0)?;
    found.record?;
    let mut scan = Scan {
        line,
        at: found.members,
    };
    let mut is_first = true;
    while let Some(key) = scan.key(is_first)? {
        is_first = false;
        let at = scan.at;
        let value = scan.value()?;
        let raw = &line[key.start..key.end];
        if text::is_reserved(raw) || !found.nested && is_beside(raw) {
            continue;
        }
        let value = match value {
            Value::Text(text) => decoded_text(line, text),
            _ => String::from_utf8_lossy(&line[at..scan.at]),
        };
        each(&decoded_text(line, key), value);
    }
    Some(())
}
