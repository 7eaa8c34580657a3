//! Each way out of a span, by its name: one start, one end, the true outcome, and then the place
//! is what it was before.

// A way out may be one that nobody needs.
#![allow(
    clippy::needless_question_mark,
    clippy::needless_return,
    clippy::never_loop
)]

use std::cell::RefCell;
use std::future::{pending, ready, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use async_log::{instrument, span, Logger, TaskExt};
use futures::task::noop_waker_ref;
use futures::FutureExt;
use log::{LevelFilter, Metadata, Record};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps each thread's records, except those of one target.
struct Lines;

impl log::Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() != "filtered"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            LINES.with(|lines| lines.borrow_mut().push(record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

/// One test at a time: the level is the process's.
fn start() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    static STARTED: OnceLock<()> = OnceLock::new();
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    STARTED.get_or_init(|| {
        Logger::wrap(Lines, async_log::task_id)
            .start(LevelFilter::Trace)
            .unwrap()
    });
    log::set_max_level(LevelFilter::Trace);
    LINES.with(|lines| lines.borrow_mut().clear());
    one
}

fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split(", ")
        .skip(1)
        .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// What was logged, as `name start`, `name end`, `name end OUTCOME` or the message, each with `in
/// NAME` where it is inside a span.
#[track_caller]
fn check(expected: &[&str]) {
    log::info!("after");
    let lines = LINES.with(RefCell::take);
    let name = |line: &str| line.split(", ").next().unwrap().to_owned();
    let starts: Vec<_> = lines
        .iter()
        .filter(|line| field(line, "span_mark") == Some("start"))
        .map(|line| (field(line, "span_id").unwrap().to_owned(), name(line)))
        .collect();
    let span = |id: Option<&str>| {
        let id = id?;
        let (_, name) = starts.iter().find(|(start, _)| start == id)?;
        Some(format!(" in {name}"))
    };
    let told: Vec<String> = lines
        .iter()
        .map(|line| match field(line, "span_mark") {
            Some("start") => {
                let parent = span(field(line, "span_parent")).unwrap_or_default();
                format!("{} start{parent}", name(line))
            }
            Some(mark) => {
                let outcome = field(line, "span_outcome");
                let outcome = outcome.map(|o| format!(" {o}")).unwrap_or_default();
                format!("{} {mark}{outcome}", name(line))
            }
            None => format!(
                "{}{}",
                name(line),
                span(field(line, "span_id")).unwrap_or_default()
            ),
        })
        .collect();
    let expected: Vec<_> = expected.iter().copied().chain(["after"]).collect();
    assert_eq!(told, expected);
}

fn poll_once<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(noop_waker_ref()))
}

/// Logs when it is dropped.
struct Local(&'static str);

impl Drop for Local {
    fn drop(&mut self) {
        log::info!("{} dropped", self.0);
    }
}

#[test]
fn fall_through() {
    let _one = start();
    let value = span!("s", {
        log::info!("inside");
        7
    });
    assert_eq!(value, 7);
    check(&["s start", "inside in s", "s end"]);
}

#[test]
fn by_return() {
    fn early() -> u32 {
        span!("s", {
            let _local = Local("local");
            return 7;
        })
    }
    let _one = start();
    assert_eq!(early(), 7);
    check(&["s start", "local dropped in s", "s end"]);
}

#[test]
fn by_question_mark() {
    fn early() -> Result<u32, std::num::ParseIntError> {
        Ok(span!("s", { "x".parse::<u32>()? }))
    }
    let _one = start();
    early().unwrap_err();
    check(&["s start", "s end"]);
}

#[test]
fn by_question_mark_behind_an_await() {
    async fn early() -> Result<u32, std::num::ParseIntError> {
        span!("s", {
            let _local = Local("local");
            futures::pending!();
            ready(()).await;
            Ok("x".parse::<u32>()?)
        })
    }
    let _one = start();
    let mut future = pin!(early().in_task());
    assert!(poll_once(future.as_mut()).is_pending());
    log::info!("between");
    assert!(poll_once(future).is_ready());
    let path = "ways_out::by_question_mark_behind_an_await::early";
    check(&[
        &format!("{path} start"),
        &format!("s start in {path}"),
        "between",
        "local dropped in s",
        "s end",
        &format!("{path} end"),
    ]);
}

#[test]
fn by_break() {
    let _one = start();
    let value = loop {
        span!("s", {
            let _local = Local("local");
            break 7;
        });
    };
    assert_eq!(value, 7);
    check(&["s start", "local dropped in s", "s end"]);
}

#[test]
fn by_continue_to_a_label() {
    let _one = start();
    'outer: for _ in 0..2 {
        loop {
            span!("s", {
                span!("t", { continue 'outer });
            });
        }
    }
    check(&[
        "s start",
        "t start in s",
        "t end",
        "s end",
        "s start",
        "t start in s",
        "t end",
        "s end",
    ]);
}

#[test]
fn by_panic() {
    let _one = start();
    let panicked = catch_unwind(|| {
        span!("s", {
            let _local = Local("local");
            span!("t", {
                if log::max_level() > LevelFilter::Off {
                    std::panic::resume_unwind(Box::new("on purpose"));
                }
            });
        });
    });
    assert!(panicked.is_err());
    check(&[
        "s start",
        "t start in s",
        "t end panicked",
        "local dropped in s",
        "s end panicked",
    ]);
}

#[test]
fn by_panic_behind_an_await() {
    async fn panics() {
        span!("s", {
            let _local = Local("local");
            async { std::panic::resume_unwind(Box::new("on purpose")) }.await
        })
    }
    let _one = start();
    span!("around", {
        let caught = AssertUnwindSafe(panics()).catch_unwind().now_or_never();
        assert!(caught.unwrap().is_err());
        log::info!("caught");
    });
    check(&[
        "around start",
        "s start in around",
        "local dropped in s",
        "s end panicked",
        "caught in around",
        "around end",
    ]);
}

/// A span that starts in a destructor while the thread unwinds has not panicked.
#[test]
fn inside_of_an_unwinding() {
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            span!("cleanup", { log::info!("cleaning") });
        }
    }
    let _one = start();
    let panicked = catch_unwind(|| {
        let _cleanup = Cleanup;
        std::panic::resume_unwind(Box::new("on purpose"));
    });
    assert!(panicked.is_err());
    check(&["cleanup start", "cleaning in cleanup", "cleanup end"]);
}

#[test]
fn by_a_future_dropped_and_never_polled() {
    let _one = start();
    drop(async { span!("s", { ready(()).await }) });
    drop(async {}.in_task());
    check(&[]);
}

#[test]
fn by_a_future_dropped_half_way() {
    async fn waits() {
        let _outside = Local("outside");
        span!("s", {
            let _local = Local("local");
            span!("t", {
                let _inner = Local("inner");
                pending::<()>().await;
            });
        });
    }
    let _one = start();
    span!("around", {
        let mut future = Box::pin(waits());
        assert!(poll_once(future.as_mut()).is_pending());
        log::info!("between");
        drop(future);
        log::info!("dropped");
    });
    check(&[
        "around start",
        "s start in around",
        "t start in s",
        "between in around",
        "inner dropped in t",
        "t end cancelled",
        "local dropped in s",
        "s end cancelled",
        "outside dropped in around",
        "dropped in around",
        "around end",
    ]);
}

/// What a destructor does while its future is dropped is not cancelled itself.
#[test]
fn a_span_in_the_destructor_of_a_cancelled_local_just_ends() {
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            span!("cleanup", { log::info!("cleaning") });
        }
    }
    let _one = start();
    let mut future = Box::pin(async {
        span!("s", {
            let _cleanup = Cleanup;
            pending::<()>().await;
        })
    });
    assert!(poll_once(future.as_mut()).is_pending());
    drop(future);
    check(&[
        "s start",
        "cleanup start in s",
        "cleaning in cleanup",
        "cleanup end",
        "s end cancelled",
    ]);
}

#[test]
fn by_a_future_dropped_after_completion() {
    let _one = start();
    let mut future = Box::pin(async { span!("s", { ready(7).await }) }.fuse());
    assert_eq!(poll_once(future.as_mut()), Poll::Ready(7));
    drop(future);
    check(&["s start", "s end"]);
}

#[test]
fn by_a_future_dropped_while_its_arms_wait() {
    let _one = start();
    let mut future = Box::pin(async {
        span!("s", {
            let _local = Local("local");
            tokio::join!(
                async {
                    let _arm = Local("arm");
                    pending::<()>().await
                },
                ready(())
            );
        })
    });
    assert!(poll_once(future.as_mut()).is_pending());
    log::info!("between");
    drop(future);
    check(&[
        "s start",
        "between",
        "arm dropped in s",
        "local dropped in s",
        "s end cancelled",
    ]);
}

#[test]
fn by_a_task_that_is_aborted() {
    let _one = start();
    let mut task = Box::pin(
        async {
            let _local = Local("local");
            pending::<()>().await
        }
        .in_named_task("job"),
    );
    assert!(poll_once(task.as_mut()).is_pending());
    drop(task);
    check(&["job start", "local dropped in job", "job end cancelled"]);
}

/// An executor catches the panic of a task and drops its future later.
#[test]
fn by_a_task_that_panicked() {
    let _one = start();
    let mut task = Box::pin(
        async {
            let _local = Local("local");
            std::panic::resume_unwind(Box::new("on purpose"))
        }
        .in_named_task("job"),
    );
    let caught = catch_unwind(AssertUnwindSafe(|| {
        poll_once::<_>(task.as_mut()).is_ready()
    }));
    assert!(caught.is_err());
    log::info!("caught");
    drop(task);
    check(&[
        "job start",
        "local dropped in job",
        "caught",
        "job end panicked",
    ]);
}

#[test]
fn of_a_span_without_a_block() {
    let _one = start();
    let span = span!("s");
    log::info!("not inside");
    span.run(|| log::info!("inside"));
    drop(span);
    check(&["s start", "not inside", "inside in s", "s end"]);
}

#[test]
fn of_a_future_in_a_span() {
    let _one = start();
    let span = span!("s");
    let mut future = pin!(async {
        log::info!("inside");
        let _local = Local("local");
        futures::pending!();
    }
    .in_span(span));
    assert!(poll_once(future.as_mut()).is_pending());
    log::info!("between");
    assert!(poll_once(future.as_mut()).is_ready());
    log::info!("ready");
    check(&[
        "s start",
        "inside in s",
        "between",
        "local dropped in s",
        "s end",
        "ready",
    ]);
}

#[test]
fn of_an_annotated_function() {
    #[instrument(name = "early")]
    fn early(text: &str) -> Result<u32, std::num::ParseIntError> {
        let number = text.parse::<u32>()?;
        Ok(number)
    }
    let _one = start();
    early("x").unwrap_err();
    check(&["early start", "early end"]);
}

#[test]
fn by_an_error() {
    #[instrument(name = "sync", skip_all, err)]
    fn fails(text: &str) -> Result<u32, std::num::ParseIntError> {
        Ok(span!("inner", { text.parse::<u32>()? }))
    }
    #[instrument(name = "async", skip_all, err)]
    async fn fails_later(text: &str) -> Result<u32, std::num::ParseIntError> {
        ready(()).await;
        text.parse()
    }
    let _one = start();
    fails("x").unwrap_err();
    fails_later("x").now_or_never().unwrap().unwrap_err();
    fails("1").unwrap();
    check(&[
        "sync start",
        "inner start in sync",
        "inner end",
        "sync in sync",
        "sync end error",
        "async start",
        "async in async",
        "async end error",
        "sync start",
        "inner start in sync",
        "inner end",
        "sync end",
    ]);
}

/// An error of a function whose own span is filtered out is not one of the span around.
#[test]
fn by_an_error_without_a_span() {
    #[instrument(err(level = info))]
    fn fails() -> Result<u8, String> {
        log::info!("fails");
        Err("no".to_owned())
    }

    #[instrument(err(level = info))]
    async fn fails_later() -> Result<u8, String> {
        Err("no".to_owned())
    }

    #[instrument(err(level = info))]
    fn fails_boxed() -> Boxed {
        let future = ready(Err("no".to_owned()));
        Box::pin(future)
    }

    #[instrument(err(level = info))]
    fn fails_in_a_block() -> Boxed {
        Box::pin(async { Err("no".to_owned()) })
    }

    let _one = start();
    log::set_max_level(LevelFilter::Info);
    span!(level: info, "handles", {
        fails().unwrap_or(0);
        fails_later().now_or_never();
        fails_boxed().now_or_never();
        fails_in_a_block().now_or_never();
    });
    let error = |name: &str| format!("tests/ways_out.rs#{name} in handles");
    check(&[
        "handles start",
        "fails in handles",
        &error("fails"),
        &error("fails_later"),
        &error("fails_boxed"),
        &error("fails_in_a_block"),
        "handles end",
    ]);
}

type Boxed = std::pin::Pin<Box<dyn Future<Output = Result<u8, String>>>>;

/// The span of a function that returns a future, by each way out of the two.
#[test]
fn of_a_function_that_returns_a_future() {
    #[instrument(name = "made", err(level = trace))]
    fn made(how: u8) -> Boxed {
        log::info!("call");
        if how == 0 {
            panic!("in the call");
        }
        if how == 1 {
            return Box::pin(ready(Ok(1)));
        }
        let future = async move {
            let _local = Local("local");
            log::info!("poll");
            match how {
                2 => panic!("in the future"),
                3 => Err("no".to_owned()),
                _ => pending().await,
            }
        };
        Box::pin(future)
    }

    fn run(how: u8) {
        span!("around", {
            let made = catch_unwind(|| made(how));
            log::info!("between");
            if let Ok(mut future) = made {
                let poll = AssertUnwindSafe(|| poll_once(future.as_mut()).is_ready());
                let _ = catch_unwind(poll);
                drop(future);
            }
        });
    }

    let start_of = ["around start", "made start in around", "call in made"];
    let cases: [&[&str]; 5] = [
        &["made end panicked", "between in around"],
        &["between in around", "made end"],
        &[
            "between in around",
            "poll in made",
            "local dropped in made",
            "made end panicked",
        ],
        &[
            "between in around",
            "poll in made",
            "local dropped in made",
            "made in made",
            "made end error",
        ],
        &[
            "between in around",
            "poll in made",
            "local dropped in made",
            "made end cancelled",
        ],
    ];
    let _one = start();
    for (how, case) in cases.iter().enumerate() {
        run(how as u8);
        let lines = [&start_of[..], case, &["around end"]].concat();
        check(&lines);
    }
}

/// A future that is made and never polled was begun all the same.
#[test]
fn of_a_returned_future_that_is_never_polled() {
    #[instrument(name = "made")]
    fn made() -> Boxed {
        let future = ready(Ok(1));
        Box::pin(future)
    }

    let _one = start();
    drop(made());
    check(&["made start", "made end cancelled"]);
}

#[test]
fn level_lowered_midway() {
    let _one = start();
    span!("s", {
        log::set_max_level(LevelFilter::Info);
        span!("t", { log::info!("inside") });
    });
    check(&["s start", "inside in s", "s end"]);
}

#[test]
fn level_raised_midway() {
    let _one = start();
    log::set_max_level(LevelFilter::Info);
    span!("s", {
        log::set_max_level(LevelFilter::Trace);
        span!("t", { log::info!("inside") });
    });
    check(&["t start", "inside in t", "t end"]);
}

#[test]
fn of_a_target_that_the_logger_filters() {
    let _one = start();
    span!("around", {
        span!(target: "filtered", "s", { log::info!("inside") });
    });
    check(&["around start", "inside in around", "around end"]);
}
