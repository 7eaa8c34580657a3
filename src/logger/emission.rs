//! How the records of a span are handed to `log`'s global logger.

use std::cell::{Cell, OnceCell};

use log::kv::{self, Source, Value, VisitSource};
use log::{Metadata, Record};

use crate::call_site::SpanSource;
use crate::logger::in_flight::{self, Delivered, Name, SpanRecordGuard};
use crate::record::pairs::{FirstPairs, FOREIGN_SPAN_RECORD};
use crate::record::span_record::{SpanRecord, SPAN_MARK};

/// Writes a span record to `log`'s global logger, and gives its fields back with what is known of it then.
pub(crate) fn emit(
    mark: SpanRecord,
    origin: &impl SpanSource,
    metadata: Metadata<'_>,
    name: &Name<'_>,
    arguments: &dyn Source,
) -> Option<Delivered> {
    let pairs = Pairs {
        arguments,
        mark: OnceCell::new(),
    };
    let (file, line) = origin.line();
    let mut record = Record::builder();
    record
        .metadata(metadata)
        .module_path_static(origin.module_path())
        .file_static(Some(file))
        .line(Some(line))
        .key_values(&pairs);
    write(&record.args(format_args!("{name}")).build(), name, mark)
}

#[inline(always)] // a span record is too large to be moved for nothing
fn write(record: &Record<'_>, name: &Name<'_>, mark: SpanRecord) -> Option<Delivered> {
    let passing = SpanRecordGuard::of(record, name, mark);
    log::logger().log(record);
    passing.end()
}

/// The key-values of a mark as a logger sees them that is no `Logger`.
struct Pairs<'a> {
    arguments: &'a dyn Source,
    /// The span record that is in flight, once somebody looks.
    mark: OnceCell<Option<SpanRecord>>,
}

impl Source for Pairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let Some(mark) = self.mark.get_or_init(in_flight::mark) else {
            return Ok(());
        };
        let arguments = FirstPairs::new(self.arguments, mark.arguments());
        arguments.visit(visitor)?;
        visitor.visit_pair(SPAN_MARK.to_key(), Value::from(mark.word()))?;
        for field in mark.fields.iter() {
            if !arguments.hides(field.key) {
                visitor.visit_pair(kv::Key::from_str(field.key), field.to_value())?;
            }
        }
        let mut visited = Ok(());
        mark.own(|key, own| {
            if visited.is_ok() {
                visited = visitor.visit_pair(key.to_key(), own.to_value());
            }
        });
        visited
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
