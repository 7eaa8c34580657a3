//! `Span`: a span without a block.

use std::fmt;

use log::kv::{Source, Value};
use log::{Level, Metadata};

use crate::active_span::{ActiveSpan, StartArguments};
use crate::call_site::CallSite;
use crate::logger::start_arguments;
use crate::stack::{self, SpanContext};

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
pub struct Span(pub(crate) ActiveSpan<&'static CallSite>);

impl Span {
    /// Does nothing: code in it is where it is anyway.
    #[doc(hidden)]
    pub const fn none() -> Self {
        Span(ActiveSpan::none())
    }

    /// Stands for the context that the running code is in.
    #[doc(hidden)]
    pub fn here() -> Self {
        Span(ActiveSpan::transparent(stack::current()))
    }

    /// What a call of an annotated function starts with, when its level is enabled.
    #[doc(hidden)]
    pub fn of_function(
        site: &'static CallSite,
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

    pub(crate) fn start(
        site: &'static CallSite,
        metadata: Metadata<'_>,
        name: fmt::Arguments<'_>,
        pairs: &dyn Source,
        arguments: usize,
    ) -> Self {
        if !start_arguments::is_wanted(&metadata, arguments) {
            return Span::here();
        }
        Span(ActiveSpan::start(StartArguments {
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

    pub(crate) fn into_live(self) -> ActiveSpan<&'static CallSite> {
        self.0
    }

    pub(crate) fn position(&self) -> Option<SpanContext> {
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
