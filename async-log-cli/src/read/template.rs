//! Templates, a small language for what stands before a message: `[{time} {level} {target}] `.

use std::ops::Range;

use super::prefix::{Prefix, TemplateError};
use super::record::Level;
use super::time::Time;
use super::words::{self, Literal};

/// How much of a line a field may take.
pub(super) const FIELD: usize = 512;

/// The levels, and none.
pub(super) const LEVELS: usize = 6;

pub(super) fn level_index(level: Option<Level>) -> usize {
    level.map_or(LEVELS - 1, |level| level as usize)
}

#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) pieces: Vec<Piece>,
    /// A bit for each level that it is for.
    pub(super) levels: u8,
    /// It could be a part of messages.
    pub(super) is_doubtful: bool,
    /// What opens and closes it, if it is `[{time} {level} {target}] ` or like it, and how long times
    /// are is known.
    pub(super) bracket: Option<(u8, Literal)>,
    /// How long times are, usually; 0 if that is not known.
    pub(super) time_len: usize,
    /// A bit for each piece that tells the writers of a log apart.
    pub(super) identity: u64,
    /// How few spaces it ends with, if it ends with any number of them.
    pub(super) tail: usize,
    /// The word that is the target.
    pub(super) target: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(Literal),
    Time,
    /// A time to the nanosecond.
    Nanos,
    /// A level that takes at least so many bytes.
    Level(usize),
    /// Text up to the literal behind it.
    Text(Field),
    /// Bytes that separate nothing, as many as there are: a name, a number.
    Word,
    /// At least one space; before all else also none.
    Spaces,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Target,
    File,
    /// A number.
    Line,
    Thread,
    /// A word that is no level.
    Host,
    /// Anything.
    Skip,
}

const FIELDS: [(&str, Piece); 9] = [
    ("time", Piece::Time),
    ("nanos", Piece::Nanos),
    ("level", Piece::Level(0)),
    ("target", Piece::Text(Field::Target)),
    ("file", Piece::Text(Field::File)),
    ("line", Piece::Text(Field::Line)),
    ("thread", Piece::Text(Field::Thread)),
    ("host", Piece::Text(Field::Host)),
    ("skip", Piece::Text(Field::Skip)),
];

impl Template {
    pub(super) fn of(pieces: Vec<Piece>) -> Template {
        Template {
            pieces,
            levels: u8::MAX,
            is_doubtful: false,
            bracket: None,
            time_len: 0,
            identity: 0,
            tail: 1,
            target: None,
        }
    }

    pub(super) fn read(template: &str) -> Result<Template, TemplateError> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut literal = String::new();
        let mut rest = template;
        while let Some(c) = rest.chars().next() {
            let doubled = rest.starts_with("{{") || rest.starts_with("}}");
            if c != '{' || doubled {
                literal.push(c);
                rest = &rest[c.len_utf8() + usize::from(doubled)..];
                continue;
            }
            let end = rest.find('}');
            let end =
                end.ok_or_else(|| TemplateError(format!("`{rest}` is not closed with `}}`")))?;
            push_literal(&mut pieces, &mut literal);
            pieces.push(field(&rest[1..end])?);
            rest = &rest[end + 1..];
        }
        push_literal(&mut pieces, &mut literal);
        if pieces.is_empty() {
            return Err(TemplateError("the template is empty".to_owned()));
        }
        for (index, piece) in pieces.iter().enumerate() {
            if let Piece::Text(field) = piece
                && !matches!(pieces.get(index + 1), Some(Piece::Literal(_)))
            {
                let name = name_of(*field);
                let message = "there must be text behind it, to tell where it ends";
                return Err(TemplateError(format!("`{{{name}}}`: {message}")));
            }
        }
        Ok(Template::of(pieces))
    }

    #[inline]
    pub(super) fn cut(&self, line: &[u8]) -> Option<Prefix> {
        self.cut_bracket(line).or_else(|| self.cut_any(line))
    }

    /// The usual case of `[{time} {level} {target}] `, which most logs have before every line.
    #[inline]
    fn cut_bracket(&self, line: &[u8]) -> Option<Prefix> {
        let (open, close) = self.bracket.as_ref()?;
        let level_at = self.time_len + 2;
        let head = line.get(..level_at)?;
        let &[first, digit, .., space] = head else {
            return None;
        };
        if first != *open || !digit.is_ascii_digit() || space != b' ' {
            return None;
        }
        let (level, len) = level(&line[level_at..])?;
        let mut at = level_at + len;
        if *line.get(at)? != b' ' {
            return None;
        }
        at += 1;
        // Short levels are padded.
        if line.get(at) == Some(&b' ') {
            at += 1;
        }
        let target = at..at + plain_len(line.get(at..)?, close)?;
        (self.levels & 1 << level_index(Some(level)) != 0).then(|| Prefix {
            len: target.end + close.bytes.len(),
            time: Some(1..level_at - 1),
            level: Some(level),
            target: Some(target),
        })
    }

    fn cut_any(&self, line: &[u8]) -> Option<Prefix> {
        self.walk(line, |_, _| {})
    }

    /// Takes a line apart, and calls `each` with the pieces that are text, and their numbers.
    pub(super) fn walk(&self, line: &[u8], mut each: impl FnMut(usize, &[u8])) -> Option<Prefix> {
        let mut prefix = Prefix::default();
        let mut at = 0;
        for (index, piece) in self.pieces.iter().enumerate() {
            let rest = line.get(at..)?;
            match piece {
                Piece::Literal(literal) => {
                    if !literal.begins(rest) {
                        return None;
                    }
                    at += literal.bytes.len();
                }
                Piece::Time => {
                    let len = match self.steps_over(index, rest) {
                        true => self.time_len,
                        false => Time::parse(rest)?.1,
                    };
                    prefix.time = Some(at..at + len);
                    at += len;
                }
                Piece::Nanos => {
                    let (time, len) = Time::parse(rest)?;
                    if !time.has_zone || time.resolution > 100 || rest.get(10) != Some(&b'T') {
                        return None;
                    }
                    prefix.time = Some(at..at + len);
                    at += len;
                }
                Piece::Level(width) => {
                    let mut spaces = 0;
                    while rest.get(spaces) == Some(&b' ') {
                        spaces += 1;
                    }
                    let (level, len) = level(&rest[spaces..])?;
                    let mut end = spaces + len;
                    while end < *width && rest.get(end) == Some(&b' ') {
                        end += 1;
                    }
                    if end < *width {
                        return None;
                    }
                    // Before a message spaces are its own.
                    let is_last = index + 2 >= self.pieces.len();
                    while !is_last && rest[end..].starts_with(b"  ") {
                        end += 1;
                    }
                    prefix.level = Some(level);
                    at += end;
                }
                Piece::Text(field) => {
                    let Some(Piece::Literal(end)) = self.pieces.get(index + 1) else {
                        return None;
                    };
                    let range = field.find(rest, end)?;
                    each(index, &rest[range.text.clone()]);
                    if *field == Field::Target {
                        prefix.target = Some(at + range.text.start..at + range.text.end);
                    }
                    at += range.len;
                }
                Piece::Word => {
                    let len = word_len(rest);
                    if len == 0 {
                        return None;
                    }
                    each(index, &rest[..len]);
                    if self.target == Some(index) {
                        prefix.target = Some(at..at + len);
                    }
                    at += len;
                }
                Piece::Spaces => {
                    let spaces = spaces(rest);
                    if spaces == 0 && index > 0 {
                        return None;
                    }
                    at += spaces;
                }
            }
        }
        if self.levels & 1 << level_index(prefix.level) == 0 {
            return None;
        }
        prefix.len = at;
        Some(prefix)
    }

    /// How much of a line it takes where the text behind it may begin with spaces of its own.
    pub(super) fn cut_short(&self, line: &[u8]) -> Option<usize> {
        let len = self.cut(line)?.len;
        if self.pieces.last() != Some(&Piece::Spaces) {
            return Some(len);
        }
        let spaces = line[..len].iter().rev().take_while(|byte| **byte == b' ');
        let spaces = spaces.count();
        Some(len - spaces + spaces.min(self.tail))
    }

    /// Learns how long a time is, so that it can be stepped over.
    pub(super) fn learn_times<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]>) -> usize {
        let times = lines.filter_map(|line| self.cut(line)?.time);
        let (count, len) = times.fold((0, 0), |(count, len), time| {
            (count + 1, time.len().max(len))
        });
        // Two times need not have one length.
        let times = self.pieces.iter().filter(|piece| **piece == Piece::Time);
        self.time_len = if times.count() == 1 { len } else { 0 };
        self.bracket = self.bracket();
        count
    }

    fn bracket(&self) -> Option<(u8, Literal)> {
        use Piece::{Level, Literal, Text, Time};

        match &self.pieces[..] {
            [
                Literal(open),
                Time,
                Literal(before),
                Level(0),
                Literal(behind),
                Text(Field::Target),
                Literal(close),
            ] if self.time_len > 0 && *before.bytes == *b" " && *behind.bytes == *b" " => {
                let [open] = *open.bytes else {
                    return None;
                };
                Some((open, close.clone()))
            }
            _ => None,
        }
    }

    /// Whether a time of the usual length is there: that is much quicker than to read it.
    #[inline]
    fn steps_over(&self, index: usize, rest: &[u8]) -> bool {
        let Some(Piece::Literal(literal)) = self.pieces.get(index + 1) else {
            return false;
        };
        self.time_len > 0
            && rest.len() > self.time_len
            && rest.get(self.time_len) == literal.bytes.first()
            && rest[self.time_len - 1] != b' '
            && matches!((rest[0], rest[2]), (b'0'..=b'9', b'0'..=b'9' | b':'))
    }
}

fn push_literal(pieces: &mut Vec<Piece>, literal: &mut String) {
    push(pieces, std::mem::take(literal).as_bytes());
}

pub(super) fn push(pieces: &mut Vec<Piece>, literal: &[u8]) {
    if !literal.is_empty() {
        pieces.push(Piece::Literal(Literal::new(literal)));
    }
}

fn field(text: &str) -> Result<Piece, TemplateError> {
    let (name, width) = text.split_once(':').unwrap_or((text, "0"));
    let known = FIELDS.iter().find(|(of, _)| *of == name);
    let Some((_, piece)) = known else {
        let names: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        return Err(TemplateError(format!(
            "`{{{text}}}` is no field; there are {names}"
        )));
    };
    match (piece, width.parse()) {
        (Piece::Level(_), Ok(width)) => Ok(Piece::Level(width)),
        (piece, Ok(0)) => Ok(piece.clone()),
        _ => Err(TemplateError(format!(
            "`{{{text}}}`: a width is for levels, `{{level:5}}`"
        ))),
    }
}

fn name_of(field: Field) -> &'static str {
    let is_field = |(_, piece): &&(&'static str, Piece)| *piece == Piece::Text(field);
    FIELDS.iter().find(is_field).map_or("", |(name, _)| name)
}

/// A text field: how much of the line is it, and where in that its text is without padding.
struct Found {
    len: usize,
    text: Range<usize>,
}

impl Field {
    /// The text of this field at the start of `rest`, before `end`.
    #[inline]
    fn find(self, rest: &[u8], end: &Literal) -> Option<Found> {
        if matches!(self, Field::Target | Field::File)
            && let Some(len) = plain_len(rest, end)
        {
            return Some(Found { len, text: 0..len });
        }
        self.find_any(rest, end)
    }

    fn find_any(self, rest: &[u8], end: &Literal) -> Option<Found> {
        let first = *end.bytes.first()?;
        let limit = &rest[..rest.len().min(FIELD)];
        // What is padded begins with spaces.
        let start = match self {
            Field::Skip | Field::Thread => 0,
            _ => limit.iter().take_while(|byte| **byte == b' ').count(),
        };
        let mut from = start;
        loop {
            let len = from + memchr::memchr(first, limit.get(from..)?)?;
            if !end.begins(&rest[len..]) {
                from = len + 1;
                continue;
            }
            let text = trim(&rest[start..len]);
            return self.takes(text).then(|| Found {
                len,
                text: start..start + text.len(),
            });
        }
    }

    fn takes(self, text: &[u8]) -> bool {
        let is_plain = |byte: &u8| !matches!(byte, b' ' | b'=' | b'"' | b'[' | b']');
        match self {
            Field::Target | Field::File => text.iter().all(is_plain),
            Field::Line => !text.is_empty() && text.iter().all(u8::is_ascii_digit),
            Field::Host => {
                !text.is_empty() && text.iter().all(is_plain) && Level::from_word(text).is_none()
            }
            Field::Thread => !text.contains(&b'='),
            Field::Skip => true,
        }
    }
}

/// Text without the spaces that it was padded with.
fn trim(text: &[u8]) -> &[u8] {
    let spaces = text.iter().rev().take_while(|byte| **byte == b' ').count();
    &text[..text.len() - spaces]
}

/// How much stands before `end`, if it is short and there is nothing in it that no target holds.
#[inline]
fn plain_len(rest: &[u8], end: &Literal) -> Option<usize> {
    let first = *end.bytes.first()?;
    let mut at = 0;
    while at <= 48 {
        let word = words::first(rest.get(at..)?)?;
        let ends = words::equal(word, first);
        let others = words::equal(word, b' ')
            | words::equal(word, b'=')
            | words::equal(word, b'"')
            | words::equal(word, b'[');
        if ends == 0 && others == 0 {
            at += 8;
            continue;
        }
        let len = words::lowest(ends);
        if ends == 0 || words::lowest(others) < len {
            return None;
        }
        if end.begins(&rest[at + len..]) {
            return Some(at + len);
        }
        // It may be padded.
        if first == b' ' {
            return None;
        }
        at += len + 1;
    }
    None
}

/// The level that `text` begins with, and how many bytes it has.
#[inline]
pub(super) fn level(text: &[u8]) -> Option<(Level, usize)> {
    let Some(word) = words::first(text) else {
        return other_level(text);
    };
    let (found, len) = match word & 0xff_ffff_ffff {
        TRACE => (Level::Trace, 5),
        DEBUG => (Level::Debug, 5),
        ERROR => (Level::Error, 5),
        word => match word & 0xffff_ffff {
            INFO => (Level::Info, 4),
            WARN => (Level::Warn, 4),
            _ => return other_level(text),
        },
    };
    match text.get(len) {
        Some(byte) if is_word_byte(*byte) => other_level(text),
        _ => Some((found, len)),
    }
}

const TRACE: u64 = u64::from_le_bytes(*b"TRACE\0\0\0");
const DEBUG: u64 = u64::from_le_bytes(*b"DEBUG\0\0\0");
const ERROR: u64 = u64::from_le_bytes(*b"ERROR\0\0\0");
const INFO: u64 = u64::from_le_bytes(*b"INFO\0\0\0\0");
const WARN: u64 = u64::from_le_bytes(*b"WARN\0\0\0\0");

fn other_level(text: &[u8]) -> Option<(Level, usize)> {
    let len = text
        .iter()
        .take(9)
        .take_while(|byte| is_word_byte(**byte))
        .count();
    Level::from_word(&text[..len]).map(|level| (level, len))
}

/// How long the word is that `rest` begins with. A colon ends it, two inside of it do not.
pub(super) fn word_len(rest: &[u8]) -> usize {
    let limit = &rest[..rest.len().min(FIELD)];
    let mut at = 0;
    while let Some(byte) = limit.get(at) {
        match byte {
            b':' if limit[at..].starts_with(b"::")
                && limit.get(at + 2).is_some_and(|byte| is_word_byte(*byte)) =>
            {
                at += 2;
            }
            _ if is_separator(*byte) => break,
            _ => at += 1,
        }
    }
    at
}

pub(super) fn is_separator(byte: u8) -> bool {
    matches!(byte, 0..=b' ') || b"[](){}<>|,;:=\"".contains(&byte)
}

pub(super) fn spaces(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| **byte == b' ').count()
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
