//! The key-value form of a record.

use std::cell::OnceCell;

use log::kv::{self, Key, Source, Value, VisitSource};

use crate::ids;
use crate::logger::annotation::{Annotation, RecordSource};
use crate::logger::in_flight;
use crate::record::pairs::FirstPairs;
use crate::record::span_record::{
    self, ReservedValue, SpanRecord, PROCESS_ID, SPAN_ID, SPAN_MARK, TASK_ID, THREAD_ID,
};
use crate::record::text;
use crate::stack::{self, SpanContext};

/// A record's pairs with ours, typed.
pub(crate) struct KeyValueForm<'a> {
    added: Annotation<'a>,
    /// What it is about, once somebody looks.
    about: OnceCell<About>,
}

enum About {
    EnteredSpan(SpanContext),
    SpanRecord(SpanRecord),
}

impl<'a> KeyValueForm<'a> {
    pub(crate) fn new(added: Annotation<'a>) -> Self {
        KeyValueForm {
            added,
            about: OnceCell::new(),
        }
    }

    /// Nothing else is there as long as this lives.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self as *const Self as usize
    }

    fn about(&self) -> &About {
        self.about.get_or_init(|| match self.added.subject {
            RecordSource::EnteredSpan(depth) | RecordSource::Paired(depth) => {
                About::EnteredSpan(stack::at(depth))
            }
            RecordSource::Tail(_) => About::EnteredSpan(SpanContext::default()), // text alone
            RecordSource::SpanRecord => in_flight::mark().map_or_else(
                || About::EnteredSpan(SpanContext::default()),
                About::SpanRecord,
            ),
        })
    }
}

impl Source for KeyValueForm<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let (options, record_pairs) = (self.added.options, self.added.record_pairs());
        record_pairs.visit(&mut Renamed(visitor, record_pairs))?;
        let (fields, mark, span_id) = match self.about() {
            About::EnteredSpan(position) => (&position.fields, None, position.span.id),
            About::SpanRecord(mark) => (&mark.fields, Some(mark), 0),
        };
        if let Some(mark) = mark {
            visitor.visit_pair(SPAN_MARK.to_key(), Value::from(mark.word()))?;
        }
        let of_logger = (options.fields.iter()).filter(|field| !fields.has(field.key));
        for field in fields.iter().chain(of_logger) {
            if !record_pairs.hides(field.key) {
                let value = field.within(options.max_value_len).to_value();
                visitor.visit_pair(Key::from_str(field.key), value)?;
            }
        }
        let mut own = |key: span_record::Key, own: ReservedValue<'kvs>| {
            visitor.visit_pair(key.to_key(), own.to_value())
        };
        let mut visited = Ok(());
        if !options.minimal_keys {
            match mark {
                Some(mark) => mark.own(|key, value| {
                    if visited.is_ok() {
                        visited = own(key, value);
                    }
                }),
                None if span_id != 0 => visited = own(SPAN_ID, ReservedValue::Number(span_id)),
                None => {}
            }
        }
        visited?;
        if self.added.wants_process_id(mark) {
            own(PROCESS_ID, ReservedValue::Process)?;
        }
        own(TASK_ID, ReservedValue::Number(self.added.task_id))?;
        own(THREAD_ID, ReservedValue::Number(ids::thread()))
    }
}

/// Keeps pairs under reserved keys apart from ours.
struct Renamed<'a, 'kvs>(&'a mut dyn VisitSource<'kvs>, FirstPairs<'kvs>);

impl<'kvs> VisitSource<'kvs> for Renamed<'_, 'kvs> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        match text::renamed(key.as_str()) {
            None => self.0.visit_pair(key, value),
            Some(_) if self.1.is_foreign_span_record() => Ok(()),
            Some(other) => self.0.visit_pair(Key::from_str(other), value),
        }
    }
}
