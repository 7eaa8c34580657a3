//! The fields of a span, formatted once, when it starts, and shared by every record inside it.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use log::kv::{self, Key, Source, Value, VisitSource};

use crate::scratch::{Purpose, Scratch};
use crate::text::{self, Kind};

/// The fields of a span with those of the spans around it, and the span's own name and target
/// where these are not static.
///
/// One allocation at most, and none where a span adds nothing to what is around it. The text form
/// is ready to be copied into a line; an index behind it gives the fields one by one, typed.
///
/// Layout: the fields in text form, the name, the target, the values that the text form had to quote, the index, and
/// the lengths of these but for the last, backwards. An index entry is the letter of the value's kind and the lengths of the key, of the
/// value as written, and of the value as it was if that was quoted. A length is written as ASCII characters, so that
/// all is one string and no access ever has to check or to parse text.
#[derive(Clone, Default)]
pub(crate) struct Fields(Option<Arc<str>>);

/// One field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) key: &'a str,
    pub(crate) kind: Kind,
    /// The value as it was, with `…` at its end where it was cut.
    pub(crate) value: &'a str,
    /// `, KEY=VALUE`
    pub(crate) text: &'a str,
}

impl<'a> Field<'a> {
    /// The field with no more than `limit` bytes of a text, not counting the `…` of one that was cut.
    pub(crate) fn within(self, limit: usize) -> Self {
        let cut = match self.text.ends_with("\"…") {
            true => '…'.len_utf8(),
            false => 0,
        };
        if self.kind != Kind::Text || self.value.len() - cut <= limit {
            return self;
        }
        Field {
            value: text::prefix(self.value, limit),
            ..self
        }
    }

    /// The value with its type; what does not parse as its own kind is text.
    pub(crate) fn to_value(self) -> Value<'a> {
        let text = self.value;
        let typed = match self.kind {
            Kind::Null => Some(Value::null()),
            Kind::Bool => text.parse::<bool>().ok().map(Value::from),
            Kind::Unsigned => (text.parse::<u64>().ok().map(Value::from))
                .or_else(|| text.parse::<u128>().ok().map(Value::from)),
            Kind::Signed => (text.parse::<i64>().ok().map(Value::from))
                .or_else(|| text.parse::<i128>().ok().map(Value::from)),
            Kind::Float => text.parse::<f64>().ok().map(Value::from),
            Kind::Text => None,
        };
        typed.unwrap_or_else(|| Value::from(text))
    }
}

/// The longest text that a span captures: the largest limit of the loggers seen so far, 0 before
/// the first. A logger with a smaller one cuts again what it writes.
static CAPTURED_LEN: AtomicUsize = AtomicUsize::new(0);

/// How long a text value may be unless told otherwise.
pub(crate) const DEFAULT_MAX_VALUE_LEN: usize = 1024;

/// Lets spans capture values of up to `len` bytes from now on.
#[inline]
pub(crate) fn allow_value_len(len: usize) {
    if CAPTURED_LEN.load(Ordering::Relaxed) < len {
        CAPTURED_LEN.fetch_max(len, Ordering::Relaxed);
    }
}

pub(crate) fn captured_len() -> usize {
    match CAPTURED_LEN.load(Ordering::Relaxed) {
        0 => DEFAULT_MAX_VALUE_LEN,
        len => len,
    }
}

impl Fields {
    /// Formats the pairs of `own`, the first `skip` left out, and puts the fields of `around` behind
    /// where no key of `own` hides them.
    ///
    /// # Panics
    ///
    /// When formatting a value or the name panics.
    pub(crate) fn capture(
        own: &dyn Source,
        skip: usize,
        around: Fields,
        target: Option<&str>,
        name: Option<fmt::Arguments<'_>>,
    ) -> Fields {
        let mut draft = Draft::new(captured_len());
        draft.skip = skip;
        // A source that gives up has given what it had.
        let _ = own.visit(&mut draft);
        if draft.is_empty() && target.is_none() && name.is_none() {
            return around;
        }
        draft.inherit(&around);
        draft.finish(target, name)
    }

    /// These fields and one more, which hides an earlier one of the same key.
    pub(crate) fn with(&self, key: &str, value: &Value<'_>) -> Fields {
        let mut draft = Draft::new(usize::MAX);
        draft.push(key, value);
        draft.inherit(self);
        draft.finish(None, None)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.iter().any(|field| field.key == key)
    }

    /// `, KEY=VALUE` for each field.
    pub(crate) fn text(&self) -> &str {
        let Some(all) = self.0.as_deref() else {
            return "";
        };
        &all[..last_length(all).0]
    }

    pub(crate) fn name(&self) -> &str {
        self.parts().name
    }

    pub(crate) fn target(&self) -> &str {
        self.parts().target
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        let parts = self.parts();
        iterate(parts.text, parts.index, parts.quoted)
    }

    fn parts(&self) -> Parts<'_> {
        let Some(all) = self.0.as_deref() else {
            return Parts::default();
        };
        let (text, rest) = last_length(all);
        let (name, rest) = last_length(rest);
        let (target, rest) = last_length(rest);
        let (quoted, rest) = last_length(rest);
        let (text, rest) = rest.split_at(text);
        let (name, rest) = rest.split_at(name);
        let (target, rest) = rest.split_at(target);
        let (quoted, index) = rest.split_at(quoted);
        Parts {
            text,
            name,
            target,
            quoted,
            index,
        }
    }
}

#[derive(Default)]
struct Parts<'a> {
    text: &'a str,
    name: &'a str,
    target: &'a str,
    quoted: &'a str,
    index: &'a str,
}

fn iterate<'a>(
    mut text: &'a str,
    mut index: &'a str,
    mut quoted: &'a str,
) -> impl Iterator<Item = Field<'a>> {
    std::iter::from_fn(move || {
        let kind = *index.as_bytes().first()?;
        let (key, rest) = first_length(&index[1..]);
        let (value, rest) = first_length(rest);
        let (raw, rest) = first_length(rest);
        index = rest;
        let (field, rest) = text.split_at(3 + key + value);
        text = rest;
        let (raw, rest) = quoted.split_at(raw);
        quoted = rest;
        let written = &field[3 + key..];
        Some(Field {
            key: &field[2..2 + key],
            kind: Kind::from_letter(kind),
            value: match written.starts_with('"') {
                true => raw,
                false => written,
            },
            text: field,
        })
    })
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Fields while they are put together, in a thread's buffers.
struct Draft {
    text: Scratch,
    index: Scratch,
    /// There is none until a value has to be quoted.
    quoted: Option<Scratch>,
    skip: usize,
    limit: usize,
}

impl Draft {
    fn new(limit: usize) -> Self {
        Draft {
            text: Scratch::take(Purpose::Line),
            index: Scratch::take(Purpose::Index),
            quoted: None,
            skip: 0,
            limit,
        }
    }

    fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn quoted(&self) -> &str {
        self.quoted.as_ref().map_or("", |quoted| quoted)
    }

    /// Adds a field, unless there is one of that key already.
    fn push(&mut self, key: &str, value: &Value<'_>) {
        let start = self.text.len();
        text::push_key(&mut self.text, key);
        let key_end = self.text.len() - 1;
        if !self.is_empty() && self.contains(start, &self.text[start + 2..key_end]) {
            self.text.truncate(start);
            return;
        }
        let written = text::push_value(&mut self.text, value, self.limit);
        let lengths = [key_end - start - 2, self.text.len() - key_end - 1];
        self.push_entry(
            written.kind,
            lengths,
            written.raw.as_ref().map_or("", |raw| raw),
        );
    }

    /// Whether the fields in the text up to `end` have this key.
    fn contains(&self, end: usize, key: &str) -> bool {
        iterate(&self.text[..end], &self.index, self.quoted()).any(|field| field.key == key)
    }

    fn inherit(&mut self, around: &Fields) {
        for field in around.iter() {
            let end = self.text.len();
            if self.contains(end, field.key) {
                continue;
            }
            let value = &field.text[field.key.len() + 3..];
            let raw = match value.starts_with('"') {
                true => field.value,
                false => "",
            };
            self.text.push_str(field.text);
            self.push_entry(field.kind, [field.key.len(), value.len()], raw);
        }
    }

    fn push_entry(&mut self, kind: Kind, lengths: [usize; 2], raw: &str) {
        self.index.push(kind.letter());
        for length in lengths {
            push_length(&mut self.index, length);
        }
        push_length(&mut self.index, raw.len());
        if !raw.is_empty() {
            self.quoted
                .get_or_insert_with(|| Scratch::take(Purpose::Quoted))
                .push_str(raw);
        }
    }

    fn finish(mut self, target: Option<&str>, name: Option<fmt::Arguments<'_>>) -> Fields {
        let text = self.text.len();
        if let Some(name) = name {
            // A name whose formatting fails stands as far as it came.
            let _ = self.text.write_fmt(name);
        }
        let name = self.text.len() - text;
        let target = target.unwrap_or("");
        self.text.push_str(target);
        let quoted = self.quoted.as_ref().map_or("", |quoted| quoted);
        self.text.push_str(quoted);
        self.text.push_str(&self.index);
        for length in [quoted.len(), target.len(), name, text] {
            push_length_backwards(&mut self.text, length);
        }
        Fields(Some(Arc::from(self.text.as_str())))
    }
}

impl<'kvs> VisitSource<'kvs> for Draft {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        match self.skip.checked_sub(1) {
            Some(skip) => self.skip = skip,
            None => self.push(key.as_str(), &value),
        }
        Ok(())
    }
}

/// A length has six bits in a character; a seventh one says that another character follows.
const DIGIT: usize = 64;

/// Writes a length that is read from its beginning.
fn push_length(out: &mut String, length: usize) {
    push_digit(out, length);
    if length >= DIGIT {
        push_length(out, length / DIGIT);
    }
}

/// Writes a length that is read from its end.
fn push_length_backwards(out: &mut String, length: usize) {
    if length >= DIGIT {
        push_length_backwards(out, length / DIGIT);
    }
    push_digit(out, length);
}

fn push_digit(out: &mut String, length: usize) {
    let more = if length >= DIGIT { DIGIT } else { 0 };
    out.push(char::from((length % DIGIT + more) as u8));
}

/// The length that a text begins with, and what is behind.
fn first_length(text: &str) -> (usize, &str) {
    let (length, read) = read_length(text.bytes());
    (length, &text[read..])
}

/// The length that a text ends with, and what is before.
fn last_length(text: &str) -> (usize, &str) {
    let (length, read) = read_length(text.bytes().rev());
    (length, &text[..text.len() - read])
}

fn read_length(digits: impl Iterator<Item = u8>) -> (usize, usize) {
    let (mut length, mut read) = (0, 0);
    for digit in digits.map(usize::from) {
        length |= (digit % DIGIT) << (6 * read);
        read += 1;
        if digit < DIGIT {
            break;
        }
    }
    (length, read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(own: &[(&str, Value<'_>)], around: &Fields) -> Fields {
        Fields::capture(&own, 0, around.clone(), None, None)
    }

    #[test]
    fn fields_come_back_typed_and_the_innermost_hides() {
        let outer = capture(
            &[
                ("user", Value::from(7u64)),
                ("path", Value::from("/a, b")),
                ("load", Value::from(0.5)),
            ],
            &Fields::default(),
        );
        let inner = capture(
            &[("ok", Value::from(true)), ("path", Value::from(-1i64))],
            &outer,
        );
        assert_eq!(outer.text(), ", user=7, path=\"/a, b\", load=0.5");
        assert_eq!(inner.text(), ", ok=true, path=-1, user=7, load=0.5");
        let back: Vec<_> = outer.iter().map(|f| (f.key, f.kind, f.value)).collect();
        assert_eq!(
            back,
            [
                ("user", Kind::Unsigned, "7"),
                ("path", Kind::Text, "/a, b"),
                ("load", Kind::Float, "0.5"),
            ]
        );
    }

    #[test]
    fn an_empty_value_is_a_field() {
        let fields = capture(
            &[("a", Value::from("")), ("b", Value::from("x"))],
            &Fields::default(),
        );
        assert_eq!(fields.text(), ", a=\"\", b=x");
        let back: Vec<_> = fields.iter().map(|f| (f.key, f.value)).collect();
        assert_eq!(back, [("a", ""), ("b", "x")]);
    }

    #[test]
    fn a_name_and_a_target_stand_beside_inherited_fields() {
        let outer = capture(&[("user", Value::from(7u64))], &Fields::default());
        let inner = Fields::capture(
            &None::<(&str, &str)>,
            0,
            outer,
            Some("t"),
            Some(format_args!("level {}", 1)),
        );
        assert_eq!(
            (inner.text(), inner.target(), inner.name()),
            (", user=7", "t", "level 1")
        );
    }

    #[test]
    fn a_length_reads_back_from_either_end() {
        for length in [0, 1, 63, 64, 65, 4095, 4096, 1_234_567_890, usize::MAX] {
            let mut written = String::from("x");
            push_length_backwards(&mut written, length);
            assert_eq!(last_length(&written), (length, "x"));
            written.clear();
            push_length(&mut written, length);
            written.push('x');
            assert_eq!(first_length(&written), (length, "x"));
        }
    }
}
