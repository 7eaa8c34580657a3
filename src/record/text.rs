//! The text form: how keys, values and messages are written into a line, so that a reader gets
//! back what was there and nothing that a program logs can pass for something else.
//! `docs/format.md` is the specification.

use std::fmt::{self, Write};

use log::kv::{self, Value, VisitValue};

use crate::record::reserved_key::renamed;
use crate::record::scratch::{Scratch, RAW};

/// What a byte of a text may be: bits of [`CLASSES`]. A character beyond ASCII is judged by the first of its bytes,
/// so that most text is known to be harmless by one look at each byte, and all else is looked at closely.
#[derive(Clone, Copy)]
enum Class {
    /// It may not stand in a key.
    NoKey = 1,
    /// A message that has it may need escaping.
    Message = 2,
    /// A value that has it may need quotes.
    Value = 4,
}

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classes_of(byte as u8);
        byte += 1;
    }
    classes
};

const fn classes_of(byte: u8) -> u8 {
    let in_key = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-');
    // Beyond ASCII, controls begin with one of these three in UTF-8, white space with those or one of two more.
    let control = byte < b' ' || matches!(byte, 0x7f | 0xc2 | 0xd8 | 0xe2);
    let message = control || matches!(byte, b'=' | b'\\');
    let value = message || matches!(byte, b',' | b'"' | 0xe1 | 0xe3);
    (Class::NoKey as u8 * !in_key as u8)
        | (Class::Message as u8 * message as u8)
        | (Class::Value as u8 * value as u8)
}

/// Whether a byte of the text is of this class. It looks at all of them: that is faster than to ask after each.
fn has(text: &str, class: Class) -> bool {
    let found = text
        .bytes()
        .fold(0, |found, byte| found | CLASSES[usize::from(byte)]);
    found & class as u8 != 0
}

/// Writes `, KEY=`. Says whether the key was reserved, and is another one now.
pub(crate) fn push_key(out: &mut String, key: &str) -> bool {
    out.push_str(", ");
    let is_reserved = if key.is_empty() || has(key, Class::NoKey) || renamed(key).is_some() {
        push_other_key(out, key)
    } else {
        out.push_str(key);
        false
    };
    out.push('=');
    is_reserved
}

/// Whether this is what stands in a line for a key.
pub(crate) fn is_written(key: &str, written: &str) -> bool {
    let mut text = Scratch::<RAW>::take();
    push_key(&mut text, key);
    text[2..text.len() - 1] == *written
}

#[cold]
#[inline(never)]
fn push_other_key(out: &mut String, key: &str) -> bool {
    let start = out.len();
    out.extend(key.chars().map(|c| match u8::try_from(c) {
        Ok(byte) if is_key_byte(byte) => c,
        _ => '_',
    }));
    let is_reserved = renamed(&out[start..]).is_some();
    if key.is_empty() || is_reserved {
        out.push('_');
    }
    is_reserved
}

fn is_key_byte(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & Class::NoKey as u8 == 0
}

/// Writes an unsigned number, which is what most of our own values are, without `fmt`.
#[inline]
pub(crate) fn push_u64(out: &mut String, n: u64) {
    match n {
        0..=9 => out.push(digit(n)),
        _ => push_digits(out, n),
    }
}

#[inline(never)]
fn push_digits(out: &mut String, n: u64) {
    if n < 10_000 {
        if n >= 100 {
            push_u64(out, n / 100);
        }
        out.push(digit(n / 10));
        out.push(digit(n));
        return;
    }
    let mut digits = Digits::new();
    let start = write_digits(&mut digits.0, n);
    digits.push(out, start);
}

/// The last digit of a number.
fn digit(n: u64) -> char {
    char::from(b'0' + (n % 10) as u8)
}

/// Writes seconds with nanoseconds: `3.000198042`.
pub(crate) fn push_seconds(out: &mut String, nanos: u64) {
    let mut digits = Digits::new();
    let point = digits.0.len() - 10;
    let (seconds, fraction) = digits.0.split_at_mut(point);
    let start = write_digits(seconds, nanos / 1_000_000_000);
    fraction[0] = b'.';
    write_digits(&mut fraction[1..], nanos % 1_000_000_000);
    digits.push(out, start.min(point - 1));
}

/// Room for a number, which is ASCII as a whole, and lies so that the standard library sees that in two steps.
#[repr(align(16))]
struct Digits([u8; 32]);

impl Digits {
    fn new() -> Self {
        Digits([b'0'; 32])
    }

    /// Writes what stands there from `start` on.
    fn push(&self, out: &mut String, start: usize) {
        let digits = std::str::from_utf8(&self.0).unwrap_or_default();
        out.push_str(&digits[start..]);
    }
}

/// Writes a number to the end of the room for it; says where it begins.
fn write_digits(room: &mut [u8], mut n: u64) -> usize {
    const PAIRS: [[u8; 2]; 100] = pairs();
    let mut at = room.len();
    while n >= 10 {
        at -= 2;
        room[at..at + 2].copy_from_slice(&PAIRS[(n % 100) as usize]);
        n /= 100;
    }
    if n > 0 {
        at -= 1;
        room[at] = b'0' + n as u8;
    }
    at
}

/// `00` to `99`.
const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + n as u8 / 10, b'0' + n as u8 % 10];
        n += 1;
    }
    pairs
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

/// What [`push_value`] has written.
pub(crate) struct Written {
    pub(crate) kind: Kind,
    /// The text as it was where it had to be quoted, with `…` at its end where it was cut.
    pub(crate) raw: Option<Scratch<RAW>>,
}

/// Writes a value as the line holds it: as it is where that reads back, else as a JSON string. A text is formatted no
/// further than `limit` bytes, and has `…` behind where it was cut. A value whose own formatting fails stands as far
/// as it came, as if cut there.
pub(crate) fn push_value(out: &mut String, value: &Value<'_>, limit: usize) -> Written {
    let start = out.len();
    let mut visitor = Formatter {
        out: Limited {
            out,
            left: limit,
            cut: false,
        },
        kind: Kind::Text,
    };
    let failed = value.visit(&mut visitor).is_err();
    let (kind, cut) = (visitor.kind, visitor.out.cut || failed);
    // Nothing but a text can need quotes.
    let raw = if kind == Kind::Text && (cut || !is_plain(&out[start..])) {
        Some(quote(out, start, cut))
    } else {
        None
    };
    Written { kind, raw }
}

/// Quotes what stands in `out` from `start` on, and gives it as it was.
#[cold]
#[inline(never)]
fn quote(out: &mut String, start: usize, cut: bool) -> Scratch<RAW> {
    let mut raw = Scratch::<RAW>::take();
    raw.push_str(&out[start..]);
    out.truncate(start);
    push_string(out, &raw, cut);
    if cut {
        raw.push('…');
    }
    raw
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

/// Writes a value that is a text as the line holds it.
pub(crate) fn push_text(out: &mut String, text: &str, cut: bool) {
    if is_plain(text) && !cut {
        out.push_str(text)
    } else {
        push_string(out, text, cut)
    }
}

/// Writes a JSON string, with `…` behind if it was cut.
fn push_string(out: &mut String, text: &str, cut: bool) {
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
fn is_plain(text: &str) -> bool {
    match text.as_bytes() {
        [] | [b' ', ..] | [.., b' '] => false,
        _ => !has(text, Class::Value) || is_plain_for_sure(text),
    }
}

fn is_plain_for_sure(text: &str) -> bool {
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

/// Makes a message fit to stand in a line: see [`push_message`].
pub(crate) fn escape_message(line: &mut String) {
    if !is_harmless(line) && has(line, Class::Message) {
        escape(line);
    }
}

/// Whether a text is nothing but printable ASCII without `=` and backslash, as most messages are. Sixteen bytes are one
/// question to the processor.
fn is_harmless(text: &str) -> bool {
    let is_harmful = |byte: u8| !matches!(byte, b' '..=b'~') | (byte == b'=') | (byte == b'\\');
    let mut chunks = text.as_bytes().chunks_exact(16);
    let found = chunks.by_ref().fold(false, |found, chunk| {
        found
            | chunk
                .iter()
                .fold(false, |found, &byte| found | is_harmful(byte))
    });
    let rest = chunks.remainder().iter();
    let rest = rest.fold(0, |found, &byte| found | CLASSES[usize::from(byte)]);
    !found && rest & Class::Message as u8 == 0
}

#[cold]
#[inline(never)]
fn escape(line: &mut String) {
    let mut message = Scratch::<RAW>::take();
    message.push_str(line);
    line.clear();
    push_message(line, &message);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_fmt_writes_them() {
        let around = |n: u64| [n.saturating_sub(1), n, n.saturating_add(1)];
        let powers = (0..20).flat_map(|exponent| around(10_u64.pow(exponent)));
        for n in powers.chain([0, 42, 1234, 98_765, u64::MAX]) {
            let mut written = String::from("x");
            push_u64(&mut written, n);
            push_seconds(&mut written, n);
            let (seconds, nanos) = (n / 1_000_000_000, n % 1_000_000_000);
            assert_eq!(written, format!("x{n}{seconds}.{nanos:09}"));
        }
    }

    #[test]
    fn what_harms_a_message_is_found_wherever_it_stands() {
        for harmful in ['\n', '\u{7f}', '=', '\\', '\u{85}', '\u{61c}', '\u{2028}'] {
            for at in 0..70 {
                let message = format!("{:at$}{harmful}{:20}", "", "");
                assert!(!is_harmless(&message), "{harmful:?} {at}");
            }
        }
        assert!(is_harmless(&"harmless ".repeat(9)));
    }
}
