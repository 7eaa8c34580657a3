//! emit: an event where a span ends, with its start and its end in it.

use std::fmt::Write;
use std::hint::black_box;
use std::ops::ControlFlow;

use ::emit::{Emitter, Props};

use crate::sink;
use crate::work::{Stalled, Work};

pub struct Emit;

/// Formats an event with its module and its properties, those of the spans around it among them.
pub fn text(level: log::LevelFilter) {
    start(
        level,
        emit::emitter::from_fn(|event| {
            sink::write(|line| {
                let _ = write!(line, "{}: {}", event.mdl(), event.msg());
                let _ = event.props().for_each(|key, value| {
                    let _ = write!(line, ", {key}={value}");
                    ControlFlow::Continue(())
                });
            });
        }),
    );
}

/// Formats nothing.
pub fn silent(level: log::LevelFilter) {
    start(
        level,
        emit::emitter::from_fn(|event| {
            black_box(event);
            sink::count();
        }),
    );
}

fn start(level: log::LevelFilter, emitter: impl Emitter + Send + Sync + 'static) {
    let least = match level {
        log::LevelFilter::Trace => emit::Level::Debug,
        _ => emit::Level::Info,
    };
    let filter = emit::level::min_filter(least);
    let _ = emit::setup().emit_to(emitter).emit_when(filter).init();
}

impl Work for Emit {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        emit::info!("hello {n}");
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        let (mut span, frame) = emit::debug_span_guard!("load", user, path);
        frame.call(move || {
            span.start();
            body(&())
        })
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
        let (mut span, frame) = emit::debug_span_guard!("load", user, path);
        let future = async move {
            span.start();
            Stalled(stalls).await
        };
        frame.in_future(future).await
    }
}

#[inline(never)]
#[emit::debug_span("function", user, path)]
fn function(user: u64, path: &'static str) -> u64 {
    black_box(path);
    user
}

#[emit::debug_span("async_function", user, path)]
async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
    Stalled(stalls).await
}
