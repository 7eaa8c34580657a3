//! In-flight records: how a mark reaches a `Logger` behind any other logger, and how a `Logger` behind another one
//! knows that a record has its ids already.
//!
//! A mark goes to `log`'s global logger as a record like any other. What a `Logger` needs to know about it travels
//! beside it, in a thread local that is set for the time of that call. A record that arrives is recognized by what
//! nothing else in the process can have while it is in flight:
//!
//! * *its key-values*, by their address. They are alive and have a size, so no other object is there.
//! * *its message*: a logger in between may have built a new record around it, without key-values (fern does so where
//!   it formats). Then formatting the new message formats the old one, which is an object of ours and says so.
//!
//! Neither its text nor its file and line can make a record a mark. What a `Logger` is given while it hands on a record
//! itself is a new record in any case: a record never comes back to where it came from.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};
use std::mem::{self, ManuallyDrop};

use log::kv::Source;
use log::Record;

use crate::record::fields::Fields;
use crate::record::scratch::{Scratch, MESSAGE};
use crate::record::span_record::{Event, Mark};

/// A record that is in flight.
#[derive(Clone, Copy)]
pub(crate) struct Which {
    /// The `Logger` that has handed it on with our keys, by an address of its own; [`NO_LOGGER`] for a mark that no
    /// `Logger` has seen yet.
    logger: usize,
    /// The first `Logger` that the record, or the one around it, has come through.
    first: usize,
    /// The address of its key-values; 0 where a record with the same ones need not be this one.
    pairs: usize,
    /// The address of what its message formats; 0 where that is nothing of ours.
    shown: usize,
}

/// In the place of a `Logger`, where a mark is in flight that has not come to any.
const NO_LOGGER: usize = 1;

impl Which {
    /// A mark, with the name that is its message.
    #[inline]
    fn mark(record: &Record<'_>, name: &Name<'_>) -> Self {
        Which {
            logger: NO_LOGGER,
            first: NO_LOGGER,
            pairs: address(record.key_values()),
            shown: name.address(),
        }
    }

    /// A record that is a text of ours as a whole.
    #[inline]
    pub(crate) fn text(shown: usize) -> Self {
        Which {
            logger: 0,
            first: 0,
            pairs: 0,
            shown,
        }
    }

    /// A record whose key-values are ours. Where it is a mark it is one still if another logger leaves them away.
    #[inline]
    pub(crate) fn pairs(pairs: usize, mark: Option<&Which>) -> Self {
        Which {
            logger: 0,
            first: 0,
            pairs,
            shown: mark.map_or(0, |mark| mark.shown),
        }
    }

    /// Whether this `Logger` has handed it on, or the record around it.
    pub(crate) fn is_from(&self, logger: usize) -> bool {
        self.logger == logger || self.first == logger
    }

    /// What it is where it is recognized.
    fn seen(&self) -> Seen {
        match self.logger {
            NO_LOGGER => with_known(|known| Seen::of(&known.mark)).unwrap_or(Seen::Plain),
            _ => Seen::Done,
        }
    }

    /// What a record is that has the key-values of this one; `None` if it has others.
    pub(crate) fn see_pairs(&self, record: &Record<'_>) -> Option<Seen> {
        let is_same = self.pairs != 0 && self.pairs == address(record.key_values());
        is_same.then(|| self.seen())
    }

    /// Formats the message of a record, and says what that shows it to be.
    pub(crate) fn see_message(&self, record: &Record<'_>) -> (Seen, Message) {
        let mut text = Scratch::<MESSAGE>::take();
        let is_shown = self.shown != 0 && {
            let sought = Sought::begin(self.shown);
            // A message whose formatting fails stands as far as it came.
            let _ = text.write_fmt(*record.args());
            sought.is_shown()
        };
        if self.shown == 0 {
            let _ = text.write_fmt(*record.args());
        }
        let (seen, shown) = match is_shown {
            false => (Seen::Plain, 0),
            // The key-values have our keys, and they are gone.
            true if self.pairs != 0 => {
                let mark = with_known(|known| Seen::of(&known.mark));
                (mark.unwrap_or(Seen::Plain), self.shown)
            }
            true => (Seen::Done, self.shown),
        };
        (seen, Message { text, shown })
    }

    /// Whether it is the end of a span, which is written though the level was changed in between.
    pub(crate) fn is_end(&self) -> bool {
        let is_end = |known: &mut Known| matches!(Seen::of(&known.mark), Seen::End(_));
        self.shown != 0 && with_known(is_end).unwrap_or(false)
    }
}

/// The name of a span in a message: it has no width and no precision to be asked for.
pub(crate) struct Name<'a>(pub(crate) &'a str);

impl Name<'_> {
    fn address(&self) -> usize {
        self as *const Self as usize
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.address());
        f.write_str(self.0)
    }
}

/// A message that was formatted to see what record it belongs to, and is not formatted again.
pub(crate) struct Message {
    text: Scratch<MESSAGE>,
    /// What it has shown.
    shown: usize,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.shown);
        f.write_str(&self.text)
    }
}

thread_local! {
    /// The address of what a message is formatted to find; 0 most often, [`SHOWN`] once it was found.
    static SOUGHT: Cell<usize> = const { Cell::new(0) };
}

/// The address of nothing.
const SHOWN: usize = 1;

/// Says that this is being formatted.
#[inline]
pub(crate) fn show(address: usize) {
    SOUGHT.with(|sought| {
        if sought.get() == address {
            sought.set(SHOWN);
        }
    });
}

/// A message is being formatted to find something in it, or nothing, until this is dropped.
pub(crate) struct Sought {
    before: usize,
}

impl Sought {
    fn begin(address: usize) -> Self {
        Sought {
            before: SOUGHT.with(|sought| sought.replace(address)),
        }
    }

    /// Whatever is formatted now is no part of the message in which something is sought.
    pub(crate) fn nothing() -> Self {
        Sought::begin(0)
    }

    fn is_shown(&self) -> bool {
        SOUGHT.with(Cell::get) == SHOWN
    }
}

impl Drop for Sought {
    fn drop(&mut self) {
        SOUGHT.with(|sought| sought.set(self.before));
    }
}

/// A mark that is in flight.
pub(crate) struct Known {
    pub(crate) mark: Mark,
    /// The task that a `Logger` wrote for it.
    pub(crate) task_id: Option<u64>,
}

/// What is left of a mark that a logger has been given.
pub(crate) struct Arrived {
    pub(crate) fields: Fields,
    /// The task that a `Logger` wrote for it.
    pub(crate) task_id: Option<u64>,
}

struct InFlight {
    /// 0 where nothing is in flight.
    logger: Cell<usize>,
    first: Cell<usize>,
    pairs: Cell<usize>,
    shown: Cell<usize>,
    // It never needs a destructor, since nothing is in flight when a thread ends. So it is there also for what the
    // destructors of other locals log.
    known: RefCell<ManuallyDrop<Option<Known>>>,
}

thread_local! {
    static IN_FLIGHT: InFlight = const {
        InFlight {
            logger: Cell::new(0),
            first: Cell::new(0),
            pairs: Cell::new(0),
            shown: Cell::new(0),
            known: RefCell::new(ManuallyDrop::new(None)),
        }
    };
}

impl InFlight {
    #[inline]
    fn which(&self) -> Option<Which> {
        match self.logger.get() {
            0 => None,
            logger => Some(Which {
                logger,
                first: self.first.get(),
                pairs: self.pairs.get(),
                shown: self.shown.get(),
            }),
        }
    }

    /// Lets another record be in flight.
    #[inline]
    fn set(&self, now: Option<Which>) {
        match now {
            None => self.logger.set(0),
            Some(now) => {
                self.logger.set(now.logger);
                self.first.set(now.first);
                self.pairs.set(now.pairs);
                self.shown.set(now.shown);
            }
        }
    }

    #[inline]
    fn take_known(&self) -> Option<Known> {
        self.known.borrow_mut().take()
    }

    /// As [`take_known`](InFlight::take_known), without moving all of it.
    #[inline]
    fn arrive(&self) -> Option<Arrived> {
        let mut known = self.known.borrow_mut();
        let arrived = known.as_mut().map(|known| Arrived {
            fields: known.mark.fields.take(),
            task_id: known.task_id,
        });
        // Nothing of it has to be dropped any more.
        *known = ManuallyDrop::new(None);
        arrived
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

/// A mark is in flight for as long as this lives.
pub(crate) struct Passing {
    /// What was before, when a logger that is given a mark writes one itself.
    before: Option<Box<(Which, Option<Known>)>>,
}

impl Passing {
    #[inline]
    pub(crate) fn of(record: &Record<'_>, name: &Name<'_>, mark: Mark) -> Self {
        IN_FLIGHT.with(|way| {
            let before = way.which().map(|which| way.keep(which));
            way.set(Some(Which::mark(record, name)));
            way.set_known(Some(Known {
                mark,
                task_id: None,
            }));
            Passing { before }
        })
    }

    /// It has arrived.
    #[inline]
    pub(crate) fn end(self) -> Option<Arrived> {
        ManuallyDrop::new(self).put_back()
    }

    #[inline]
    fn put_back(&mut self) -> Option<Arrived> {
        IN_FLIGHT.with(|way| {
            let arrived = way.arrive();
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
    IN_FLIGHT.with(|way| way.known.borrow_mut().as_mut().map(f))
}

/// A record with our keys in it is in flight for as long as this lives.
pub(crate) struct PassingDone {
    before: Option<Which>,
}

impl PassingDone {
    /// `logger` hands the record on.
    #[inline]
    pub(crate) fn of(which: Which, logger: usize, before: Option<Which>) -> Self {
        let first = match before {
            None => logger,
            Some(before) if before.first == NO_LOGGER => logger,
            Some(before) => before.first,
        };
        let now = Which {
            logger,
            first,
            ..which
        };
        IN_FLIGHT.with(|way| way.set(Some(now)));
        PassingDone { before }
    }
}

impl Drop for PassingDone {
    #[inline]
    fn drop(&mut self) {
        IN_FLIGHT.with(|way| way.set(self.before));
    }
}

/// Whether no record is in flight: so it is most often.
#[inline]
pub(crate) fn is_idle() -> bool {
    IN_FLIGHT.with(|way| way.logger.get() == 0)
}

/// Which record is in flight.
#[inline]
pub(crate) fn now() -> Option<Which> {
    IN_FLIGHT.with(InFlight::which)
}

/// 0 for one without a size, which may be where another object is.
#[inline]
fn address(pairs: &dyn Source) -> usize {
    match mem::size_of_val(pairs) {
        0 => 0,
        _ => pairs as *const dyn Source as *const () as usize,
    }
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

impl Seen {
    fn of(mark: &Mark) -> Self {
        match mark.event {
            Event::Start { .. } => Seen::Start,
            Event::End { task_id, .. } => Seen::End(task_id),
        }
    }
}

/// What the mark that is on its way says; `f` must not allocate, since an allocator may log.
pub(crate) fn with_mark<R>(f: impl FnOnce(&Mark) -> R) -> Option<R> {
    with_known(|known| f(&known.mark))
}

/// The mark that is on its way.
pub(crate) fn mark() -> Option<Mark> {
    with_mark(Mark::clone)
}

/// Remembers for a span's end in which task its start was written: by the innermost `Logger`, which writes last.
pub(crate) fn note_task_id(task_id: u64) {
    with_known(|known| known.task_id = Some(task_id));
}
