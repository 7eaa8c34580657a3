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

/// Which record is on its way right now.
#[derive(Clone, Copy)]
pub(crate) struct Which {
    /// The address of its key-values. They live until it has arrived, so no other record has it. 0 for no record.
    key_values: usize,
    /// The address of the file's name, and the line.
    place: (usize, Option<u32>),
    /// Whether a `Logger` has already written our keys.
    is_done: bool,
}

impl Which {
    #[inline]
    fn of(record: &Record<'_>, is_done: bool) -> Self {
        Which {
            key_values: address(record.key_values()),
            place: place(record),
            is_done,
        }
    }

    /// What a record is that comes to a `Logger` while this one is on its way.
    pub(crate) fn see(&self, record: &Record<'_>) -> Seen {
        // A logger in between may have built a new record around another message (fern does so where
        // it formats), without key-values: then it still comes from the same line, if it has one.
        let same = self.key_values == address(record.key_values())
            || self.place.0 != 0 && self.place == place(record) && record.key_values().count() == 0;
        match same {
            false => Seen::Plain,
            true if self.is_done => Seen::Done,
            true => with_known(|known| known.mark.seen()).unwrap_or(Seen::Plain),
        }
    }
}

/// A mark that is on its way.
pub(crate) struct Known {
    pub(crate) mark: Mark,
    /// The task that a `Logger` wrote for it.
    pub(crate) task_id: Option<u64>,
}

struct OnItsWay {
    key_values: Cell<usize>,
    place: Cell<(usize, Option<u32>)>,
    is_done: Cell<bool>,
    // It never needs a destructor, since nothing is on its way when a thread ends. So it is there
    // also for what the destructors of other locals log.
    known: RefCell<ManuallyDrop<Option<Known>>>,
}

thread_local! {
    static ON_ITS_WAY: OnItsWay = const {
        OnItsWay {
            key_values: Cell::new(0),
            place: Cell::new((0, None)),
            is_done: Cell::new(false),
            known: RefCell::new(ManuallyDrop::new(None)),
        }
    };
}

impl OnItsWay {
    #[inline]
    fn which(&self) -> Option<Which> {
        match self.key_values.get() {
            0 => None,
            key_values => Some(Which {
                key_values,
                place: self.place.get(),
                is_done: self.is_done.get(),
            }),
        }
    }

    /// Puts another record on its way.
    #[inline]
    fn set(&self, now: Option<Which>) {
        match now {
            None => self.key_values.set(0),
            Some(now) => {
                self.key_values.set(now.key_values);
                self.place.set(now.place);
                self.is_done.set(now.is_done);
            }
        }
    }

    #[inline]
    fn take_known(&self) -> Option<Known> {
        self.known.borrow_mut().take()
    }

    #[cold]
    fn keep(&self, which: Which) -> Box<(Which, Option<Known>)> {
        Box::new((which, self.take_known()))
    }

    /// There is none that would have to be dropped.
    #[inline]
    fn set_known(&self, now: Option<Known>) {
        *self.known.borrow_mut() = ManuallyDrop::new(now);
    }
}

/// A mark is on its way for as long as this lives.
pub(crate) struct Passing {
    /// What was before, when a logger that is given a mark writes one itself.
    before: Option<Box<(Which, Option<Known>)>>,
}

impl Passing {
    #[inline]
    pub(crate) fn of(record: &Record<'_>, mark: Mark) -> Self {
        ON_ITS_WAY.with(|way| {
            let before = way.which().map(|which| way.keep(which));
            way.set(Some(Which::of(record, false)));
            way.set_known(Some(Known {
                mark,
                task_id: None,
            }));
            Passing { before }
        })
    }

    /// It has arrived.
    #[inline]
    pub(crate) fn end(self) -> Option<Known> {
        ManuallyDrop::new(self).put_back()
    }

    #[inline]
    fn put_back(&mut self) -> Option<Known> {
        ON_ITS_WAY.with(|way| {
            let arrived = way.take_known();
            match self.before.take() {
                None => way.set(None),
                Some(before) => {
                    way.set(Some(before.0));
                    way.set_known(before.1);
                }
            }
            arrived
        })
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.put_back();
    }
}

fn with_known<R>(f: impl FnOnce(&mut Known) -> R) -> Option<R> {
    ON_ITS_WAY.with(|way| way.known.borrow_mut().as_mut().map(f))
}

/// A record with our keys in it is on its way for as long as this lives.
pub(crate) struct PassingDone {
    before: Option<Which>,
}

impl PassingDone {
    #[inline]
    pub(crate) fn of(record: &Record<'_>, before: Option<Which>) -> Self {
        ON_ITS_WAY.with(|way| way.set(Some(Which::of(record, true))));
        PassingDone { before }
    }
}

impl Drop for PassingDone {
    #[inline]
    fn drop(&mut self) {
        ON_ITS_WAY.with(|way| way.set(self.before));
    }
}

/// Which record is on its way; none is most often.
#[inline]
pub(crate) fn now() -> Option<Which> {
    ON_ITS_WAY.with(OnItsWay::which)
}

#[inline]
fn address(key_values: &dyn Source) -> usize {
    key_values as *const dyn Source as *const () as usize
}

#[inline]
fn place(record: &Record<'_>) -> (usize, Option<u32>) {
    (
        record.file().map_or(0, |file| file.as_ptr() as usize),
        record.line(),
    )
}

/// What a record that comes to a `Logger` is.
#[derive(Clone, Copy)]
pub(crate) enum Seen {
    Plain,
    Start,
    /// The end of a span, with the task in which it started.
    End(Option<u64>),
    /// It has our keys already, from a `Logger` around this one.
    Done,
}

/// What the mark that is on its way says; `f` must not allocate, since an allocator may log.
pub(crate) fn with_mark<R>(f: impl FnOnce(&Mark) -> R) -> Option<R> {
    with_known(|known| f(&known.mark))
}

/// The mark that is on its way.
pub(crate) fn mark() -> Option<Mark> {
    with_mark(Mark::clone)
}

/// Remembers for a span's end in which task its start was written.
pub(crate) fn note_task_id(task_id: u64) {
    with_known(|known| {
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

#[inline]
pub(crate) fn is_writing() -> bool {
    WRITING.with(Cell::get)
}
