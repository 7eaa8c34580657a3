//! The key-value form of a record.

use std::cell::OnceCell;

use log::kv::{self, Key, Source, Value, VisitSource};

use crate::logger::annotation::{Annotation, RecordSource};
use crate::logger::in_flight;
use crate::record::fields::Fields;
use crate::record::pair_order::{self, PairSink};
use crate::record::pairs::FirstPairs;
use crate::record::reserved_key::{renamed, ReservedKey};
use crate::record::reserved_value::ReservedValue;
use crate::record::span_record::SpanRecord;
use crate::stack::{self, SpanContext};

/// A record's pairs with ours, typed.
pub(crate) struct KeyValueForm<'a> {
    annotation: Annotation<'a>,
    /// What it is about, once somebody looks.
    about: OnceCell<About>,
}

enum About {
    InSpan(SpanContext),
    SpanRecord(SpanRecord),
}

impl<'a> KeyValueForm<'a> {
    pub(crate) fn new(annotation: Annotation<'a>) -> Self {
        KeyValueForm {
            annotation,
            about: OnceCell::new(),
        }
    }

    /// Nothing else is there as long as this lives.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self as *const Self as usize
    }

    fn about(&self) -> &About {
        self.about.get_or_init(|| match self.annotation.source {
            RecordSource::InSpan(depth) | RecordSource::Paired(depth) => {
                About::InSpan(stack::at(depth))
            }
            RecordSource::Tail(_) => About::InSpan(SpanContext::default()), // text alone
            RecordSource::SpanRecord => in_flight::span_record()
                .map_or_else(|| About::InSpan(SpanContext::default()), About::SpanRecord),
        })
    }
}

impl Source for KeyValueForm<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let annotation = &self.annotation;
        let (pairs, minimal_keys) = (annotation.record_pairs(), annotation.options.minimal_keys);
        let mut sink = KeyValueSink {
            annotation,
            visitor,
            result: Ok(()),
        };
        let span_record = match self.about() {
            About::InSpan(context) => {
                sink.record_pairs(pairs);
                let span_id = annotation.shown_span_id(context);
                pair_order::of_context(&mut sink, &context.fields, span_id, pairs);
                None
            }
            About::SpanRecord(span_record) => {
                pair_order::of_span_record(&mut sink, span_record, pairs, minimal_keys);
                Some(span_record)
            }
        };
        if annotation.wants_process_id(span_record) {
            pair_order::of_process(&mut sink);
        }
        pair_order::of_task(&mut sink, annotation.task_id);
        sink.result
    }
}

/// Gives pairs to a visitor, until that wants no more.
struct KeyValueSink<'a, 'kvs> {
    annotation: &'kvs Annotation<'kvs>,
    visitor: &'a mut dyn VisitSource<'kvs>,
    result: Result<(), kv::Error>,
}

impl<'kvs> KeyValueSink<'_, 'kvs> {
    fn pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) {
        if self.result.is_ok() {
            self.result = self.visitor.visit_pair(key, value);
        }
    }
}

impl<'kvs> PairSink<'kvs> for KeyValueSink<'_, 'kvs> {
    fn record_pairs(&mut self, pairs: FirstPairs<'kvs>) {
        self.result = pairs.visit(&mut Renamed(self.visitor, pairs));
    }

    fn fields(&mut self, fields: &'kvs Fields, hidden_by: FirstPairs<'kvs>) {
        let options = self.annotation.options;
        let of_logger = (options.fields.iter()).filter(|field| !fields.has(field.key));
        for field in fields.iter().chain(of_logger) {
            if self.result.is_ok() && !hidden_by.hides(field.key) {
                let value = field.within(options.max_value_len).to_value();
                self.pair(Key::from_str(field.key), value);
            }
        }
    }

    fn reserved(&mut self, key: ReservedKey, value: ReservedValue<'kvs>) {
        if self.result.is_ok() {
            self.pair(key.to_key(), value.to_value());
        }
    }
}

/// Keeps pairs under reserved keys apart from ours.
struct Renamed<'a, 'kvs>(&'a mut dyn VisitSource<'kvs>, FirstPairs<'kvs>);

impl<'kvs> VisitSource<'kvs> for Renamed<'_, 'kvs> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        match renamed(key.as_str()) {
            None => self.0.visit_pair(key, value),
            Some(_) if self.1.is_foreign_span_record() => Ok(()),
            Some(other) => self.0.visit_pair(Key::from_str(other), value),
        }
    }
}
