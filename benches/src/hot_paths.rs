//! The paths that have to stay fast, each as a loop, and the loggers that they end in.

use std::cell::RefCell;
use std::fmt::Write;
use std::future::Future;
use std::hint::black_box;
use std::pin::{pin, Pin};
use std::task::{Context, Poll, Waker};

use async_log::{instrument, span, TaskExt};
use log::kv::{self, Key, Value, VisitSource};
use log::{info, trace, LevelFilter, Log, Metadata, Record};

/// What the process is set up as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `log` alone, in text.
    ByHand,
    /// Spans are filtered out.
    Filtered,
    /// Key-values, and a logger that does not look at them.
    Silent,
    /// The text form.
    Text,
}

/// Sets it up.
pub fn start(form: Form) {
    match form {
        Form::ByHand => {
            log::set_logger(&Text).expect("no logger is set");
            log::set_max_level(LevelFilter::Trace);
            Ok(())
        }
        Form::Filtered => {
            async_log::Logger::wrap(Text, async_log::task_id).start(LevelFilter::Info)
        }
        Form::Silent => async_log::Logger::wrap(Silent, async_log::task_id)
            .with_key_values()
            .start(LevelFilter::Trace),
        Form::Text => async_log::Logger::wrap(Text, async_log::task_id).start(LevelFilter::Trace),
    }
    .expect("no logger is set");
}

/// A path, and how to go it so many times.
pub struct HotPath {
    pub form: Form,
    pub name: &'static str,
    pub repeat: fn(u64),
}

/// All of them. The first is what the others are compared with.
pub const PATHS: &[HotPath] = &[
    path(Form::ByHand, "record", record_by_hand),
    path(Form::Filtered, "record", filtered_record),
    path(Form::Filtered, "span", span_with_fields),
    path(Form::Filtered, "annotated fn", annotated),
    path(Form::Silent, "record", record),
    path(Form::Silent, "record in a span", record_in_a_span),
    path(Form::Silent, "span", span),
    path(Form::Silent, "span with fields", span_with_fields),
    path(Form::Silent, "annotated fn", annotated),
    path(Form::Silent, "task", task),
    path(Form::Silent, "poll of an annotated fn", poll_annotated),
    path(Form::Silent, "poll of a kept await", poll_kept),
    path(Form::Text, "record", record),
    path(Form::Text, "record with a pair", record_with_pair),
    path(Form::Text, "record in a span", record_in_a_span),
    path(Form::Text, "span", span),
    path(Form::Text, "span with fields", span_with_fields),
    path(Form::Text, "annotated fn", annotated),
];

const fn path(form: Form, name: &'static str, repeat: fn(u64)) -> HotPath {
    HotPath { form, name, repeat }
}

fn numbers(n: u64) -> impl Iterator<Item = u64> {
    (0..n).map(|i| black_box(i % 10))
}

fn record_by_hand(n: u64) {
    for i in numbers(n) {
        info!(
            "hello {}, task_id={}, thread_id={}",
            i,
            black_box(0u64),
            black_box(1u64)
        );
    }
}

fn filtered_record(n: u64) {
    for i in numbers(n) {
        trace!("hello {}", i);
    }
}

fn record(n: u64) {
    for i in numbers(n) {
        info!("hello {}", i);
    }
}

fn record_with_pair(n: u64) {
    for i in numbers(n) {
        info!(bytes = i; "hello");
    }
}

fn record_in_a_span(n: u64) {
    let (user, path) = (7421, "/tmp/cats");
    span!(user, path; "load", { record(n) });
}

fn span(n: u64) {
    for _ in numbers(n) {
        span!("load", { black_box(()) });
    }
}

fn span_with_fields(n: u64) {
    for user in numbers(n) {
        let path = black_box("/tmp/cats");
        span!(user, path; "load", { black_box(()) });
    }
}

fn annotated(n: u64) {
    for i in numbers(n) {
        black_box(annotated_function(i, black_box("/tmp/cats")));
    }
}

#[inline(never)]
#[instrument]
fn annotated_function(user: u64, path: &str) -> u64 {
    black_box(path);
    user
}

fn task(n: u64) {
    for _ in numbers(n) {
        poll(Stalled(0).in_task());
    }
}

fn poll_annotated(n: u64) {
    #[instrument]
    async fn annotated(stalls: u64) {
        Stalled(stalls).await;
    }
    poll(annotated(n));
}

fn poll_kept(n: u64) {
    poll(async { span!("load", { Stalled(n).await }) });
}

fn poll(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    while future.as_mut().poll(&mut context).is_pending() {}
}

/// A future that is pending so many times.
struct Stalled(u64);

impl Future for Stalled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        Poll::Pending
    }
}

/// Formats into a string that is used again.
struct Text;

impl Log for Text {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        thread_local! {
            static LINE: RefCell<String> = const { RefCell::new(String::new()) };
        }
        LINE.with_borrow_mut(|line| {
            line.clear();
            line.push_str(record.level().as_str());
            line.push(' ');
            line.push_str(record.target());
            line.push_str(": ");
            let _ = line.write_fmt(*record.args());
            let _ = record.key_values().visit(&mut Pairs(line));
            black_box(line);
        });
    }

    fn flush(&self) {}
}

struct Pairs<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        write!(self.0, ", {key}={value}")?;
        Ok(())
    }
}

/// Formats nothing.
struct Silent;

impl Log for Silent {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        black_box(record);
    }

    fn flush(&self) {}
}
