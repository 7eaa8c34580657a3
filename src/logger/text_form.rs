//! The text form of a record: the line that the inner logger prints as its message.

use std::cell::OnceCell;
use std::fmt::{self, Write};
use std::mem::ManuallyDrop;

use log::kv::{self, Key, Value, VisitSource};

use crate::logger::annotation::{Annotation, RecordSource};
use crate::logger::in_flight;
use crate::logger::start_arguments;
use crate::record::fields::{self, Field, Fields};
use crate::record::pair_order::{self, PairSink};
use crate::record::pairs::FirstPairs;
use crate::record::reserved_key::ReservedKey;
use crate::record::reserved_value::ReservedValue;
use crate::record::scratch::{Scratch, LINE, TAIL};
use crate::record::span_record::SpanRecord;
use crate::record::text::{self, Kind};
use crate::stack::{self, SpanContext};

/// A line. It is put together when it is first asked for, which a logger that does not print never does, and once.
pub(crate) struct TextForm<'a> {
    annotation: Annotation<'a>,
    written: ManuallyDrop<OnceCell<Scratch<LINE>>>, // dropped below, out of line, where there is one
}

impl Drop for TextForm<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(written) = self.written.take() {
            put_away(written);
        }
    }
}

#[inline(never)]
fn put_away(_: Scratch<LINE>) {}

impl fmt::Display for TextForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        in_flight::show(self.address());
        f.write_str(self.written.get_or_init(|| self.write()))
    }
}

impl<'a> TextForm<'a> {
    /// Nothing else is there as long as this lives.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self as *const Self as usize
    }

    #[inline]
    pub(crate) fn new(annotation: Annotation<'a>) -> Self {
        TextForm {
            annotation,
            written: ManuallyDrop::new(OnceCell::new()),
        }
    }

    /// The same, put together before it is asked for.
    pub(crate) fn settled(annotation: Annotation<'a>) -> Self {
        let line = TextForm::new(annotation);
        let written = OnceCell::from(line.write());
        TextForm {
            written: ManuallyDrop::new(written),
            ..line
        }
    }

    fn write(&self) -> Scratch<LINE> {
        let record = self.annotation.record;
        let mut line = Scratch::<LINE>::take();
        match record.args().as_str() {
            Some(message) => line.push_str(message),
            // A message whose formatting fails stands as far as it came.
            None => drop(line.write_fmt(*record.args())),
        }
        text::escape_message(&mut line);
        match self.annotation.source {
            RecordSource::Tail(tail) => line.push_str(tail),
            RecordSource::Paired(depth) => self.annotation.push_tail(&mut line, depth),
            RecordSource::InSpan(depth) => stack::with(depth, |position| {
                self.annotation
                    .push_context(&mut line, position, FirstPairs::none())
            }),
            RecordSource::SpanRecord => self.push_span_record(&mut line),
        }
        pair_order::of_task(
            &mut self.annotation.sink(&mut line),
            self.annotation.task_id,
        );
        line
    }

    #[inline(never)]
    fn push_span_record(&self, line: &mut String) {
        let annotation = &self.annotation;
        let Some(span_record) = in_flight::span_record() else {
            return;
        };
        let (arguments, minimal_keys) =
            (annotation.record_pairs(), annotation.options.minimal_keys);
        let mut sink = annotation.sink(line);
        pair_order::of_span_record(&mut sink, &span_record, arguments, minimal_keys);
        annotation.push_process_id(line, Some(&span_record));
    }
}

/// Writes pairs into a line.
struct TextSink<'s, 'a> {
    annotation: &'s Annotation<'a>,
    line: &'s mut String,
}

impl<'p> PairSink<'p> for TextSink<'_, '_> {
    /// The arguments of a span record.
    #[inline]
    fn record_pairs(&mut self, pairs: FirstPairs<'p>) {
        if !pairs.is_none() {
            self.annotation.push_arguments(self.line, pairs);
        }
    }

    #[inline]
    fn fields(&mut self, fields: &'p Fields, hidden_by: FirstPairs<'p>) {
        self.annotation.push_fields(self.line, fields, hidden_by);
    }

    #[inline(always)] // most often it is known which value it is
    fn reserved(&mut self, key: ReservedKey, value: ReservedValue<'p>) {
        value.push(self.line, key);
    }
}

/// What [`RecordSource::Tail`] has.
pub(crate) fn tail(annotation: &Annotation<'_>, depth: usize) -> Scratch<TAIL> {
    let mut tail = Scratch::take();
    annotation.push_tail(&mut tail, depth);
    tail
}

impl Annotation<'_> {
    #[inline]
    fn sink<'s>(&'s self, line: &'s mut String) -> TextSink<'s, 's> {
        TextSink {
            annotation: self,
            line,
        }
    }

    fn push_arguments(&self, line: &mut String, arguments: FirstPairs<'_>) {
        let formatted = start_arguments::formatted();
        // A logger in between may have left the pairs away.
        if formatted.is_none() || !arguments.any(|_| true) {
            return self.push_pairs(line, arguments);
        }
        for field in formatted.iter() {
            self.push_field(line, field);
        }
    }

    /// Writes the record's own pairs, and where the code was that found the span stack so deep.
    fn push_tail(&self, line: &mut String, depth: usize) {
        let pairs = self.record_pairs();
        self.push_pairs(line, pairs);
        // The pairs may hide fields. To ask them is to call others, who may log: nothing is lent meanwhile.
        let position = match depth {
            0 => SpanContext::default(),
            _ => stack::at(depth),
        };
        self.push_context(line, &position, pairs);
    }

    #[inline]
    fn push_pairs(&self, line: &mut String, pairs: FirstPairs<'_>) {
        // A source that gives up has given what it had.
        let _ = pairs.visit(&mut TextPairs {
            line,
            limit: self.options.max_value_len,
            pairs,
        });
    }

    #[inline(always)] // so that where nothing is added nothing is called
    fn push_context(&self, line: &mut String, position: &SpanContext, pairs: FirstPairs<'_>) {
        let span_id = self.shown_span_id(position);
        pair_order::of_context(&mut self.sink(line), &position.fields, span_id, pairs);
        self.push_process_id(line, None);
    }

    fn push_process_id(&self, line: &mut String, span_record: Option<&SpanRecord>) {
        if self.wants_process_id(span_record) {
            pair_order::of_process(&mut self.sink(line));
        }
    }

    /// Writes the fields of the spans around, then the logger's own, but for those that others hide.
    #[inline]
    fn push_fields(&self, line: &mut String, around: &Fields, pairs: FirstPairs<'_>) {
        let options = self.options;
        let is_alone = options.fields.is_none();
        if is_alone && around.is_none() {
            return;
        }
        let is_whole = pairs.is_none() && options.max_value_len >= fields::captured_len();
        if is_alone && is_whole {
            line.push_str(around.text())
        } else {
            self.push_each_field(line, around, pairs)
        }
    }

    #[inline(never)]
    fn push_each_field(&self, line: &mut String, around: &Fields, pairs: FirstPairs<'_>) {
        let is_shown = |field: &Field<'_>| !pairs.hides(field.key);
        let own = self.options.fields.iter();
        let own = own.filter(|field| !around.has(field.key));
        for field in around.iter().chain(own).filter(is_shown) {
            self.push_field(line, field);
        }
    }

    fn push_field(&self, line: &mut String, field: Field<'_>) {
        let limit = self.options.max_value_len;
        if field.value.len() <= limit || field.kind != Kind::Text {
            line.push_str(field.text);
            return;
        }
        text::push_key(line, field.key);
        text::push_text(line, text::prefix(field.value, limit), true);
    }
}

/// Writes pairs into a line.
struct TextPairs<'a> {
    line: &'a mut String,
    limit: usize,
    pairs: FirstPairs<'a>,
}

impl<'kvs> VisitSource<'kvs> for TextPairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let start = self.line.len();
        if text::push_key(self.line, key.as_str()) && self.pairs.is_foreign_span_record() {
            self.line.truncate(start);
            return Ok(());
        }
        text::push_value(self.line, &value, self.limit);
        Ok(())
    }
}
