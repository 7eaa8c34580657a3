//! The truth about where code is, kept without the library.
//!
//! Every state machine of a program carries a [`Machine`]: the inline spans that it has open, and
//! an *outside* place that whoever polls or drops it sets right before. Its place is the
//! innermost of its own spans, else the outside.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::thread;

use futures::Stream;
use pin_project_lite::pin_project;

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A number of this test's own, never 0 and never used again.
pub fn next_number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// A panic elsewhere leaves these values as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The position of code; 0 means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The number of the innermost span.
    pub span: u64,
    /// The inherited fields of that name.
    pub uid: u64,
    pub tag: u64,
    /// The number of the task.
    pub task: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    None,
    Cancelled,
    Panicked,
}

#[derive(Clone, Copy, Debug)]
pub struct EventTruth {
    pub place: Place,
    pub what: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub struct SpanTruth {
    /// Where it started; for a task where `in_task` was called.
    pub around: Place,
    /// Where code inside it is.
    pub inside: Place,
    /// For the eye.
    #[allow(dead_code)]
    pub what: &'static str,
    pub is_task: bool,
    /// How it ended, when it has.
    pub outcome: Option<Outcome>,
    unwinding: bool,
}

/// All that one program should log.
#[derive(Debug, Default)]
pub struct Ledger {
    /// No value logs while it is formatted: a logger may format under a lock, and write such a record behind the
    /// other one.
    plain_values: bool,
    events: Mutex<HashMap<u64, EventTruth>>,
    spans: Mutex<HashMap<u64, SpanTruth>>,
}

impl Ledger {
    /// The ledger of programs that log through other people's loggers: see `plain_values`.
    pub fn with_plain_values() -> Self {
        Ledger {
            plain_values: true,
            ..Ledger::default()
        }
    }

    pub fn events(&self) -> HashMap<u64, EventTruth> {
        lock(&self.events).clone()
    }

    pub fn spans(&self) -> HashMap<u64, SpanTruth> {
        lock(&self.spans).clone()
    }

    fn start(&self, span: u64, what: &'static str, around: Place, inside: Place, is_task: bool) {
        let truth = SpanTruth {
            around,
            inside,
            what,
            is_task,
            outcome: None,
            unwinding: thread::panicking(),
        };
        lock(&self.spans).insert(span, truth);
    }

    /// `outcome` is how it ends unless unwinding has begun since its start.
    fn end(&self, span: u64, outcome: Outcome) {
        let mut spans = lock(&self.spans);
        let truth = spans.get_mut(&span).expect("started");
        assert_eq!(truth.outcome, None, "the test ends span {span} twice");
        truth.outcome = Some(match thread::panicking() && !truth.unwinding {
            true => Outcome::Panicked,
            false => outcome,
        });
    }
}

/// The knowledge of one state machine, or of one piece of synchronous code, about its position.
#[derive(Debug)]
pub struct Machine {
    pub ledger: Arc<Ledger>,
    outside: Mutex<Place>,
    /// Its own open spans, innermost last; their tasks mean nothing.
    spans: Mutex<Vec<Place>>,
    /// The task that it is itself, 0 for none.
    task: AtomicU64,
    /// Its code is running, it is not being dropped.
    polling: AtomicBool,
}

impl Machine {
    /// A state machine that nobody has polled yet.
    pub fn new(ledger: &Arc<Ledger>) -> Arc<Self> {
        Arc::new(Machine {
            ledger: ledger.clone(),
            outside: Mutex::default(),
            spans: Mutex::default(),
            task: AtomicU64::new(0),
            polling: AtomicBool::new(false),
        })
    }

    /// Code that runs at a place and is never suspended: a thread, an executor, a closure.
    pub fn at(ledger: &Arc<Ledger>, place: Place) -> Arc<Self> {
        let machine = Machine::new(ledger);
        machine.polling.store(true, Ordering::Relaxed);
        *lock(&machine.outside) = place;
        machine
    }

    pub fn place(&self) -> Place {
        let outside = *lock(&self.outside);
        let place = lock(&self.spans).last().copied().unwrap_or(outside);
        let task = match self.task.load(Ordering::Relaxed) {
            0 => outside.task,
            task => task,
        };
        Place { task, ..place }
    }

    /// A record.
    pub fn event(&self, what: &'static str) {
        let event = next_number();
        let place = self.place();
        lock(&self.ledger.events).insert(event, EventTruth { place, what });
        log::info!(event; "{what}");
    }

    /// A record with a value that logs one itself while it is formatted, unless values have to be plain.
    pub fn telling_event(&self, what: &'static str) {
        if self.ledger.plain_values {
            return self.event(what);
        }
        struct Telling<'a>(&'a Machine, u64);

        impl fmt::Display for Telling<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.event("told by a value");
                write!(f, "{}", self.1)
            }
        }

        let event = next_number();
        let place = self.place();
        lock(&self.ledger.events).insert(event, EventTruth { place, what });
        let telling = Telling(self, event);
        log::info!(event:% = telling; "{what}");
    }

    fn open_as(self: &Arc<Self>, what: &'static str, kind: Kind) -> Open {
        let around = self.place();
        let number = next_number();
        let mut inside = Place {
            span: number,
            ..around
        };
        if kind != Kind::Function {
            inside.uid = number;
        }
        if kind == Kind::Tagged {
            inside.tag = number;
        }
        if kind != Kind::Quiet {
            self.ledger.start(number, what, around, inside, false);
            lock(&self.spans).push(inside);
        }
        Open {
            machine: self.clone(),
            uid: number,
            kind,
        }
    }

    /// The next statement is a `span!` with this `uid` and a block.
    pub fn open(self: &Arc<Self>, what: &'static str) -> Open {
        self.open_as(what, Kind::Plain)
    }

    /// The same with a `tag` field.
    pub fn open_tagged(self: &Arc<Self>, what: &'static str) -> Open {
        self.open_as(what, Kind::Tagged)
    }

    /// One that the logger filters out.
    pub fn open_quiet(self: &Arc<Self>, what: &'static str) -> Open {
        self.open_as(what, Kind::Quiet)
    }

    /// An annotated function whose `arg_0` is the number.
    pub fn open_function(self: &Arc<Self>, what: &'static str) -> Open {
        self.open_as(what, Kind::Function)
    }

    /// A `span!` without a block: it is started and not entered.
    pub fn start(self: &Arc<Self>, what: &'static str) -> Started {
        let around = self.place();
        let uid = next_number();
        let inside = Place {
            span: uid,
            uid,
            ..around
        };
        self.ledger.start(uid, what, around, inside, false);
        Started {
            ledger: self.ledger.clone(),
            uid,
            inside,
            ended_by_frame: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Tagged,
    Function,
    Quiet,
}

/// An inline span is open in a machine: made right before it, dropped right behind it.
#[derive(Debug)]
pub struct Open {
    machine: Arc<Machine>,
    pub uid: u64,
    kind: Kind,
}

impl Open {
    /// What the logger filters by.
    pub fn target(&self) -> &'static str {
        match self.kind {
            Kind::Quiet => "quiet",
            _ => "loud",
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.kind == Kind::Quiet {
            return;
        }
        lock(&self.machine.spans).pop();
        let outcome = match self.machine.polling.load(Ordering::Relaxed) {
            true => Outcome::None,
            false => Outcome::Cancelled,
        };
        self.machine.ledger.end(self.uid, outcome);
    }
}

/// A span without a block. Made before it, dropped right behind it.
#[derive(Debug)]
pub struct Started {
    ledger: Arc<Ledger>,
    pub uid: u64,
    inside: Place,
    ended_by_frame: bool,
}

impl Started {
    /// Code that `run` runs, from code in `machine`.
    pub fn inside(&self, machine: &Machine) -> Arc<Machine> {
        let task = machine.place().task;
        Machine::at(
            &self.ledger,
            Place {
                task,
                ..self.inside
            },
        )
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.ended_by_frame {
            self.ledger.end(self.uid, Outcome::None);
        }
    }
}

/// A destructor that logs, in the span that the local was in.
#[derive(Debug)]
pub struct Noisy(pub Arc<Machine>);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.0.event("drop");
        // A whole span in a destructor is not suspended, so it is not cancelled.
        let inner = Machine::at(&self.0.ledger, self.0.place());
        let open = inner.open("drop span");
        async_log::span!(uid = open.uid; "drop span", { inner.event("in drop span") });
    }
}

/// A span that is a future's own.
#[derive(Debug)]
struct Frame {
    span: u64,
    what: &'static str,
    inside: Place,
    /// Where `in_task` was called.
    task: Option<Place>,
    /// Filtered out: a task of its own, in the context that it was made in.
    quiet: bool,
    started: bool,
    panicked: bool,
}

pin_project! {
    /// A future or stream that tells its machine where it is polled and dropped.
    #[derive(Debug)]
    pub struct Child<F> {
        #[pin]
        future: Option<F>,
        machine: Arc<Machine>,
        holder: Arc<Machine>,
        frame: Option<Frame>,
        done: bool,
    }

    impl<F> PinnedDrop for Child<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            *lock(&this.machine.outside) = this.holder.place();
            this.future.set(None);
            if !*this.done {
                if let Some(frame) = this.frame {
                    frame.end_unfinished(&this.machine.ledger);
                }
            }
        }
    }
}

impl<F> Child<F> {
    /// `machine` is the one of the code in `future`.
    pub fn new(machine: Arc<Machine>, holder: &Arc<Machine>, future: F) -> Self {
        Child {
            future: Some(future),
            machine,
            holder: holder.clone(),
            frame: None,
            done: false,
        }
    }

    /// From now on it is polled and dropped by somebody else.
    pub fn give_to(&mut self, holder: &Arc<Machine>) {
        self.holder = holder.clone();
    }
}

impl<F: Future> Child<F> {
    fn in_frame<G>(mut self, frame: Frame, around: impl FnOnce(Self) -> G) -> Child<G> {
        let holder = self.holder.clone();
        let machine = Machine::new(&holder.ledger);
        if frame.task.is_none() {
            lock(&machine.spans).push(frame.inside);
        }
        self.give_to(&machine);
        let mut child = Child::new(machine, &holder, around(self));
        child.frame = Some(frame);
        child
    }

    /// Like `in_span`, with the span of `started`.
    pub fn in_span(
        self,
        mut started: Started,
        span: async_log::Span,
    ) -> Child<async_log::InSpan<Self>> {
        started.ended_by_frame = true;
        let frame = Frame {
            span: started.uid,
            what: "in_span",
            inside: started.inside,
            task: None,
            quiet: false,
            started: true,
            panicked: false,
        };
        self.in_frame(frame, |child| async_log::TaskExt::in_span(child, span))
    }

    /// As `in_span` does it with a span that is filtered out, begun in `by`.
    pub fn in_quiet_span(
        self,
        by: &Machine,
        span: async_log::Span,
    ) -> Child<async_log::InSpan<Self>> {
        let frame = Frame {
            span: 0,
            what: "quiet in_span",
            inside: by.place(),
            task: None,
            quiet: true,
            started: true,
            panicked: false,
        };
        self.in_frame(frame, |child| async_log::TaskExt::in_span(child, span))
    }

    /// As `in_named_task` does it, called in `by`.
    pub fn in_task(self, by: &Machine) -> Child<async_log::InTask<Self>> {
        let span = next_number();
        let around = by.place();
        let frame = Frame {
            span,
            what: "task",
            inside: Place { span, ..around },
            task: Some(around),
            quiet: false,
            started: false,
            panicked: false,
        };
        self.in_frame(frame, |child| {
            async_log::TaskExt::in_named_task(child, format!("task-{span}"))
        })
    }

    /// A task whose own span is filtered out, made at `around`.
    pub fn in_quiet_task(
        self,
        around: Place,
    ) -> Child<async_log::InTask<impl Future<Output = F::Output>>> {
        let frame = Frame {
            span: next_number(),
            what: "quiet task",
            inside: around,
            task: Some(around),
            quiet: true,
            started: false,
            panicked: false,
        };
        self.in_frame(frame, |child| {
            async_log::TaskExt::in_task(crate::quiet::future(child))
        })
    }
}

impl Frame {
    /// A task starts when it is first polled.
    fn start(&mut self, machine: &Machine) {
        if let (Some(around), false) = (self.task, self.started) {
            self.started = true;
            machine.task.store(self.span, Ordering::Relaxed);
            lock(&machine.spans).push(self.inside);
            self.inside.task = self.span;
            if !self.quiet {
                let ledger = &machine.ledger;
                ledger.start(self.span, self.what, around, self.inside, true);
            }
        }
    }

    fn end(&self, ledger: &Ledger, outcome: Outcome) {
        if self.started && !self.quiet {
            ledger.end(self.span, outcome);
        }
    }

    fn end_unfinished(&self, ledger: &Ledger) {
        let outcome = match self.panicked {
            true => Outcome::Panicked,
            false => Outcome::Cancelled,
        };
        self.end(ledger, outcome);
    }
}

/// A machine's code is running.
struct Polling<'a> {
    machine: &'a Machine,
    frame: Option<&'a mut Frame>,
}

impl<'a> Polling<'a> {
    fn enter(machine: &'a Machine, holder: &Machine, frame: Option<&'a mut Frame>) -> Self {
        *lock(&machine.outside) = holder.place();
        machine.polling.store(true, Ordering::Relaxed);
        let mut polling = Polling { machine, frame };
        if let Some(frame) = &mut polling.frame {
            frame.start(machine);
            frame.panicked = true;
        }
        polling
    }

    fn leave(mut self) {
        if let Some(frame) = &mut self.frame {
            frame.panicked = false;
        }
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.machine.polling.store(false, Ordering::Relaxed);
    }
}

impl<F: Future> Future for Child<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future.as_pin_mut().expect("taken only when dropped");
        let polling = Polling::enter(this.machine, this.holder, this.frame.as_mut());
        let polled = future.poll(cx);
        polling.leave();
        if polled.is_ready() {
            *this.done = true;
            if let Some(frame) = this.frame {
                frame.end(&this.machine.ledger, Outcome::None);
            }
        }
        polled
    }
}

impl<S: Stream> Stream for Child<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let stream = this.future.as_pin_mut().expect("taken only when dropped");
        let polling = Polling::enter(this.machine, this.holder, this.frame.as_mut());
        let polled = stream.poll_next(cx);
        polling.leave();
        polled
    }
}
