//! fastrace: child spans of a root, which it collects in the background and reports in batches.

use std::fmt::Write;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::fastrace::collector::{Config, Reporter, SpanRecord};
use ::fastrace::future::FutureExt;
use ::fastrace::local::LocalSpan;
use ::fastrace::prelude::SpanContext;
use ::fastrace::{Event, Span};

use crate::sink;
use crate::work::{Stalled, Work};

pub struct Fastrace;

/// Without a root nothing is collected: this is its way to filter.
static HAS_ROOT: AtomicBool = AtomicBool::new(false);

/// Formats what is reported.
pub fn text(level: log::LevelFilter) {
    start(level, Text);
}

/// Formats nothing.
pub fn silent(level: log::LevelFilter) {
    start(level, Silent);
}

/// Reports nothing before an hour has passed, to see what the calling thread does alone.
pub fn later(level: log::LevelFilter) {
    has_root(level);
    fastrace::set_reporter(
        Silent,
        Config::default().report_interval(Duration::from_secs(3600)),
    );
}

fn start(level: log::LevelFilter, reporter: impl Reporter) {
    has_root(level);
    fastrace::set_reporter(reporter, Config::default());
}

fn has_root(level: log::LevelFilter) {
    HAS_ROOT.store(level == log::LevelFilter::Trace, Ordering::Relaxed);
}

/// Waits until all has been reported.
pub fn finish() {
    fastrace::flush();
}

struct Text;

impl Reporter for Text {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        for span in spans {
            sink::write(|line| {
                let _ = write!(line, "{} {}", span.name, span.duration_ns);
                for (key, value) in &span.properties {
                    let _ = write!(line, ", {key}={value}");
                }
                for event in &span.events {
                    let _ = write!(line, ", {}", event.name);
                }
                let _ = write!(line, ", id={}, parent={}", span.span_id.0, span.parent_id.0);
            });
        }
    }
}

struct Silent;

impl Reporter for Silent {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        for span in &spans {
            black_box(span);
            sink::count();
            span.events.iter().for_each(|_| sink::count());
        }
    }
}

impl Work for Fastrace {
    type Inside = ();

    fn batch(body: impl FnOnce()) {
        if HAS_ROOT.load(Ordering::Relaxed) {
            let root = Span::root("batch", SpanContext::random());
            let _guard = root.set_local_parent();
            body();
        } else {
            body();
        }
    }

    #[inline(always)]
    fn record(n: u64) {
        LocalSpan::add_event(Event::new(format!("hello {n}")));
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        let _span = LocalSpan::enter_with_local_parent("load")
            .with_properties(|| [("user", user.to_string()), ("path", path.to_owned())]);
        body(&())
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, _: u64, _: &'static str) {
        Self::record(n);
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
        let span = Span::enter_with_local_parent("load")
            .with_properties(|| [("user", user.to_string()), ("path", path.to_owned())]);
        async { Stalled(stalls).await }.in_span(span).await
    }
}

#[inline(never)]
#[fastrace::trace(properties = { "user": "{user}", "path": "{path}" })]
fn function(user: u64, path: &'static str) -> u64 {
    black_box(path);
    user
}

#[fastrace::trace(properties = { "user": "{user}", "path": "{path}" })]
async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
    Stalled(stalls).await
}
