//! context-logger: records by hand where a span starts and ends, inside a context with the fields.

use std::hint::black_box;

use ::context_logger::{log_scope, ContextLogger, FutureExt, LogContext, LogContextExt};
use log::{info, trace, Log};

use crate::work::{Stalled, Work};

pub struct WithContext;

pub fn start(logger: impl Log + 'static, level: log::LevelFilter) {
    ContextLogger::new(logger).init(level);
}

fn context(user: u64, path: &'static str) -> LogContext {
    LogContext::new()
        .with_inherited_field("user", user)
        .with_inherited_field("path", path)
}

impl Work for WithContext {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        context(user, path).in_scope(|| {
            trace!(span_mark = "start"; "load");
            let result = body(&());
            trace!(span_mark = "end"; "load");
            result
        })
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
        let future = async {
            trace!(span_mark = "start"; "load");
            let result = Stalled(stalls).await;
            trace!(span_mark = "end"; "load");
            result
        };
        future.in_log_context(context(user, path)).await
    }
}

#[inline(never)]
#[log_scope(inherited_fields(user, path))]
fn function(user: u64, path: &'static str) -> u64 {
    trace!(span_mark = "start"; "load");
    black_box(path);
    trace!(span_mark = "end"; "load");
    user
}

#[log_scope(inherited_fields(user, path))]
async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
    trace!(span_mark = "start"; "load");
    let result = Stalled(stalls).await;
    trace!(span_mark = "end"; "load");
    result
}
