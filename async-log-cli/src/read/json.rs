//! JSON lines: the key-value form through a logger that writes JSON, or the text form in its message.
//!
//! The pairs are the members of the object that has `task_id` and `thread_id`, which may be the line's
//! own or one inside of it.

use std::borrow::Cow;

use super::batch::{Batch, Why};
use super::dialect::{Dialect, Form, trim_end};
use super::record::{FAR, Level, Offset, Part, Record};
use super::reserved::{Name, Reserved};
use super::time::Time;
use super::words::{self, Literal};
use super::{key_value, text};

/// How deep objects may stand in each other.
const DEPTH: usize = 8;

pub(crate) fn parse(dialect: &Dialect, batch: &mut Batch) {
    let mut reader = Reader::new(dialect);
    let lines = &batch.bytes[..batch.lines_len];
    let behind = batch.bytes.len();
    let mut number = batch.lines_before;
    let mut start = 0;
    let mut record = Record::default();
    for newline in memchr::memchr_iter(b'\n', lines) {
        number += 1;
        let line = trim_end(&lines[start..newline]);
        let at = start;
        start = newline + 1;
        if line.is_empty() {
            continue;
        }
        // It may be the first line of a message in the text form, which can hold anything.
        let goes_on = matches!(lines.get(start), Some(b' ' | b'\t'));
        let read = match goes_on {
            false => reader.read(line, at, behind, &mut record),
            true => Err(Why::NoTask),
        };
        match read {
            Ok(()) => {
                record.line = number;
                batch.records.push(record);
            }
            // Another logger may write there too.
            Err(why) => {
                let range = at..at + line.len();
                match dialect.other_form(&mut reader, lines, range, behind) {
                    Some(mut record) => {
                        record.line = number;
                        batch.records.push(record);
                    }
                    None => batch.unreadable.add(number, 1, why),
                }
            }
        }
    }
    batch.bytes.append(&mut reader.decoded);
}

/// Reads lines whose pairs are members of an object.
pub(crate) struct Reader<'d> {
    dialect: &'d Dialect,
    keys: Keys,
    /// Text that had to be decoded.
    pub(crate) decoded: Vec<u8>,
}

impl<'d> Reader<'d> {
    pub(crate) fn new(dialect: &'d Dialect) -> Reader<'d> {
        Reader {
            dialect,
            keys: Keys::new(),
            decoded: Vec::new(),
        }
    }

    /// Reads a line, which stands at `at` in the batch. What is decoded will stand at `behind`.
    // A record is large: it is written to where it will be, for each copy costs more than a key.
    #[inline(always)]
    pub(crate) fn read(
        &mut self,
        line: &[u8],
        at: usize,
        behind: usize,
        record: &mut Record,
    ) -> Result<(), Why> {
        let front = match line.first() {
            Some(b'{') => 0,
            _ => self.dialect.json_at(line).ok_or(Why::NoTask)?,
        };
        let json = &line[front..];
        let Some(mut found) = Found::in_line(json, at + front, &mut self.keys) else {
            return Err(Why::Json);
        };
        let message = found.message.take();
        *record = found.record.ok_or(Why::NoTask)?;
        record.form = Form::Json;
        record.text = Part::new(at, at + line.len());
        let mut part = message.map_or(Part::new(at + front, at + front), |text| {
            self.part(json, at + front, text, behind)
        });
        if self.dialect.legacy {
            let bytes = match (part.start as usize).checked_sub(behind) {
                Some(start) => &self.decoded[start..part.end as usize - behind],
                None => &line[part.start as usize - at..part.end as usize - at],
            };
            part.end = part.start + key_value::version_2(bytes) as u32;
        }
        record.message = Some(part);
        record.level = found.level;
        record.time_at = offset(found.time);
        record.target_at = offset(found.target);
        Ok(())
    }

    /// A string of an object that stands at `at`, decoded where it has to be.
    fn part(&mut self, json: &[u8], at: usize, text: Text, behind: usize) -> Part {
        if !text.escaped {
            return Part::new(at + text.start, at + text.end);
        }
        let start = behind + self.decoded.len();
        text.decode(json, &mut self.decoded);
        Part::new(start, behind + self.decoded.len())
    }
}

/// How far behind the start of its object something is.
fn offset(at: usize) -> Offset {
    Offset::try_from(at).unwrap_or(FAR)
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

/// Whether a key is neither ours nor one that loggers write something of their own under.
pub(super) fn is_programs(key: &[u8]) -> bool {
    matches!(Meaning::of(key), Meaning::Programs)
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

/// How long a string is without its quotes, of which the first is taken off.
pub(crate) fn string_len(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += quote(text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Where in a line its JSON object begins, with which the line ends.
pub(crate) fn start(line: &[u8]) -> Option<usize> {
    if line.last() != Some(&b'}') {
        return None;
    }
    if matches!(line, [b'{', b'"' | b' ' | b'}', ..]) {
        return Some(0);
    }
    let head = &line[..line.len().min(1024)];
    let mut starts = memchr::memchr_iter(b'{', head).take(8);
    let start = starts.find(|start| walk(&line[*start..], &mut |_| {}).is_some())?;
    (!text::is_indented(&line[..start])).then_some(start)
}

/// Whether an object has the pairs of a record as members.
pub(crate) fn is_record(line: &[u8]) -> bool {
    record(line).is_some()
}

/// The record whose pairs are members of an object.
pub(crate) fn record(line: &[u8]) -> Option<Record> {
    Found::in_line(line, 0, &mut Keys::new())?.record
}

/// What a member of an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberValue {
    Text,
    /// A number, `true`, `false` or `null`.
    Plain,
    /// An object or an array.
    Nested,
}

/// A member of an object, or of one inside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    /// A hash of the keys on the way to it.
    pub(crate) path: u64,
    pub(crate) key: &'a [u8],
    /// The value, a string without its quotes.
    pub(crate) raw: &'a [u8],
    pub(crate) value: MemberValue,
    depth: usize,
}

impl Member<'_> {
    /// Whether it is text, if only as the numbers of its bytes, as a journal writes some.
    pub(crate) fn is_text(&self) -> bool {
        match self.value {
            MemberValue::Text => true,
            MemberValue::Nested => matches!(self.raw, [b'[', b'0'..=b'9', ..]),
            MemberValue::Plain => false,
        }
    }

    pub(crate) fn may_hold_record(&self) -> bool {
        let has_key = || memchr::memmem::find(self.raw, b"thread_id").is_some();
        self.is_text() && (self.value == MemberValue::Nested || has_key())
    }

    /// Writes its text.
    pub(crate) fn decode(&self, into: &mut Vec<u8>) {
        if self.value != MemberValue::Nested {
            return decode(self.raw, into);
        }
        let inside = self.raw.strip_prefix(b"[").unwrap_or_default();
        let inside = inside.strip_suffix(b"]").unwrap_or(inside);
        for byte in inside.split(|byte| *byte == b',') {
            let byte = std::str::from_utf8(byte.trim_ascii()).ok();
            into.extend(byte.and_then(|byte| byte.parse::<u8>().ok()));
        }
    }

    /// Whether it says that a line goes on in another one, as Docker and Fluent Bit say it.
    pub(crate) fn says_part(&self) -> Option<bool> {
        let key = self.key.to_ascii_lowercase();
        if key == b"logtag" {
            return Some(self.raw.starts_with(b"P"));
        }
        let is = |name: &[u8]| key.ends_with(name) && self.raw.eq_ignore_ascii_case(b"true");
        match () {
            () if is(b"partial_last") => Some(false),
            () if is(b"partial_message") => Some(true),
            () => None,
        }
    }

    /// Whether it is a time (0), a level (1) or a target (2), and how sure that is.
    pub(crate) fn field(&self) -> Option<(usize, u8)> {
        if self.value == MemberValue::Nested {
            return None;
        }
        let outer = 8u8.saturating_sub(self.depth as u8);
        let (field, rank) = match Meaning::of(self.key) {
            Meaning::Loggers(Field::Level, rank) => {
                Level::from_word(self.raw)?;
                (1, rank)
            }
            Meaning::Loggers(Field::Target, rank) if self.value == MemberValue::Text => (2, rank),
            Meaning::Loggers(Field::Time, rank) => (0, rank),
            _ if self.key == b"__REALTIME_TIMESTAMP" => (0, 10),
            _ => (0, 1),
        };
        if field == 0 {
            let (time, len) = Time::parse(self.raw)?;
            if !time.has_date || len < self.raw.len() {
                return None;
            }
        }
        Some((field, rank * 8 + outer))
    }
}

/// Calls `each` with the members of the object that a line is, and with those inside.
pub(crate) fn walk<'a>(line: &'a [u8], each: &mut dyn FnMut(Member<'a>)) -> Option<()> {
    let mut scan = Scan { line, at: 0 };
    scan.expect(b'{')?;
    scan.walk(0, 0xcbf2_9ce4_8422_2325, each)?;
    scan.space();
    (scan.at == line.len()).then_some(())
}

impl<'a> Scan<'a> {
    fn walk(&mut self, depth: usize, path: u64, each: &mut dyn FnMut(Member<'a>)) -> Option<()> {
        let mut is_first = true;
        while let Some(key) = self.key(is_first)? {
            is_first = false;
            let key = &self.line[key.start..key.end];
            let path = key.iter().chain(b".").fold(path, |path, byte| {
                (path ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
            if self.peek()? == b'{' && depth < DEPTH {
                self.at += 1;
                self.walk(depth + 1, path, each)?;
                continue;
            }
            let at = self.at;
            let (raw, value) = match self.value()? {
                Value::Text(text) => (text.start..text.end, MemberValue::Text),
                Value::Plain => (at..self.at, MemberValue::Plain),
                Value::Nested => (at..self.at, MemberValue::Nested),
            };
            each(Member {
                path,
                key,
                raw: &self.line[raw],
                value,
                depth,
            });
        }
        Some(())
    }
}
