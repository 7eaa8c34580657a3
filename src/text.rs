//! The text form: how keys, values and messages are written into a line, so that a reader gets
//! back what was there and nothing that a program logs can pass for something else.
//! `docs/format.md` is the specification.

use std::fmt::{self, Write};

use log::kv::{self, Value, VisitValue};

/// The keys that this crate writes. A record that brings one of them keeps it with a `_` behind.
///
/// Each stands here with that underscore, so that both names are static slices of one string.
const RESERVED: [&str; 11] = [
    "span_mark_",
    "span_id_",
    "span_parent_",
    "span_at_",
    "span_elapsed_",
    "span_outcome_",
    "task_parent_id_",
    "spawn_line_",
    "process_id_",
    "task_id_",
    "thread_id_",
];

/// The name under which a pair with a reserved key is kept.
pub(crate) fn renamed(key: &str) -> Option<&'static str> {
    // All reserved keys begin so, and few others do.
    if !matches!(key.as_bytes().first(), Some(b's' | b't' | b'p')) {
        return None;
    }
    RESERVED
        .into_iter()
        .find(|renamed| renamed[..renamed.len() - 1] == *key)
}

/// Writes `, KEY=`.
pub(crate) fn push_key(out: &mut String, key: &str) {
    out.push_str(", ");
    let start = out.len();
    if key.bytes().all(is_key_byte) {
        out.push_str(key);
    } else {
        out.extend(key.chars().map(|c| match u8::try_from(c) {
            Ok(byte) if is_key_byte(byte) => c,
            _ => '_',
        }));
    }
    if out.len() == start || renamed(&out[start..]).is_some() {
        out.push('_');
    }
    out.push('=');
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-')
}

/// Writes an unsigned number, which is what most of our own values are, without `fmt`.
pub(crate) fn push_u64(out: &mut String, mut n: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    // Digits are ASCII.
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// Writes seconds with nanoseconds: `3.000198042`.
pub(crate) fn push_seconds(out: &mut String, nanos: u64) {
    push_u64(out, nanos / 1_000_000_000);
    out.push('.');
    let start = out.len();
    // A leading one keeps the zeros; it becomes the point's neighbour and goes.
    push_u64(out, 1_000_000_000 + nanos % 1_000_000_000);
    out.remove(start);
}

/// What a value was before it became text, for those who want it back typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Unsigned,
    Signed,
    Float,
    Text,
}

impl Kind {
    const LETTERS: [(u8, Kind); 6] = [
        (b'n', Kind::Null),
        (b'b', Kind::Bool),
        (b'u', Kind::Unsigned),
        (b'i', Kind::Signed),
        (b'f', Kind::Float),
        (b's', Kind::Text),
    ];

    pub(crate) fn letter(self) -> char {
        Self::LETTERS[self as usize].0.into()
    }

    pub(crate) fn from_letter(letter: u8) -> Kind {
        let found = Self::LETTERS.iter().find(|(of, _)| *of == letter);
        found.map_or(Kind::Text, |(_, kind)| *kind)
    }
}

/// Formats `value` into `out` as it is, text no further than `limit` bytes; says what it is and
/// whether it was cut. A value whose own formatting fails stands as far as it came, as if cut there.
pub(crate) fn format_value(out: &mut String, value: &Value<'_>, limit: usize) -> (Kind, bool) {
    let mut visitor = Formatter {
        out: Limited {
            out,
            left: limit,
            cut: false,
        },
        kind: Kind::Text,
    };
    let failed = value.visit(&mut visitor).is_err();
    (visitor.kind, visitor.out.cut || failed)
}

struct Formatter<'a> {
    out: Limited<'a>,
    kind: Kind,
}

/// A writer that takes no more than so many bytes and then stops whoever writes into it.
struct Limited<'a> {
    out: &'a mut String,
    left: usize,
    cut: bool,
}

impl Write for Limited<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left {
            self.left -= text.len();
            self.out.push_str(text);
            return Ok(());
        }
        self.out.push_str(prefix(text, self.left));
        self.left = 0;
        self.cut = true;
        Err(fmt::Error)
    }
}

/// The first `limit` bytes of `text`, or fewer where that is inside of a character.
pub(crate) fn prefix(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Formatter<'_> {
    /// Numbers and their like are short by nature and never cut.
    fn whole(&mut self, kind: Kind, value: fmt::Arguments<'_>) -> Result<(), kv::Error> {
        self.kind = kind;
        Ok(self.out.out.write_fmt(value)?)
    }
}

impl<'v> VisitValue<'v> for &mut Formatter<'_> {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        Ok(write!(self.out, "{value}")?)
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.whole(Kind::Null, format_args!("null"))
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.kind = Kind::Unsigned;
        push_u64(self.out.out, value);
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.kind = Kind::Signed;
        if value < 0 {
            self.out.out.push('-');
        }
        push_u64(self.out.out, value.unsigned_abs());
        Ok(())
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), kv::Error> {
        self.whole(Kind::Unsigned, format_args!("{value}"))
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), kv::Error> {
        self.whole(Kind::Signed, format_args!("{value}"))
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.whole(Kind::Float, format_args!("{value}"))
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.whole(Kind::Bool, format_args!("{value}"))
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        Ok(self.out.write_str(value)?)
    }
}

/// Writes a value's text as the line holds it: as it is where that reads back, else as a JSON
/// string, with `…` behind where it was cut.
pub(crate) fn push_value(out: &mut String, text: &str, cut: bool) {
    if is_plain(text) && !cut {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // All of these are in the basic plane, where a JSON escape is one unit.
            c if is_control(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    if cut {
        out.push('…');
    }
}

/// Whether a value reads back without quotes.
pub(crate) fn is_plain(text: &str) -> bool {
    let mut ends = text.chars();
    let (first, last) = (ends.next(), ends.next_back());
    first.is_some_and(|c| !c.is_whitespace())
        && !last.is_some_and(char::is_whitespace)
        && !text
            .chars()
            .any(|c| matches!(c, ',' | '=' | '"' | '\\') || is_control(c))
}

/// What can break a line, colour a terminal, or turn the reading direction.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes a message that stands at the end of `line`, from `start` on, fit to stand in one: see
/// [`push_message`].
pub(crate) fn escape_message(line: &mut String, start: usize, scratch: &mut String) {
    if !line[start..].bytes().any(may_need_escape) {
        return;
    }
    scratch.clear();
    scratch.push_str(&line[start..]);
    line.truncate(start);
    push_message(line, scratch);
}

/// The bytes without which a message is written as it is. Beyond ASCII, controls begin with one of
/// these three in UTF-8.
fn may_need_escape(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'=' | b'\\' | 0x7f | 0xc2 | 0xd8 | 0xe2)
}

/// Writes a message: a line break is followed by a tab, other controls are escaped, and a reserved
/// key does not look like one.
fn push_message(out: &mut String, message: &str) {
    let start = out.len();
    for (at, c) in message.char_indices() {
        let escape = match c {
            '\n' => {
                out.push_str("\n\t");
                continue;
            }
            '=' => ends_with_reserved_key(&out[start..]),
            // Only where it would be read as an escape, so that paths stay as they are.
            '\\' => message[at + 1..].starts_with("u{"),
            c => is_control(c),
        };
        if escape {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

/// Whether an `=` after this would make it a pair of ours. A logger may end its own prefix with a
/// comma and a space, or with a comma, so the beginning of a message counts as well as `, `.
fn ends_with_reserved_key(text: &str) -> bool {
    let key_start = text
        .bytes()
        .rposition(|byte| !is_key_byte(byte))
        .map_or(0, |before| before + 1);
    let (before, key) = text.split_at(key_start);
    (matches!(before, "" | " ") || before.ends_with(", ")) && renamed(key).is_some()
}
