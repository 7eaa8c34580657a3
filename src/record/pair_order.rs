//! The order of a record's pairs, for every form that a record has.

use crate::ids;
use crate::record::fields::Fields;
use crate::record::pairs::FirstPairs;
use crate::record::reserved_key::{
    ReservedKey, PROCESS_ID, SPAN_ID, SPAN_MARK, TASK_ID, THREAD_ID,
};
use crate::record::reserved_value::ReservedValue;
use crate::record::span_record::SpanRecord;

/// A form of a record, which receives the record's pairs in their order.
pub(crate) trait PairSink<'a> {
    /// The pairs that the record itself brings.
    fn record_pairs(&mut self, pairs: FirstPairs<'a>);

    /// The fields of the enclosing spans, without those that `hidden_by` hides.
    fn fields(&mut self, fields: &'a Fields, hidden_by: FirstPairs<'a>);

    /// A pair of our own.
    fn reserved(&mut self, key: ReservedKey, value: ReservedValue<'a>);
}

/// The start or the end of a span. `arguments` are those of the annotated function.
#[inline]
pub(crate) fn of_span_record<'a>(
    sink: &mut impl PairSink<'a>,
    span_record: &'a SpanRecord,
    arguments: FirstPairs<'a>,
    minimal_keys: bool,
) {
    sink.record_pairs(arguments);
    sink.reserved(SPAN_MARK, ReservedValue::Word(span_record.word()));
    sink.fields(&span_record.fields, arguments);
    if !minimal_keys {
        span_record.reserved_pairs(|key, value| sink.reserved(key, value));
    }
}

/// Any other record, behind the pairs that it brings: the fields and the number of the enclosing span.
#[inline(always)] // so that nothing is called if nothing is added
pub(crate) fn of_context<'a>(
    sink: &mut impl PairSink<'a>,
    fields: &'a Fields,
    span_id: Option<u64>,
    hidden_by: FirstPairs<'a>,
) {
    sink.fields(fields, hidden_by);
    if let Some(span_id) = span_id {
        sink.reserved(SPAN_ID, ReservedValue::Number(span_id));
    }
}

/// The process, where a logger was told to write it on every record.
pub(crate) fn of_process<'a>(sink: &mut impl PairSink<'a>) {
    sink.reserved(PROCESS_ID, ReservedValue::Process);
}

/// The last pairs of every record.
#[inline(always)]
pub(crate) fn of_task<'a>(sink: &mut impl PairSink<'a>, task_id: u64) {
    sink.reserved(TASK_ID, ReservedValue::Number(task_id));
    sink.reserved(THREAD_ID, ReservedValue::Number(ids::thread()));
}
