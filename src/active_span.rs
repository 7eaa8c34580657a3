//! A span from its start record to its end record.

use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use log::kv::Source;
use log::{Level, Metadata};

use crate::call_site::SpanSource;
use crate::clock;
use crate::ids::{self, SpanId};
use crate::logger::emission::{self, Writing};
use crate::logger::in_flight::Name;
use crate::logger::start_arguments::{self, Formatted};
use crate::record::arguments::Arguments;
use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::record::pairs::{FirstPairs, NO_PAIRS};
use crate::record::reserved_value::Seconds;
use crate::record::span_record::{Event, SpanRecord, Spawned};
use crate::span_state::{SpanData, SpanRef};
use crate::stack::{self, LeftOpen, SpanContext};
use crate::target::Target;

/// A span whose start was logged, until its end is; or the context in which one was begun that was filtered out; or
/// nothing.
pub(crate) struct ActiveSpan<O: SpanSource>(pub(crate) Option<OpenSpan<O>>);

/// Code is running in the place of a span's future. If this is dropped, it has not come back.
pub(crate) struct EnteredSpan<'a, O> {
    open: &'a mut OpenSpan<O>,
    left_open: &'a mut LeftOpen,
    depth: usize,
}

impl<O> EnteredSpan<'_, O> {
    /// The code has come back, from where it was entered.
    #[inline]
    pub(crate) fn leave(inside: Option<Self>) {
        if let Some(inside) = inside {
            ManuallyDrop::new(inside).put_back(None);
        }
    }

    #[inline]
    fn put_back(&mut self, unwinding: Option<Outcome>) {
        let outcome = stack::leave_future(self.depth, &mut self.open.fields, self.left_open);
        if let Some(outcome) = unwinding.or(outcome) {
            self.open.outcome.get_or_insert(outcome);
        }
    }
}

impl<O> Drop for EnteredSpan<'_, O> {
    fn drop(&mut self) {
        self.put_back(Some(Outcome::Panicked));
    }
}

#[derive(Debug)]
pub(crate) struct OpenSpan<O> {
    /// Its shared state has the time of its start, and the task that the start record names if a `Logger` wrote it.
    pub(crate) span: SpanRef,
    fields: Fields,
    /// `None` for a span that was filtered out: it stands for the context that it was begun in.
    origin: Option<O>,
    level: SmallLevel,
    /// Whether the target is not the origin's, and stands with the fields.
    own_target: bool,
    /// Whether this thread was unwinding already.
    unwinding: bool,
    /// What is known of how it ends before it does.
    pub(crate) outcome: Option<Outcome>,
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

/// All that a span starts with.
pub(crate) struct StartArguments<'a, O> {
    pub(crate) origin: O,
    pub(crate) metadata: Metadata<'a>,
    /// Formatted if the origin has no name.
    pub(crate) name: fmt::Arguments<'a>,
    pub(crate) pairs: &'a dyn Source,
    /// How many of the pairs, the first ones, are a function's arguments.
    pub(crate) arguments: usize,
    pub(crate) around: SpanContext,
    pub(crate) spawned: Option<Spawned>,
}

impl<O: SpanSource> StartArguments<'_, O> {
    /// Whether the target is not that of the call site. Most often it is the same string, and need not be read.
    fn has_own_target(&self) -> bool {
        let (target, static_target) = (self.metadata.target(), self.origin.target());
        !std::ptr::eq(target, static_target) && target != static_target
    }

    fn capture_fields(&mut self, own_target: bool) -> Fields {
        Fields::capture(
            self.pairs,
            self.arguments,
            self.around.fields.take(),
            own_target.then(|| self.metadata.target()),
            self.origin.name().is_none().then_some(self.name),
        )
    }
}

impl<O: SpanSource> ActiveSpan<O> {
    pub(crate) const fn none() -> Self {
        ActiveSpan(None)
    }

    /// A span that is filtered out, begun in this context.
    pub(crate) fn transparent(around: SpanContext) -> Self {
        ActiveSpan(Some(OpenSpan {
            span: around.span,
            fields: around.fields,
            origin: None,
            level: Level::Trace.into(),
            own_target: false,
            unwinding: false,
            outcome: None,
        }))
    }

    /// Writes the start record. The caller has asked the global logger whether it wants that.
    pub(crate) fn start(mut start: StartArguments<'_, O>) -> Self {
        let _writing = Writing::begin();
        if start.around.span.is_inherited() {
            start.around = SpanContext::default();
        }
        let own_target = start.has_own_target();
        let fields = start.capture_fields(own_target);
        let arguments = FirstPairs::new(start.pairs, start.arguments);
        let settled = start_arguments::settle(arguments);
        // The clock is read after formatting, which is no part of the operation's time.
        let started = clock::now();
        let parent = start.around.span;
        let anchored_at = parent.anchored_at();
        let anchored_at = anchored_at.unwrap_or_else(|| clock::anchored_at(started));
        let event = Event::Start {
            parent: parent.id,
            at: Seconds(anchored_at + started),
            arguments: start.arguments,
            spawned: start.spawned,
        };
        let mut open =
            OpenSpan::unwritten(start.origin, start.metadata.level(), fields, own_target);
        let id = ids::next_span();
        let task_id = match settled {
            None => open.emit(id, event, &arguments),
            Some(settled) => open.emit_with(id, event, settled),
        };
        if let Some(task_id) = task_id {
            let data = SpanData {
                start: started,
                task_id,
                target: open.static_target(),
                anchored_at,
            };
            open.span = SpanRef::open(id, data);
        }
        ActiveSpan(Some(open))
    }

    /// Where the records inside this span are; `None` if it has no place.
    pub(crate) fn position(&self) -> Option<SpanContext> {
        self.0.as_ref().map(|open| SpanContext {
            span: open.span,
            fields: open.fields.clone(),
        })
    }

    /// Whether its start was written, and its end will be.
    pub(crate) fn is_open(&self) -> bool {
        self.0.as_ref().is_some_and(|open| open.origin.is_some())
    }

    /// Enters it as the place of a future; `None` if it has no place.
    #[inline]
    pub(crate) fn enter<'a>(
        &'a mut self,
        left_open: &'a mut LeftOpen,
    ) -> Option<EnteredSpan<'a, O>> {
        let open = self.0.as_mut()?;
        let depth = match open.origin {
            Some(_) => stack::enter_future(open.span.state, &mut open.fields, left_open),
            None => stack::enter_future_open(open.span, &mut open.fields, left_open),
        };
        Some(EnteredSpan {
            open,
            left_open,
            depth,
        })
    }

    /// Writes the end record, once. From then on the span is current nowhere.
    pub(crate) fn end(&mut self, outcome: Option<Outcome>) {
        // Nor is a span of the process from which this was forked ended here.
        let is_ours = |open: &&mut OpenSpan<O>| open.origin.is_some() && !open.span.is_inherited();
        if let Some(open) = self.0.as_mut().filter(is_ours) {
            let Some((start, task_id)) = open.span.close() else {
                return;
            };
            let unwinding = thread::panicking();
            let outcome = if unwinding && !open.unwinding {
                Some(Outcome::Panicked)
            } else {
                open.outcome.or(outcome)
            };
            let event = Event::End {
                elapsed: Seconds(clock::now() - start),
                outcome,
                task_id,
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

impl<O: SpanSource> OpenSpan<O> {
    /// A span whose start is to be written.
    #[inline]
    fn unwritten(origin: O, level: Level, fields: Fields, own_target: bool) -> Self {
        OpenSpan {
            span: SpanRef::NONE,
            fields,
            origin: Some(origin),
            level: level.into(),
            own_target,
            unwinding: thread::panicking(),
            outcome: None,
        }
    }

    /// The target if it is static.
    #[inline]
    fn static_target(&self) -> Target {
        if self.own_target {
            return Target::UNKNOWN;
        }
        (self.origin.as_ref()).map_or(Target::UNKNOWN, O::static_target)
    }

    fn end(&mut self, event: Event) {
        let _writing = Writing::begin();
        if let Some(id) = self.span.id {
            self.emit(id, event, &NO_PAIRS);
        }
    }

    /// Writes a start with arguments that had to be formatted.
    #[inline(never)]
    fn emit_with(&mut self, id: SpanId, event: Event, arguments: Arguments) -> Option<Option<u64>> {
        let _formatted = Formatted::of(&arguments);
        self.emit(id, event, &arguments)
    }

    /// Writes a span record. Gives the task that a `Logger` wrote in it, if one wrote it; `None` for a span without call
    /// site, which has no records. If it panics, the span has ended.
    fn emit(&mut self, id: SpanId, event: Event, arguments: &dyn Source) -> Option<Option<u64>> {
        let origin = self.origin.as_ref()?;
        // What is not static stands with the fields.
        let is_static = !self.own_target && origin.name().is_some();
        let kept = if is_static {
            Fields::none()
        } else {
            self.fields.clone()
        };
        let span_record = SpanRecord {
            id,
            fields: self.fields.take(),
            event,
        };
        let name = origin.name().unwrap_or_else(|| kept.name());
        let target = if self.own_target {
            kept.target()
        } else {
            origin.target()
        };
        let metadata = Metadata::builder()
            .level(self.level.into())
            .target(target)
            .build();
        let arrived = emission::emit(span_record, origin, metadata, &Name(name), arguments)?;
        self.fields = arrived.fields;
        Some(arrived.task_id)
    }
}

impl<O: SpanSource> Drop for ActiveSpan<O> {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl<O: SpanSource> fmt::Debug for ActiveSpan<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0.as_ref();
        let id = id.map(|open| open.span.id.map_or(0, SpanId::get));
        f.debug_struct("Span").field("id", &id).finish()
    }
}
