//! The span of a block of code, and how `log`'s own macro starts it.

use std::mem::ManuallyDrop;
use std::sync::Mutex;

use log::{Log, Metadata, Record};

use crate::active_span::ActiveSpan;
use crate::call_site::CallSite;
use crate::span::Span;
use crate::stack::{self, Block, SpanContext};

/// A span around a block of code: put here when it starts, entered, and ended where this is dropped.
#[doc(hidden)]
#[must_use]
#[derive(Debug)]
pub struct InlineSpan(ManuallyDrop<Option<Started>>); // dropped by `exit`, so that where there is none nothing is left to do

#[derive(Debug)]
struct Started {
    span: ActiveSpan<&'static CallSite>,
    within: Within,
}

/// What a span's level is.
#[derive(Debug)]
enum Within {
    /// Its own.
    Nothing,
    /// That of other spans of its block: what to go back to.
    Block(SpanContext),
}

impl InlineSpan {
    /// What a block is in whose span is filtered out.
    #[inline]
    pub const fn none() -> Self {
        InlineSpan(ManuallyDrop::new(None))
    }

    /// Enters the span of a function, which cannot be suspended.
    #[inline(never)]
    pub fn async_log_enter(&mut self, span: Span) {
        let position = span.position();
        let Some(position) =
            position.filter(|position| span.0.is_open() || !stack::is_here(position))
        else {
            return;
        };
        // A context that a filtered span stands for may be that of a span that has ended.
        let block = if span.0.is_open() {
            stack::SYNC_BLOCK
        } else {
            stack::BOUNDARY
        };
        stack::enter(position, block);
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

    /// Enters a span whose block cannot be suspended (0), or that is the outermost one of this block.
    #[inline]
    pub fn enter(&mut self, block: impl Into<Block>) {
        self.enter_outermost(block.into());
    }

    /// Enters a span that is nested in others of this block.
    #[inline]
    pub fn enter_nested(&mut self, block: impl Into<Block>) {
        self.enter_inner(block.into());
    }

    /// Apart, so that a block whose span is filtered out has nothing of it.
    #[inline(never)]
    fn enter_outermost(&mut self, block: Block) {
        let block = match block {
            stack::BOUNDARY => stack::SYNC_BLOCK,
            block => block,
        };
        if let Some(position) = self.position() {
            stack::enter(position, block);
        }
    }

    #[inline(never)]
    fn enter_inner(&mut self, block: Block) {
        let (Some(position), Some(started)) = (self.position(), &mut *self.0) else {
            return;
        };
        match stack::enter_nested(position, block) {
            Ok(parent) => started.within = Within::Block(parent),
            Err(position) => stack::enter(position, block),
        }
    }

    /// Whether it holds a span whose start was written.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        (self.0.as_ref()).is_some_and(|started| started.span.is_open())
    }

    fn position(&self) -> Option<SpanContext> {
        self.0.as_ref()?.span.position()
    }

    /// Leaves the span of a function, which has not ended: it goes on in the future that the function returns.
    #[inline]
    pub fn leave(&mut self) -> Span {
        match self.0.take() {
            Some(started) => InlineSpan::leave_started(started),
            None => Span::none(),
        }
    }

    #[inline(never)]
    fn leave_started(mut started: Started) -> Span {
        let id = started.span.0.as_ref().and_then(|open| open.span.id);
        let outcome = stack::exit(id);
        if let Some(open) = &mut started.span.0 {
            open.outcome = open.outcome.or(outcome);
        }
        Span(started.span)
    }

    #[inline(never)]
    fn exit(&mut self) {
        if let Some(started) = &mut *self.0 {
            let id = started.span.0.as_ref().and_then(|open| open.span.id);
            let outcome = match &mut started.within {
                Within::Nothing => stack::exit(id),
                Within::Block(parent) => stack::exit_nested(id, std::mem::take(parent)),
            };
            started.span.end(outcome);
        }
    }
}

impl Drop for InlineSpan {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.exit();
        }
    }
}

/// Receives what a span starts with from `log`'s own macro, as the logger of that one record:
/// so a span has all the syntax that a record has, and is filtered before anything is evaluated.
#[doc(hidden)]
#[derive(Debug)]
pub struct Start<'a> {
    site: &'static CallSite,
    arguments: usize,
    // Never contended: a logger has to be `Sync`.
    span: Mutex<&'a mut InlineSpan>,
}

impl<'a> Start<'a> {
    #[inline]
    pub fn new(site: &'static CallSite, span: &'a mut InlineSpan) -> Self {
        Start::of_function(site, 0, span)
    }

    /// The first pairs are the arguments of a function.
    #[inline]
    pub fn of_function(
        site: &'static CallSite,
        arguments: usize,
        span: &'a mut InlineSpan,
    ) -> Self {
        Start {
            site,
            arguments,
            span: Mutex::new(span),
        }
    }
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
