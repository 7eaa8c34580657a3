//! A span from its start record to its end record.

use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::thread;

use log::kv::{Source, Value};
use log::{Level, Log, Metadata, Record};

use crate::clock;
use crate::ids;
use crate::logger::in_flight::{self, Formatted, Name, Writing};
use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::record::pairs::{Arguments, First, NO_PAIRS};
use crate::record::span_record::{self, Event, Mark, Origin, Seconds, Site, Spawned};
use crate::span_state::{Known, SpanRef};
use crate::stack::{self, LeftOpen, Machine, Position};
use crate::target::Target;

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
/// that it started in.
///
/// A span that was filtered out when it started writes nothing. It stands for the context that it was begun in:
/// [`run`](Span::run) and [`in_span`](crate::TaskExt::in_span) go there.
#[must_use = "a span ends when it is dropped: keep it for as long as the operation lasts"]
pub struct Span(Live<&'static Site>);

/// A span whose start was logged, until its end is; or the context in which one was begun that was filtered out; or
/// nothing.
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
        let outcome = stack::leave_frame(self.depth, &mut self.open.fields, self.left_open);
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
    /// Its shared state knows when it has started, and in which task as the start record said it, [`NO_TASK`] if no
    /// `Logger` wrote it.
    span: SpanRef,
    fields: Fields,
    /// `None` for a span that was filtered out: it stands for the context that it was begun in.
    origin: Option<O>,
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
#[repr(u8)]
enum SmallLevel {
    Error = Level::Error as u8,
    Warn = Level::Warn as u8,
    Info = Level::Info as u8,
    Debug = Level::Debug as u8,
    Trace = Level::Trace as u8,
}

impl From<Level> for SmallLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => SmallLevel::Error,
            Level::Warn => SmallLevel::Warn,
            Level::Info => SmallLevel::Info,
            Level::Debug => SmallLevel::Debug,
            Level::Trace => SmallLevel::Trace,
        }
    }
}

impl From<SmallLevel> for Level {
    fn from(level: SmallLevel) -> Self {
        match level {
            SmallLevel::Error => Level::Error,
            SmallLevel::Warn => Level::Warn,
            SmallLevel::Info => Level::Info,
            SmallLevel::Debug => Level::Debug,
            SmallLevel::Trace => Level::Trace,
        }
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

    /// A span that is filtered out, begun in this context.
    pub(crate) fn transparent(around: Position) -> Self {
        Live(Some(Open {
            span: around.span,
            fields: around.fields,
            origin: None,
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
        if ids::is_inherited(around.span.id) {
            around = Position::default();
        }
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
        let arguments = First::new(beginning.pairs, beginning.arguments);
        let settled = Arguments::settle(arguments);
        // The clock is read when all is formatted: that is not the operation's time.
        let start = clock::now();
        let mut open = Open {
            span: SpanRef::NONE,
            fields,
            origin: Some(origin),
            level: metadata.level().into(),
            own_target,
            unwinding: thread::panicking(),
            outcome: None,
        };
        let id = ids::next_span();
        let inside = around.span.anchored_at();
        let anchored_at = inside.unwrap_or_else(|| clock::anchored_at(start));
        let event = Event::Start {
            parent: around.span.id,
            at: Seconds(anchored_at + start),
            arguments: beginning.arguments,
            spawned: beginning.spawned,
        };
        let task_id = match settled {
            None => open.emit(id, event, &arguments),
            Some(settled) => open.emit_with(id, event, settled),
        };
        if let Some(task_id) = task_id {
            let target = match own_target {
                true => Target::UNKNOWN,
                false => open
                    .origin
                    .as_ref()
                    .map_or(Target::UNKNOWN, O::static_target),
            };
            let known = Known {
                start,
                task_id,
                target,
                anchored_at,
            };
            open.span = SpanRef::open(id, known);
        }
        Live(Some(open))
    }

    /// Where the records inside this span are; `None` if it has no place.
    pub(crate) fn position(&self) -> Option<Position> {
        self.0.as_ref().map(|open| Position {
            span: open.span,
            fields: open.fields.clone(),
        })
    }

    /// Whether its start was written, and its end will be.
    fn is_open(&self) -> bool {
        self.0.as_ref().is_some_and(|open| open.origin.is_some())
    }

    /// Enters it as the place of a future; `None` if it has no place.
    #[inline]
    pub(crate) fn enter<'a>(&'a mut self, left_open: &'a mut LeftOpen) -> Option<Inside<'a, O>> {
        let open = self.0.as_mut()?;
        let depth = match open.origin {
            Some(_) => stack::enter_frame(open.span.state, &mut open.fields, left_open),
            None => stack::enter_frame_open(open.span, &mut open.fields, left_open),
        };
        Some(Inside {
            open,
            left_open,
            depth,
        })
    }

    /// Writes the end record, once. From then on the span is current nowhere.
    pub(crate) fn end(&mut self, outcome: Option<Outcome>) {
        // Nor is a span of the process from which this was forked ended here.
        let is_ours =
            |open: &&mut Open<O>| open.origin.is_some() && !ids::is_inherited(open.span.id);
        if let Some(open) = self.0.as_mut().filter(is_ours) {
            let Some((start, task_id)) = open.span.close() else {
                return;
            };
            let unwinding = thread::panicking();
            let outcome = match unwinding && !open.unwinding {
                true => Some(Outcome::Panicked),
                false => open.outcome.or(outcome),
            };
            let event = Event::End {
                elapsed: Seconds(clock::now() - start),
                outcome,
                task_id: Some(task_id).filter(|task_id| *task_id != NO_TASK),
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
        self.emit(self.span.id, event, &NO_PAIRS);
    }

    /// Writes a start with arguments that had to be formatted.
    #[inline(never)]
    fn emit_with(&mut self, id: u64, event: Event, arguments: Arguments) -> Option<u64> {
        let _formatted = Formatted::of(&arguments);
        self.emit(id, event, &arguments)
    }

    /// Writes a mark; gives the task that it was written in. When that panics the span is over.
    fn emit(&mut self, id: u64, event: Event, arguments: &dyn Source) -> Option<u64> {
        let origin = self.origin.as_ref()?;
        // What is not static stands with the fields.
        let is_static = !self.own_target && origin.name().is_some();
        let kept = match is_static {
            true => Fields::none(),
            false => self.fields.clone(),
        };
        let mark = Mark {
            id,
            fields: self.fields.take(),
            event,
        };
        let name = origin.name().unwrap_or_else(|| kept.name());
        let target = match self.own_target {
            true => kept.target(),
            false => origin.target(),
        };
        let metadata = Metadata::builder()
            .level(self.level.into())
            .target(target)
            .build();
        let arrived = span_record::emit(mark, origin, metadata, &Name(name), arguments)?;
        self.fields = arrived.fields;
        Some(arrived.task_id.unwrap_or(NO_TASK))
    }
}

impl<O: Origin> Drop for Live<O> {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl<O: Origin> fmt::Debug for Live<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0.as_ref().map(|open| open.span.id);
        f.debug_struct("Span").field("id", &id).finish()
    }
}

impl Span {
    /// Does nothing: code in it is where it is anyway.
    #[doc(hidden)]
    pub const fn none() -> Self {
        Span(Live::none())
    }

    /// Stands for the context that the running code is in.
    #[doc(hidden)]
    pub fn here() -> Self {
        Span(Live::transparent(stack::current()))
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
        if !in_flight::is_wanted(&metadata, arguments) {
            return Span::here();
        }
        Span(Live::start(Beginning {
            origin: site,
            metadata,
            name,
            pairs,
            arguments,
            around: stack::current(),
            spawned: None,
        }))
    }

    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.0 .0.is_none()
    }

    /// Whether its start was written.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_open()
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
            Some(position) => stack::run(position, f),
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
    is_loud(level) && !in_flight::is_writing()
}

/// Whether the arguments of an annotated function will be written, for those that have to be formatted before its start.
#[doc(hidden)]
pub fn are_arguments_wanted(level: Level, target: &str) -> bool {
    let metadata = || Metadata::builder().level(level).target(target).build();
    is_enabled(level)
        && in_flight::is_wanted(&metadata(), 1)
        && !in_flight::are_arguments_left_out()
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
    within: Within,
}

/// What a span's level is.
#[derive(Debug)]
enum Within {
    /// Its own.
    Nothing,
    /// That of other spans of its machine: what to go back to.
    Machine(Position),
}

impl Inline {
    /// What a block is in whose span is filtered out.
    #[inline]
    pub const fn none() -> Self {
        Inline(ManuallyDrop::new(None))
    }

    /// Enters the span of a function, which cannot be suspended.
    #[inline(never)]
    pub fn async_log_enter(&mut self, span: Span) {
        let position = span.position();
        let Some(position) = position.filter(|position| span.0.is_open() || !position.is_here())
        else {
            return;
        };
        // A context that a filtered span stands for may be that of a span that has ended.
        let machine = match span.0.is_open() {
            true => stack::BLOCK,
            false => stack::BOUNDARY,
        };
        stack::enter(position, machine);
        self.start(span, Within::Nothing);
    }

    fn start(&mut self, span: Span, within: Within) {
        let span = span.0;
        self.0 = ManuallyDrop::new(Some(Started { span, within }));
    }

    /// A block whose span is filtered out is where it is anyway.
    fn put(&mut self, span: Span) {
        if span.0.is_open() {
            self.start(span, Within::Nothing);
        }
    }

    /// The span, not entered; where it is filtered out, the context that it was begun in.
    #[inline]
    pub fn into_span(mut self) -> Span {
        match self.0.take() {
            Some(started) => Span(started.span),
            None => Span::here(),
        }
    }

    /// Enters a span whose block cannot be suspended (0), or that is the outermost one of this machine.
    #[inline]
    pub fn enter(&mut self, machine: impl Into<Machine>) {
        self.enter_outermost(machine.into());
    }

    /// Enters a span that is nested in others of this machine.
    #[inline]
    pub fn enter_nested(&mut self, machine: impl Into<Machine>) {
        self.enter_inner(machine.into());
    }

    /// Apart, so that a block whose span is filtered out has nothing of it.
    #[inline(never)]
    fn enter_outermost(&mut self, machine: Machine) {
        let machine = match machine {
            stack::BOUNDARY => stack::BLOCK,
            machine => machine,
        };
        if let Some(position) = self.position() {
            stack::enter(position, machine);
        }
    }

    #[inline(never)]
    fn enter_inner(&mut self, machine: Machine) {
        let (Some(position), Some(started)) = (self.position(), &mut *self.0) else {
            return;
        };
        match stack::enter_nested(position, machine) {
            Ok(parent) => started.within = Within::Machine(parent),
            Err(position) => stack::enter(position, machine),
        }
    }

    /// Whether it holds a span whose start was written.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        (self.0.as_ref()).is_some_and(|started| started.span.is_open())
    }

    fn position(&self) -> Option<Position> {
        self.0.as_ref()?.span.position()
    }

    /// Leaves the span of a function, which has not ended: it goes on in the future that the function returns.
    #[inline]
    pub fn leave(&mut self) -> Span {
        match self.0.take() {
            Some(started) => Inline::leave_started(started),
            None => Span::none(),
        }
    }

    #[inline(never)]
    fn leave_started(mut started: Started) -> Span {
        let id = started.span.0.as_ref().map_or(0, |open| open.span.id);
        let outcome = stack::exit(id);
        if let Some(open) = &mut started.span.0 {
            open.outcome = open.outcome.or(outcome);
        }
        Span(started.span)
    }

    #[inline(never)]
    fn exit(&mut self) {
        if let Some(started) = &mut *self.0 {
            let id = started.span.0.as_ref().map_or(0, |open| open.span.id);
            let outcome = match &mut started.within {
                Within::Nothing => stack::exit(id),
                Within::Machine(parent) => stack::exit_nested(id, std::mem::take(parent)),
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
