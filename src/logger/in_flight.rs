//! In-flight records: how a span record reaches a `Logger` behind any other logger, and how a `Logger` behind another one
//! knows that a record has its ids already.
//!
//! A span record goes to `log`'s global logger as a record like any other. What a `Logger` needs to know about it travels
//! beside it, in a thread local that is set for the time of that call. A record that arrives is recognized by what
//! nothing else in the process can have while it is in flight:
//!
//! * *its key-values*, by their address. They are alive and have a size, so no other object is there.
//! * *its message*: a logger in between may have built a new record around it, without key-values (fern does so where
//!   it formats). Then formatting the new message formats the old one, which is an object of ours and says so.
//!
//! Neither its text nor its file and line can turn a record into a span record. What a `Logger` is given while it hands on a record
//! itself is a new record in any case: a record never comes back to where it came from.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};
use std::mem::{self, ManuallyDrop};

use log::kv::Source;
use log::Record;

use crate::record::fields::Fields;
use crate::record::scratch::{Scratch, MESSAGE};
use crate::record::span_record::{Event, SpanRecord};

/// A record that is in flight.
#[derive(Clone, Copy)]
pub(crate) struct InFlight {
    /// The `Logger` that has handed it on with our keys, by an address of its own; [`NO_LOGGER`] for a span record that no
    /// `Logger` has seen yet.
    logger: usize,
    /// The first `Logger` that the record, or the one around it, has come through.
    first: usize,
    /// The address of its key-values; 0 where a record with the same ones need not be this one.
    pairs: usize,
    /// The address of what its message formats; 0 where that is nothing of ours.
    shown: usize,
}

/// The `logger` of a span record that has not reached any `Logger` yet.
const NO_LOGGER: usize = 1;

impl InFlight {
    /// A span record, with the name that is its message.
    #[inline]
    fn span_record(record: &Record<'_>, name: &Name<'_>) -> Self {
        InFlight {
            logger: NO_LOGGER,
            first: NO_LOGGER,
            pairs: address(record.key_values()),
            shown: name.address(),
        }
    }

    /// A record that is a text of ours as a whole.
    #[inline]
    pub(crate) fn text(shown: usize) -> Self {
        InFlight {
            logger: 0,
            first: 0,
            pairs: 0,
            shown,
        }
    }

    /// A record whose key-values are ours. Where it is a span record it is one still if another logger leaves them away.
    #[inline]
    pub(crate) fn pairs(pairs: usize, span_record: Option<&InFlight>) -> Self {
        InFlight {
            logger: 0,
            first: 0,
            pairs,
            shown: span_record.map_or(0, |span_record| span_record.shown),
        }
    }

    /// Whether this `Logger` has handed it on, or the record around it.
    pub(crate) fn is_from(&self, logger: usize) -> bool {
        self.logger == logger || self.first == logger
    }

    /// The class of a record that is recognized as this one.
    fn class(&self) -> Class {
        match self.logger {
            NO_LOGGER => with_in_flight(|in_flight| Class::of(&in_flight.span_record))
                .unwrap_or(Class::Plain),
            _ => Class::Done,
        }
    }

    /// The class of a record with the key-values of this one; `None` if it has others.
    pub(crate) fn classify_pairs(&self, record: &Record<'_>) -> Option<Class> {
        let is_same = self.pairs != 0 && self.pairs == address(record.key_values());
        is_same.then(|| self.class())
    }

    /// Formats the message of a record, which shows its class.
    pub(crate) fn classify_message(&self, record: &Record<'_>) -> (Class, Message) {
        let mut text = Scratch::<MESSAGE>::take();
        let is_shown = self.shown != 0 && {
            let searched = MessageSearch::begin(self.shown);
            // A message whose formatting fails stands as far as it came.
            let _ = text.write_fmt(*record.args());
            searched.is_shown()
        };
        if self.shown == 0 {
            let _ = text.write_fmt(*record.args());
        }
        let (class, shown) = match is_shown {
            false => (Class::Plain, 0),
            // The key-values have our keys, and they are gone.
            true if self.pairs != 0 => {
                let span_record = with_in_flight(|in_flight| Class::of(&in_flight.span_record));
                (span_record.unwrap_or(Class::Plain), self.shown)
            }
            true => (Class::Done, self.shown),
        };
        (class, Message { text, shown })
    }

    /// Whether it is the end of a span, which is written though the level was changed in between.
    pub(crate) fn is_end(&self) -> bool {
        let is_end = |in_flight: &mut InFlightSpanRecord| {
            matches!(Class::of(&in_flight.span_record), Class::End(_))
        };
        self.shown != 0 && with_in_flight(is_end).unwrap_or(false)
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
    static SEARCHED: Cell<usize> = const { Cell::new(0) };
}

/// The address of nothing.
const SHOWN: usize = 1;

/// Says that this is being formatted.
#[inline]
pub(crate) fn show(address: usize) {
    SEARCHED.with(|searched| {
        if searched.get() == address {
            searched.set(SHOWN);
        }
    });
}

/// A message is being formatted to find something in it, or nothing, until this is dropped.
pub(crate) struct MessageSearch {
    before: usize,
}

impl MessageSearch {
    fn begin(address: usize) -> Self {
        MessageSearch {
            before: SEARCHED.with(|searched| searched.replace(address)),
        }
    }

    /// Whatever is formatted now is no part of the message in which something is sought.
    pub(crate) fn nothing() -> Self {
        MessageSearch::begin(0)
    }

    fn is_shown(&self) -> bool {
        SEARCHED.with(Cell::get) == SHOWN
    }
}

impl Drop for MessageSearch {
    fn drop(&mut self) {
        SEARCHED.with(|searched| searched.set(self.before));
    }
}

/// A span record that is in flight.
pub(crate) struct InFlightSpanRecord {
    pub(crate) span_record: SpanRecord,
    /// The task that a `Logger` wrote for it.
    pub(crate) task_id: Option<u64>,
}

/// What is left of a span record that a logger has been given.
pub(crate) struct Delivered {
    pub(crate) fields: Fields,
    /// The task that a `Logger` wrote for it.
    pub(crate) task_id: Option<u64>,
}

struct InFlightCell {
    /// 0 where nothing is in flight.
    logger: Cell<usize>,
    first: Cell<usize>,
    pairs: Cell<usize>,
    shown: Cell<usize>,
    // It never needs a destructor, since nothing is in flight when a thread ends. So it is there also for what the
    // destructors of other locals log.
    span_record: RefCell<ManuallyDrop<Option<InFlightSpanRecord>>>,
}

thread_local! {
    static IN_FLIGHT: InFlightCell = const {
        InFlightCell {
            logger: Cell::new(0),
            first: Cell::new(0),
            pairs: Cell::new(0),
            shown: Cell::new(0),
            span_record: RefCell::new(ManuallyDrop::new(None)),
        }
    };
}

impl InFlightCell {
    #[inline]
    fn which(&self) -> Option<InFlight> {
        match self.logger.get() {
            0 => None,
            logger => Some(InFlight {
                logger,
                first: self.first.get(),
                pairs: self.pairs.get(),
                shown: self.shown.get(),
            }),
        }
    }

    /// Lets another record be in flight.
    #[inline]
    fn set(&self, now: Option<InFlight>) {
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
    fn take_in_flight(&self) -> Option<InFlightSpanRecord> {
        self.span_record.borrow_mut().take()
    }

    /// As [`take_in_flight`](InFlightCell::take_in_flight), without moving all of it.
    #[inline]
    fn arrive(&self) -> Option<Delivered> {
        let mut span_record = self.span_record.borrow_mut();
        let arrived = span_record.as_mut().map(|span_record| Delivered {
            fields: span_record.span_record.fields.take(),
            task_id: span_record.task_id,
        });
        // Nothing of it has to be dropped any more.
        *span_record = ManuallyDrop::new(None);
        arrived
    }

    #[cold]
    fn keep(&self, which: InFlight) -> Box<(InFlight, Option<InFlightSpanRecord>)> {
        Box::new((which, self.take_in_flight()))
    }

    /// There is none that would have to be dropped.
    #[inline]
    fn set_in_flight(&self, now: Option<InFlightSpanRecord>) {
        *self.span_record.borrow_mut() = ManuallyDrop::new(now);
    }
}

/// A span record is in flight for as long as this lives.
pub(crate) struct SpanRecordGuard {
    /// What was before, when a logger that is given a span record writes one itself.
    before: Option<Box<(InFlight, Option<InFlightSpanRecord>)>>,
}

impl SpanRecordGuard {
    #[inline]
    pub(crate) fn of(record: &Record<'_>, name: &Name<'_>, span_record: SpanRecord) -> Self {
        IN_FLIGHT.with(|cell| {
            let before = cell.which().map(|which| cell.keep(which));
            cell.set(Some(InFlight::span_record(record, name)));
            cell.set_in_flight(Some(InFlightSpanRecord {
                span_record,
                task_id: None,
            }));
            SpanRecordGuard { before }
        })
    }

    /// It has arrived.
    #[inline]
    pub(crate) fn end(self) -> Option<Delivered> {
        ManuallyDrop::new(self).put_back()
    }

    #[inline]
    fn put_back(&mut self) -> Option<Delivered> {
        IN_FLIGHT.with(|cell| {
            let arrived = cell.arrive();
            match self.before.take() {
                None => cell.set(None),
                Some(before) => {
                    cell.set(Some(before.0));
                    cell.set_in_flight(before.1);
                }
            }
            arrived
        })
    }
}

impl Drop for SpanRecordGuard {
    fn drop(&mut self) {
        self.put_back();
    }
}

fn with_in_flight<R>(f: impl FnOnce(&mut InFlightSpanRecord) -> R) -> Option<R> {
    IN_FLIGHT.with(|cell| cell.span_record.borrow_mut().as_mut().map(f))
}

/// A record with our keys in it is in flight for as long as this lives.
pub(crate) struct AnnotatedGuard {
    before: Option<InFlight>,
}

impl AnnotatedGuard {
    /// `logger` hands the record on.
    #[inline]
    pub(crate) fn of(which: InFlight, logger: usize, before: Option<InFlight>) -> Self {
        let first = match before {
            None => logger,
            Some(before) if before.first == NO_LOGGER => logger,
            Some(before) => before.first,
        };
        let now = InFlight {
            logger,
            first,
            ..which
        };
        IN_FLIGHT.with(|cell| cell.set(Some(now)));
        AnnotatedGuard { before }
    }
}

impl Drop for AnnotatedGuard {
    #[inline]
    fn drop(&mut self) {
        IN_FLIGHT.with(|cell| cell.set(self.before));
    }
}

/// Whether no record is in flight: so it is most often.
#[inline]
pub(crate) fn is_none_in_flight() -> bool {
    IN_FLIGHT.with(|cell| cell.logger.get() == 0)
}

/// Which record is in flight.
#[inline]
pub(crate) fn now() -> Option<InFlight> {
    IN_FLIGHT.with(InFlightCell::which)
}

/// 0 for one without a size, which may be where another object is.
#[inline]
fn address(pairs: &dyn Source) -> usize {
    match mem::size_of_val(pairs) {
        0 => 0,
        _ => pairs as *const dyn Source as *const () as usize,
    }
}

/// The class of a record that reaches a `Logger`.
#[derive(Clone, Copy)]
pub(crate) enum Class {
    Plain,
    Start,
    /// The end of a span, with the task in which it started.
    End(Option<u64>),
    /// It has our keys already, from a `Logger` around this one.
    Done,
}

impl Class {
    fn of(span_record: &SpanRecord) -> Self {
        match span_record.event {
            Event::Start { .. } => Class::Start,
            Event::End { task_id, .. } => Class::End(task_id),
        }
    }
}

/// What the span record in flight says; `f` must not allocate, since an allocator may log.
pub(crate) fn with_span_record<R>(f: impl FnOnce(&SpanRecord) -> R) -> Option<R> {
    with_in_flight(|span_record| f(&span_record.span_record))
}

/// The span record that is in flight.
pub(crate) fn span_record() -> Option<SpanRecord> {
    with_span_record(SpanRecord::clone)
}

/// Remembers for a span's end in which task its start was written: by the innermost `Logger`, which writes last.
pub(crate) fn note_task_id(task_id: u64) {
    with_in_flight(|span_record| span_record.task_id = Some(task_id));
}
