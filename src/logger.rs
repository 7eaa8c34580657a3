//! The logger around a logger: it adds to each record where the running code is.

use std::cell::Cell;
use std::fmt::{self, Write};

use log::kv::{self, Key, Source, ToValue, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use crate::fields::{self, Field, Fields};
use crate::ids;
use crate::mark::{self, Mark, Own, Process};
use crate::passing::{self, Passing, Seen};
use crate::place;
use crate::scratch::Scratch;
use crate::text;

/// A logger around the one that you have, which adds to every record the task, the thread and the
/// span that the running code is in.
///
/// ```
/// # fn main() -> Result<(), log::SetLoggerError> {
/// let logger = env_logger::Builder::new().filter_level(log::LevelFilter::Trace).build();
/// async_log::Logger::wrap(logger, async_log::task_id).start(log::LevelFilter::Trace)?;
///
/// log::info!("hello"); // hello, task_id=0, thread_id=1
/// # Ok(())
/// # }
/// ```
///
/// It is a [`log::Log`] itself and works wherever one does: as the global logger, as one of
/// several behind a fan-out, around another `Logger` (then the outer one alone adds), or called by
/// hand. Filtering stays with the inner logger: a record that it does not want
/// is dropped before anything is evaluated.
///
/// # Panics
///
/// Logging panics if the inner logger does, or the task-id source, or a value's formatting. All is then as if
/// that record had not been logged. When a span ends because of another panic, a panic of the
/// logger is swallowed: two at once would abort the process.
///
/// # Cost
///
/// A record costs its line a second time: it is put together once, in a buffer of the thread, and
/// the inner logger copies it. No lock is taken and no heap is touched.
pub struct Logger<L, F = fn() -> u64> {
    inner: L,
    task_id: F,
    form: Form,
    minimal: bool,
    arguments: bool,
    process_id: bool,
    max_value_len: usize,
    fields: Fields,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Text,
    KeyValues,
}

impl<L: Log, F: Fn() -> u64 + Send + Sync> Logger<L, F> {
    /// Puts a logger around `logger`. `task_id` tells the task that runs now;
    /// [`task_id`](crate::task_id()) is the one of this crate, and an executor's own will do.
    ///
    /// The source is asked once for a record that is written, never for one that is filtered out. If
    /// it logs itself, that record has this crate's task id.
    pub fn wrap(logger: L, task_id: F) -> Self {
        Logger {
            inner: logger,
            task_id,
            form: Form::Text,
            minimal: false,
            arguments: true,
            process_id: false,
            max_value_len: fields::DEFAULT_MAX_VALUE_LEN,
            fields: Fields::default(),
        }
    }

    /// Hands fields on as `log`'s key-values, with their types, instead of as text in the message.
    /// For inner loggers that print those; half of them drop them without a word.
    pub fn with_key_values(mut self) -> Self {
        self.form = Form::KeyValues;
        self
    }

    /// Puts a field on every record, such as `service=api`. A field of the same key that comes
    /// from the record or from a span hides it.
    pub fn with_field(mut self, key: impl AsRef<str>, value: impl ToValue) -> Self {
        self.fields = self.fields.with(key.as_ref(), &value.to_value());
        self
    }

    /// Puts `process_id` on every record, not only on root spans: for several processes that write
    /// to one stream.
    pub fn with_process_id(mut self) -> Self {
        self.process_id = true;
        self
    }

    /// Stops formatting a text value after so many bytes; 1024 unless told. A value that was cut
    /// is quoted and has `…` behind. Messages and numbers are never cut.
    pub fn with_max_value_len(mut self, bytes: usize) -> Self {
        self.max_value_len = bytes;
        self
    }

    /// Keeps out of the log what annotated functions are called with.
    pub fn without_arguments(mut self) -> Self {
        self.arguments = false;
        self
    }

    /// Writes of this crate's own keys only `span_mark`, `task_id` and `thread_id`. Then spans can
    /// be read, but no longer be told apart with certainty by a program.
    pub fn minimal(mut self) -> Self {
        self.minimal = true;
        self
    }

    /// Installs this as `log`'s logger and sets `log`'s maximum level. The inner logger filters
    /// as it did; spans are at level `Trace` unless they say otherwise.
    ///
    /// # Errors
    ///
    /// When a logger is set already; then nothing is changed.
    pub fn start(self, filter: LevelFilter) -> Result<(), SetLoggerError>
    where
        L: 'static,
        F: 'static,
    {
        log::set_boxed_logger(Box::new(self))?;
        log::set_max_level(filter);
        Ok(())
    }

    /// The running task. A source that logs comes back here, and then it is not asked again.
    fn task_id(&self) -> u64 {
        thread_local! {
            static ASKING: Cell<bool> = const { Cell::new(false) };
        }
        struct Asking;
        impl Drop for Asking {
            fn drop(&mut self) {
                ASKING.with(|asking| asking.set(false));
            }
        }
        if ASKING.with(|asking| asking.replace(true)) {
            return place::task();
        }
        let _asking = Asking;
        (self.task_id)()
    }

    fn write(&self, record: &Record<'_>, mark: Option<&Mark>) {
        let task_id = match mark.map(|mark| &mark.event) {
            // A span ends in the task that it was in, wherever it is dropped.
            Some(mark::Event::End {
                task_id: Some(task_id),
                ..
            }) => *task_id,
            _ => self.task_id(),
        };
        if mark.is_some_and(Mark::is_start) {
            passing::note_task_id(task_id);
        }
        match self.form {
            Form::Text => self.write_text(record, mark, task_id),
            Form::KeyValues => self.write_key_values(record, mark, task_id),
        }
    }

    fn write_text(&self, record: &Record<'_>, mark: Option<&Mark>, task_id: u64) {
        let mut buffers = Scratch::take();
        let buffers = &mut *buffers;
        let (line, own_keys) = (&mut buffers.line, &mut buffers.index);

        match record.args().as_str() {
            Some(message) => line.push_str(message),
            // A message whose formatting fails stands as far as it came.
            None => drop(line.write_fmt(*record.args())),
        }
        text::escape_message(line, 0, &mut buffers.raw);

        let mut pairs = TextPairs {
            line,
            own_keys,
            raw: &mut buffers.raw,
            limit: self.max_value_len,
        };
        // A source that gives up has given what it had.
        let _ = mark::first(record.key_values(), self.own_pairs(mark), &mut pairs);
        match mark {
            None => {
                place::with_current(|position| {
                    self.push_fields(line, own_keys, &position.fields);
                    self.push_own_fields(line, own_keys, &position.fields);
                    if position.id != 0 && !self.minimal {
                        Own::Number(position.id).push(line, "span_id");
                    }
                });
            }
            Some(mark) => {
                Own::Word(mark.word()).push(line, "span_mark");
                self.push_fields(line, own_keys, &mark.fields);
                self.push_own_fields(line, own_keys, &mark.fields);
                if !self.minimal {
                    mark.own(|key, own| own.push(line, key));
                }
            }
        }
        if self.wants_process_id(mark) {
            Own::Process(&Process::current()).push(line, "process_id");
        }
        Own::Number(task_id).push(line, "task_id");
        Own::Number(ids::thread()).push(line, "thread_id");

        self.hand_on(record, format_args!("{line}"), &NoPairs(0));
    }

    /// How many of the pairs that a record itself brings are shown: of a mark they are the arguments
    /// of a function.
    fn own_pairs(&self, mark: Option<&Mark>) -> usize {
        match mark {
            None => usize::MAX,
            Some(mark) if self.arguments => mark.arguments(),
            Some(_) => 0,
        }
    }

    /// Root spans say the process themselves.
    fn wants_process_id(&self, mark: Option<&Mark>) -> bool {
        let said = matches!(
            mark.map(|mark| &mark.event),
            Some(mark::Event::Start {
                process: Some(_),
                ..
            })
        );
        self.process_id && !self.minimal && !said
    }

    /// Writes the fields of a span but for those that the record's own keys hide.
    fn push_fields(&self, line: &mut String, own_keys: &str, fields: &Fields) {
        if own_keys.is_empty() && self.max_value_len >= fields::captured_len() {
            line.push_str(fields.text());
            return;
        }
        for field in fields.iter().filter(|field| !has_key(own_keys, field.key)) {
            self.push_field(line, field);
        }
    }

    /// Writes the logger's own fields where neither the record nor its spans hide them.
    fn push_own_fields(&self, line: &mut String, own_keys: &str, around: &Fields) {
        for field in self.fields.iter() {
            if !has_key(own_keys, field.key) && !around.has(field.key) {
                self.push_field(line, field);
            }
        }
    }

    fn push_field(&self, line: &mut String, field: Field<'_>) {
        if field.value.len() <= self.max_value_len || field.kind != text::Kind::Text {
            line.push_str(field.text);
            return;
        }
        text::push_key(line, field.key);
        let value = text::prefix(field.value, self.max_value_len);
        text::push_value(line, value, true);
    }

    fn write_key_values(&self, record: &Record<'_>, mark: Option<&Mark>, task_id: u64) {
        let position = match mark {
            None => place::current(),
            Some(_) => place::Position::default(),
        };
        let pairs = TypedPairs {
            own: record.key_values(),
            own_pairs: self.own_pairs(mark),
            mark,
            around: mark.map_or(&position.fields, |mark| &mark.fields),
            fields: &self.fields,
            limit: self.max_value_len,
            span_id: position.id,
            minimal: self.minimal,
            process: self.wants_process_id(mark).then(Process::current),
            task_id,
            thread_id: ids::thread(),
        };
        self.hand_on(record, *record.args(), &pairs);
    }

    /// Gives the inner logger the record with another message and other key-values, and says to a
    /// `Logger` further inside that ours are in it.
    fn hand_on(&self, record: &Record<'_>, message: fmt::Arguments<'_>, pairs: &dyn Source) {
        let mut record = record.to_builder();
        let record = record.args(message).key_values(pairs).build();
        let _passing = Passing::set(&record, None);
        self.inner.log(&record);
    }
}

impl<L: Log, F: Fn() -> u64 + Send + Sync> Log for Logger<L, F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if passing::answer_task_id(metadata, || self.task_id()) {
            return false;
        }
        fields::allow_value_len(self.max_value_len);
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        fields::allow_value_len(self.max_value_len);
        match passing::seen(record) {
            Seen::Done => self.inner.log(record),
            // What has a start has an end, though the level was changed in between.
            Seen::Mark(mark) if !mark.is_start() => self.write(record, Some(&mark)),
            _ if !self.inner.enabled(record.metadata()) => {}
            Seen::Mark(mark) => self.write(record, Some(&mark)),
            Seen::Plain => self.write(record, None),
        }
    }

    fn flush(&self) {
        self.inner.flush();
    }
}

impl<L: fmt::Debug, F> fmt::Debug for Logger<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("inner", &self.inner)
            .field("form", &self.form)
            .field("minimal", &self.minimal)
            .field("arguments", &self.arguments)
            .field("process_id", &self.process_id)
            .field("max_value_len", &self.max_value_len)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// Whether a key is among `, key, key`: no key has a comma.
fn has_key(keys: &str, key: &str) -> bool {
    !keys.is_empty() && keys.split(',').any(|own| own == key)
}

/// Writes pairs into a line and remembers their keys.
struct TextPairs<'a> {
    line: &'a mut String,
    own_keys: &'a mut String,
    raw: &'a mut String,
    limit: usize,
}

impl<'kvs> VisitSource<'kvs> for TextPairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let start = self.line.len();
        text::push_key(self.line, key.as_str());
        self.own_keys
            .push_str(&self.line[start + 2..self.line.len() - 1]);
        self.own_keys.push(',');

        self.raw.clear();
        let (_, cut) = text::format_value(self.raw, &value, self.limit);
        text::push_value(self.line, self.raw, cut);
        Ok(())
    }
}

/// No key-values, at an address of its own.
struct NoPairs(#[allow(dead_code)] u8);

impl Source for NoPairs {
    fn visit<'kvs>(&'kvs self, _: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        Ok(())
    }
}

/// A record's pairs with ours, typed.
struct TypedPairs<'a> {
    own: &'a dyn Source,
    own_pairs: usize,
    mark: Option<&'a Mark>,
    around: &'a Fields,
    fields: &'a Fields,
    limit: usize,
    span_id: u64,
    minimal: bool,
    process: Option<Process>,
    task_id: u64,
    thread_id: u64,
}

impl Source for TypedPairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        mark::first(self.own, self.own_pairs, &mut Renamed(visitor))?;
        if let Some(mark) = self.mark {
            visitor.visit_pair(Key::from_str("span_mark"), Value::from(mark.word()))?;
        }
        let of_spans = self.around.iter();
        let of_logger = self
            .fields
            .iter()
            .filter(|field| !self.around.has(field.key));
        for field in of_spans.chain(of_logger) {
            if !mark::has_pair(self.own, self.own_pairs, field.key) {
                let value = field.within(self.limit).to_value();
                visitor.visit_pair(Key::from_str(field.key), value)?;
            }
        }
        let mut own = |key, own: Own<'kvs>| visitor.visit_pair(Key::from_str(key), own.to_value());
        let mut visited = Ok(());
        if !self.minimal {
            match self.mark {
                Some(mark) => mark.own(|key, value| {
                    if visited.is_ok() {
                        visited = own(key, value);
                    }
                }),
                None if self.span_id != 0 => visited = own("span_id", Own::Number(self.span_id)),
                None => {}
            }
        }
        visited?;
        if let Some(process) = &self.process {
            own("process_id", Own::Process(process))?;
        }
        own("task_id", Own::Number(self.task_id))?;
        own("thread_id", Own::Number(self.thread_id))
    }
}

/// Keeps pairs under reserved keys apart from ours.
struct Renamed<'a, 'kvs>(&'a mut dyn VisitSource<'kvs>);

impl<'kvs> VisitSource<'kvs> for Renamed<'_, 'kvs> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let key = text::renamed(key.as_str()).map_or(key, Key::from_str);
        self.0.visit_pair(key, value)
    }
}
