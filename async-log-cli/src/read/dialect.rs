//! How the lines of one log are to be read, found out from its beginning.

use std::borrow::Cow;

use super::batch::{Batch, Why};
use super::colors;
use super::container::Container;
use super::identity::{self, Row};
use super::learn::{self, Head};
use super::order;
use super::prefix::Layout;
use super::record::{Kind, Part, Record};
use super::shape::{Before, Shapes};
use super::writer::{Members, Writers};
use super::{json, key_value, text};

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

/// How the lines of one log are to be read. Each line is read by itself: a log may have more than one
/// writer, and a line that is not like the others changes nothing about them.
#[derive(Clone, Debug, Default)]
pub struct Dialect {
    /// The form of most records.
    pub form: Form,
    /// What keeps the program's lines in lines of its own.
    pub container: Container,
    /// What stands before messages.
    pub shapes: Shapes,
    /// Who writes it.
    pub writers: Writers,
    /// There are no span ids: spans nest within their tasks.
    pub legacy: bool,
    /// The newest lines are first.
    pub is_reversed: bool,
    /// The same goes for the lines of each record.
    pub continues_upwards: bool,
}

/// How much of a log is looked at to find out its dialect.
const SAMPLE: usize = 1000;

impl Dialect {
    /// The dialect of the lines in `sample`, if there are records among them. `form` is the one that
    /// the user says it is.
    pub fn detect(sample: &[u8], form: Option<Form>) -> Option<Dialect> {
        Dialect::detect_with(sample, form, None)
    }

    /// The same, where the user also says what stands before messages.
    pub fn detect_with(
        sample: &[u8],
        form: Option<Form>,
        prefix: Option<&Layout>,
    ) -> Option<Dialect> {
        let lines: Vec<_> = lines_of(sample).into_iter().map(clean).collect();
        let container = Container::learn(&lines);
        let mut dialect = Dialect {
            container,
            ..Dialect::default()
        };
        let mut sample = dialect.opened(sample.to_vec());
        dialect.form = form_of(&sample, form)?;
        sample.dialect = dialect.for_sample();
        sample.parse_lines();
        dialect.legacy = is_legacy(&sample);
        let heads = heads(&sample);
        let shapes = learn::learn(&heads, prefix);
        let mut shapes = Shapes::new(shapes, dialect.container.has_layers());
        dialect.shapes = shapes.clone();
        if shapes.has_front {
            sample.dialect = dialect.for_sample();
            sample.parse_lines();
            dialect.writers.are_told_apart = name_writers(&mut shapes, &sample);
            dialect.shapes = shapes;
        }
        dialect.name_json_writers(&sample);
        let writers = &mut dialect.writers;
        writers.are_mixed = !writers.are_told_apart && identity::are_mixed(&sample.records);
        sample.dialect = dialect.for_sample();
        dialect.is_reversed = order::is_reversed(&sample);
        dialect.continues_upwards = dialect.is_reversed && dialect.continues_upwards(&sample);
        Some(dialect)
    }

    /// Finds out which members of JSON records tell writers apart, where nothing in front of them does.
    fn name_json_writers(&mut self, sample: &Batch) {
        let is_json = |record: &Record| record.form == Form::Json;
        if !sample.records.iter().all(is_json) {
            return;
        }
        let object = |record: &Record| {
            let text = &sample.bytes[record.text.range()];
            self.json_at(text).map_or(&b""[..], |at| &text[at..])
        };
        let members = Members::learn(sample, object);
        let writer = |record: &Record| members.writer(object(record));
        self.writers.are_told_apart |= identity::tells_several(&sample.records, writer);
        self.writers.members = members;
    }

    /// Whether lines that continue a record stand above it.
    fn continues_upwards(&self, sample: &Batch) -> bool {
        let lines = lines_of(&sample.bytes[..sample.lines_len]);
        let is_first = |line: &[u8]| !text::is_complete(line) && !self.continues(line);
        let (mut above, mut below) = (0, 0);
        for three in lines.windows(3) {
            if self.continues(three[1]) {
                above += usize::from(is_first(three[0]));
                below += usize::from(is_first(three[2]));
            }
        }
        below > above
    }

    /// The lines of a log as its program wrote them.
    fn opened(&self, bytes: Vec<u8>) -> Batch {
        let mut batch = Batch {
            lines_len: bytes.len(),
            bytes,
            dialect: self.clone().into(),
            ..Batch::default()
        };
        batch.open();
        batch
    }

    /// This dialect for the beginning of a log, read as if it had no ids.
    fn for_sample(&self) -> std::sync::Arc<Dialect> {
        Dialect {
            legacy: true,
            ..self.clone()
        }
        .into()
    }

    /// Whether a line, without what is in front of it, begins a record of the key-value form.
    pub(crate) fn begins_record(&self, line: &[u8], front: usize) -> bool {
        if matches!(line.get(front), None | Some(b' ' | b'\t')) {
            return false;
        }
        match self.shapes.layout() {
            Some(layout) if !layout.is_empty() => self.shapes.before(line).message > front,
            _ => true,
        }
    }

    /// A line as its program wrote it, with what is in front of it.
    fn unwrapped<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        let line = match self.container.has_layers() {
            true => self.container.line(clean(line)),
            false => clean(line).into(),
        };
        let line = match self.container.has_escapes() {
            true => {
                let mut line = line.into_owned();
                let len = self.container.restore_colors(&mut line);
                line.truncate(len);
                line.into()
            }
            false => line,
        };
        match colors::without(&line) {
            Cow::Borrowed(_) => line,
            Cow::Owned(line) => line.into(),
        }
    }

    /// Whether a record of the usual form ends with this line.
    pub fn is_record(&self, line: &[u8]) -> bool {
        let line = &*self.unwrapped(line);
        match self.form {
            Form::Json => json_record(line),
            Form::Text => text::is_complete(line),
            Form::KeyValue => key_value::is_complete(line),
        }
    }

    /// Whether a line that is no record may be followed by one that it belongs to, as what stands above
    /// it does.
    pub(crate) fn may_continue(&self, line: &[u8]) -> bool {
        self.continues(&self.unwrapped(line))
    }

    fn continues(&self, line: &[u8]) -> bool {
        let front = self.shapes.front_len(line);
        match self.form {
            Form::KeyValue => !self.begins_record(line, front),
            Form::Text | Form::Json => self.shapes.continuation(line, front).is_some(),
        }
    }

    /// Where in a line its JSON begins.
    pub(crate) fn json_at(&self, line: &[u8]) -> Option<usize> {
        match line.first() {
            Some(b'{') => Some(0),
            _ => json::start(line),
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
        let mut others = json::Reader::new(self);
        let lines = &batch.bytes[..batch.lines_len];
        let behind = batch.bytes.len();
        let mut number = batch.lines_before;
        let mut start = 0;
        // The first line of a record that is not complete yet, and how many lines it has.
        let mut open: Option<(usize, u64)> = None;
        for newline in memchr::memchr_iter(b'\n', lines) {
            number += 1;
            let (at, end) = (start, trim_end(&lines[start..newline]).len() + start);
            start = newline + 1;
            let mut line_at = at + self.shapes.front_len(&lines[at..end]);
            let mut first = at;
            let mut first_number = number;
            if matches!(lines.get(line_at), Some(b' ' | b'\t' | b'#'))
                && let Some(more) = self.shapes.continuation(&lines[at..end], line_at - at)
            {
                let is_same = |(first, _): &&mut (usize, u64)| {
                    let writer = self.shapes.writer(&lines[at..end]);
                    let first = first_line(&lines[*first..at]);
                    // In a container one line may have become several.
                    writer == 0 || self.shapes.writer(first) == writer
                };
                let Some((record_start, count)) = open.as_mut().filter(is_same) else {
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
            } else if let Some(mut record) = self.other_form(&mut others, lines, at..end, behind) {
                if let Some((_, count)) = open.take() {
                    batch.unreadable.add(number - count, count, Why::NoTask);
                }
                record.line = number;
                batch.records.push(record);
            } else {
                open.get_or_insert((at, 1));
            }
        }
        if let Some((_, count)) = open {
            batch.unreadable.add(number + 1 - count, count, Why::NoTask);
        }
        batch.bytes.append(&mut others.decoded);
    }

    /// A record of one line that another logger wrote, in another form than most records.
    #[cold]
    pub(crate) fn other_form(
        &self,
        reader: &mut json::Reader<'_>,
        lines: &[u8],
        range: std::ops::Range<usize>,
        behind: usize,
    ) -> Option<Record> {
        let line = &lines[range.clone()];
        // Below the first line of a message, which can hold anything, there is the rest of it.
        if self.goes_on(lines, range.end) {
            return None;
        }
        let mut record = Record::default();
        if self.form != Form::Json
            && line.last() == Some(&b'}')
            && reader.read(line, range.start, behind, &mut record).is_ok()
        {
            return Some(record);
        }
        if self.form != Form::KeyValue && key_value::is_complete(line) {
            return self.key_value_record(lines, range);
        }
        match self.form {
            Form::Text => None,
            Form::KeyValue | Form::Json => self.text_record(lines, range),
        }
    }

    /// Whether the line behind `end` belongs to the one that ends there.
    fn goes_on(&self, lines: &[u8], end: usize) -> bool {
        let behind = lines[end..].iter().position(|byte| *byte == b'\n');
        let next = &lines[behind.map_or(lines.len(), |at| end + at + 1)..];
        !next.is_empty() && self.form != Form::Json && self.continues(trim_end(first_line(next)))
    }

    fn text_record(&self, lines: &[u8], range: std::ops::Range<usize>) -> Option<Record> {
        let line = &lines[range.clone()];
        let line_at = range.start + self.shapes.front_len(line);
        let mut record = Record::default();
        let reader = text::Reader::new(self.legacy);
        if !reader.read(&lines[line_at..range.end], line_at, &mut record) {
            return None;
        }
        record.text = Part::new(range.start, range.end);
        record.last_line = line_at as u32;
        record.last_line_end = record.text.end;
        record.message = Some(self.message(lines, &record));
        Some(record)
    }

    fn key_value_record(&self, lines: &[u8], range: std::ops::Range<usize>) -> Option<Record> {
        let line_at = range.start + self.shapes.front_len(&lines[range.clone()]);
        let mut record = key_value::record(&lines[line_at..range.end], line_at)?;
        record.text = Part::new(range.start, range.end);
        record.last_line = line_at as u32;
        record.last_line_end = record.text.end;
        record.message = Some(self.key_value_message(lines, &record));
        Some(record)
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
        record.text.start as usize + self.shapes.message_at(first)
    }

    /// What stands before the message of a record, or before the object that it is.
    pub(crate) fn before(&self, first: &[u8], form: Form) -> Before {
        if form == Form::Json {
            let end = self.json_at(first).unwrap_or_default();
            let mut before = self.shapes.before(&first[..end]);
            (before.front, before.message) = (end, end);
            return before;
        }
        self.shapes.before(first)
    }
}

fn json_record(line: &[u8]) -> bool {
    json::start(line).is_some_and(|start| json::is_record(&line[start..]))
}

/// A line without what is before the last zeros in it, which a crash left there, if a record is behind
/// them; and without the mark before a JSON text in a sequence of such.
pub(crate) fn clean(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\x1e").unwrap_or(line);
    match memchr::memrchr(0, line) {
        Some(at) if memchr::memmem::find(&line[at..], b"thread_id").is_some() => &line[at + 1..],
        _ => line,
    }
}

/// Whole lines.
fn lines_of(bytes: &[u8]) -> Vec<&[u8]> {
    let mut start = 0;
    let lines = memchr::memchr_iter(b'\n', bytes).map(|newline| {
        let line = &bytes[start..newline];
        start = newline + 1;
        trim_end(line)
    });
    lines.collect()
}

/// The form of most lines, the first of those that have as many.
fn form_of(batch: &Batch, said: Option<Form>) -> Option<Form> {
    let lines = lines_of(&batch.bytes[..batch.lines_len]);
    let is = |form: Form, line: &[u8]| match form {
        Form::Text => text::is_complete(line),
        Form::KeyValue => key_value::is_complete(line),
        Form::Json => json_record(line),
    };
    let forms = [Form::Text, Form::KeyValue, Form::Json];
    // A line that another one continues can hold anything.
    let goes_on =
        |next: Option<&&[u8]>| next.is_some_and(|next| matches!(next.first(), Some(b' ' | b'\t')));
    let counted = forms.map(|form| {
        let numbered = lines.iter().enumerate();
        let records = numbered.filter(|(index, line)| {
            is(form, line) && (form == Form::Text || !goes_on(lines.get(index + 1)))
        });
        (form, records.take(SAMPLE).count())
    });
    // In JSON objects there may be records of any form.
    let said = said.filter(|_| !batch.dialect.container.has_layers());
    let wanted = counted
        .into_iter()
        .filter(|(form, _)| said.is_none_or(|said| said == *form));
    let (form, records) = wanted.rev().max_by_key(|(_, records)| *records)?;
    (records > 0).then_some(form)
}

/// What can be learnt from of the records of a sample.
fn heads(batch: &Batch) -> Vec<Head<'_>> {
    let records = batch.records.iter().take(SAMPLE);
    let heads = records.map(|record| {
        let line = first_line(&batch.bytes[record.text.range()]);
        let inside = Container::prefix_len(line);
        let line = &line[inside..];
        if record.form == Form::Json {
            let end = batch.dialect.json_at(line).unwrap_or_default();
            let head = Head::new(line, end, record);
            return Head {
                is_json: true,
                ..head
            };
        }
        let end = match record.form {
            Form::KeyValue => key_value::begin(line),
            // Of several lines the pairs are on the last.
            _ if record.last_line > record.text.start + (inside + line.len()) as u32 => line.len(),
            _ => {
                let at = record.text.start as usize + inside;
                text::message_end(line, at, record).saturating_sub(at)
            }
        };
        Head::new(line, end, record)
    });
    heads.collect()
}

/// Finds out which of the words in front tell writers apart; says whether there are several.
fn name_writers(shapes: &mut Shapes, batch: &Batch) -> bool {
    let mut rows = Vec::new();
    for record in &batch.records {
        let first = first_line(&batch.bytes[record.text.range()]);
        rows.push(Row::new(record, shapes.columns(first)));
    }
    shapes.name_writers(identity::columns(&rows));
    // Of lines of several shapes a writer may have one name in each.
    let writer = |record: &Record| shapes.writer(first_line(&batch.bytes[record.text.range()]));
    let rows = batch.records.iter();
    let rows =
        rows.map(|record| Row::new(record, vec![((), writer(record).to_le_bytes().to_vec())]));
    if identity::columns(&rows.collect::<Vec<_>>()).is_empty() {
        shapes.name_writers(Default::default());
        return false;
    }
    identity::tells_several(&batch.records, writer)
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
