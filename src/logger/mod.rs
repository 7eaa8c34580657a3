//! The logger around a logger: it adds to each record where the running code is.

mod annotation;
pub(crate) mod emission;
pub(crate) mod in_flight;
mod key_value_form;
mod options;
pub(crate) mod start_arguments;
pub(crate) mod task_source;
mod text_form;

use std::cell::Cell;
use std::fmt;

use log::kv::{Source, ToValue};
use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use self::text_form::TextForm;
use crate::logger::annotation::{Annotation, RecordSource};
use crate::logger::in_flight::{AnnotatedGuard, Class, InFlight, MessageSearch};
use crate::logger::key_value_form::KeyValueForm;
use crate::logger::options::{Form, Options};
use crate::logger::start_arguments::Formatted;
use crate::record::arguments::Arguments;
use crate::record::fields::{self, Fields};
use crate::record::pairs::{FirstPairs, NO_PAIRS};
use crate::record::span_record::SpanRecord;
use crate::stack;
use crate::target;

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
/// is dropped before anything is evaluated. If it filters by message, it sees the message with the pairs behind it.
///
/// # Other loggers
///
/// A record logged while another one is being formatted or written is a record of its own: by a value, a source of
/// key-values, the task-id source, the inner logger, a logger around this one or beside it. It gets its own ids and its own escaping.
///
/// A logger around this one may build a new record around the message of another, as fern's `format` does, and with
/// or without its key-values. The record is still the start or the end of its span, provided that formatting the new
/// message formats the old one. If the logger formats the old one into a string first, the record arrives as an ordinary
/// one, and the span has no start or end in this log. If it logs the old message again, in a record of its own, that record
/// is a second start or end of the span: readers ignore it.
///
/// | what a logger does with a record | result |
/// |---|---|
/// | logs others meanwhile, or comes back to the global logger | each is written, with ids of its own |
/// | blocks | its thread waits; this wrapper holds no lock meanwhile |
/// | panics | see *Panics* |
/// | formats it and writes it on another thread | the line is that of the thread that logged it |
///
/// # Panics
///
/// Logging panics if the inner logger does, or the task-id source, or a value's formatting. All is then as if
/// that record had not been logged. When a span ends because of another panic, a panic of the
/// logger is swallowed: two at once would abort the process.
///
/// # Cost
///
/// A record's message and the line are formatted when the inner logger asks for the message, as they would be without
/// this wrapper: once, in a buffer of the thread, and not at all if it does not ask. No lock is taken and no heap is touched.
///
/// In text form, a record's own key-values are formatted before the inner logger is called, if that logger enables the
/// record. So are the arguments of annotated functions in both forms, unless they are numbers, booleans and strings
/// alone. The inner logger may hold a lock when it asks for the message, as fern and log4rs do, and without this wrapper would not have
/// formatted these values there: a value that wants a lock of its own cannot deadlock with the logger. A logger *around* this one that
/// holds a lock meanwhile still can.
pub struct Logger<L, F = fn() -> u64> {
    inner: L,
    task_id: F,
    options: Options,
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
            options: Options {
                form: Form::Text,
                minimal_keys: false,
                arguments: true,
                process_id: false,
                max_value_len: fields::DEFAULT_MAX_VALUE_LEN,
                fields: Fields::default(),
            },
        }
    }

    /// Hands fields on as `log`'s key-values, with their types, instead of as text in the message.
    /// For inner loggers that print those; half of them drop them without a word.
    pub fn with_key_values(mut self) -> Self {
        self.options.form = Form::KeyValues;
        self
    }

    /// Puts a field on every record, such as `service=api`. A field of the same key that comes
    /// from the record or from a span hides it.
    pub fn with_field(mut self, key: impl AsRef<str>, value: impl ToValue) -> Self {
        let fields = &mut self.options.fields;
        *fields = fields.with(key.as_ref(), &value.to_value());
        self
    }

    /// Puts `process_id` on every record, not only on root spans: for several processes that write
    /// to one stream.
    pub fn with_process_id(mut self) -> Self {
        self.options.process_id = true;
        self
    }

    /// Stops formatting a text value after so many bytes; 1024 unless told. A value that was cut
    /// is quoted and has `…` behind. Messages and numbers are never cut.
    pub fn with_max_value_len(mut self, bytes: usize) -> Self {
        self.options.max_value_len = bytes;
        self
    }

    /// Keeps out of the log what annotated functions are called with. It is not even formatted, unless another `Logger`
    /// writes it, or a logger in between answers whether a span is enabled without asking this one.
    pub fn without_arguments(mut self) -> Self {
        self.options.arguments = false;
        self
    }

    /// Writes of this crate's own keys only `span_mark`, `task_id` and `thread_id`. Then spans can
    /// be read, but no longer be told apart with certainty by a program.
    pub fn with_minimal_keys(mut self) -> Self {
        self.options.minimal_keys = true;
        self
    }

    /// Sets the target of tasks of which nothing better is known: boxed futures, and types of other crates, that become
    /// a task outside of any span. It is `task` unless set. The setting holds for the whole process, the last call
    /// wins, and an empty target changes nothing.
    ///
    /// ```
    /// # fn main() -> Result<(), log::SetLoggerError> {
    /// let logger = env_logger::Builder::from_env("RUST_LOG").build();
    /// async_log::Logger::wrap(logger, async_log::task_id)
    ///     .with_task_target(env!("CARGO_CRATE_NAME"))
    ///     .start(log::LevelFilter::Trace)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_task_target(self, target: impl Into<String>) -> Self {
        target::set_of_tasks(target.into());
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
    #[inline]
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
            return stack::task();
        }
        let _asking = Asking;
        (self.task_id)()
    }

    /// An address that no other `Logger` has, not even one inside of this.
    #[inline]
    fn address(&self) -> usize {
        &self.options as *const Options as usize
    }

    /// For each form apart, so that neither pays for the other.
    #[inline(never)]
    fn log_form<const TEXT: bool>(&self, record: &Record<'_>) {
        if in_flight::is_none_in_flight() {
            self.log_plain::<TEXT>(record, None)
        } else {
            self.log_classified::<TEXT>(record)
        }
    }

    #[inline(always)] // where nothing was in flight before, there is nothing to put back
    fn log_plain<const TEXT: bool>(&self, record: &Record<'_>, before: Option<InFlight>) {
        if self.inner.enabled(record.metadata()) {
            let inside = RecordSource::InSpan(stack::depth());
            self.write::<TEXT>(record, inside, self.task_id(), before);
        }
    }

    /// Writes what may be a span record, or have our keys already, or come from a logger or a value while another record is
    /// in flight.
    #[inline(never)]
    fn log_classified<const TEXT: bool>(&self, record: &Record<'_>) {
        let Some(before) = in_flight::now() else {
            return self.log_plain::<TEXT>(record, None);
        };
        if before.is_from(self.address()) {
            return self.log_plain::<TEXT>(record, Some(before));
        }
        match before.classify_pairs(record) {
            Some(seen) => self.log_as::<TEXT>(seen, record, before),
            None => self.log_other::<TEXT>(record, before),
        }
    }

    /// Writes what has other key-values than the record in flight.
    #[cold]
    #[inline(never)]
    fn log_other<const TEXT: bool>(&self, record: &Record<'_>, before: InFlight) {
        if !self.inner.enabled(record.metadata()) && !before.is_end() {
            return;
        }
        let _nothing_sought = MessageSearch::nothing();
        match before.classify_message(record) {
            // It is formatted already, and has our keys.
            (Class::Done, _) => self.inner.log(record),
            (seen, message) => {
                let mut with_message = record.to_builder();
                self.log_as::<TEXT>(
                    seen,
                    &with_message.args(format_args!("{message}")).build(),
                    before,
                );
            }
        }
    }

    #[inline(always)] // but a span record apart, it is rare
    fn log_as<const TEXT: bool>(&self, seen: Class, record: &Record<'_>, before: InFlight) {
        match seen {
            Class::Plain => self.log_plain::<TEXT>(record, Some(before)),
            Class::Done => self.inner.log(record),
            Class::Start if start_arguments::are_arguments_left_out() => {
                self.log_unsettled::<TEXT>(record)
            }
            Class::Start => self.log_start::<TEXT>(record, before),
            // What has a start has an end, though the level was changed in between. It ends in the task that it was
            // in, wherever it is dropped.
            Class::End(task_id) => {
                let task_id = task_id.unwrap_or_else(|| self.task_id());
                self.write::<TEXT>(record, RecordSource::SpanRecord, task_id, Some(before));
            }
        }
    }

    /// Answers whether a start is wanted, where this or another `Logger` leaves its arguments out.
    #[cold]
    #[inline(never)]
    fn answer_start(&self, metadata: &Metadata<'_>) -> bool {
        start_arguments::answer_start(self.options.arguments, || self.inner.enabled(metadata))
    }

    #[inline(always)]
    fn log_start<const TEXT: bool>(&self, record: &Record<'_>, before: InFlight) {
        if self.inner.enabled(record.metadata()) {
            fields::allow_value_len(self.options.max_value_len);
            let task_id = self.task_id();
            in_flight::note_task_id(task_id);
            self.write::<TEXT>(record, RecordSource::SpanRecord, task_id, Some(before));
        }
    }

    /// Writes a start whose arguments were not formatted, since all `Logger`s that were asked leave them out. This one may
    /// have been asked nothing.
    #[cold]
    #[inline(never)]
    fn log_unsettled<const TEXT: bool>(&self, record: &Record<'_>) {
        let Some(before) = in_flight::now() else {
            return;
        };
        let count = in_flight::with_span_record(SpanRecord::arguments).unwrap_or(0);
        let is_shown = self.options.arguments && self.inner.enabled(record.metadata());
        let settled = if is_shown {
            Arguments::format(FirstPairs::new(record.key_values(), count))
        } else {
            None
        };
        let Some(settled) = settled else {
            return self.log_start::<TEXT>(record, before);
        };
        let _formatted = Formatted::of(&settled);
        let mut record = record.to_builder();
        self.log_start::<TEXT>(&record.key_values(&settled).build(), before);
    }

    /// Gives the inner logger the record with what is added to it, and says to a `Logger` further inside that our
    /// keys are in it.
    #[inline(always)]
    fn write<const TEXT: bool>(
        &self,
        record: &Record<'_>,
        source: RecordSource<'_>,
        task_id: u64,
        before: Option<InFlight>,
    ) {
        let annotation = Annotation {
            record,
            options: &self.options,
            source,
            task_id,
        };
        match source {
            RecordSource::InSpan(depth) if TEXT && record.key_values().count() > 0 => {
                self.write_paired(annotation, depth, before)
            }
            _ if TEXT => self.write_line(annotation, before),
            _ => {
                let pairs = KeyValueForm::new(annotation);
                let span_record = before
                    .as_ref()
                    .filter(|_| matches!(source, RecordSource::SpanRecord));
                let which = InFlight::pairs(pairs.address(), span_record);
                self.hand_on(record, *record.args(), &pairs, which, before);
            }
        }
    }

    /// The pairs may be anybody's. So they are asked before the inner logger is called, which may hold a lock when it
    /// asks for the line.
    #[inline(never)]
    fn write_paired(&self, annotation: Annotation<'_>, depth: usize, before: Option<InFlight>) {
        if annotation.record.args().as_str().is_some() {
            let source = RecordSource::Paired(depth);
            let line = TextForm::settled(Annotation {
                source,
                ..annotation
            });
            return self.hand_on_line(annotation.record, &line, before);
        }
        let tail = text_form::tail(&annotation, depth);
        let source = RecordSource::Tail(&tail);
        self.write_line(
            Annotation {
                source,
                ..annotation
            },
            before,
        );
    }

    #[inline(always)]
    fn write_line(&self, annotation: Annotation<'_>, before: Option<InFlight>) {
        self.hand_on_line(annotation.record, &TextForm::new(annotation), before);
    }

    #[inline(always)]
    fn hand_on_line(&self, record: &Record<'_>, line: &TextForm<'_>, before: Option<InFlight>) {
        let which = InFlight::text(line.address());
        self.hand_on(record, format_args!("{}", *line), &NO_PAIRS, which, before);
    }

    #[inline]
    fn hand_on(
        &self,
        record: &Record<'_>,
        message: fmt::Arguments<'_>,
        pairs: &dyn Source,
        which: InFlight,
        before: Option<InFlight>,
    ) {
        let mut record = record.to_builder();
        let record = record.args(message).key_values(pairs).build();
        let _passing = AnnotatedGuard::of(which, self.address(), before);
        self.inner.log(&record);
    }
}

impl<L: Log, F: Fn() -> u64 + Send + Sync> Log for Logger<L, F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if task_source::answer_task_id(metadata, || self.task_id()) {
            return false;
        }
        fields::allow_value_len(self.options.max_value_len);
        if self.options.arguments && start_arguments::answer_writes() {
            return self.inner.enabled(metadata);
        }
        self.answer_start(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        match self.options.form {
            Form::Text => self.log_form::<true>(record),
            Form::KeyValues => self.log_form::<false>(record),
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
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
