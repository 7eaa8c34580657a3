//! How a mark reaches a `Logger` behind any other logger.
//!
//! A mark goes to `log`'s global logger as a record like any other. What a `Logger` needs to know
//! about it travels beside it, in a thread local that is set for the time of that call and names the
//! record by the address of its key-values. So a mark cannot be forged by a record that looks like
//! one, and whoever hands the record on, hands on the mark.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use log::kv::Source;
use log::{Level, Metadata, Record};

use crate::mark::Mark;

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

    pub(crate) fn task_id(&self) -> Option<u64> {
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
