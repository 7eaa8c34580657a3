//! JSON lines: the key-value form through a logger that writes JSON, or the text form in its message.
//!
//! The pairs are the members of the object that has `task_id` and `thread_id`, which may be the line's
//! own or one inside of it.

use std::borrow::Cow;

use super::batch::{Batch, Why};
use super::dialect::{Dialect, Form, trim_end};
use super::record::{FAR, Level, Offset, Part, Record};
use super::reserved::{Name, Reserved};
use super::words::{self, Literal};
use super::{key_value, text};

/// How deep objects may stand in each other.
const DEPTH: usize = 8;

/// Whether a line is a record.
pub(crate) fn is_complete(line: &[u8]) -> bool {
    let Some(found) = Found::in_line(line, 0, &mut Keys::new()) else {
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
    let mut keys = Keys::new();
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
        let Some(found) = Found::in_line(line, at, &mut keys) else {
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
    level_at: usize,
    level_rank: u8,
    time: usize,
    time_rank: u8,
    target: usize,
    target_rank: u8,
}

/// What a logger writes of its own.
#[derive(Clone, Copy, Debug)]
enum Field {
    Message,
    Time,
    Level,
    Target,
}

/// What the value under a key is.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// One of the reserved keys.
    Ours(Name),
    /// A field of the logger's own, and how sure that is.
    Loggers(Field, u8),
    /// Anything else.
    Programs,
}

impl Meaning {
    fn of(key: &[u8]) -> Meaning {
        if let Some(name) = Reserved::name(key) {
            return Meaning::Ours(name);
        }
        let (field, rank) = match key {
            b"message" => (Field::Message, 9),
            b"msg" => (Field::Message, 8),
            b"text" => (Field::Message, 7),
            b"payload" => (Field::Message, 6),
            b"MESSAGE" => (Field::Message, 5),
            b"log" => (Field::Message, 4),
            b"body" => (Field::Message, 3),
            b"timestamp" => (Field::Time, 9),
            b"@timestamp" => (Field::Time, 8),
            b"time" => (Field::Time, 7),
            b"ts" => (Field::Time, 6),
            b"datetime" => (Field::Time, 5),
            b"date" => (Field::Time, 4),
            b"level" => (Field::Level, 9),
            b"severity" => (Field::Level, 8),
            b"lvl" => (Field::Level, 7),
            b"log.level" => (Field::Level, 6),
            b"target" => (Field::Target, 9),
            b"logger" => (Field::Target, 8),
            b"module_path" => (Field::Target, 7),
            b"module" => (Field::Target, 6),
            _ => return Meaning::Programs,
        };
        Meaning::Loggers(field, rank)
    }
}

/// The keys of the lines so far. Loggers write the same keys in the same order in line after line, so
/// the next one is compared with what followed before, and seldom has to be read.
struct Keys {
    keys: Vec<Key>,
}

/// A key as it stands, with what is before and behind it: `,"task_id":`.
struct Key {
    text: Literal,
    meaning: Meaning,
    /// Those that have followed it; 0 is none.
    next: [u8; 4],
}

impl Keys {
    /// What stands before an object's first key. It also stands for those that there is no room for.
    const START: usize = 0;

    fn new() -> Keys {
        let start = Key {
            text: Literal::new(b""),
            meaning: Meaning::Programs,
            next: [0; 4],
        };
        Keys { keys: vec![start] }
    }

    fn meaning(&self, key: usize) -> Meaning {
        self.keys[key].meaning
    }

    /// The key that `rest` begins with, if it has followed `key` before, and how long it is.
    #[inline]
    fn next(&self, key: usize, rest: &[u8]) -> Option<(usize, usize)> {
        let next = self.keys[key].next.iter().take_while(|next| **next != 0);
        let mut next = next.map(|next| (usize::from(*next), &self.keys[usize::from(*next)].text));
        let found = next.find(|(_, text)| text.begins(rest));
        found.map(|(next, text)| (next, text.bytes.len()))
    }

    /// Keeps a key that stood behind `before`.
    #[cold]
    fn learn(&mut self, before: usize, text: &[u8], meaning: Meaning) -> usize {
        let known = self
            .keys
            .iter()
            .skip(1)
            .position(|key| *key.text.bytes == *text);
        let index = known.map_or(self.keys.len(), |known| known + 1);
        let Ok(next) = u8::try_from(index) else {
            return self.unknown(meaning);
        };
        if known.is_none() {
            self.keys.push(Key {
                text: Literal::new(text),
                meaning,
                next: [0; 4],
            });
        }
        let followers = &mut self.keys[before].next;
        let free = followers.iter().position(|next| *next == 0);
        followers[free.unwrap_or(followers.len() - 1)] = next;
        index
    }

    /// A key that there is no room for, as the start.
    fn unknown(&mut self, meaning: Meaning) -> usize {
        self.keys[Keys::START].meaning = meaning;
        Keys::START
    }
}

impl Found {
    /// All that is to be found in a line, which stands at `at` in the batch. None if it is no JSON
    /// object.
    fn in_line(line: &[u8], at: usize, keys: &mut Keys) -> Option<Found> {
        let mut found = Found::default();
        let mut scan = Scan { line, at: 0 };
        scan.space();
        scan.expect(b'{')?;
        scan.object(0, at, keys, &mut found)?;
        scan.space();
        (scan.at == line.len()).then_some(found)
    }

    /// Whether a member, whose value is at `at`, stands beside the pairs: a logger wrote it there.
    fn is_beside(&self, key: &[u8], at: usize) -> bool {
        let is_message = self.message.is_some_and(|message| message.start == at + 1);
        let is_place = matches!(key, b"file" | b"line" | b"module" | b"module_path");
        !self.nested && is_place
            || is_message
            || [self.time, self.target, self.level_at].contains(&at)
    }

    /// Takes a field of the logger's own. The outer of two counts, then the surer.
    fn field(
        &mut self,
        line: &[u8],
        depth: usize,
        (field, rank): (Field, u8),
        at: usize,
        value: Value,
    ) {
        let rank = 200 - (depth * 16) as u8 + rank;
        match (field, value) {
            (Field::Message, Value::Text(text)) if rank > self.message_rank => {
                (self.message, self.message_rank) = (Some(text), rank);
            }
            (Field::Level, Value::Text(text)) if rank > self.level_rank => {
                if let Some(level) = Level::from_word(&line[text.start..text.end]) {
                    (self.level, self.level_rank) = (Some(level), rank);
                    self.level_at = at;
                }
            }
            (Field::Time, Value::Text(_) | Value::Plain) if rank > self.time_rank => {
                (self.time, self.time_rank) = (at, rank);
            }
            (Field::Target, Value::Text(_)) if rank > self.target_rank => {
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
    fn object(
        &mut self,
        depth: usize,
        batch_at: usize,
        keys: &mut Keys,
        found: &mut Found,
    ) -> Option<()> {
        let members = self.at;
        let mut reserved: Option<Reserved> = None;
        let mut key = Keys::START;
        loop {
            let before = self.at;
            match keys.next(key, self.line.get(before..)?) {
                Some((next, len)) => {
                    key = next;
                    self.at += len;
                }
                None => {
                    let Some(text) = self.key(before == members)? else {
                        break;
                    };
                    let meaning = Meaning::of(&self.line[text.start..text.end]);
                    key = keys.learn(key, &self.line[before..self.at], meaning);
                }
            }
            let at = self.at;
            if self.peek()? == b'{' && depth < DEPTH {
                self.at += 1;
                self.object(depth + 1, batch_at, keys, found)?;
                continue;
            }
            let value = self.value()?;
            let name = match keys.meaning(key) {
                Meaning::Ours(name) => name,
                Meaning::Loggers(field, rank) => {
                    found.field(self.line, depth, (field, rank), at, value);
                    continue;
                }
                Meaning::Programs => continue,
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
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.at += plain_len(self.line.get(self.at..)?);
                Some(Value::Plain)
            }
            _ => None,
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

/// How long a number or a word is.
#[inline]
fn plain_len(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = rest.get(at..).and_then(words::first) {
        let ends = words::equal(word, b',') | words::equal(word, b'}');
        let ends = ends | words::equal(word, b']') | words::equal(word, b' ');
        if ends != 0 {
            return at + words::lowest(ends);
        }
        at += 8;
    }
    let is_inside = |byte: &&u8| !matches!(byte, b',' | b'}' | b']' | b' ');
    at + rest[at..].iter().take_while(is_inside).count()
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
            let found = Found::in_line(line, 0, &mut Keys::new())?;
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
    let found = Found::in_line(line, 0, &mut Keys::new())?;
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
        if text::is_reserved(raw) || found.is_beside(raw, at) {
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

/// A line that was wrapped.
pub(crate) struct Unwrapped {
    /// Where its text begins, behind the time.
    pub(crate) text: usize,
    /// The line goes on in the next one.
    pub(crate) is_part: bool,
}

/// Writes the time and the text that a container engine or a journal wrapped in `line`.
pub(crate) fn unwrap(line: &[u8], into: &mut Vec<u8>) -> Option<Unwrapped> {
    let (mut text, mut time, mut is_engine) = (None, None, false);
    let mut scan = Scan { line, at: 0 };
    scan.expect(b'{')?;
    let mut is_first = true;
    while let Some(key) = scan.key(is_first)? {
        is_first = false;
        let at = scan.at;
        let value = scan.value()?;
        match (&line[key.start..key.end], value) {
            (b"log", Value::Text(_)) | (b"MESSAGE", Value::Text(_) | Value::Nested) => {
                text = Some((at, value));
            }
            (b"time" | b"__REALTIME_TIMESTAMP", Value::Text(value)) => time = Some(value),
            (b"stream" | b"__CURSOR" | b"_BOOT_ID", _) => is_engine = true,
            _ => {}
        }
    }
    let ((at, text), time) = (
        text.filter(|_| is_engine)?,
        time.filter(|time| !time.escaped)?,
    );
    let is_journal = !line[time.start..time.end].contains(&b':');
    into.extend_from_slice(&line[time.start..time.end]);
    into.push(b' ');
    let start = into.len();
    match text {
        Value::Text(text) => text.decode(line, into),
        // Of a text with colours a journal writes each byte as a number.
        _ => {
            let bytes = line
                .get(at..)?
                .strip_prefix(b"[")?
                .split(|byte| *byte == b']')
                .next()?;
            for byte in bytes.split(|byte| *byte == b',') {
                into.push(std::str::from_utf8(byte.trim_ascii()).ok()?.parse().ok()?);
            }
        }
    }
    if is_journal && !into.ends_with(b"\n") {
        into.push(b'\n');
    }
    Some(Unwrapped {
        text: start,
        is_part: !into.ends_with(b"\n"),
    })
}
