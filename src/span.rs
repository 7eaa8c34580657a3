//! A span from its start record to its end record.

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::thread;

use log::kv::{Source, Value};
use log::{Level, Log, Metadata, Record};

use crate::clock;
use crate::fields::Fields;
use crate::ids;
use crate::mark::{self, Event, Mark, Origin, Seconds, Site, Spawned};
use crate::outcome::Outcome;
use crate::pairs::NO_PAIRS;
use crate::passing::{self, Name, Writing};
use crate::place::{self, LeftOpen, Machine, Position};

/// An operation that has started and ends when this is dropped.
///
/// It comes from [`span!`](crate::span!) without a block, for operations that are not one block
/// of code. Nothing is *in* it until you say so: with [`run`](Span::run) for synchronous code, with
/// [`TaskExt::in_span`](crate::TaskExt::in_span) for a future.
///
/// ```
/// let upload = async_log::span!(size = 3; "upload");
/// upload.run(|| log::info!("first part")); // this record is inside
/// log::info!("something else"); // this one is not
/// drop(upload); // the end record
/// ```
///
/// It can be dropped anywhere, also on another thread or in another task: its end says the task
/// that it started in. A span that was filtered out when it started does nothing at all.
#[must_use = "a span ends when it is dropped: keep it for as long as the operation lasts"]
pub struct Span(Live<&'static Site>);

/// A span whose start was logged, until its end is; or one that was filtered out.
pub(crate) struct Live<O: Origin>(Option<Open<O>>);

/// Code is running in the place of a span's future. If this is dropped, it has not come back.
pub(crate) struct Inside<'a, O> {
    open: &'a mut Open<O>,
    left_open: &'a mut LeftOpen,
    depth: usize,
}

impl<O> Inside<'_, O> {
    /// The code has come back, from where it was entered.
    #[inline]
    pub(crate) fn leave(inside: Option<Self>) {
        if let Some(inside) = inside {
            ManuallyDrop::new(inside).put_back(None);
        }
    }

    #[inline]
    fn put_back(&mut self, unwinding: Option<Outcome>) {
        let outcome = place::leave_frame(self.depth, &mut self.open.fields, self.left_open);
        if let Some(outcome) = unwinding.or(outcome) {
            self.open.outcome.get_or_insert(outcome);
        }
    }
}

impl<O> Drop for Inside<'_, O> {
    fn drop(&mut self) {
        self.put_back(Some(Outcome::Panicked));
    }
}

#[derive(Debug)]
struct Open<O> {
    /// 0 for a task whose own span was filtered out: it has a place all the same.
    id: u64,
    start: u64,
    /// As the start record said it, [`NO_TASK`] if no `Logger` wrote it.
    task_id: u64,
    fields: Fields,
    origin: O,
    level: SmallLevel,
    /// Whether the target is not the origin's, and stands with the fields.
    own_target: bool,
    /// Whether this thread was unwinding already.
    unwinding: bool,
    /// What is known of how it ends before it does.
    outcome: Option<Outcome>,
}

/// A level in a byte: what is kept while a future is suspended should be small.
#[derive(Clone, Copy, Debug)]
struct SmallLevel(u8);

impl From<Level> for SmallLevel {
    fn from(level: Level) -> Self {
        SmallLevel(level as u8)
    }
}

impl From<SmallLevel> for Level {
    fn from(level: SmallLevel) -> Self {
        let is_it = |of: &Level| *of as u8 == level.0;
        Level::iter().find(is_it).unwrap_or(Level::Trace)
    }
}

const NO_TASK: u64 = u64::MAX;

/// All that a span starts with.
pub(crate) struct Beginning<'a, O> {
    pub(crate) origin: O,
    pub(crate) metadata: Metadata<'a>,
    /// Formatted if the origin has no name.
    pub(crate) name: fmt::Arguments<'a>,
    pub(crate) pairs: &'a dyn Source,
    /// How many of the pairs, the first ones, are a function's arguments.
    pub(crate) arguments: usize,
    pub(crate) around: Position,
    pub(crate) spawned: Option<Spawned>,
}

impl<O: Origin> Live<O> {
    pub(crate) const fn none() -> Self {
        Live(None)
    }

    /// A task whose span is filtered out, with the fields that are around it.
    pub(crate) fn silent(origin: O, fields: Fields) -> Self {
        Live(Some(Open {
            id: 0,
            start: 0,
            task_id: NO_TASK,
            fields,
            origin,
            level: Level::Trace.into(),
            own_target: false,
            unwinding: false,
            outcome: None,
        }))
    }

    /// Writes the start record. That the global logger wants it has been asked.
    pub(crate) fn start(beginning: Beginning<'_, O>) -> Self {
        let Beginning {
            origin,
            metadata,
            mut around,
            ..
        } = beginning;
        let _writing = Writing::begin();
        // Most often it is the same string, and need not be read.
        let own_target = !std::ptr::eq(metadata.target(), origin.target())
            && metadata.target() != origin.target();
        let fields = Fields::capture(
            beginning.pairs,
            beginning.arguments,
            around.fields.take(),
            own_target.then(|| metadata.target()),
            origin.name().is_none().then_some(beginning.name),
        );
        // The clock is read when all is formatted: that is not the operation's time.
        let start = clock::now();
        let mut open = Open {
            id: ids::next_span(),
            start,
            task_id: NO_TASK,
            fields,
            origin,
            level: metadata.level().into(),
            own_target,
            unwinding: thread::panicking(),
            outcome: None,
        };
        open.emit(
            Event::Start {
                parent: around.id,
                at: Seconds(clock::unix_time(start)),
                arguments: beginning.arguments,
                spawned: beginning.spawned,
            },
            beginning.pairs,
        );
        Live(Some(open))
    }

    /// Where the records inside this span are; `None` if it was filtered out.
    pub(crate) fn position(&self) -> Option<Position> {
        self.0.as_ref().map(|open| Position {
            id: open.id,
            fields: open.fields.clone(),
        })
    }

    /// Enters it as the place of a future; `None` if it was filtered out.
    #[inline]
    pub(crate) fn enter<'a>(&'a mut self, left_open: &'a mut LeftOpen) -> Option<Inside<'a, O>> {
        self.0.as_mut().map(|open| Inside {
            depth: place::enter_frame(open.id, &mut open.fields, left_open),
            left_open,
            open,
        })
    }

    /// Writes the end record, once.
    pub(crate) fn end(&mut self, outcome: Option<Outcome>) {
        if let Some(open) = self.0.as_mut().filter(|open| open.id != 0) {
            let unwinding = thread::panicking();
            let outcome = match unwinding && !open.unwinding {
                true => Some(Outcome::Panicked),
                false => open.outcome.or(outcome),
            };
            let event = Event::End {
                elapsed: Seconds(clock::now() - open.start),
                outcome,
                task_id: Some(open.task_id).filter(|task_id| *task_id != NO_TASK),
            };
            if unwinding {
                // A second panic that left a destructor would abort the process.
                let _ = panic::catch_unwind(AssertUnwindSafe(|| open.end(event)));
            } else {
                open.end(event);
            }
        }
        self.0 = None;
    }
}

impl<O: Origin> Open<O> {
    fn end(&mut self, event: Event) {
        let _writing = Writing::begin();
        self.emit(event, &NO_PAIRS);
    }

    /// Writes a mark. When that panics the span is over.
    fn emit(&mut self, event: Event, arguments: &dyn Source) {
        // What is not static stands with the fields.
        let is_static = !self.own_target && self.origin.name().is_some();
        let kept = match is_static {
            true => Fields::none(),
            false => self.fields.clone(),
        };
        let mark = Mark {
            id: mem::take(&mut self.id),
            fields: self.fields.take(),
            event,
        };
        let name = self.origin.name().unwrap_or_else(|| kept.name());
        let target = match self.own_target {
            true => kept.target(),
            false => self.origin.target(),
        };
        let metadata = Metadata::builder()
            .level(self.level.into())
            .target(target)
            .build();
        if let Some(known) = mark::emit(mark, &self.origin, metadata, &Name(name), arguments) {
            self.id = known.mark.id;
            self.fields = known.mark.fields;
            self.task_id = known.task_id.unwrap_or(NO_TASK);
        }
    }
}

impl<O: Origin> Drop for Live<O> {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl<O: Origin> fmt::Debug for Live<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0.as_ref().map(|open| open.id);
        f.debug_struct("Span").field("id", &id).finish()
    }
}

impl Span {
    /// Does nothing, as a span that was filtered out.
    #[doc(hidden)]
    pub const fn none() -> Self {
        Span(Live::none())
    }

    /// What a call of an annotated function starts with, when its level is enabled.
    #[doc(hidden)]
    pub fn of_function(
        site: &'static Site,
        level: Level,
        arguments: &[(&'static str, Value<'_>)],
    ) -> Self {
        Span::start(
            site,
            Metadata::builder().level(level).target(site.target).build(),
            format_args!(""),
            &arguments,
            arguments.len(),
        )
    }

    fn start(
        site: &'static Site,
        metadata: Metadata<'_>,
        name: fmt::Arguments<'_>,
        pairs: &dyn Source,
        arguments: usize,
    ) -> Self {
        if !log::logger().enabled(&metadata) {
            return Span::none();
        }
        Span(Live::start(Beginning {
            origin: site,
            metadata,
            name,
            pairs,
            arguments,
            around: place::current(),
            spawned: None,
        }))
    }

    pub(crate) fn into_live(self) -> Live<&'static Site> {
        self.0
    }

    pub(crate) fn position(&self) -> Option<Position> {
        self.0.position()
    }

    /// Runs synchronous code inside this span; what it awaits, spawns or keeps for later is not.
    ///
    /// ```
    /// let span = async_log::span!("checksum");
    /// let sum: u32 = span.run(|| [1, 2, 3].iter().sum());
    /// assert_eq!(sum, 6);
    /// ```
    ///
    /// A panic in `f` goes on; the span has not ended then, it ends as ever when it is dropped.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        match self.position() {
            Some(position) => place::run(position, f),
            None => f(),
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Receives what a span starts with from `log`'s own macro, as the logger of that one record:
/// so a span has all the syntax that a record has, and is filtered before anything is evaluated.
#[doc(hidden)]
#[derive(Debug)]
pub struct Start<'a> {
    site: &'static Site,
    arguments: usize,
    // Never contended: a logger has to be `Sync`.
    span: Mutex<&'a mut Inline>,
}

impl<'a> Start<'a> {
    #[inline]
    pub fn new(site: &'static Site, span: &'a mut Inline) -> Self {
        Start::of_function(site, 0, span)
    }

    /// The first pairs are the arguments of a function.
    #[inline]
    pub fn of_function(site: &'static Site, arguments: usize, span: &'a mut Inline) -> Self {
        Start {
            site,
            arguments,
            span: Mutex::new(span),
        }
    }
}

/// Whether `log`'s own levels let a span pass.
#[doc(hidden)]
#[inline]
pub fn is_loud(level: Level) -> bool {
    level <= log::STATIC_MAX_LEVEL && level <= log::max_level()
}

/// Whether `log`'s own levels let the span of an annotated function pass, and it is no part of writing another.
#[doc(hidden)]
#[inline]
pub fn is_enabled(level: Level) -> bool {
    is_loud(level) && !passing::is_writing()
}

/// Lends the arguments of an `async fn` to the start of its span, and gives them back.
#[doc(hidden)]
#[inline]
pub fn lend<A, R>(arguments: A, start: impl FnOnce(&A) -> R) -> (R, A) {
    (start(&arguments), arguments)
}

/// Calls a function's body. The bound lets it give away what it has captured, as the function itself could.
#[doc(hidden)]
#[inline]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Has a type, and is never called.
#[doc(hidden)]
pub fn never<T>() -> T {
    unreachable!("stands in a branch that is never taken")
}

impl Log for Start<'_> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let span = Span::start(
            self.site,
            record.metadata().clone(),
            *record.args(),
            record.key_values(),
            self.arguments,
        );
        if let Ok(mut started) = self.span.lock() {
            started.put(span);
        }
    }

    fn flush(&self) {}
}

/// A span around a block of code: put here when it starts, entered, and ended where this is dropped.
#[doc(hidden)]
#[must_use]
#[derive(Debug)]
pub struct Inline(ManuallyDrop<Option<Started>>); // dropped by `exit`, so that where there is none nothing is left to do

#[derive(Debug)]
struct Started {
    span: Live<&'static Site>,
    /// Where it is nested in other spans of its machine: what to go back to.
    parent: Option<Position>,
}

impl Inline {
    /// What a block is in whose span is filtered out.
    #[inline]
    pub const fn none() -> Self {
        Inline(ManuallyDrop::new(None))
    }

    /// Enters the span of a function, which cannot be suspended.
    #[inline(never)]
    pub fn enter_span(&mut self, span: Span) {
        self.put(span);
        self.enter_machine(place::BOUNDARY, false);
    }

    fn put(&mut self, span: Span) {
        if span.0 .0.is_some() {
            let (span, parent) = (span.0, None);
            self.0 = ManuallyDrop::new(Some(Started { span, parent }));
        }
    }

    /// The span, not entered.
    #[inline]
    pub fn into_span(mut self) -> Span {
        self.0
            .take()
            .map_or(Span::none(), |started| Span(started.span))
    }

    /// Enters a span whose block cannot be suspended (0), or that is the outermost one of this machine.
    #[inline]
    pub fn enter(&mut self, machine: impl Into<Machine>) {
        self.enter_machine(machine.into(), false);
    }

    /// Enters a span that is nested in others of this machine.
    #[inline]
    pub fn enter_nested(&mut self, machine: impl Into<Machine>) {
        self.enter_machine(machine.into(), true);
    }

    /// Apart, so that a block whose span is filtered out has nothing of it.
    #[inline(never)]
    fn enter_machine(&mut self, machine: Machine, is_nested: bool) {
        let (Some(position), Some(started)) = (self.position(), &mut *self.0) else {
            return;
        };
        if is_nested {
            started.parent = place::enter_nested(position, machine)
                .map_err(|position| place::enter(position, machine))
                .ok();
        } else {
            place::enter(position, machine);
        }
    }

    fn position(&self) -> Option<Position> {
        self.0.as_ref()?.span.position()
    }

    #[inline(never)]
    fn exit(&mut self) {
        if let Some(started) = &mut *self.0 {
            let id = started.span.0.as_ref().map_or(0, |open| open.id);
            let outcome = match started.parent.take() {
                None => place::exit(id),
                Some(parent) => place::exit_nested(id, parent),
            };
            started.span.end(outcome);
        }
    }
}

impl Drop for Inline {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.exit();
        }
    }
}
