//! The fields of a span, formatted once, when it starts, and shared by every record inside it.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use log::kv::{self, Key, Source, Value, VisitSource};

use crate::record::pairs::FirstPairs;
use crate::record::text::{self, Kind};

/// The fields of a span with those of the spans around it, and the span's own name and target
/// where these are not static.
///
/// A span that adds nothing to what is around it shares that, and has nothing of its own. What another span has is in
/// buffers that earlier spans of the thread have left: where there are none, they are allocated.
#[derive(Default)]
pub(crate) struct Fields(Option<Arc<Captured>>);

/// What a span starts with, as text.
#[derive(Default)]
struct Captured {
    /// `, KEY=VALUE` for each field, ready to be copied into a line.
    text: String,
    /// Where in there each field is.
    index: Vec<Entry>,
    /// The values that had to be quoted there, as they were.
    quoted: String,
    name: String,
    target: String,
}

#[derive(Clone, Copy)]
struct Entry {
    kind: Kind,
    /// The lengths of the key, of the value as written, and of the value as it was if that was quoted.
    key: usize,
    written: usize,
    quoted: usize,
}

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
    /// The value as it was, where it is quoted in the text.
    fn quoted(self) -> &'a str {
        if self.text[self.key.len() + 3..].starts_with('"') {
            self.value
        } else {
            ""
        }
    }

    /// The field with no more than `limit` bytes of a text, not counting the `…` of one that was cut.
    pub(crate) fn within(self, limit: usize) -> Self {
        let cut = if self.text.ends_with("\"…") {
            '…'.len_utf8()
        } else {
            0
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
    pub(crate) const fn none() -> Self {
        Fields(None)
    }

    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        Fields(self.0.take())
    }

    /// Has again what was taken from it.
    #[inline]
    pub(crate) fn put_back(&mut self, taken: Fields) {
        // There are none that would have to be dropped.
        mem::forget(mem::replace(self, taken));
    }

    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Whether they are shared, or there are none.
    pub(crate) fn is_same(&self, other: &Fields) -> bool {
        match (&self.0, &other.0) {
            (Some(these), Some(those)) => Arc::ptr_eq(these, those),
            (None, None) => true,
            _ => false,
        }
    }

    /// Formats the pairs of `own`, the first `skip` left out, and puts the fields of `around` behind
    /// where no key of `own` hides them.
    ///
    /// # Panics
    ///
    /// When formatting a value or the name panics.
    #[inline]
    pub(crate) fn capture(
        own: &dyn Source,
        skip: usize,
        around: Fields,
        target: Option<&str>,
        name: Option<fmt::Arguments<'_>>,
    ) -> Fields {
        if target.is_none() && name.is_none() && own.count() <= skip {
            around
        } else {
            Fields::capture_own(own, skip, around, target, name)
        }
    }

    #[inline(never)]
    fn capture_own(
        own: &dyn Source,
        skip: usize,
        around: Fields,
        target: Option<&str>,
        name: Option<fmt::Arguments<'_>>,
    ) -> Fields {
        Fields::new(|captured| {
            // A source that gives up has given what it had.
            let _ = own.visit(&mut Capturing {
                captured,
                skip,
                limit: captured_len(),
                hides: true,
            });
            if !around.is_none() {
                captured.inherit(&around);
            }
            captured.target.push_str(target.unwrap_or(""));
            if let Some(name) = name {
                // A name whose formatting fails stands as far as it came.
                let _ = captured.name.write_fmt(name);
            }
        })
    }

    /// Formats pairs, each of them, also those of one key.
    pub(crate) fn of_pairs(pairs: FirstPairs<'_>) -> Fields {
        Fields::new(|captured| {
            let limit = captured_len();
            let _ = pairs.visit(&mut Capturing {
                captured,
                skip: 0,
                limit,
                hides: false,
            });
        })
    }

    /// These fields and one more, which hides an earlier one of the same key.
    pub(crate) fn with(&self, key: &str, value: &Value<'_>) -> Fields {
        Fields::new(|captured| {
            captured.push(key, value, usize::MAX, true);
            captured.inherit(self);
        })
    }

    fn new(capture: impl FnOnce(&mut Captured)) -> Fields {
        let mut captured = spare();
        capture(Arc::get_mut(&mut captured).expect("nobody else has it yet"));
        Fields(Some(captured))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.iter().any(|field| field.key == key)
    }

    /// `, KEY=VALUE` for each field.
    #[inline]
    pub(crate) fn text(&self) -> &str {
        self.0.as_ref().map_or("", |captured| &captured.text)
    }

    pub(crate) fn name(&self) -> &str {
        self.0.as_ref().map_or("", |captured| &captured.name)
    }

    pub(crate) fn target(&self) -> &str {
        self.0.as_ref().map_or("", |captured| &captured.target)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.0.iter().flat_map(|captured| captured.iter())
    }
}

impl Clone for Fields {
    #[inline]
    fn clone(&self) -> Self {
        Fields(self.0.clone())
    }
}

impl Drop for Fields {
    #[inline]
    fn drop(&mut self) {
        if let Some(captured) = self.0.take() {
            // Nobody can take it from the last one who has it.
            if Arc::strong_count(&captured) == 1 {
                give_back(captured);
            }
        }
    }
}

/// More buffers than this a thread does not keep, nor larger ones.
const SPARES: usize = 16;
const SPARE_LEN: usize = 4096;

thread_local! {
    static SPARE: RefCell<Vec<Arc<Captured>>> = const { RefCell::new(Vec::new()) };
}

fn with_spare<R>(f: impl FnOnce(&mut Vec<Arc<Captured>>) -> R) -> Option<R> {
    let f = |spare: &RefCell<Vec<_>>| Some(f(&mut *spare.try_borrow_mut().ok()?));
    SPARE.try_with(f).ok().flatten()
}

fn spare() -> Arc<Captured> {
    with_spare(Vec::pop).flatten().unwrap_or_default()
}

fn give_back(mut captured: Arc<Captured>) {
    if let Some(captured) = Arc::get_mut(&mut captured) {
        captured.clear();
    }
    if captured.capacity() <= SPARE_LEN {
        with_spare(|spare| {
            if spare.len() < SPARES {
                spare.push(captured);
            }
        });
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Captured {
    fn clear(&mut self) {
        self.index.clear();
        for text in [
            &mut self.text,
            &mut self.quoted,
            &mut self.name,
            &mut self.target,
        ] {
            text.clear();
        }
    }

    /// How much room it takes, about.
    fn capacity(&self) -> usize {
        self.text.capacity() + self.quoted.capacity() + self.name.capacity()
    }

    fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        let (mut text, mut quoted) = (&*self.text, &*self.quoted);
        self.index.iter().map(move |entry| {
            let (field, raw);
            (field, text) = text.split_at(3 + entry.key + entry.written);
            (raw, quoted) = quoted.split_at(entry.quoted);
            Field {
                key: &field[2..2 + entry.key],
                kind: entry.kind,
                value: match &field[3 + entry.key..] {
                    written if written.starts_with('"') => raw,
                    written => written,
                },
                text: field,
            }
        })
    }

    fn has(&self, key: &str) -> bool {
        let mut start = 0;
        self.index.iter().any(|entry| {
            let at = start + 2;
            start += 3 + entry.key + entry.written;
            entry.key == key.len() && self.text.as_bytes()[at..].starts_with(key.as_bytes())
        })
    }

    /// Adds a field; not if there is one of that key already, which `hides` it.
    fn push(&mut self, key: &str, value: &Value<'_>, limit: usize, hides: bool) {
        let start = self.text.len();
        if self.text.capacity() == 0 {
            // For some fields at once, where there is no room from an earlier span.
            self.text.reserve(64);
        }
        text::push_key(&mut self.text, key);
        let key_end = self.text.len() - 1;
        if hides && !self.index.is_empty() && self.has(&self.text[start + 2..key_end]) {
            self.text.truncate(start);
            return;
        }
        let written = text::push_value(&mut self.text, value, limit);
        let raw = written.raw.as_ref().map_or("", |raw| raw);
        self.quoted.push_str(raw);
        self.index.push(Entry {
            kind: written.kind,
            key: key_end - start - 2,
            written: self.text.len() - key_end - 1,
            quoted: raw.len(),
        });
    }

    fn inherit(&mut self, around: &Fields) {
        for field in around.iter() {
            if self.has(field.key) {
                continue;
            }
            self.text.push_str(field.text);
            self.quoted.push_str(field.quoted());
            self.index.push(Entry {
                kind: field.kind,
                key: field.key.len(),
                written: field.text.len() - field.key.len() - 3,
                quoted: field.quoted().len(),
            });
        }
    }
}

struct Capturing<'a> {
    captured: &'a mut Captured,
    skip: usize,
    limit: usize,
    hides: bool,
}

impl<'kvs> VisitSource<'kvs> for Capturing<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        match self.skip.checked_sub(1) {
            Some(skip) => self.skip = skip,
            None => (self.captured).push(key.as_str(), &value, self.limit, self.hides),
        }
        Ok(())
    }
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
}
