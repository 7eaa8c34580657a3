//! What a `Logger` adds to a record, whatever form it has.

use log::Record;

use crate::ids::SpanId;
use crate::logger::in_flight;
use crate::logger::options::Options;
use crate::record::pairs::{Count, FirstPairs};
use crate::record::span_record::SpanRecord;
use crate::stack::SpanContext;

/// A record in flight to the inner logger, and what is known of it. Nothing is put together before that logger asks.
#[derive(Clone, Copy)]
pub(crate) struct Annotation<'a> {
    pub(crate) record: &'a Record<'a>,
    pub(crate) options: &'a Options,
    pub(crate) source: RecordSource<'a>,
    pub(crate) task_id: u64,
}

/// What a record is about.
#[derive(Clone, Copy)]
pub(crate) enum RecordSource<'a> {
    /// Anything, in code that found the span stack so deep.
    InSpan(usize),
    /// The same of a record that is known to have pairs.
    Paired(usize),
    /// The same as text, with these pairs before it.
    Tail(&'a str),
    /// The span whose record is in flight.
    SpanRecord,
}

impl Annotation<'_> {
    /// The pairs that the record itself brings, as far as they are shown: of a span record they are the arguments
    /// of a function.
    pub(crate) fn record_pairs(&self) -> FirstPairs<'_> {
        let count = match self.source {
            RecordSource::InSpan(_) | RecordSource::Paired(_) => Count::All,
            RecordSource::Tail(_) => Count::First(0),
            RecordSource::SpanRecord if self.options.arguments => {
                Count::First(in_flight::with_span_record(SpanRecord::arguments).unwrap_or(0))
            }
            RecordSource::SpanRecord => Count::First(0),
        };
        FirstPairs::counted(self.record.key_values(), count)
    }

    /// Whether `process_id` stands before the task, where a span record does not say it itself.
    pub(crate) fn wants_process_id(&self, span_record: Option<&SpanRecord>) -> bool {
        let options = self.options;
        options.process_id
            && !options.minimal_keys
            && !span_record.is_some_and(SpanRecord::has_process_id)
    }

    /// The number of the enclosing span, if there is one and this logger writes it.
    #[inline]
    pub(crate) fn shown_span_id(&self, context: &SpanContext) -> Option<u64> {
        let span_id = context.span.id.filter(|_| !self.options.minimal_keys);
        span_id.map(SpanId::get)
    }
}
