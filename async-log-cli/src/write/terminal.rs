//! Lines for a terminal: styled, cut to its width, and harmless whatever stands in the log.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Effects, Style};
use regex::Regex;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::printable::printable;
use crate::read::{Level, Outcome};

/// What the output may look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Look {
    /// With the escape sequences that a terminal takes for colours.
    pub colour: bool,
    /// How many columns there are; `None` cuts nothing.
    pub width: Option<usize>,
}

impl Look {
    /// A look; the default is without colours, and as wide as it comes.
    pub const fn new(colour: bool, width: Option<usize>) -> Self {
        Look { colour, width }
    }
}

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const BOLD: Style = Style::new().effects(Effects::BOLD);
pub(crate) const DIM: Style = Style::new().effects(Effects::DIMMED);
pub(crate) const ERROR: Style = AnsiColor::Red.on_default();
pub(crate) const PANICKED: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(crate) const CANCELLED: Style = AnsiColor::Yellow.on_default();
pub(crate) const UNFINISHED: Style = AnsiColor::Magenta.on_default();
pub(crate) const FOUND: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(crate) const TASK: Style = AnsiColor::Cyan.on_default();

/// How a level is written.
pub(crate) fn level_style(level: Level) -> Style {
    match level {
        Level::Error => PANICKED,
        Level::Warn => CANCELLED,
        Level::Info => AnsiColor::Green.on_default(),
        Level::Debug => AnsiColor::Blue.on_default(),
        Level::Trace => DIM,
    }
}

/// How what ended so is written.
pub(crate) fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Finished => PLAIN,
        Outcome::Error => ERROR,
        Outcome::Cancelled => CANCELLED,
        Outcome::Panicked => PANICKED,
        Outcome::Other => TASK,
    }
}

/// How a duration is written that is a part of another.
pub(crate) fn share_style(part: u64, whole: u64) -> Style {
    match u128::from(part) * 100 / u128::from(whole.max(1)) {
        50.. => BOLD,
        5.. => PLAIN,
        _ => DIM,
    }
}

/// One line, put together piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Line {
    text: String,
    /// Where a piece ends, and how it is written.
    pieces: Vec<(usize, Style)>,
    /// A name was cut so that this fits, and no more.
    is_full: bool,
    out: String,
}

impl Line {
    /// Adds a piece.
    pub(crate) fn push(&mut self, style: Style, text: &str) {
        if self.is_full {
            return;
        }
        self.text.push_str(&printable(text));
        self.pieces.push((self.text.len(), style));
    }

    /// Adds a name, cut so that `behind` has its place on the line too, and that.
    pub(crate) fn push_name(
        &mut self,
        look: Look,
        style: Style,
        name: &str,
        behind: &[(Style, String)],
    ) {
        let name = printable(name);
        let taken = width(&self.text) + behind.iter().map(|(_, text)| width(text)).sum::<usize>();
        let room = look
            .width
            .map_or(usize::MAX, |all| all.saturating_sub(taken));
        // Less says nothing.
        self.push(style, &cut_name(&name, room.max(8)));
        for (style, text) in behind {
            self.push(*style, text);
        }
        self.is_full = room < width(&name);
    }

    /// How many columns are left of a terminal.
    pub(crate) fn room(&self, look: Look) -> Option<usize> {
        Some(look.width?.saturating_sub(width(&self.text)))
    }

    /// Adds a piece, and shows what is looked for in it.
    pub(crate) fn push_found(&mut self, style: Style, text: &str, found: &Regex) {
        let mut from = 0;
        for part in found.find_iter(text) {
            self.push(style, &text[from..part.start()]);
            self.push(FOUND, part.as_str());
            from = part.end();
        }
        self.push(style, &text[from..]);
    }

    /// Puts another text in the place of the end, which is as long.
    pub(crate) fn replace_end(&mut self, style: Style, text: &str) {
        self.text.truncate(self.text.len() - text.len());
        self.pieces.pop();
        self.push(style, text);
    }

    /// Adds spaces.
    pub(crate) fn push_space(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
        self.pieces.push((self.text.len(), PLAIN));
    }

    /// Adds `key=value` for each pair.
    pub(crate) fn push_pairs<'a>(&mut self, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
        for (key, value) in pairs {
            self.push(DIM, "  ");
            self.push(DIM, key);
            self.push(DIM, "=");
            self.push(PLAIN, value);
        }
    }

    /// Writes the line, and is empty again.
    pub(crate) fn write(&mut self, look: Look, out: &mut impl Write) -> io::Result<()> {
        let text = self.text.trim_end();
        let text = look.width.map_or(text.into(), |width| cut_end(text, width));
        self.out.clear();
        if look.colour {
            self.styled(text.into_owned());
        } else {
            self.out.push_str(&text);
        }
        self.out.push('\n');
        self.text.clear();
        self.pieces.clear();
        self.is_full = false;
        out.write_all(self.out.as_bytes())
    }

    /// Spaces have no style, and equal neighbours are one piece.
    fn styled(&mut self, text: String) {
        let mut last = PLAIN;
        let mut start = 0;
        let pieces = self.pieces.iter().copied();
        let rest = [(text.len(), PLAIN)];
        for (end, style) in pieces.chain(rest) {
            // What is cut ends with its `…`, which may be longer than what it stands for.
            let mut end = end.min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            let piece = &text[start.min(end)..end];
            start = start.max(end);
            let word = piece.trim_start_matches(' ');
            if word.is_empty() {
                self.out.push_str(piece);
                continue;
            }
            if style != last {
                let _ = write!(self.out, "{last:#}");
            }
            self.out.push_str(&piece[..piece.len() - word.len()]);
            if style != last {
                let _ = write!(self.out, "{style}");
                last = style;
            }
            self.out.push_str(word);
        }
        let _ = write!(self.out, "{last:#}");
    }
}

/// The lines that lead to what is drawn.
#[derive(Debug, Default)]
pub(crate) struct Rails {
    /// Of each span around: it was the last inside of its own.
    last: Vec<bool>,
}

impl Rails {
    pub(crate) fn enter(&mut self, is_last: bool) {
        self.last.push(is_last);
    }

    pub(crate) fn leave(&mut self) {
        self.last.pop();
    }

    /// Where a terminal is too narrow for all of them, the outer ones are left out.
    pub(crate) fn write(&self, line: &mut Line, look: Look) {
        let Some((last, around)) = self.last.split_last() else {
            return;
        };
        let room = look.width.map_or(usize::MAX, |width| width / 8);
        let from = around.len().saturating_sub(room);
        if from > 0 {
            line.push(DIM, "…");
        }
        for is_last in &around[from..] {
            line.push(DIM, if *is_last { "   " } else { "│  " });
        }
        line.push(DIM, if *last { "└─ " } else { "├─ " });
    }
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.width()
}

/// A text of at most so many columns; what does not fit is a `…` at its end.
pub(crate) fn cut_end(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return text.into();
    }
    let head = head(text, columns.saturating_sub(1));
    let dots = if columns > 0 { "…" } else { "" };
    format!("{head}{dots}").into()
}

/// A name of at most so many columns: both ends say what it is, so the `…` is inside.
pub(crate) fn cut_name(name: &str, columns: usize) -> Cow<'_, str> {
    if width(name) <= columns {
        return name.into();
    }
    if columns < 5 {
        return cut_end(name, columns);
    }
    let head = head(name, (columns - 1) / 3);
    let mut rest = columns - 1 - width(head);
    let mut tail = name.len();
    for (at, c) in name.char_indices().rev() {
        let Some(left) = rest.checked_sub(c.width().unwrap_or(0)) else {
            break;
        };
        rest = left;
        tail = at;
    }
    format!("{head}…{}", &name[tail.max(head.len())..]).into()
}

fn head(text: &str, columns: usize) -> &str {
    let mut rest = columns;
    for (at, c) in text.char_indices() {
        match rest.checked_sub(c.width().unwrap_or(0)) {
            Some(left) => rest = left,
            None => return &text[..at],
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(look: Look, pieces: &[(Style, &str)]) -> String {
        let (mut line, mut out) = (Line::default(), Vec::new());
        for (style, text) in pieces {
            line.push(*style, text);
        }
        line.write(look, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_ends_where_the_terminal_does() {
        let pieces = [(BOLD, "load "), (PLAIN, "日本語"), (DIM, "x")];
        let at = |width| {
            let look = Look {
                colour: false,
                width,
            };
            line(look, &pieces)
        };
        assert_eq!(at(None), "load 日本語x\n");
        assert_eq!(at(Some(12)), "load 日本語x\n");
        assert_eq!(at(Some(11)), "load 日本…\n");
        assert_eq!(at(Some(9)), "load 日…\n");
        assert_eq!(at(Some(1)), "…\n");
        assert_eq!(at(Some(0)), "\n");
    }

    #[test]
    fn colours_end_with_what_they_colour() {
        let look = |width| Look {
            colour: true,
            width,
        };
        let pieces = [
            (PLAIN, "a "),
            (ERROR, " bad"),
            (ERROR, " x"),
            (PLAIN, " b "),
        ];
        let whole = "a  \u{1b}[31mbad x\u{1b}[0m b\n";
        assert_eq!(line(look(None), &pieces), whole);
        assert_eq!(line(look(Some(5)), &pieces), "a  \u{1b}[31mb…\u{1b}[0m\n");
    }

    #[test]
    fn a_name_leaves_room_for_what_is_behind_it() {
        let at = |width| {
            let (mut line, mut out) = (Line::default(), Vec::new());
            let look = Look::new(false, Some(width));
            line.push(PLAIN, "3 s  ");
            let behind = [(CANCELLED, "  cancelled".to_owned())];
            line.push_name(look, PLAIN, "server::connection", &behind);
            line.push(PLAIN, "  key=value");
            line.write(look, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(at(60), "3 s  server::connection  cancelled  key=value\n");
        assert_eq!(at(40), "3 s  server::connection  cancelled  key…\n");
        assert_eq!(at(30), "3 s  serv…onnection  cancelled\n");
        assert_eq!(at(20), "3 s  se…ction  canc…\n");
    }

    #[test]
    fn names_are_cut_inside() {
        assert_eq!(
            cut_name("examples/server.rs#load", 23),
            "examples/server.rs#load"
        );
        assert_eq!(cut_name("examples/server.rs#load", 16), "examp…er.rs#load");
        assert_eq!(cut_name("日本語日本語日本語", 8), "日…本語");
        assert_eq!(cut_name("examples", 3), "ex…");
        assert_eq!(cut_name("examples", 0), "");
    }
}
