//! What stands before a message: the loggers' own layouts, and what container engines and journals
//! put before every line.
//!
//! A layout is one or more templates in a small language: `[{time} {level} {target}] `.

use std::fmt;
use std::ops::Range;

use super::record::Level;
use super::time::Time;
use super::words::{self, Literal};

/// How a prefix is built.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    name: &'static str,
    /// Those that say more stand first.
    templates: Vec<Template>,
}

/// The prefix of one line. Ranges are of that line.
#[derive(Clone, Debug, Default)]
pub struct Prefix {
    /// How many bytes it has.
    pub len: usize,
    /// The time.
    pub time: Option<Range<usize>>,
    /// The level.
    pub level: Option<Level>,
    /// The target.
    pub target: Option<Range<usize>>,
}

impl Prefix {
    /// What is behind the prefix.
    pub fn rest<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        line.get(self.len..).unwrap_or_default()
    }
}

/// What is wrong with a template that a user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(String);

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TemplateError {}

/// The layouts of loggers, those that say more before those that say less. Where a logger writes more
/// at some levels than at others it has a template for each; one behind `?` could as well be a part of a
/// message, so a few records do not prove it.
#[rustfmt::skip]
const LOGGERS: &[(&str, &[&str])] = &[
    // What is in one bracket: env_logger, fern as its README has it.
    ("env_logger", &["[{time} {level} {file}:{line} {target}] "]),
    ("env_logger", &["[{time} {level} {target}] ", "[{time} {level} {skip}] "]),
    ("env_logger", &["[{level} {file}:{line} {target}] "]),
    ("env_logger", &["[{level} {target}] "]),
    ("spdlog", &["[{time}] [{target}] [{level}] [{skip}] "]),
    ("spdlog", &["[{time}] [{target}] [{level}] "]),
    ("flexi_logger", &["[{time}] {level} [{target}] {file}:{line}: "]),
    ("flexi_logger", &["[{time}] T[{thread}] {level} [{file}:{line}] "]),
    ("flexi_logger", &["[{time}] {level} [{file}:{line}] "]),
    ("flexi_logger", &["[{time}] {level} [{target}] "]),
    ("fern", &["[{time}][{target}][{level}] "]),
    ("fern", &["[{time}][{level}][{target}] "]),
    ("simplelog", &[
        "{time} [{level}] ({thread}) {target}: [{file}:{line}] ",
        "{time} [{level}] ({thread}) {target}: ",
        "{time} [{level}] {target}: [{file}:{line}] ",
        "?{time} [{level}] {target}: ",
        "?{time} [{level}] ({thread}) ",
        "{time} [{level}] [{file}:{line}] ",
        "{time} [{level}] ",
    ]),
    ("simplelog", &[
        "[{level}] ({thread}) {target}: [{file}:{line}] ",
        "[{level}] ({thread}) {target}: ",
        "[{level}] {target}: [{file}:{line}] ",
        "?[{level}] {target}: ",
        "?[{level}] ({thread}) ",
        "[{level}] [{file}:{line}] ",
        "[{level}] ",
    ]),
    ("ftlog", &["{time} {skip}ms {line} {level} {thread} [{file}:{line}] ", "{time} {skip}ms {level} {thread} [{file}:{line}] "]),
    ("logforth", &["{time} {level} {target}: {file}:{line} "]),
    ("simple_logger", &["{time} {level} [{target}@{thread}] "]),
    ("simple_logger", &["{time} {level} [{target}] "]),
    ("simple_logger", &["{level} [{target}@{thread}] "]),
    ("log4rs", &["{time} {level} {target} - "]),
    ("log4rs", &["{level} {target} - "]),
    ("pretty_env_logger", &[" {time} {level} {target} > "]),
    ("pretty_env_logger", &[" {level} {target} > "]),
    ("stderrlog", &["{target}: {time} - {level} "]),
    ("stderrlog", &["{target}: {time} - "]),
    ("stderrlog", &["{time} - {level} "]),
    ("flexi_logger", &["{level} [{file}:{line}] "]),
    ("flexi_logger", &["{level} [{target}] "]),
    ("stderrlog", &["{target}: {level} "]),
    ("env_logger", &["[{time} {level:5}] "]),
    ("env_logger", &["[{time} {level}] "]),
    ("env_logger", &["[{time} {file}:{line} {target}] "]),
    ("env_logger", &["[{time} {target}] "]),
    ("env_logger", &["[{time}] "]),
    ("env_logger", &["[{level:5}] "]),
    ("env_logger", &["[{level}] "]),
    ("text", &["{time} {level} {target}: "]),
    ("text", &["{level} {target}: "]),
    ("text", &["{time} {level:5} "]),
    ("text", &["{time} {level} "]),
    ("text", &["{level:5} "]),
    ("stderrlog", &["{level} "]),
    ("env_logger", &["[{target}] "]),
];

/// What is put before every line by what ran the program.
#[rustfmt::skip]
const HOSTS: &[(&str, &[&str])] = &[
    ("compose", &["{host} | {nanos} ", "{host} | "]),
    ("kubectl", &["[pod/{host}] {nanos} ", "[pod/{host}] "]),
    ("cri", &["{time} stderr F ", "{time} stdout F "]),
    ("journal", &["{time} {host} {host}[{line}]: ", "{time} {host} {host}: "]),
    ("journal", &["{time} {host}[{line}]: "]),
    ("journal", &["[{skip}] {host} {host}[{line}]: "]),
    ("syslog", &["<{line}>1 {time} {host} {host} {host} {host} - "]),
    ("syslog", &["<{line}>{time} {host} {host}[{line}]: "]),
    ("syslog", &["<{line}>{time} {host}[{line}]: "]),
    ("docker", &["{nanos} "]),
];

/// How much of a line a field may take.
const FIELD: usize = 512;

impl Layout {
    /// What a container engine, a journal or the like puts before every line.
    pub fn host<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Layout {
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        // Below a record's first line a journal writes nothing but white space.
        let is_indented = |line: &&&[u8]| matches!(line.first(), Some(b' ' | b'\t'));
        let indented = lines.iter().filter(is_indented).count();
        let firsts: Vec<_> = lines.iter().filter(|line| !is_indented(line)).collect();
        if firsts.is_empty() {
            return Layout::default();
        }
        let holds = |layout: &Layout| {
            let has = firsts.iter().filter(|line| layout.cut(line).len > 0);
            has.count() * 10 >= firsts.len() * 9
        };
        let mut layouts = HOSTS.iter().filter_map(|entry| Layout::of(*entry));
        let layout = layouts.find(|layout| holds(layout) && (indented == 0 || layout.indents()));
        layout
            .map(Layout::quicker(lines.iter().copied()))
            .unwrap_or_default()
    }

    /// The time that stands before a line that was wrapped.
    pub(crate) fn of_wrapped() -> Layout {
        Layout::of(("wrapped", &["{time} "])).unwrap_or_default()
    }

    /// What a logger puts before every message of these records, of each its first line.
    pub fn logger<'a>(records: impl Iterator<Item = &'a [u8]>) -> Layout {
        let records: Vec<_> = records.collect();
        let known = LOGGERS.iter().filter_map(|entry| Layout::of(*entry));
        let mut held = known.filter_map(|layout| layout.held_by(&records));
        let layout = held.next().or_else(|| Layout::generic(&records));
        layout
            .map(Layout::quicker(records.iter().copied()))
            .unwrap_or_default()
    }

    /// A layout that a user wrote, such as `{time} {level} {target} - `.
    pub fn from_template(template: &str) -> Result<Layout, TemplateError> {
        Ok(Layout {
            name: "template",
            templates: vec![Template::read(template)?],
        })
    }

    /// Whose layout it is; empty if there is none.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether nothing stands before a message.
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// Takes a line apart. A line that is not as the layout says has no prefix.
    #[inline]
    pub fn cut(&self, line: &[u8]) -> Prefix {
        if self.templates.is_empty() {
            return Prefix::default();
        }
        let mut templates = self.templates.iter();
        templates
            .find_map(|template| template.cut(line))
            .unwrap_or_default()
    }

    fn of((name, templates): (&'static str, &[&str])) -> Option<Layout> {
        let read = |template: &&str| {
            let is_doubtful = template.starts_with('?');
            let template = template.trim_start_matches('?');
            Template::read(template).map(|template| Template {
                is_doubtful,
                ..template
            })
        };
        let templates = templates.iter().map(read).collect::<Result<_, _>>().ok()?;
        Some(Layout { name, templates })
    }

    /// Whether lines without this prefix may stand below one with it.
    fn indents(&self) -> bool {
        matches!(self.name, "journal" | "syslog")
    }

    /// Learns how long a time is, so that it can be stepped over, and whether lines have times to the
    /// nanosecond. Zeros at the end of such a one may be missing, so more is taken than is learned from.
    fn quicker<'a>(lines: impl Iterator<Item = &'a [u8]> + Clone) -> impl FnOnce(Layout) -> Layout {
        move |mut layout| {
            let all = lines.clone().count();
            layout.templates.retain_mut(|template| {
                let times = lines.clone().filter_map(|line| template.cut(line)?.time);
                let (count, len) = times.fold((0, 0), |(count, len), time| {
                    (count + 1, time.len().max(len))
                });
                template.time_len = len;
                template.bracket = template.bracket();
                let nanos = template
                    .pieces
                    .iter_mut()
                    .find(|piece| **piece == Piece::Nanos);
                let Some(piece) = nanos else {
                    return true;
                };
                *piece = Piece::Time;
                count * 2 > all
            });
            layout
        }
    }

    /// This layout, if practically all records are as it says: of each level with the templates that
    /// practically all records of that level have.
    fn held_by(mut self, records: &[&[u8]]) -> Option<Layout> {
        let mut held = vec![[0usize; LEVELS]; self.templates.len()];
        let mut all = [0usize; LEVELS];
        let mut others = 0;
        for record in records {
            let mut level = None;
            for (template, held) in self.templates.iter().zip(&mut held) {
                if let Some(prefix) = template.cut(record) {
                    let index = level_index(prefix.level);
                    held[index] += 1;
                    level = level.or(Some(index));
                }
            }
            match level {
                Some(level) => all[level] += 1,
                None => others += 1,
            }
        }
        if all.iter().sum::<usize>() == 0 || others * 50 > records.len() {
            return None;
        }
        for (template, held) in self.templates.iter_mut().zip(held) {
            template.levels = match template.is_doubtful && held.iter().sum::<usize>() < PROOF {
                true => 0,
                false => allowed(&all, &held),
            };
        }
        self.templates.retain(|template| template.levels != 0);
        Some(self)
    }

    /// What all records begin with, of times, levels, and what stands in brackets.
    fn generic(records: &[&[u8]]) -> Option<Layout> {
        let seeds = records
            .iter()
            .take(8)
            .map(|record| Template::generic(record));
        let mut candidates: Vec<Vec<Piece>> = seeds
            .flat_map(|pieces| (1..=pieces.len()).map(move |len| pieces[..len].to_vec()))
            .filter(|pieces| {
                pieces
                    .iter()
                    .any(|piece| matches!(piece, Piece::Time | Piece::Level(_)))
            })
            .filter(|pieces| matches!(pieces.last(), Some(Piece::Literal(_))))
            .collect();
        candidates.sort_by_key(|pieces| std::cmp::Reverse(pieces.len()));
        candidates.into_iter().find_map(|pieces| {
            let layout = Layout {
                name: "generic",
                templates: vec![Template::of(pieces)],
            };
            layout.held_by(records)
        })
    }
}

/// How many records prove a layout that could be a part of messages.
const PROOF: usize = 8;

/// A bit for each level of which practically all records are held by a template. Loggers that write
/// more at some levels write more the less a level says, so what does not hold for one does not hold
/// for those that say more.
fn allowed(all: &[usize; LEVELS], held: &[usize; LEVELS]) -> u8 {
    let mut levels = 0;
    for level in (0..LEVELS).rev() {
        let others = all[level].saturating_sub(held[level]);
        if others * 50 > all[level] {
            break;
        }
        levels |= 1 << level;
    }
    levels
}

/// The levels, and none.
const LEVELS: usize = 6;

fn level_index(level: Option<Level>) -> usize {
    level.map_or(LEVELS - 1, |level| level as usize)
}

#[derive(Clone, Debug)]
struct Template {
    pieces: Vec<Piece>,
    /// A bit for each level that it is for.
    levels: u8,
    /// It could be a part of messages.
    is_doubtful: bool,
    /// What opens and closes it, if it is `[{time} {level} {target}] ` or like it, and how long times
    /// are is known.
    bracket: Option<(u8, Literal)>,
    /// How long times are, usually; 0 if that is not known.
    time_len: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Literal),
    Time,
    /// A time to the nanosecond.
    Nanos,
    /// A level that takes at least so many bytes.
    Level(usize),
    /// Text up to the literal behind it.
    Text(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
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
    fn of(pieces: Vec<Piece>) -> Template {
        Template {
            pieces,
            levels: u8::MAX,
            is_doubtful: false,
            bracket: None,
            time_len: 0,
        }
    }

    fn read(template: &str) -> Result<Template, TemplateError> {
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

    /// The pieces that `record` begins with.
    fn generic(record: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = &record[..record.len().min(FIELD)];
        loop {
            let is_between = |byte: &u8| b" -|:>[(<])/,".contains(byte);
            let between = rest.iter().take_while(|byte| is_between(byte)).count();
            let (literal, behind) = rest.split_at(between);
            let piece = match Time::parse(behind) {
                Some((_, len)) => Some((Piece::Time, len)),
                None => level(behind).map(|(_, len)| (Piece::Level(0), len)),
            };
            let piece = piece.or_else(|| {
                let close = match literal.last()? {
                    b'[' => b']',
                    b'(' => b')',
                    b'<' => b'>',
                    _ => return None,
                };
                let len = memchr::memchr(close, behind)?;
                Some((Piece::Text(Field::Skip), len))
            });
            // The message may begin with brackets of its own.
            let Some((piece, len)) = piece else {
                let open = literal.iter().position(|byte| b"[(<".contains(byte));
                push(&mut pieces, &literal[..open.unwrap_or(literal.len())]);
                return pieces;
            };
            push(&mut pieces, literal);
            pieces.push(piece);
            rest = &behind[len..];
        }
    }

    #[inline]
    fn cut(&self, line: &[u8]) -> Option<Prefix> {
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
                    if *field == Field::Target {
                        prefix.target = Some(at + range.text.start..at + range.text.end);
                    }
                    at += range.len;
                }
            }
        }
        if self.levels & 1 << level_index(prefix.level) == 0 {
            return None;
        }
        prefix.len = at;
        Some(prefix)
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

fn push(pieces: &mut Vec<Piece>, literal: &[u8]) {
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
fn level(text: &[u8]) -> Option<(Level, usize)> {
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

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
