//! How the records of a span are handed to `log`'s global logger.

use std::cell::{Cell, OnceCell};

use log::kv::{self, Source, Value, VisitSource};
use log::{Metadata, Record};

use crate::call_site::SpanSource;
use crate::logger::in_flight::{self, Delivered, Name, SpanRecordGuard};
use crate::record::fields::Fields;
use crate::record::pair_order::{self, PairSink};
use crate::record::pairs::{FirstPairs, FOREIGN_SPAN_RECORD};
use crate::record::reserved_key::ReservedKey;
use crate::record::reserved_value::ReservedValue;
use crate::record::span_record::SpanRecord;

/// Writes a span record to `log`'s global logger, and gives its fields back with what is known of it then.
pub(crate) fn emit(
    span_record: SpanRecord,
    origin: &impl SpanSource,
    metadata: Metadata<'_>,
    name: &Name<'_>,
    arguments: &dyn Source,
) -> Option<Delivered> {
    let pairs = Pairs {
        arguments,
        span_record: OnceCell::new(),
    };
    let (file, line) = origin.line();
    let mut record = Record::builder();
    record
        .metadata(metadata)
        .module_path_static(origin.module_path())
        .file_static(Some(file))
        .line(Some(line))
        .key_values(&pairs);
    write(
        &record.args(format_args!("{name}")).build(),
        name,
        span_record,
    )
}

#[inline(always)] // a span record is too large to be moved for nothing
fn write(record: &Record<'_>, name: &Name<'_>, span_record: SpanRecord) -> Option<Delivered> {
    let passing = SpanRecordGuard::of(record, name, span_record);
    log::logger().log(record);
    passing.end()
}

/// The key-values of a span record, for loggers that are no `Logger`.
struct Pairs<'a> {
    arguments: &'a dyn Source,
    /// The span record that is in flight, once somebody looks.
    span_record: OnceCell<Option<SpanRecord>>,
}

impl Source for Pairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let Some(span_record) = self.span_record.get_or_init(in_flight::span_record) else {
            return Ok(());
        };
        let arguments = FirstPairs::new(self.arguments, span_record.arguments());
        let mut sink = EmissionSink {
            visitor,
            result: Ok(()),
        };
        pair_order::of_span_record(&mut sink, span_record, arguments, false);
        sink.result
    }

    fn get(&self, key: kv::Key<'_>) -> Option<Value<'_>> {
        if key.as_str() == FOREIGN_SPAN_RECORD {
            return Some(Value::from(true));
        }
        let mut get = Get { key, found: None };
        let _ = self.visit(&mut get);
        get.found
    }
}

/// Gives all pairs as they are: no `Logger` has seen the record yet.
struct EmissionSink<'a, 'kvs> {
    visitor: &'a mut dyn VisitSource<'kvs>,
    result: Result<(), kv::Error>,
}

impl<'kvs> PairSink<'kvs> for EmissionSink<'_, 'kvs> {
    fn record_pairs(&mut self, pairs: FirstPairs<'kvs>) {
        self.result = pairs.visit(self.visitor);
    }

    fn fields(&mut self, fields: &'kvs Fields, hidden_by: FirstPairs<'kvs>) {
        for field in fields.iter() {
            if self.result.is_ok() && !hidden_by.hides(field.key) {
                let key = kv::Key::from_str(field.key);
                self.result = self.visitor.visit_pair(key, field.to_value());
            }
        }
    }

    fn reserved(&mut self, key: ReservedKey, value: ReservedValue<'kvs>) {
        if self.result.is_ok() {
            self.result = self.visitor.visit_pair(key.to_key(), value.to_value());
        }
    }
}

struct Get<'k, 'v> {
    key: kv::Key<'k>,
    found: Option<Value<'v>>,
}

impl<'v> VisitSource<'v> for Get<'_, 'v> {
    fn visit_pair(&mut self, key: kv::Key<'v>, value: Value<'v>) -> Result<(), kv::Error> {
        if self.key == key {
            self.found = Some(value);
        }
        Ok(())
    }
}

thread_local! {
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

/// A span's record is being formatted or written, until this is dropped. Annotated functions that run for that
/// (a value's `Debug`, the logger) are not traced: where they take the same value they would never end.
pub(crate) struct Writing {
    before: bool,
}

impl Writing {
    pub(crate) fn begin() -> Self {
        Writing {
            before: WRITING.with(|writing| writing.replace(true)),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        WRITING.with(|writing| writing.set(self.before));
    }
}

#[inline]
pub(crate) fn is_writing() -> bool {
    WRITING.with(Cell::get)
}
