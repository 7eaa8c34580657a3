//! The records that a span consists of, and how they reach a `Logger` behind any other logger.
//!
//! A mark goes to `log`'s global logger as a record like any other. What a `Logger` needs to know
//! about it travels beside it, in a thread local that is set for the time of that call and names the
//! record by the address of its key-values. So a mark cannot be forged by a record that looks like one,
//! and whoever hands the record on, hands on the mark.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;

use log::kv::{self, Key, Source, Value, VisitSource};
use log::{Level, Metadata, Record};

use crate::clock;
use crate::fields::Fields;
use crate::text;

/// The start or the end of a span.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) id: u64,
    /// The span's own fields with those around it.
    pub(crate) fields: Fields,
    pub(crate) event: Event,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Start {
        /// 0 for a root.
        parent: u64,
        at: Seconds,
        /// How many of the record's pairs, the first ones, are a function's arguments.
        arguments: usize,
        spawned: Option<Spawned>,
        /// Only roots say it.
        process: Option<Process>,
    },
    End {
        elapsed: Seconds,
        outcome: Option<Outcome>,
        /// The task in which the span started, in the words of the logger that wrote it there.
        task_id: Option<u64>,
    },
}

/// How a span ended, if it did not just end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Panicked,
    Cancelled,
    /// An annotated function with `err` gave an error.
    Error,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Panicked => "panicked",
            Outcome::Cancelled => "cancelled",
            Outcome::Error => "error",
        }
    }
}

/// Where a task comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spawned {
    pub(crate) parent_task: u64,
    pub(crate) line: SpawnLine,
}

/// Nanoseconds, shown as seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:09}",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

/// Shown as `src/main.rs:12`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpawnLine(pub(crate) &'static Location<'static>);

impl fmt::Display for SpawnLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

/// Shown as `PID-STARTNANOS`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pid: u32,
    start: u64,
}

impl Process {
    pub(crate) fn current() -> Self {
        let (pid, start) = clock::process();
        Process { pid, start }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.start)
    }
}

/// A value of one of our own keys.
#[derive(Clone, Copy)]
pub(crate) enum Own<'a> {
    Number(u64),
    Word(&'static str),
    Seconds(&'a Seconds),
    Line(&'a SpawnLine),
    Process(&'a Process),
}

impl<'a> Own<'a> {
    pub(crate) fn to_value(self) -> Value<'a> {
        match self {
            Own::Number(number) => Value::from(number),
            Own::Word(word) => Value::from(word),
            Own::Seconds(seconds) => Value::from_display(seconds),
            Own::Line(line) => Value::from_display(line),
            Own::Process(process) => Value::from_display(process),
        }
    }

    /// Writes `, KEY=VALUE`.
    pub(crate) fn push(self, line: &mut String, key: &str) {
        line.push_str(", ");
        line.push_str(key);
        line.push('=');
        match self {
            Own::Number(number) => text::push_u64(line, number),
            Own::Word(word) => line.push_str(word),
            Own::Seconds(seconds) => text::push_seconds(line, seconds.0),
            // A path is the one value of ours that may need quotes.
            Own::Line(spawned) => text::push_value(line, &spawned.to_string(), false),
            Own::Process(process) => {
                text::push_u64(line, process.pid.into());
                line.push('-');
                text::push_u64(line, process.start);
            }
        }
    }
}

impl Mark {
    pub(crate) fn is_start(&self) -> bool {
        matches!(self.event, Event::Start { .. })
    }

    /// `start` or `end`.
    pub(crate) fn word(&self) -> &'static str {
        match self.event {
            Event::Start { .. } => "start",
            Event::End { .. } => "end",
        }
    }

    pub(crate) fn arguments(&self) -> usize {
        match self.event {
            Event::Start { arguments, .. } => arguments,
            Event::End { .. } => 0,
        }
    }

    /// Calls `each` with our keys that stand behind the fields, in their order.
    pub(crate) fn own<'a>(&'a self, mut each: impl FnMut(&'static str, Own<'a>)) {
        each("span_id", Own::Number(self.id));
        match &self.event {
            Event::Start {
                parent,
                at,
                spawned,
                process,
                ..
            } => {
                if *parent != 0 {
                    each("span_parent", Own::Number(*parent));
                }
                each("span_at", Own::Seconds(at));
                if let Some(spawned) = spawned {
                    each("task_parent_id", Own::Number(spawned.parent_task));
                    each("spawn_line", Own::Line(&spawned.line));
                }
                if let Some(process) = process {
                    each("process_id", Own::Process(process));
                }
            }
            Event::End {
                elapsed, outcome, ..
            } => {
                each("span_elapsed", Own::Seconds(elapsed));
                if let Some(outcome) = outcome {
                    each("span_outcome", Own::Word(outcome.word()));
                }
            }
        }
    }
}

/// The key-values of a mark as a logger sees them that is no `Logger`.
struct Pairs<'a> {
    arguments: &'a dyn Source,
    mark: &'a Mark,
}

impl Source for Pairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let arguments = self.mark.arguments();
        first(self.arguments, arguments, visitor)?;
        visitor.visit_pair(Key::from_str("span_mark"), Value::from(self.mark.word()))?;
        for field in self.mark.fields.iter() {
            if !has_pair(self.arguments, arguments, field.key) {
                visitor.visit_pair(Key::from_str(field.key), field.to_value())?;
            }
        }
        let mut visited = Ok(());
        self.mark.own(|key, own| {
            if visited.is_ok() {
                visited = visitor.visit_pair(Key::from_str(key), own.to_value());
            }
        });
        visited
    }
}

/// Visits the first `count` pairs of a source.
pub(crate) fn first<'kvs>(
    source: &'kvs dyn Source,
    count: usize,
    visitor: &mut dyn VisitSource<'kvs>,
) -> Result<(), kv::Error> {
    struct First<'a, 'kvs> {
        left: usize,
        visitor: &'a mut dyn VisitSource<'kvs>,
    }

    impl<'kvs> VisitSource<'kvs> for First<'_, 'kvs> {
        fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
            match self.left.checked_sub(1) {
                Some(left) => self.left = left,
                None => return Ok(()),
            }
            self.visitor.visit_pair(key, value)
        }
    }

    if count == 0 {
        return Ok(());
    }
    source.visit(&mut First {
        left: count,
        visitor,
    })
}

/// Whether one of the first `count` pairs of a source is written under `key`.
pub(crate) fn has_pair(source: &dyn Source, count: usize, key: &str) -> bool {
    struct Find<'a> {
        key: &'a str,
        found: bool,
    }

    impl<'kvs> VisitSource<'kvs> for Find<'_> {
        fn visit_pair(&mut self, key: Key<'kvs>, _: Value<'kvs>) -> Result<(), kv::Error> {
            let key = key.as_str();
            self.found |= text::renamed(key).unwrap_or(key) == self.key;
            Ok(())
        }
    }

    let mut find = Find { key, found: false };
    let _ = first(source, count, &mut find);
    find.found
}

/// Where in the program a span comes from, and what it is called.
pub(crate) trait Origin {
    /// `None` where it stands with the fields.
    fn name(&self) -> Option<&str>;
    fn target(&self) -> &str;
    fn module_path(&self) -> Option<&'static str>;
    fn line(&self) -> (&'static str, u32);
}

/// Where a `span!` or an annotated function stands, and what is known of it when it is compiled.
#[doc(hidden)]
#[derive(Debug)]
pub struct Site {
    /// `None` where the name has to be formatted.
    pub name: Option<&'static str>,
    pub target: &'static str,
    pub module_path: &'static str,
    pub file: &'static str,
    pub line: u32,
}

impl Origin for &'static Site {
    fn name(&self) -> Option<&str> {
        self.name
    }

    fn target(&self) -> &str {
        self.target
    }

    fn module_path(&self) -> Option<&'static str> {
        Some(self.module_path)
    }

    fn line(&self) -> (&'static str, u32) {
        (self.file, self.line)
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

pub(crate) fn is_writing() -> bool {
    WRITING.with(Cell::get)
}

/// Writes a mark to `log`'s global logger; gives the task id that a `Logger` on the way wrote.
pub(crate) fn emit(
    mark: &Mark,
    origin: &dyn Origin,
    metadata: Metadata<'_>,
    message: fmt::Arguments<'_>,
    arguments: &dyn Source,
) -> Option<u64> {
    let pairs = Pairs { arguments, mark };
    let (file, line) = origin.line();
    let mut record = Record::builder();
    let record = record
        .args(message)
        .metadata(metadata)
        .module_path_static(origin.module_path())
        .file_static(Some(file))
        .line(Some(line))
        .key_values(&pairs);
    let passing = Passing::set(&record.build(), Some(mark));
    log::logger().log(&record.build());
    passing.task_id()
}

/// What is known about the record that is on its way right now.
struct OnItsWay {
    /// The address of its key-values. They live until it has arrived, so no other record has it.
    key_values: usize,
    /// The address of the file's name, and the line.
    place: (usize, Option<u32>),
    /// `None` when a `Logger` has already written our keys.
    mark: Option<Mark>,
    task_id: Option<u64>,
}

thread_local! {
    // It never needs a destructor, since nothing is on its way when a thread ends. So it is there
    // also for what the destructors of other locals log.
    static ON_ITS_WAY: RefCell<ManuallyDrop<Option<OnItsWay>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Puts another record on its way; gives the one before.
fn replace_on_its_way(now: Option<OnItsWay>) -> Option<OnItsWay> {
    ON_ITS_WAY.with(|slot| ManuallyDrop::into_inner(slot.replace(ManuallyDrop::new(now))))
}

/// Says what is known about a record for as long as it lives.
pub(crate) struct Passing {
    before: Option<OnItsWay>,
}

impl Passing {
    pub(crate) fn set(record: &Record<'_>, mark: Option<&Mark>) -> Self {
        let now = OnItsWay {
            key_values: address(record.key_values()),
            place: place(record),
            mark: mark.cloned(),
            task_id: None,
        };
        Passing {
            before: replace_on_its_way(Some(now)),
        }
    }

    fn task_id(&self) -> Option<u64> {
        with_on_its_way(|known| known.task_id).flatten()
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        replace_on_its_way(self.before.take());
    }
}

fn address(key_values: &dyn Source) -> usize {
    key_values as *const dyn Source as *const () as usize
}

fn place(record: &Record<'_>) -> (usize, Option<u32>) {
    (
        record.file().map_or(0, |file| file.as_ptr() as usize),
        record.line(),
    )
}

/// What a record that comes to a `Logger` is.
pub(crate) enum Seen {
    Plain,
    Mark(Mark),
    /// It has our keys already, from a `Logger` around this one.
    Done,
}

pub(crate) fn seen(record: &Record<'_>) -> Seen {
    let known = with_on_its_way(|known| (known.key_values, known.place));
    let Some((key_values, at)) = known else {
        return Seen::Plain;
    };
    // A logger in between may have built a new record around another message (fern does so where
    // it formats), without key-values: then it still comes from the same line, if it has one.
    let same = key_values == address(record.key_values())
        || at.0 != 0 && at == place(record) && record.key_values().count() == 0;
    if !same {
        return Seen::Plain;
    }
    match with_on_its_way(|known| known.mark.clone()).flatten() {
        Some(mark) => Seen::Mark(mark),
        None => Seen::Done,
    }
}

fn with_on_its_way<R>(f: impl FnOnce(&mut OnItsWay) -> R) -> Option<R> {
    ON_ITS_WAY.with(|slot| slot.borrow_mut().as_mut().map(f))
}

/// Remembers for a span's end in which task its start was written.
pub(crate) fn note_task_id(task_id: u64) {
    with_on_its_way(|known| {
        known.task_id.get_or_insert(task_id);
    });
}

/// The target of a question, not of a record: a `Logger` that is asked whether this is enabled
/// answers through [`ANSWER`] with its own task id.
const ASK_TASK_ID: &str = "async_log::task_id?";

thread_local! {
    static ANSWER: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The task that runs now, by the source of the `Logger` that writes the records, wherever it is
/// behind the global logger.
pub(crate) fn logged_task_id() -> u64 {
    let question = Metadata::builder()
        .level(Level::Error)
        .target(ASK_TASK_ID)
        .build();
    ANSWER.with(|answer| answer.set(None));
    log::logger().enabled(&question);
    ANSWER.with(Cell::take).unwrap_or_else(crate::place::task)
}

/// Answers if this is the question.
pub(crate) fn answer_task_id(metadata: &Metadata<'_>, task_id: impl FnOnce() -> u64) -> bool {
    // Not by address: a constant has another one in each crate that this is compiled into.
    let asked = metadata.target() == ASK_TASK_ID;
    if asked {
        let task_id = task_id();
        ANSWER.with(|answer| answer.set(Some(task_id)));
    }
    asked
}
