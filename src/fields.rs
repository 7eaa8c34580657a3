//! The fields of a span, formatted once, when it starts, and shared by every record inside it.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use log::kv::{self, Key, Source, Value, VisitSource};

use crate::scratch::{Buffers, Scratch};
use crate::text::{self, Kind};

/// The fields of a span with those of the spans around it, and the span's own name and target
/// where these are not static.
///
/// One allocation at most, and none where a span adds nothing to what is around it. The text form
/// is ready to be copied into a line; an index behind it gives the fields one by one, typed.
///
/// Layout: four lengths, then as many bytes each of the fields in text form, the index, the values
/// that the text form had to quote, and the target; what remains is the name. An index entry is
/// the letter of the value's kind and the lengths of the key, of the value as written, and of the
/// value as it was if that was quoted. A length is written as ASCII characters of seven bits each, so that all
/// is one string and no access ever has to check or to parse text.
#[derive(Clone, Default)]
pub(crate) struct Fields(Option<Arc<str>>);

/// 35 bits: no part can outgrow it.
const LENGTH: usize = 5;
const HEADER: usize = 4 * LENGTH;
const ENTRY: usize = 1 + 3 * LENGTH;

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
        around: &Fields,
        target: Option<&str>,
        name: Option<fmt::Arguments<'_>>,
    ) -> Fields {
        let mut draft = Draft::new(captured_len());
        draft.skip = skip;
        // A source that gives up has given what it had.
        let _ = own.visit(&mut draft);
        if draft.is_empty() && target.is_none() && name.is_none() {
            return around.clone();
        }
        draft.inherit(around);
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
        self.part(0)
    }

    pub(crate) fn target(&self) -> &str {
        self.part(3)
    }

    pub(crate) fn name(&self) -> &str {
        self.part(4)
    }

    fn part(&self, part: usize) -> &str {
        let Some(all) = self.0.as_deref() else {
            return "";
        };
        let length = |part: usize| decode(&all[part * LENGTH..]);
        let start = HEADER + (0..part).map(length).sum::<usize>();
        match part {
            4 => &all[start..],
            _ => &all[start..start + length(part)],
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        iterate(self.part(0), self.part(1), self.part(2))
    }
}

fn iterate<'a>(
    mut text: &'a str,
    mut index: &'a str,
    mut quoted: &'a str,
) -> impl Iterator<Item = Field<'a>> {
    std::iter::from_fn(move || {
        let (entry, index_rest) = split(index, ENTRY)?;
        let length = |nth: usize| decode(&entry[1 + nth * LENGTH..]);
        let key_end = 2 + length(0);
        let (field, text_rest) = split(text, key_end + 1 + length(1))?;
        let (raw, quoted_rest) = split(quoted, length(2))?;
        (text, index, quoted) = (text_rest, index_rest, quoted_rest);
        let written = &field[key_end + 1..];
        Some(Field {
            key: &field[2..key_end],
            kind: Kind::from_letter(entry.as_bytes()[0]),
            value: if written.starts_with('"') {
                raw
            } else {
                written
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
    buffers: Scratch,
    skip: usize,
    limit: usize,
}

impl Draft {
    fn new(limit: usize) -> Self {
        let mut buffers = Scratch::take();
        // The lengths go here when they are known.
        buffers.line.extend([' '; HEADER]);
        Draft {
            buffers,
            skip: 0,
            limit,
        }
    }

    fn is_empty(&self) -> bool {
        self.buffers.index.is_empty()
    }

    /// Adds a field, unless there is one of that key already.
    fn push(&mut self, key: &str, value: &Value<'_>) {
        let start = self.buffers.line.len();
        text::push_key(&mut self.buffers.line, key);
        let written = self.buffers.line.len();
        if self.contains(start, &self.buffers.line[start + 2..written - 1]) {
            self.buffers.line.truncate(start);
            return;
        }

        let Buffers {
            line,
            raw,
            index,
            quoted,
        } = &mut *self.buffers;
        raw.clear();
        let (kind, cut) = text::format_value(raw, value, self.limit);
        text::push_value(line, raw, cut);
        if cut {
            raw.push('…');
        }
        let raw = match &line[written..] {
            value if value.starts_with('"') => &raw[..],
            _ => "",
        };
        quoted.push_str(raw);
        push_entry(
            index,
            kind,
            [written - start - 3, line.len() - written, raw.len()],
        );
    }

    /// Whether the fields in the line up to `end` have this key.
    fn contains(&self, end: usize, key: &str) -> bool {
        let Buffers {
            line,
            index,
            quoted,
            ..
        } = &*self.buffers;
        iterate(&line[HEADER..end], index, quoted).any(|field| field.key == key)
    }

    fn inherit(&mut self, around: &Fields) {
        for field in around.iter() {
            let end = self.buffers.line.len();
            if self.contains(end, field.key) {
                continue;
            }
            let value_len = field.text.len() - field.key.len() - 3;
            let raw = match field.text.as_bytes()[field.key.len() + 3] {
                b'"' => field.value,
                _ => "",
            };
            self.buffers.line.push_str(field.text);
            self.buffers.quoted.push_str(raw);
            push_entry(
                &mut self.buffers.index,
                field.kind,
                [field.key.len(), value_len, raw.len()],
            );
        }
    }

    fn finish(mut self, target: Option<&str>, name: Option<fmt::Arguments<'_>>) -> Fields {
        let Buffers {
            line,
            index,
            quoted,
            raw,
        } = &mut *self.buffers;
        let target = target.unwrap_or("");
        raw.clear();
        for length in [line.len() - HEADER, index.len(), quoted.len(), target.len()] {
            push_length(raw, length);
        }
        line.replace_range(..HEADER, raw);
        line.push_str(index);
        line.push_str(quoted);
        line.push_str(target);
        if let Some(name) = name {
            // A name whose formatting fails stands as far as it came.
            let _ = line.write_fmt(name);
        }
        Fields(Some(Arc::from(&line[..])))
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

fn push_entry(index: &mut String, kind: Kind, lengths: [usize; 3]) {
    index.push(kind.letter());
    for length in lengths {
        push_length(index, length);
    }
}

fn push_length(out: &mut String, length: usize) {
    out.extend((0..LENGTH).map(|nth| ((length >> (7 * nth)) & 0x7f) as u8 as char));
}

fn decode(length: &str) -> usize {
    length.as_bytes()[..LENGTH]
        .iter()
        .rev()
        .fold(0, |length, &byte| length << 7 | usize::from(byte))
}

/// `text` in two at `at`; `None` at its end.
fn split(text: &str, at: usize) -> Option<(&str, &str)> {
    (text.len() >= at).then(|| text.split_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(own: &[(&str, Value<'_>)], around: &Fields) -> Fields {
        Fields::capture(&own, 0, around, None, None)
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
            &outer,
            Some("t"),
            Some(format_args!("level {}", 1)),
        );
        assert_eq!(
            (inner.text(), inner.target(), inner.name()),
            (", user=7", "t", "level 1")
        );
    }

    #[test]
    fn a_length_of_more_than_seven_bits_reads_back() {
        let mut written = String::new();
        push_length(&mut written, 1_234_567_890);
        assert_eq!(decode(&written), 1_234_567_890);
    }
}
