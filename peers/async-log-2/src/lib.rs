//! The work, done through async-log 2.0 and nothing else.

use std::future::Future;

use async_log::{instrument, span};

/// Wraps a logger as its documentation does.
pub fn start(logger: impl log::Log + 'static, level: log::LevelFilter) {
    async_log::Logger::wrap(logger, || 0)
        .start(level)
        .expect("no logger is set");
}

/// A record.
#[inline(always)]
pub fn record(n: u64) {
    log::info!("hello {}", n);
}

/// A span with two fields, which are part of its name.
#[inline(always)]
pub fn in_span<R>(user: u64, path: &str, body: impl FnOnce() -> R) -> R {
    span!("load, user={}, path={}", user, path, { body() })
}

/// An annotated function. It has one argument: with two its attribute does not compile.
#[inline(never)]
#[instrument]
pub fn function(user: u64) -> u64 {
    std::hint::black_box(user)
}

/// An annotated `async fn`.
#[instrument]
pub async fn async_function(stalled: Argument<impl Future<Output = u64>>) -> u64 {
    stalled.0.await
}

/// An await in a span.
pub async fn kept(user: u64, path: &str, stalled: impl Future<Output = u64>) -> u64 {
    span!("load, user={}, path={}", user, path, { stalled.await })
}

/// The one argument of `async_function`: what it awaits, shown as the number that the others show.
pub struct Argument<F>(pub F, pub u64);

impl<F> std::fmt::Display for Argument<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.1.fmt(f)
    }
}
