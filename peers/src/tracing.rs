//! tracing, with its own formatter or with a layer that does nothing.

use std::hint::black_box;

use ::tracing::span::{Attributes, Id};
use ::tracing::{
    info, instrument, level_filters::LevelFilter, trace_span, Event, Instrument, Subscriber,
};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::sink;
use crate::work::{Stalled, Work};

pub struct Tracing;

/// The formatter as it is, but for the time.
pub fn format(level: log::LevelFilter) {
    format_with(level, FmtSpan::NONE);
}

/// And a line where a span starts and one where it ends.
pub fn format_spans(level: log::LevelFilter) {
    format_with(level, FmtSpan::NEW | FmtSpan::CLOSE);
}

fn format_with(level: log::LevelFilter, spans: FmtSpan) {
    tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_max_level(filter(level))
        .with_span_events(spans)
        .with_writer(|| sink::Writer)
        .init();
}

/// A registry and a layer that does nothing.
pub fn silent(level: log::LevelFilter) {
    tracing_subscriber::registry()
        .with(filter(level))
        .with(Silent)
        .init();
}

fn filter(level: log::LevelFilter) -> LevelFilter {
    match level {
        log::LevelFilter::Trace => LevelFilter::TRACE,
        _ => LevelFilter::INFO,
    }
}

struct Silent;

impl<S: Subscriber> Layer<S> for Silent {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        sink::count();
    }

    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        sink::count();
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        sink::count();
    }
}

impl Work for Tracing {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        let _entered = trace_span!("load", user, path).entered();
        body(&())
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, _: u64, _: &'static str) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn function(user: u64, path: &'static str) -> u64 {
        function(user, path)
    }

    #[inline(always)]
    async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
        async_function(user, path, stalls).await
    }

    #[inline(always)]
    async fn kept(user: u64, path: &'static str, stalls: u64) -> u64 {
        let span = trace_span!("load", user, path);
        async { Stalled(stalls).await }.instrument(span).await
    }
}

#[inline(never)]
#[instrument(level = "trace")]
fn function(user: u64, path: &'static str) -> u64 {
    black_box(path);
    user
}

#[instrument(level = "trace", skip(stalls))]
async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
    Stalled(stalls).await
}
