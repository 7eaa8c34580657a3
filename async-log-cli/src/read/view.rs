//! All that stands in a record, read where it is asked for.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::batch::Batch;
use super::dialect::{Form, first_line, trim_end};
use super::prefix::Layout;
use super::record::{FAR, Kind, Level, Part, Record};
use super::shape::Before;
use super::text::{is_reserved, message_end};
use super::time::Time;
use super::{json, key_value, pairs};

/// A record with the bytes that it stands in.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Where it stands.
    pub batch: &'a Batch,
    /// What is known of it.
    pub record: &'a Record,
}

/// A record that outlives its batch.
#[derive(Debug)]
pub(crate) struct Owned {
    batch: Batch,
    record: Record,
}

impl Owned {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            batch: &self.batch,
            record: &self.record,
        }
    }

    /// How much memory it takes, about.
    pub(crate) fn size(&self) -> usize {
        size_of::<Owned>() + self.batch.bytes.len()
    }
}

/// Where a record has its target.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TargetField<'a> {
    /// In the prefix of its first line, or nowhere.
    InPrefix,
    /// At the beginning of this, as a JSON string.
    At(&'a [u8]),
    /// In a JSON line, but not where it would be found quickly.
    Far,
    /// It has none.
    None,
}

impl<'a> View<'a> {
    /// A part of its batch.
    pub fn part(&self, part: Part) -> &'a [u8] {
        &self.batch.bytes[part.range()]
    }

    /// Its lines as they are in the log.
    pub fn text(&self) -> &'a [u8] {
        self.part(self.record.text)
    }

    /// A copy with all that stands in it.
    pub(crate) fn to_owned(self) -> Owned {
        let text = self.record.text;
        let lines = self.batch.bytes.get(text.range()).unwrap_or_default();
        let mut record = *self.record;
        // What had to be decoded stands behind all lines, a record's together.
        let behind = self.batch.lines_len as u32;
        let decoded = decoded_parts(&record, behind);
        let mut bytes = Vec::with_capacity(lines.len() + decoded.len());
        bytes.extend_from_slice(lines);
        let (from, to) = (decoded.start as usize, decoded.end as usize);
        bytes.extend_from_slice(self.batch.bytes.get(from..to).unwrap_or_default());
        let moved = |at: &mut u32| {
            *at = match *at >= behind && decoded.start < decoded.end {
                true => at.saturating_sub(decoded.start) + lines.len() as u32,
                false => at.saturating_sub(text.start),
            }
        };
        for_each_place(&mut record, moved);
        Owned {
            batch: Batch {
                lines_len: lines.len(),
                bytes,
                source: self.batch.source,
                dialect: Arc::clone(&self.batch.dialect),
                ..Batch::default()
            },
            record,
        }
    }

    /// Its message as it is written, not read back: equal messages are equal so too.
    pub fn raw_message(&self) -> &'a [u8] {
        let message = self.record.message;
        let dialect = &self.batch.dialect;
        self.part(message.unwrap_or_else(|| dialect.message(&self.batch.bytes, self.record)))
    }

    /// Its message as the program wrote it; of a start or an end the name of the span.
    pub fn message(&self) -> Cow<'a, str> {
        let raw = self.raw_message();
        match self.record.form {
            Form::Text => self.unescape(raw),
            Form::KeyValue => self.unindent(raw),
            Form::Json => String::from_utf8_lossy(raw),
        }
    }

    /// Calls `each` with the program's own pairs, in their order: its key-values, the fields of the
    /// spans around it, and of a start the arguments of its function.
    pub fn pairs(&self, each: impl FnMut(&str, Cow<'a, str>)) {
        match self.record.form {
            Form::Text => self.text_pairs(each),
            form => raw_pairs(form, self.raw_pairs(), each),
        }
    }

    fn text_pairs(&self, each: impl FnMut(&str, Cow<'a, str>)) {
        let line = self.last_line();
        let at = self.record.last_line as usize;
        let begin = message_end(line, at, self.record).saturating_sub(at);
        let ours = (self.record.ours_at as usize).saturating_sub(at);
        text_pairs(line.get(begin..ours).unwrap_or_default(), each);
    }

    /// The part of its line that has the program's own pairs, for [`raw_pairs`].
    pub(crate) fn raw_pairs(&self) -> &'a [u8] {
        let record = self.record;
        let begin = match (record.form, record.kind) {
            (Form::KeyValue, _) => return self.last_line(),
            (Form::Json, _) => return self.json(),
            // Behind the mark of an end are all of its pairs: it has no arguments.
            (Form::Text, Kind::End) => record.tail,
            (Form::Text, Kind::Start | Kind::Event) => match record.message {
                Some(message) => message.end,
                None => self.batch.dialect.message(&self.batch.bytes, record).end,
            },
        };
        let (begin, end) = (begin as usize, record.ours_at as usize);
        self.batch.bytes.get(begin..end).unwrap_or_default()
    }

    /// All that stands before its message.
    pub(crate) fn before(&self) -> Before {
        let first = first_line(self.text());
        self.batch.dialect.before(first, self.record.form)
    }

    /// When it was written: by the logger's own clock, or that of what ran the program.
    pub fn time(&self) -> Option<Time> {
        if self.record.form == Form::Json {
            let time = json::field(self.json(), self.record.time_at, true);
            if let Some(time) = time {
                return Time::parse(time.as_bytes()).map(|(time, _)| time);
            }
        }
        let time = self.before().time?;
        Some(Time::parse(self.text().get(time)?)?.0)
    }

    /// Its level, if the logger writes it.
    pub fn level(&self) -> Option<Level> {
        match self.record.form {
            Form::Json => self.record.level,
            Form::Text | Form::KeyValue => self.before().level,
        }
    }

    /// Where it is from, if the logger writes that.
    pub fn target(&self) -> Option<Cow<'a, str>> {
        match self.record.form {
            Form::Json => json::field(self.json(), self.record.target_at, false),
            Form::Text | Form::KeyValue => {
                let target = self.text().get(self.before().target?);
                // What flexi_logger writes where there is none.
                let target = target.filter(|target| *target != b"<unnamed>");
                target.map(text)
            }
        }
    }

    /// A number for who wrote it, by what is in front of its line; 0 if nothing tells.
    #[inline]
    pub fn writer(&self) -> u32 {
        let dialect = &*self.batch.dialect;
        let in_front = match dialect.shapes.has_front {
            true => dialect.shapes.writer(first_line(self.text())),
            false => 0,
        };
        let members = &dialect.writers.members;
        match in_front == 0 && !members.is_empty() && self.record.form == Form::Json {
            true => members.writer(self.json()),
            false => in_front,
        }
    }

    /// Whether the log has several writers that nothing tells apart.
    #[inline]
    pub(crate) fn is_mixed(&self) -> bool {
        self.batch.dialect.writers.are_mixed
    }

    /// Whether the log has several writers that its lines tell apart.
    #[inline]
    pub(crate) fn tells_writers(&self) -> bool {
        self.batch.dialect.writers.are_told_apart
    }

    /// Where its target stands, found out without reading it.
    pub(crate) fn target_field(&self) -> TargetField<'a> {
        match (self.record.form, self.record.target_at) {
            (Form::Text | Form::KeyValue, _) => TargetField::InPrefix,
            (Form::Json, 0) => TargetField::None,
            (Form::Json, FAR) => TargetField::Far,
            (Form::Json, at) => {
                let field = self.json().get(at.into()..);
                field.map_or(TargetField::Far, TargetField::At)
            }
        }
    }

    /// What stands before its message in its first line, if the message was found already.
    pub(crate) fn before_message(&self) -> Option<&'a [u8]> {
        let start = self.record.text.start as usize..self.record.message?.start as usize;
        self.batch.bytes.get(start)
    }

    /// Of the start of a task: where it was made.
    pub fn spawn_line(&self) -> Option<Cow<'a, str>> {
        let part = self.record.spawn_line;
        let raw = self.part(part);
        (!part.is_empty()).then(|| match self.record.form {
            Form::Text => pairs::unquote(raw),
            Form::KeyValue => text(raw),
            Form::Json => json::unescape(raw),
        })
    }

    /// The line with the pairs, without what stands before the message's last line.
    fn last_line(&self) -> &'a [u8] {
        let range = self.record.last_line as usize..self.record.last_line_end as usize;
        self.batch.bytes.get(range).unwrap_or_default()
    }

    /// The object that it is.
    fn json(&self) -> &'a [u8] {
        let text = self.text();
        let at = self.batch.dialect.json_at(text).unwrap_or_default();
        &text[at..]
    }

    /// Reads a message of the text form back.
    fn unescape(&self, raw: &'a [u8]) -> Cow<'a, str> {
        if memchr::memchr2(b'\\', b'\n', raw).is_none() {
            return text(raw);
        }
        let mut message = String::with_capacity(raw.len());
        for (index, line) in raw.split(|&byte| byte == b'\n').enumerate() {
            let line = match index {
                0 => line,
                _ => {
                    message.push('\n');
                    self.continued(trim_end(line))
                }
            };
            unescape_line(&text(trim_end(line)), &mut message);
        }
        message.into()
    }

    /// Reads a message of the key-value form back, as far as that can be: env_logger indents all lines
    /// but the first.
    fn unindent(&self, raw: &'a [u8]) -> Cow<'a, str> {
        if memchr::memchr(b'\n', raw).is_none() {
            return text(raw);
        }
        let layout = self.batch.dialect.shapes.layout();
        let indent: &[u8] = match layout.map_or("", Layout::name) {
            "env_logger" => b"    ",
            _ => b"",
        };
        let mut message = String::with_capacity(raw.len());
        for (index, line) in raw.split(|&byte| byte == b'\n').enumerate() {
            let line = trim_end(line);
            if index == 0 {
                message.push_str(&text(line));
                continue;
            }
            let line = &line[self.batch.dialect.shapes.front_len(line)..];
            message.push('\n');
            message.push_str(&text(line.strip_prefix(indent).unwrap_or(line)));
        }
        message.into()
    }

    /// What a line of a message that is not the first adds to it.
    fn continued(&self, line: &'a [u8]) -> &'a [u8] {
        let shapes = &self.batch.dialect.shapes;
        let front = shapes.front_len(line);
        let more = shapes.continuation(line, front);
        more.unwrap_or(&line[front..])
    }
}

/// Calls `each` with the program's own pairs in the part of a line that has them.
pub(crate) fn raw_pairs<'a>(form: Form, raw: &'a [u8], mut each: impl FnMut(&str, Cow<'a, str>)) {
    match form {
        Form::Text => text_pairs(raw, each),
        Form::KeyValue => {
            for (key, value) in key_value::pairs(raw) {
                if !is_reserved(key) {
                    each(text(key).as_ref(), text(value));
                }
            }
        }
        Form::Json => {
            json::pairs(raw, each);
        }
    }
}

fn text_pairs<'a>(mut rest: &'a [u8], mut each: impl FnMut(&str, Cow<'a, str>)) {
    while let Some(pair) = pairs::pair(rest) {
        rest = &rest[pair.len..];
        if !is_reserved(pair.key) {
            each(text(pair.key).as_ref(), pairs::unquote(pair.value));
        }
    }
    // Versions 1 and 2 did not quote: `, ` ends a value, whatever it holds.
    while let Some(pair) = rest.strip_prefix(b", ") {
        let end = memchr::memmem::find(pair, b", ").unwrap_or(pair.len());
        rest = &pair[end..];
        if let Some(equals) = memchr::memchr(b'=', &pair[..end])
            && !is_reserved(&pair[..equals])
        {
            each(text(&pair[..equals]).as_ref(), text(&pair[equals + 1..end]));
        }
    }
}

/// The places of a record in its batch.
fn for_each_place(record: &mut Record, mut each: impl FnMut(&mut u32)) {
    let Record {
        text,
        spawn_line,
        message,
        last_line,
        last_line_end,
        tail,
        ours_at,
        ..
    } = record;
    let parts = [Some(text), Some(spawn_line), message.as_mut()];
    for part in parts.into_iter().flatten().filter(|part| part.end > 0) {
        each(&mut part.start);
        each(&mut part.end);
    }
    for at in [last_line, last_line_end, tail, ours_at] {
        each(at);
    }
}

/// Which of the bytes behind `lines_len` a record has parts in.
fn decoded_parts(record: &Record, lines_len: u32) -> Range<u32> {
    let (mut start, mut end) = (u32::MAX, 0);
    let mut record = *record;
    let line_end = record.text.end;
    for_each_place(&mut record, |at| {
        if *at >= lines_len && *at > line_end {
            start = start.min(*at);
            end = end.max(*at);
        }
    });
    start.min(end)..end
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Puts the characters back that `\u{…}` names; what names none stays.
fn unescape_line(line: &str, message: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find("\\u{") {
        let (before, escape) = rest.split_at(at);
        message.push_str(before);
        match escaped_char(&escape[3..]) {
            Some((c, len)) => {
                message.push(c);
                rest = &escape[3 + len..];
            }
            None => {
                message.push_str(&escape[..3]);
                rest = &escape[3..];
            }
        }
    }
    message.push_str(rest);
}

/// The character that the digits before a `}` name, and how many bytes they take with it.
fn escaped_char(digits: &str) -> Option<(char, usize)> {
    let len = digits.bytes().take(7).position(|byte| byte == b'}')?;
    let digits = &digits[..len];
    let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    Some((char::from_u32(code)?, len + 1))
}
