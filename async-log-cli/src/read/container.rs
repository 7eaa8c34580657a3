//! Lines that what ran the program, or carried its log, keeps in lines of its own: as a string somewhere
//! in a JSON object (Docker, journals, shippers), or in parts (Docker, CRI).
//!
//! The program's own lines are put in the place of those that they are kept in, each behind what the
//! container says of it: `␝TIME␝LEVEL␝TARGET␝WRITER␝LINE`.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::HashMap;
use memchr::memmem::Finder;

use super::identity::{self, Row};
use super::json::{self, Member, MemberValue};
use super::record::{Level, Record};
use super::shape::Before;
use super::time::Time;
use super::{key_value, text};

/// Between what a container says of a line: no logger writes it.
const GROUP: u8 = 0x1d;

/// How deep containers may stand in each other.
const LAYERS: usize = 3;

/// How the lines of a log are kept.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// The outermost first.
    layers: Vec<Envelope>,
    /// Objects stand over several lines, a member on each.
    has_members: bool,
    /// Lines have the tags of CRI.
    is_cri: bool,
    /// Lines are texts of a JSON sequence, each behind a mark.
    is_sequence: bool,
    /// What stands for ESC where something wrote it with other characters.
    escape: Option<&'static [u8]>,
}

/// What stands for ESC: of rsyslog, and of `cat -v`.
const ESCAPES: [&[u8]; 2] = [b"#033", b"^["];

/// A kind of JSON objects that have lines in them. Places are hashes of the keys on the way.
#[derive(Clone, Debug)]
struct Envelope {
    /// Where lines are; the first of these that is there counts.
    texts: Vec<u64>,
    time: Option<u64>,
    level: Option<u64>,
    target: Option<u64>,
    /// What tells writers apart.
    writer: Vec<u64>,
    /// Whole lines end with a line break, parts of lines do not.
    ends_lines: bool,
    /// An object may stand over several lines.
    has_members: bool,
}

/// So many lines show whether a logger colours them.
const COLORED: usize = 64;

const ESC: u8 = 0x1b;

/// Before each text of a JSON sequence.
pub(super) const SEQUENCE: u8 = 0x1e;

/// Where in a text something stands for ESC, with a colour behind it.
fn color_after(text: &[u8], escape: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(text, escape).find(|at| {
        let behind = &text[at + escape.len()..];
        let parameters = behind.strip_prefix(b"[").unwrap_or_default();
        let len = parameters
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b';');
        parameters.get(len.count()) == Some(&b'm')
    })
}

/// A line that was in a container.
#[derive(Debug, Default)]
struct Opened {
    time: Vec<u8>,
    level: Vec<u8>,
    target: Vec<u8>,
    writer: Vec<u8>,
    /// Lines of one stream are in their order.
    stream: Vec<u8>,
    text: Vec<u8>,
    /// How much of the text is not the program's.
    head: usize,
    /// It goes on in the next line of its stream.
    is_part: bool,
}

impl Container {
    /// How the lines of this sample are kept.
    pub(super) fn learn(lines: &[&[u8]]) -> Container {
        let mut container = Container {
            has_members: has_members(lines),
            ..Container::default()
        };
        let inside: Vec<Cow<'_, [u8]>> = lines.iter().map(|line| (*line).into()).collect();
        let mut inside = match container.has_members {
            true => inside,
            false => own_lines(inside),
        };
        while container.layers.len() < LAYERS
            && let Some(envelope) = Envelope::learn(&inside, container.has_members)
        {
            inside = inside
                .iter()
                .filter_map(|line| Some(trim_newline(&envelope.open(line)?.text).to_vec().into()))
                .collect();
            container.layers.push(envelope);
        }
        container.is_cri = inside.iter().any(|line| Cri::of(line).is_some());
        container.is_sequence = lines.iter().any(|line| line.first() == Some(&SEQUENCE));
        // Loggers colour what is in front of messages, and that of all lines.
        container.escape = ESCAPES.into_iter().find(|escape| {
            let colored = inside.iter().take(COLORED).filter(|line| {
                let head = &line[..memchr::memchr(b'=', line).unwrap_or(line.len())];
                color_after(head, escape).is_some()
            });
            colored.count() * 2 > inside.len().min(COLORED)
        });
        container
    }

    pub(super) fn is_plain(&self) -> bool {
        self.layers.is_empty() && !self.is_cri && !self.is_sequence && self.escape.is_none()
    }

    pub(super) fn has_escapes(&self) -> bool {
        self.escape.is_some()
    }

    /// Writes ESC for what stands for it before a colour, and says how many bytes are left.
    pub(super) fn restore_colors(&self, bytes: &mut [u8]) -> usize {
        let Some(escape) = self.escape else {
            return bytes.len();
        };
        let (mut from, mut to) = (0, 0);
        while let Some(at) = color_after(&bytes[from..], escape) {
            bytes.copy_within(from..from + at, to);
            to += at;
            bytes[to] = ESC;
            to += 1;
            from += at + escape.len();
        }
        bytes.copy_within(from.., to);
        to + bytes.len() - from
    }

    pub(super) fn has_layers(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Opens all containers around a line.
    fn open(&self, line: &[u8]) -> Option<Opened> {
        let mut layers = self.layers.iter();
        let mut opened = layers.next()?.open(line)?;
        for layer in layers {
            let Some(inner) = layer.open(trim_newline(&opened.text)) else {
                break;
            };
            let pick =
                |inner: Vec<u8>, outer: Vec<u8>| if inner.is_empty() { outer } else { inner };
            opened = Opened {
                time: pick(inner.time, opened.time),
                level: pick(inner.level, opened.level),
                target: pick(inner.target, opened.target),
                writer: [opened.writer, inner.writer].concat(),
                stream: [opened.stream, inner.stream].concat(),
                text: inner.text,
                head: 0,
                is_part: inner.is_part,
            };
        }
        Some(opened)
    }

    /// Whether a line is what it looks like: not if the next one continues it. What is the first line of
    /// a message in the text form can look like anything.
    fn is_whole(bytes: &[u8], end: usize) -> bool {
        let next = bytes.get(end..).unwrap_or_default();
        let next = &next[..memchr::memchr(b'\n', next).unwrap_or(next.len())];
        !text::is_indented(next)
    }

    /// A line as the program wrote it, behind what its container says.
    pub(super) fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        match self.open(line) {
            Some(opened) => {
                let mut bytes = opened.prefix();
                bytes.extend_from_slice(trim_newline(&opened.text));
                bytes.into()
            }
            None => line.into(),
        }
    }

    /// Whether the line goes on in another one, and which lines those are.
    fn part(&self, line: &[u8]) -> (Vec<u8>, bool) {
        if let Some(opened) = self.open(line) {
            return (opened.stream, opened.is_part);
        }
        match Cri::of(line).filter(|_| self.is_cri) {
            Some(cri) => (cri.stream(line), cri.is_part),
            None => (Vec::new(), false),
        }
    }

    /// Where in these lines no line is in parts of which some are missing, the last first; none if no
    /// line is ever in parts.
    pub(crate) fn whole_until(&self, bytes: &[u8]) -> Option<Vec<usize>> {
        if !self.is_cri && !self.layers.iter().any(|layer| layer.ends_lines) {
            return None;
        }
        let mut open: Vec<Vec<u8>> = Vec::new();
        let mut until = Vec::new();
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', bytes) {
            let (stream, is_part) = self.part(bytes[start..newline].trim_ascii_end());
            open.retain(|of| *of != stream);
            if is_part {
                open.push(stream);
            }
            start = newline + 1;
            if open.is_empty() {
                until.push(start);
            }
        }
        until.reverse();
        Some(until)
    }

    /// Puts the program's lines in the place of those that they are kept in, and says how many bytes are
    /// left, all at the front. `numbers` gets the number of the line that each was, from 0.
    pub(super) fn unwrap(&self, bytes: &mut [u8], numbers: &mut Vec<u32>) -> usize {
        numbers.clear();
        let mut out = Lines {
            bytes,
            to: 0,
            numbers,
        };
        let mut open: HashMap<Vec<u8>, Opened> = HashMap::new();
        let (mut from, mut number) = (0, 0);
        while from < out.bytes.len() {
            let end = memchr::memchr(b'\n', &out.bytes[from..]);
            let end = end.map_or(out.bytes.len(), |end| from + end + 1);
            self.unwrap_line(&mut out, from..end, number, &mut open);
            from = end;
            number += 1;
        }
        // What goes on nowhere is no line, and is counted as such.
        let mut left: Vec<_> = open.into_values().collect();
        left.sort_by(|a, b| a.stream.cmp(&b.stream));
        for opened in left {
            out.write(&opened, number.saturating_sub(1));
        }
        out.to
    }

    fn unwrap_line(
        &self,
        out: &mut Lines<'_>,
        range: std::ops::Range<usize>,
        number: u32,
        open: &mut HashMap<Vec<u8>, Opened>,
    ) {
        let line = out.bytes[range.clone()].trim_ascii_end();
        if line.is_empty() && self.has_layers() {
            return;
        }
        let is_whole = self.has_members || Self::is_whole(out.bytes, range.end);
        let opened = self.open(line).filter(|_| is_whole).or_else(|| {
            let cri = Cri::of(line).filter(|_| self.is_cri)?;
            Some(cri.open(line))
        });
        let Some(mut opened) = opened else {
            out.copy(range, number);
            return;
        };
        if let Some(mut first) = open.remove(&opened.stream) {
            first.text.extend_from_slice(&opened.text[opened.head..]);
            first.is_part = opened.is_part;
            opened = first;
        }
        match opened.is_part {
            true => {
                open.insert(opened.stream.clone(), opened);
            }
            false => out.write(&opened, number),
        }
    }

    /// How much of a line is what a container said of it.
    pub(super) fn prefix_len(line: &[u8]) -> usize {
        match line.first() {
            Some(&GROUP) => memchr::memchr_iter(GROUP, line)
                .nth(4)
                .map_or(0, |at| at + 1),
            _ => 0,
        }
    }

    /// What a container said of a line, and how much of the line that is.
    pub(super) fn fields(line: &[u8]) -> Option<(Before, usize)> {
        let len = Some(Self::prefix_len(line)).filter(|len| *len > 0)?;
        let mut at = memchr::memchr_iter(GROUP, line);
        let mut next = || at.next().unwrap_or(len);
        let (time, level, target, writer) = (next() + 1, next() + 1, next() + 1, next() + 1);
        let range = |from: usize, to: usize| (from < to - 1).then(|| from..to - 1);
        let before = Before {
            front: len,
            message: len,
            time: range(time, level),
            level: range(level, target).and_then(|range| Level::from_word(&line[range])),
            target: range(target, writer),
        };
        Some((before, len))
    }

    /// The name of the writer in what a container said.
    pub(super) fn identity(prefix: &[u8]) -> &[u8] {
        let Some(inside) = prefix.strip_suffix(&[GROUP]) else {
            return &[];
        };
        let start = memchr::memrchr(GROUP, inside).map_or(0, |at| at + 1);
        &inside[start..]
    }
}

/// Lines that are put in the place of others, which are no shorter.
struct Lines<'a> {
    bytes: &'a mut [u8],
    to: usize,
    numbers: &'a mut Vec<u32>,
}

impl Lines<'_> {
    fn copy(&mut self, range: std::ops::Range<usize>, number: u32) {
        let len = range.len();
        self.bytes.copy_within(range, self.to);
        self.to += len;
        self.numbers.push(number);
    }

    fn write(&mut self, opened: &Opened, number: u32) {
        let text = trim_newline(&opened.text);
        let prefix = opened.prefix();
        let lines = memchr::memchr_iter(b'\n', text).count() + 1;
        for part in [&prefix[..], text, b"\n"] {
            // There is room: keys, quotes and commas were taken off.
            let end = self.to + part.len();
            if let Some(place) = self.bytes.get_mut(self.to..end) {
                place.copy_from_slice(part);
                self.to = end;
            }
        }
        self.numbers.extend(std::iter::repeat_n(number, lines));
    }
}

impl Opened {
    fn prefix(&self) -> Vec<u8> {
        // Of CRI the prefix stays as it is.
        if self.time.is_empty() && self.level.is_empty() && self.writer.is_empty() {
            return Vec::new();
        }
        let mut prefix = vec![GROUP];
        for field in [&self.time, &self.level, &self.target, &self.writer] {
            prefix.extend(field.iter().filter(|byte| **byte >= b' '));
            prefix.push(GROUP);
        }
        prefix
    }
}

fn trim_newline(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// `TIME stderr P TEXT`, maybe with something in front.
struct Cri {
    /// Where the stream's name is.
    stream: usize,
    /// Where the text is.
    text: usize,
    is_part: bool,
}

impl Cri {
    fn of(line: &[u8]) -> Option<Cri> {
        // Building it takes longer than the search does.
        static STREAM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" std"));
        let head = &line[..line.len().min(256)];
        STREAM.find_iter(head).find_map(|space| {
            let stream = space + 1;
            let rest = &line[stream..];
            let tag = rest
                .strip_prefix(b"stdout ")
                .or(rest.strip_prefix(b"stderr "))?;
            let is_part = match tag {
                [b'P', b' ' | b':', ..] => true,
                [b'F', b' ' | b':', ..] => false,
                _ => return None,
            };
            let tag_len = memchr::memchr(b' ', tag)?;
            // A time is in front of the stream.
            let before = &line[..space];
            let word = memchr::memrchr(b' ', before).map_or(0, |at| at + 1);
            Time::parse(&before[word..])?;
            let text = stream + 7 + tag_len + 1;
            Some(Cri {
                stream,
                text,
                is_part,
            })
        })
    }

    /// What the parts of one line have in common.
    fn stream(&self, line: &[u8]) -> Vec<u8> {
        let before = &line[..self.stream - 1];
        let word = memchr::memrchr(b' ', before).map_or(0, |at| at + 1);
        [&before[..word], &line[self.stream..self.stream + 6]].concat()
    }

    /// A line, with the tag of a whole one; of a part that goes on another the text alone counts.
    fn open(&self, line: &[u8]) -> Opened {
        let mut text = line.to_vec();
        text[self.stream + 7] = b'F';
        Opened {
            stream: self.stream(line),
            text,
            head: self.text,
            is_part: self.is_part,
            ..Opened::default()
        }
    }
}

/// What is learnt of a JSON object in the sample.
struct Seen {
    texts: Vec<u64>,
    ends_line: bool,
    row: Row<u64>,
}

impl Envelope {
    fn learn(lines: &[Cow<'_, [u8]>], has_members: bool) -> Option<Envelope> {
        let mut texts: Vec<(u64, usize)> = Vec::new();
        let mut ranks = [(0u64, 0u8); 3];
        let mut seen: Vec<Seen> = Vec::new();
        let ids = ["\"thread_id\":", "\"task_id\":"].map(Finder::new);
        for line in lines {
            // An object with the pairs of a record as members is no container.
            if ids.iter().all(|id| id.find(line).is_some()) {
                continue;
            }
            let Some(of_line) = see(line, has_members, &mut ranks) else {
                continue;
            };
            for path in &of_line.texts {
                match texts.iter_mut().find(|(of, _)| of == path) {
                    Some((_, count)) => *count += 1,
                    None => texts.push((*path, 1)),
                }
            }
            seen.push(of_line);
        }
        let places = places(texts, &seen)?;
        let rows: Vec<_> = seen.into_iter().map(|of| (of.ends_line, of.row)).collect();
        let ends_lines = rows.iter().any(|(ends_line, _)| *ends_line);
        let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
        let mut writer: Vec<u64> = identity::columns(&rows).into_iter().collect();
        writer.sort_unstable();
        writer.retain(|path| !places.contains(path));
        let [time, level, target] = ranks.map(|(path, _)| path);
        let chosen = |path: u64| (path != 0).then_some(path);
        writer.retain(|path| ![time, level, target].contains(path));
        writer.truncate(WRITER);
        Some(Envelope {
            texts: places,
            time: chosen(time),
            level: chosen(level),
            target: chosen(target),
            writer,
            ends_lines,
            has_members,
        })
    }

    fn open(&self, line: &[u8]) -> Option<Opened> {
        let object = object(line, self.has_members)?;
        let mut opened = Opened::default();
        let mut text: Option<(usize, Member<'_>)> = None;
        let mut is_part = None;
        let mut writer: Vec<(usize, &[u8])> = Vec::new();
        json::walk(&object, &mut |member: Member<'_>| {
            let place = self.texts.iter().position(|path| *path == member.path);
            if let Some(place) = place
                && member.is_text()
                && text.as_ref().is_none_or(|(best, _)| place < *best)
            {
                text = Some((place, member));
            }
            let is = |path: Option<u64>| path == Some(member.path);
            if is(self.time) {
                opened.time = member.raw.to_vec();
            } else if is(self.level) {
                opened.level = member.raw.to_vec();
            } else if is(self.target) {
                opened.target = member.raw.to_vec();
            }
            if let Some(place) = self.writer.iter().position(|path| *path == member.path) {
                writer.push((place, member.raw));
            }
            is_part = member.says_part().or(is_part);
            if member.key == b"stream" {
                opened.stream = member.raw.to_vec();
            }
        })?;
        let (_, text) = text?;
        text.decode(&mut opened.text);
        writer.sort_unstable();
        for (_, name) in writer {
            opened.writer.extend_from_slice(name);
            opened.writer.push(b' ');
        }
        opened.stream.extend_from_slice(&opened.writer);
        let is_open = self.ends_lines && !opened.text.ends_with(b"\n");
        opened.is_part = is_part.unwrap_or(is_open);
        Some(opened)
    }
}

/// The JSON object that a line ends with. A member alone, of an object over several lines, is taken for
/// one too.
fn object(line: &[u8], has_members: bool) -> Option<Cow<'_, [u8]>> {
    if let Some(start) = json::start(line) {
        return Some(line[start..].into());
    }
    let member = line.trim_ascii();
    let member = member.strip_suffix(b",").unwrap_or(member);
    if member.len() < 2 || !member.ends_with(b"\"") {
        return None;
    }
    match member.starts_with(b"\"") {
        true if !has_members => None,
        true => Some([b"{", member, b"}"].concat().into()),
        false if text::is_indented(line) => None,
        false => logfmt(member).map(Cow::from),
    }
}

/// A line of `key=value key="value"` as a JSON object, if its last value is in quotes.
fn logfmt(line: &[u8]) -> Option<Vec<u8>> {
    let mut object = vec![b'{'];
    let mut rest = line;
    loop {
        let equals = memchr::memchr(b'=', rest)?;
        let key = rest[..equals].rsplit(|byte| *byte == b' ').next()?;
        let value = &rest[equals + 1..];
        let is_key = !key.is_empty()
            && key
                .iter()
                .all(|byte| !matches!(byte, b'"' | b'\\' | 0..=b' '));
        if !is_key {
            return None;
        }
        object.extend([b"\"", key, b"\":"].concat());
        let len = match value.strip_prefix(b"\"") {
            Some(inside) => 1 + json::string_len(inside)? + 1,
            None => memchr::memchr(b' ', value)?,
        };
        match value[..len].starts_with(b"\"") {
            true => object.extend_from_slice(&value[..len]),
            false
                if value[..len]
                    .iter()
                    .any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) =>
            {
                return None;
            }
            false => object.extend([b"\"", &value[..len], b"\""].concat()),
        }
        rest = &value[len..];
        object.push(if rest.is_empty() { b'}' } else { b',' });
        if rest.is_empty() {
            return Some(object);
        }
    }
}

/// Whether objects stand over several lines, as `journalctl -o json-pretty` and jq write them: then no
/// record stands by itself, and each object has an end.
fn has_members(lines: &[&[u8]]) -> bool {
    let is_end = |line: &&&[u8]| matches!(**line, b"}" | b"},");
    let is_record = |line: &&[u8]| text::is_complete(line) || key_value::is_complete(line);
    lines.iter().any(|line| is_end(&line)) && !lines.iter().any(is_record)
}

/// The lines that no other one continues.
fn own_lines(lines: Vec<Cow<'_, [u8]>>) -> Vec<Cow<'_, [u8]>> {
    let is_over: Vec<bool> = lines
        .iter()
        .skip(1)
        .map(|next| text::is_indented(next))
        .collect();
    let whole = lines.into_iter().enumerate();
    whole
        .filter(|(index, _)| !is_over.get(*index).is_some_and(|is_over| *is_over))
        .map(|(_, line)| line)
        .collect()
}

/// Where lines are in objects: the place that most have, and others where that one is not.
fn places(mut texts: Vec<(u64, usize)>, seen: &[Seen]) -> Option<Vec<u64>> {
    texts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let best = texts.first()?.0;
    let has_best = |of: &&Seen| !of.texts.contains(&best);
    let others = seen.iter().filter(has_best).flat_map(|of| of.texts.clone());
    let mut places = vec![best];
    places.extend(others.take(8));
    places.dedup();
    Some(places)
}

/// So many words are the name of a writer.
const WRITER: usize = 24;

/// Looks at a JSON object that may have a record in a string. `ranks` has the best places so far of
/// time, level and target.
fn see(line: &[u8], has_members: bool, ranks: &mut [(u64, u8); 3]) -> Option<Seen> {
    if !matches!(line.last(), Some(b'}' | b'"' | b',')) {
        return None;
    }
    let object = object(line, has_members)?;
    let mut texts = Vec::new();
    let mut record: Option<Record> = None;
    let mut ends_line = false;
    let mut values = Vec::new();
    let mut decoded = Vec::new();
    let mut fields: Vec<(usize, u64, u8)> = Vec::new();
    json::walk(&object, &mut |member: Member<'_>| {
        if let Some((field, rank)) = member.field() {
            fields.push((field, member.path, rank));
        }
        if member.may_hold_record() {
            decoded.clear();
            member.decode(&mut decoded);
            if let Some(found) = record_in(&decoded, LAYERS) {
                texts.push(member.path);
                record = Some(found);
                ends_line |= decoded.ends_with(b"\n");
                return;
            }
        }
        if !matches!(member.value, MemberValue::Nested) && member.raw.len() <= 200 {
            values.push((member.path, member.raw.to_vec()));
        }
    })?;
    let record = record?;
    for (field, path, rank) in fields {
        if rank > ranks[field].1 {
            ranks[field] = (path, rank);
        }
    }
    Some(Seen {
        texts,
        ends_line,
        row: Row::new(&record, values),
    })
}

/// The record that ends a text, which may be in JSON again.
fn record_in(text: &[u8], layers: usize) -> Option<Record> {
    let text = trim_newline(text);
    let last = memchr::memrchr(b'\n', text).map_or(text, |at| &text[at + 1..]);
    let mut record = Record::default();
    if text::Reader::new(false).read(last, 0, &mut record) {
        return Some(record);
    }
    if key_value::is_complete(last) {
        return key_value::record(last, 0);
    }
    let start = json::start(text)?;
    if let Some(record) = json::record(&text[start..]) {
        return Some(record);
    }
    let mut found = None;
    let mut decoded = Vec::new();
    json::walk(&text[start..], &mut |member: Member<'_>| {
        if layers > 0 && found.is_none() && member.may_hold_record() {
            decoded.clear();
            member.decode(&mut decoded);
            found = record_in(&decoded, layers - 1);
        }
    })?;
    found
}
