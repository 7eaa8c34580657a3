//! How the lines of one log are to be read, found out from its beginning.

use std::borrow::Cow;

use super::batch::{Batch, Why};
use super::colors;
use super::prefix::Layout;
use super::record::{Kind, Part, Record};
use super::{json, key_value, text, wrapped};

/// The form of a log: section 1 of `docs/format.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `MESSAGE, key=value, key=value`.
    #[default]
    Text,
    /// `MESSAGE key=value key=value`, as env_logger prints key-values.
    KeyValue,
    /// A JSON object a line.
    Json,
}

/// How the lines of one log are to be read.
#[derive(Clone, Debug, Default)]
pub struct Dialect {
    /// The form of the records.
    pub form: Form,
    /// Each line is wrapped in JSON by what ran the program.
    pub wrapped: bool,
    /// What stands before each line: put there by what ran the program, not by its logger.
    pub host: Layout,
    /// What stands before each message.
    pub layout: Layout,
    /// There are no span ids: spans nest within their tasks.
    pub legacy: bool,
}

/// How much of a log is looked at to find out its dialect.
const SAMPLE: usize = 1000;

impl Dialect {
    /// The dialect of the lines in `sample`, if there are records among them. `form` is the one that
    /// the user says it is.
    pub fn detect(sample: &[u8], form: Option<Form>) -> Option<Dialect> {
        let wrapped = wrapped::is_wrapped(sample);
        let mut sample = sample.to_vec();
        if wrapped {
            let len = wrapped::unwrap(&mut sample);
            sample.truncate(len);
        }
        let len = colors::strip(&mut sample);
        sample.truncate(len);
        let lines = || sample.split(|&byte| byte == b'\n').map(trim_end);
        let host = match wrapped {
            true => Layout::of_wrapped(),
            false => Layout::host(lines().take(SAMPLE)),
        };
        let of = |form| Dialect {
            form,
            host: host.clone(),
            ..Dialect::default()
        };
        let count = |form| {
            let dialect = of(form);
            let records = lines().filter(|line| dialect.is_record(line));
            records.take(SAMPLE).count()
        };
        let forms = [Form::Text, Form::KeyValue, Form::Json];
        let found = forms
            .into_iter()
            .filter(|found| form.is_none_or(|form| form == *found));
        // The first of those that read most lines.
        let (form, records) = found
            .map(|form| (form, count(form)))
            .rev()
            .max_by_key(|(_, n)| *n)?;
        if records == 0 {
            return None;
        }
        let mut dialect = of(form);
        if form == Form::KeyValue {
            // Where a record begins is seen by its prefix.
            let records = lines().filter(|line| dialect.is_record(line)).take(SAMPLE);
            let records = records.map(|line| dialect.host.cut(line).rest(line));
            dialect.layout = Layout::logger(records.filter(|line| !line.starts_with(b" ")));
        }
        let batch = dialect.sample(sample.clone());
        if form == Form::Text {
            let firsts = batch.records.iter().take(SAMPLE);
            let firsts = firsts.map(|record| first_line(&batch.bytes[record.text.range()]));
            dialect.layout = Layout::logger(firsts.map(|line| dialect.host.cut(line).rest(line)));
        }
        dialect.legacy = is_legacy(&batch);
        dialect.wrapped = wrapped;
        Some(dialect)
    }

    /// The records in a log's beginning, read as if they had no ids.
    fn sample(&self, bytes: Vec<u8>) -> Batch {
        let dialect = Dialect {
            legacy: true,
            ..self.clone()
        };
        let mut batch = Batch {
            lines_len: bytes.len(),
            bytes,
            dialect: dialect.into(),
            ..Batch::default()
        };
        batch.parse();
        batch
    }

    /// Whether a line, without what the host put there, begins a record of the key-value form.
    pub(crate) fn begins_record(&self, line: &[u8]) -> bool {
        match self.layout.is_empty() {
            true => !matches!(line.first(), None | Some(b' ' | b'\t')),
            false => self.layout.cut(line).len > 0,
        }
    }

    fn unwrapped<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        match self.wrapped {
            true => wrapped::line(line),
            false => line.into(),
        }
    }

    /// Whether a record ends with this line.
    pub fn is_record(&self, line: &[u8]) -> bool {
        let line = &*self.unwrapped(line);
        let line = &*colors::without(line);
        let line = self.host.cut(line).rest(line);
        match self.form {
            Form::Text => text::is_complete(line),
            Form::KeyValue => key_value::is_complete(line),
            Form::Json => json::is_complete(line),
        }
    }

    /// Whether a line that is no record may be followed by one that it belongs to, as what stands above
    /// it does.
    pub(crate) fn may_continue(&self, line: &[u8]) -> bool {
        let line = &*self.unwrapped(line);
        let line = &*colors::without(line);
        let line = self.host.cut(line).rest(line);
        match self.form {
            Form::Text => text::continuation(line).is_some(),
            Form::KeyValue => !self.begins_record(line),
            Form::Json => false,
        }
    }

    pub(crate) fn parse(&self, batch: &mut Batch) {
        match self.form {
            Form::Text => self.parse_text(batch),
            Form::KeyValue => key_value::parse(self, batch),
            Form::Json => json::parse(self, batch),
        }
    }

    fn parse_text(&self, batch: &mut Batch) {
        let reader = text::Reader::new(self.legacy);
        let lines = &batch.bytes[..batch.lines_len];
        let mut number = batch.lines_before;
        let mut start = 0;
        // The first line of a record that is not complete yet, and how many lines it has.
        let mut open: Option<(usize, u64)> = None;
        for newline in memchr::memchr_iter(b'\n', lines) {
            number += 1;
            let (at, end) = (start, trim_end(&lines[start..newline]).len() + start);
            start = newline + 1;
            let mut line_at = at + self.host.cut(&lines[at..end]).len;
            let mut first = at;
            let mut first_number = number;
            if matches!(lines.get(line_at), Some(b' ' | b'\t'))
                && let Some(more) = text::continuation(&lines[line_at..end])
            {
                let Some((record_start, count)) = open.as_mut() else {
                    batch.unreadable.add(number, 1, Why::NoTask);
                    continue;
                };
                (first, first_number) = (*record_start, number - *count);
                *count += 1;
                line_at = end - more.len();
            } else if let Some((_, count)) = open.take() {
                batch.unreadable.add(number - count, count, Why::NoTask);
            }
            let mut record = Record::default();
            if reader.read(&lines[line_at..end], line_at, &mut record) {
                open = None;
                record.text = Part::new(first, end);
                record.last_line = line_at as u32;
                record.last_line_end = end as u32;
                record.line = first_number;
                if record.kind == Kind::Start {
                    record.message = Some(self.message(lines, &record));
                }
                batch.records.push(record);
            } else {
                open.get_or_insert((at, 1));
            }
        }
        if let Some((_, count)) = open {
            batch.unreadable.add(number + 1 - count, count, Why::NoTask);
        }
    }

    /// The message of a record of the text form, as it is written: behind the prefix, before the
    /// pairs.
    pub(crate) fn message(&self, bytes: &[u8], record: &Record) -> Part {
        let start = self.message_start(bytes, record);
        // A record of several lines has its pairs on the last.
        let last = start.max(record.last_line as usize);
        let line = bytes.get(last..record.last_line_end as usize);
        Part::new(
            start,
            text::message_end(line.unwrap_or_default(), last, record).max(start),
        )
    }

    /// The message of a record of the key-value form, as it is written.
    pub(crate) fn key_value_message(&self, bytes: &[u8], record: &Record) -> Part {
        let start = self.message_start(bytes, record);
        let last = start.max(record.last_line as usize);
        let line = bytes.get(last..record.last_line_end as usize);
        let end = last + key_value::begin(line.unwrap_or_default());
        Part::new(start, end.max(start))
    }

    fn message_start(&self, bytes: &[u8], record: &Record) -> usize {
        let first = &bytes[record.text.range()];
        let first = match record.last_line == record.text.start {
            true => first,
            false => first_line(first),
        };
        let host = self.host.cut(first);
        let layout = self.layout.cut(host.rest(first));
        record.text.start as usize + host.len + layout.len
    }
}

/// Whether there are starts and ends, and none of them has an id.
fn is_legacy(batch: &Batch) -> bool {
    let mut marks = batch
        .records
        .iter()
        .filter(|record| record.kind != Kind::Event);
    let first = marks.next();
    first.is_some_and(|mark| mark.span_id == 0) && marks.all(|mark| mark.span_id == 0)
}

/// The first line of a record.
pub(crate) fn first_line(record: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', record).unwrap_or(record.len());
    &record[..end]
}

/// A line without its carriage return.
pub(crate) fn trim_end(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r'] => line,
        line => line,
    }
}
