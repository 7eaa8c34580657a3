//! `log` by hand: a record where a span starts and one where it ends. In the message, with our keys and without, and as
//! key-values; also a wrapper that adds two numbers to the last.

use std::cell::Cell;
use std::hint::black_box;

use log::kv::{self, Key, Source, Value, VisitSource};
use log::{info, trace, Log, Metadata, Record};

use crate::work::{Stalled, Work};

/// With the fields in the message and no numbers that tell one span from another.
pub struct ByHand;

impl Work for ByHand {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        trace!("load, span_mark=start, user={}, path={}", user, path);
        let result = body(&());
        trace!("load, span_mark=end, user={}, path={}", user, path);
        result
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, user: u64, path: &'static str) {
        info!("hello {}, user={}, path={}", n, user, path);
    }

    #[inline(always)]
    fn function(user: u64, path: &'static str) -> u64 {
        function(user, path)
    }

    async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
        Self::kept(user, path, stalls).await
    }

    async fn kept(user: u64, path: &'static str, stalls: u64) -> u64 {
        trace!("load, span_mark=start, user={}, path={}", user, path);
        let result = Stalled(stalls).await;
        trace!("load, span_mark=end, user={}, path={}", user, path);
        result
    }
}

#[inline(never)]
fn function(user: u64, path: &'static str) -> u64 {
    trace!(
        "{}#function, arg_0={}, arg_1={}, span_mark=start",
        file!(),
        user,
        path
    );
    black_box(path);
    trace!("{}#function, span_mark=end", file!());
    user
}

/// With the very text that ours writes. The numbers and times are there already: nobody counts or reads a clock.
pub struct SameText;

#[inline(always)]
fn span_id() -> u64 {
    black_box(1234)
}

#[inline(always)]
fn at() -> (u64, u32) {
    black_box((1_763_795_586, 123_456_789))
}

#[inline(always)]
fn elapsed() -> (u64, u32) {
    black_box((0, 12_345))
}

#[inline(always)]
fn process() -> (u32, u64) {
    black_box((4242, 1_763_795_586_123_456_789))
}

#[inline(always)]
fn task_id() -> u64 {
    black_box(0)
}

#[inline(always)]
fn thread_id() -> u64 {
    black_box(1)
}

impl Work for SameText {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        info!(
            "hello {}, task_id={}, thread_id={}",
            n,
            task_id(),
            thread_id()
        );
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        trace!(
            "load, span_mark=start, user={}, path={}, span_id={}, span_at={}.{:09}, process_id={}-{}, task_id={}, \
             thread_id={}",
            user, path, span_id(), at().0, at().1, process().0, process().1, task_id(), thread_id()
        );
        let result = body(&());
        trace!(
            "load, span_mark=end, user={}, path={}, span_id={}, span_elapsed={}.{:09}, task_id={}, thread_id={}",
            user, path, span_id(), elapsed().0, elapsed().1, task_id(), thread_id()
        );
        result
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, user: u64, path: &'static str) {
        info!(
            "hello {}, user={}, path={}, span_id={}, task_id={}, thread_id={}",
            n,
            user,
            path,
            span_id(),
            task_id(),
            thread_id()
        );
    }

    #[inline(always)]
    fn function(user: u64, path: &'static str) -> u64 {
        same_text_function(user, path)
    }

    async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
        Self::kept(user, path, stalls).await
    }

    async fn kept(user: u64, path: &'static str, stalls: u64) -> u64 {
        Self::span(user, path, |_| ());
        Stalled(stalls).await
    }
}

#[inline(never)]
fn same_text_function(user: u64, path: &'static str) -> u64 {
    trace!(
        "{}#function, arg_0={}, arg_1={}, span_mark=start, span_id={}, span_at={}.{:09}, process_id={}-{}, task_id={}, \
         thread_id={}",
        file!(), user, path, span_id(), at().0, at().1, process().0, process().1, task_id(), thread_id()
    );
    black_box(path);
    trace!(
        "{}#function, span_mark=end, span_id={}, span_elapsed={}.{:09}, task_id={}, thread_id={}",
        file!(),
        span_id(),
        elapsed().0,
        elapsed().1,
        task_id(),
        thread_id()
    );
    user
}

/// With the fields as key-values.
pub struct KeyValues;

impl Work for KeyValues {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        trace!(span_mark = "start", user, path; "load");
        let result = body(&());
        trace!(span_mark = "end", user, path; "load");
        result
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, user: u64, path: &'static str) {
        info!(user, path; "hello {}", n);
    }

    #[inline(always)]
    fn function(user: u64, path: &'static str) -> u64 {
        key_values_function(user, path)
    }

    async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
        Self::kept(user, path, stalls).await
    }

    async fn kept(user: u64, path: &'static str, stalls: u64) -> u64 {
        trace!(span_mark = "start", user, path; "load");
        let result = Stalled(stalls).await;
        trace!(span_mark = "end", user, path; "load");
        result
    }
}

#[inline(never)]
fn key_values_function(user: u64, path: &'static str) -> u64 {
    trace!(arg_0 = user, arg_1 = path, span_mark = "start"; "{}#function", file!());
    black_box(path);
    trace!(span_mark = "end"; "{}#function", file!());
    user
}

thread_local! {
    static TASK_ID: Cell<u64> = const { Cell::new(7) };
    static THREAD_ID: Cell<u64> = const { Cell::new(1) };
}

/// The least that a logger around a logger can do: two numbers more among the key-values.
pub struct Wrapper<L>(pub L);

impl<L: Log> Log for Wrapper<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let pairs = WithIds(record.key_values());
        self.0.log(&record.to_builder().key_values(&pairs).build());
    }

    fn flush(&self) {
        self.0.flush();
    }
}

struct WithIds<'a>(&'a dyn Source);

impl Source for WithIds<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        self.0.visit(visitor)?;
        visitor.visit_pair(Key::from_str("task_id"), Value::from(TASK_ID.get()))?;
        visitor.visit_pair(Key::from_str("thread_id"), Value::from(THREAD_ID.get()))
    }
}
