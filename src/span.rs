//! A span from its start record to its end record.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::OnceLock;
use std::thread;

use log::kv::Source;
use log::{Level, Log, Metadata, Record};

use crate::clock;
use crate::fields::Fields;
use crate::ids;
use crate::mark::{self, Event, Mark, Origin, Outcome, Process, Seconds, Site, Spawned};
use crate::place::{self, Position};

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
pub struct Span(Option<Open>);

/// A span whose start was logged.
#[derive(Debug)]
struct Open {
    id: u64,
    start: u64,
    /// As the start record said it.
    task_id: Option<u64>,
    origin: Origin,
    level: Level,
    fields: Fields,
    name: Text,
    target: Text,
    /// Whether this thread was unwinding already.
    unwinding: bool,
}

/// What a record says that is written twice.
#[derive(Clone, Copy, Debug)]
enum Text {
    Static(&'static str),
    InFields,
}

/// All that a span starts with.
pub(crate) struct Beginning<'a> {
    pub(crate) origin: Origin,
    pub(crate) metadata: &'a Metadata<'a>,
    /// The name where it is static, or has to be formatted.
    pub(crate) name: Result<&'static str, fmt::Arguments<'a>>,
    /// The target where it is known to be static.
    pub(crate) target: Option<&'static str>,
    pub(crate) pairs: &'a dyn Source,
    /// How many of the pairs, the first ones, are a function's arguments.
    pub(crate) arguments: usize,
    pub(crate) around: Position,
    pub(crate) spawned: Option<Spawned>,
}

impl Span {
    /// Does nothing, as a span that was filtered out.
    pub(crate) const fn none() -> Self {
        Span(None)
    }

    /// Writes the start record if the global logger wants it.
    pub(crate) fn start(beginning: Beginning<'_>) -> Self {
        if !log::logger().enabled(beginning.metadata) {
            return Span(None);
        }
        let (name, dynamic_name) = match beginning.name {
            Ok(name) => (Text::Static(name), None),
            Err(arguments) => (Text::InFields, Some(arguments)),
        };
        let (target, dynamic_target) = match beginning.target {
            Some(target) => (Text::Static(target), None),
            None => (Text::InFields, Some(beginning.metadata.target())),
        };
        let around = beginning.around;
        let mut open = Open {
            id: ids::next_span(),
            start: 0,
            task_id: None,
            origin: beginning.origin,
            level: beginning.metadata.level(),
            fields: Fields::capture(
                beginning.pairs,
                beginning.arguments,
                &around.fields,
                dynamic_target,
                dynamic_name,
            ),
            name,
            target,
            unwinding: thread::panicking(),
        };
        // The clock is read when all is formatted: that is not the operation's time.
        open.start = clock::now();
        let event = Event::Start {
            parent: around.id,
            at: Seconds(clock::unix_time(open.start)),
            arguments: beginning.arguments,
            spawned: beginning.spawned,
            process: (around.id == 0).then(Process::current),
        };
        open.task_id = open.emit(event, beginning.pairs);
        Span(Some(open))
    }

    /// Where the records inside this span are; `None` if it does nothing.
    pub(crate) fn position(&self) -> Option<Position> {
        self.0.as_ref().map(|open| Position {
            id: open.id,
            fields: open.fields.clone(),
        })
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

    /// Writes the end record, once.
    pub(crate) fn end(&mut self, outcome: Option<Outcome>) {
        let Some(open) = self.0.take() else { return };
        let unwinding = thread::panicking();
        let outcome = match unwinding && !open.unwinding {
            true => Some(Outcome::Panicked),
            false => outcome,
        };
        let event = Event::End {
            elapsed: Seconds(clock::now() - open.start),
            outcome,
            task_id: open.task_id,
        };
        let write = || open.emit(event, &NO_PAIRS);
        if unwinding {
            // A second panic that left a destructor would abort the process.
            let _ = panic::catch_unwind(AssertUnwindSafe(write));
        } else {
            write();
        }
    }
}

const NO_PAIRS: [(&str, &str); 0] = [];

impl Open {
    fn emit(&self, event: Event, arguments: &dyn Source) -> Option<u64> {
        let mark = Mark {
            id: self.id,
            fields: self.fields.clone(),
            event,
        };
        let text = |text, in_fields| match text {
            Text::Static(text) => text,
            Text::InFields => in_fields,
        };
        let name = text(self.name, self.fields.name());
        let target = text(self.target, self.fields.target());
        mark::emit(
            &mark,
            (self.origin, self.level, target),
            format_args!("{name}"),
            arguments,
        )
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0.as_ref().map(|open| open.id);
        f.debug_struct("Span").field("id", &id).finish()
    }
}

/// Receives what a `span!` starts with from `log`'s own macro, as the logger of that one record:
/// so a span has all the syntax that a record has, and is filtered before anything is evaluated.
#[doc(hidden)]
#[derive(Debug)]
pub struct Start {
    site: &'static Site,
    /// The name of an annotated function, and how many arguments it has.
    function: Option<(&'static str, usize)>,
    span: OnceLock<Span>,
}

impl Start {
    #[inline]
    pub const fn new(site: &'static Site) -> Self {
        Start {
            site,
            function: None,
            span: OnceLock::new(),
        }
    }

    #[inline]
    pub const fn of_function(site: &'static Site, name: &'static str, arguments: usize) -> Self {
        Start {
            site,
            function: Some((name, arguments)),
            span: OnceLock::new(),
        }
    }

    /// The span, not entered.
    #[inline]
    pub fn into_span(self) -> Span {
        self.span.into_inner().unwrap_or(Span::none())
    }

    /// Enters a span whose block cannot be suspended, or suspends only itself: the outermost one of the
    /// machine with this key.
    #[inline]
    pub fn enter(self, machine: u64) -> Inline {
        match self.span.into_inner() {
            Some(span) => Inline::enter(span, machine),
            None => Inline(None),
        }
    }

    /// Enters a span that is nested in others of the machine with this key.
    #[inline]
    pub fn enter_nested(self, machine: u64) -> Inline {
        match self.span.into_inner() {
            Some(span) => Inline::enter_nested(span, machine),
            None => Inline(None),
        }
    }
}

impl Log for Start {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let (name, arguments) = match self.function {
            Some((name, arguments)) => (Ok(name), arguments),
            None => (record.args().as_str().ok_or(*record.args()), 0),
        };
        let module_path = self.site.module_path;
        let span = Span::start(Beginning {
            origin: Origin::Span(self.site),
            metadata: record.metadata(),
            name,
            target: std::ptr::eq(record.target(), module_path).then_some(module_path),
            pairs: record.key_values(),
            arguments,
            around: place::current(),
            spawned: None,
        });
        let _ = self.span.set(span);
    }

    fn flush(&self) {}
}

/// A span around a block of code: entered where it is made, ended where it is dropped.
#[doc(hidden)]
#[must_use]
#[derive(Debug)]
pub struct Inline(Option<Entered>);

#[derive(Debug)]
struct Entered {
    span: Span,
    id: u64,
    /// Where it is nested in other spans of its machine: what to go back to.
    parent: Option<Position>,
}

impl Inline {
    fn enter(span: Span, machine: u64) -> Self {
        let Some(position) = span.position() else {
            return Inline(None);
        };
        let id = position.id;
        place::enter(position, machine);
        Inline(Some(Entered {
            span,
            id,
            parent: None,
        }))
    }

    fn enter_nested(span: Span, machine: u64) -> Self {
        let Some(position) = span.position() else {
            return Inline(None);
        };
        let id = position.id;
        let parent = match place::enter_nested(position, machine) {
            Ok(parent) => Some(parent),
            Err(position) => {
                place::enter(position, machine);
                None
            }
        };
        Inline(Some(Entered { span, id, parent }))
    }
}

impl Drop for Inline {
    #[inline]
    fn drop(&mut self) {
        if let Some(entered) = self.0.take() {
            entered.exit();
        }
    }
}

impl Entered {
    fn exit(mut self) {
        let cancelled = match self.parent.take() {
            None => place::exit(self.id),
            Some(parent) => place::exit_nested(self.id, parent),
        };
        self.span.end(cancelled.then_some(Outcome::Cancelled));
    }
}
