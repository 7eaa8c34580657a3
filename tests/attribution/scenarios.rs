//! One small program, and its log, for each feature that the random programs combine.

use std::future::{pending, Future};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use std::thread;

use async_log::{instrument, span, Context, TaskExt};
use futures::channel::oneshot;
use futures::executor::{block_on, LocalPool};
use futures::future::BoxFuture;
use futures::stream::{self, FuturesUnordered};
use futures::task::LocalSpawnExt;
use futures::{FutureExt, StreamExt};
use log::info;

use crate::records::Recording;
use async_log_tests::program::{poll_once, yield_now};
use async_log_tests::runtime::{forgive, panic_on_purpose};

/// Runs a program and compares its log with these lines, in the form of [`Recording::told`].
#[track_caller]
fn check(program: impl FnOnce(), expected: &[&str]) {
    let recording = Recording::start();
    program();
    assert_eq!(recording.told(), expected);
}

#[track_caller]
fn check_async(program: impl Future<Output = ()>, expected: &[&str]) {
    check(|| block_on(program), expected);
}

/// Logs when it is dropped.
struct Local(&'static str);

impl Drop for Local {
    fn drop(&mut self) {
        info!("drop {}", self.0);
    }
}

/// Is suspended once, between two records.
async fn work(name: &'static str) -> u32 {
    info!("{name} 1");
    yield_now().await;
    info!("{name} 2");
    1
}

async fn hang(name: &'static str) -> u32 {
    let _local = Local(name);
    info!("{name}");
    pending().await
}

#[test]
fn spans_of_two_futures_that_take_turns() {
    let one = async {
        span!("a", {
            work("x").await;
            span!("a inner", { work("y").await });
            info!("behind inner");
        });
    };
    let other = async {
        span!("b", { work("z").await });
        info!("behind b");
    };
    check_async(
        async {
            futures::join!(one, other);
        },
        &[
            "a start",
            "x 1 in a",
            "b start",
            "z 1 in b",
            "x 2 in a",
            "a inner start in a",
            "y 1 in a inner",
            "z 2 in b",
            "b end",
            "behind b",
            "y 2 in a inner",
            "a inner end",
            "behind inner in a",
            "a end",
        ],
    );
}

#[test]
fn fields_and_names_that_are_formatted() {
    check_async(
        async {
            let n = 3;
            span!(uid = 8; "load {n} of {}", n + 1, {
                yield_now().await;
                span!(tag = 9; "inner", { yield_now().await; info!("both") });
                info!("one");
            });
        },
        &[
            "load 3 of 4 start uid=8",
            "inner start in load 3 of 4 uid=8 tag=9",
            "both in inner uid=8 tag=9",
            "inner end uid=8 tag=9",
            "one in load 3 of 4 uid=8",
            "load 3 of 4 end uid=8",
        ],
    );
}

#[test]
fn early_returns_and_breaks() {
    async fn program() -> Result<(), ()> {
        for n in 0..3 {
            span!("turn {n}", {
                yield_now().await;
                if n == 0 {
                    continue;
                }
                span!("inner", {
                    yield_now().await;
                    if n == 1 {
                        break;
                    }
                });
            });
        }
        info!("between");
        span!("last", {
            yield_now().await;
            Err(())?;
        });
        Ok(())
    }
    check_async(
        async {
            assert!(program().await.is_err());
            info!("behind");
        },
        &[
            "turn 0 start",
            "turn 0 end",
            "turn 1 start",
            "inner start in turn 1",
            "inner end",
            "turn 1 end",
            "between",
            "last start",
            "last end",
            "behind",
        ],
    );
}

#[test]
fn joined_arms_are_in_the_span_around() {
    check_async(
        async {
            span!("s", {
                let lone = work("lone");
                tokio::join!(work("a"), lone, async { span!("t", { work("b").await }) });
                info!("behind");
            });
        },
        &[
            "s start",
            "a 1 in s",
            "lone 1 in s",
            "t start in s",
            "b 1 in t",
            // tokio's `join!` starts with a different branch each time.
            "lone 2 in s",
            "b 2 in t",
            "t end",
            "a 2 in s",
            "behind in s",
            "s end",
        ],
    );
}

#[test]
fn an_arm_that_fails_drops_the_others_in_the_span() {
    check_async(
        async {
            let done: Result<(u32, ()), ()> = span!("s", {
                let done = tokio::try_join!(hang("other").map(Ok), async {
                    yield_now().await;
                    Err(())
                });
                info!("behind");
                done
            });
            assert!(done.is_err());
        },
        &[
            "s start",
            "other in s",
            "drop other in s",
            "behind in s",
            "s end",
        ],
    );
}

#[test]
fn selected_arms_handlers_and_losers() {
    check_async(
        async {
            span!("s", {
                tokio::select! {
                    biased;
                    _ = async { span!("loser", { hang("x").await }) } => unreachable!(),
                    _ = work("y") => {
                        info!("handler");
                        yield_now().await;
                        span!("in handler", { work("z").await });
                    }
                }
                info!("behind");
            });
            info!("outside");
        },
        &[
            "s start",
            "loser start in s",
            "x in loser",
            "y 1 in s",
            "y 2 in s",
            "drop x in loser",
            "loser end cancelled",
            "handler in s",
            "in handler start in s",
            "z 1 in in handler",
            "z 2 in in handler",
            "in handler end",
            "behind in s",
            "s end",
            "outside",
        ],
    );
}

#[test]
fn select_with_conditions_patterns_and_else() {
    check_async(
        async {
            span!("s", {
                tokio::select! {
                    biased;
                    Some(()) = async { info!("a"); None } => unreachable!(),
                    _ = work("off"), if { info!("condition"); false } => unreachable!(),
                    Ok(()) = async { work("b").await; Err(()) } => unreachable!(),
                    else => { info!("else"); work("c").await; }
                }
            });
        },
        &[
            "s start",
            "condition in s",
            "a in s",
            "b 1 in s",
            "b 2 in s",
            "else in s",
            "c 1 in s",
            "c 2 in s",
            "s end",
        ],
    );
}

#[test]
fn select_in_a_loop_over_the_same_futures() {
    check_async(
        async {
            let (mut a, mut b) = (
                pin!(work("a")),
                pin!(async {
                    work("b").await;
                    work("c").await
                }),
            );
            let mut a_done = false;
            span!("s", {
                loop {
                    span!("turn", {
                        tokio::select! {
                            biased;
                            _ = &mut a, if !a_done => { info!("a is done"); a_done = true }
                            _ = &mut b => break,
                        }
                    });
                    info!("between");
                }
            });
        },
        &[
            "s start",
            "turn start in s",
            "a 1 in turn",
            "b 1 in turn",
            "a 2 in turn",
            "a is done in turn",
            "turn end",
            "between in s",
            "turn start in s",
            "b 2 in turn",
            "c 1 in turn",
            "c 2 in turn",
            "turn end",
            "s end",
        ],
    );
}

/// Whose `select!` it is says no path then, but how the names are declared.
#[test]
fn lone_names_in_macros_that_are_imported() {
    async fn with_tokio() {
        use tokio::select;
        span!("tokio", {
            let (a, (b, _)) = (work("a"), (hang("b"), 0));
            select! {
                _ = a => info!("a is done"),
                _ = b => unreachable!(),
            }
        });
    }
    async fn with_futures() {
        use futures::select;
        span!("futures", {
            let (mut a, mut b) = (work("a").boxed().fuse(), work("b").boxed().fuse());
            for _ in 0..2 {
                select! {
                    _ = a => {}
                    _ = b => {}
                }
            }
            info!("behind");
        });
    }
    let recording = Recording::start();
    block_on(async {
        with_tokio().await;
        with_futures().await;
    });
    let told = recording.told();
    // The first branch differs.
    let is_inside = |line: &String| {
        line.ends_with(" in tokio")
            || line.ends_with(" in futures")
            || line.contains(" start")
            || line.contains(" end")
    };
    assert!(told.iter().all(is_inside), "{told:#?}");
    assert!(told.len() > 9, "{told:#?}");
}

/// Tokio takes a lone name, futures borrows it: where neither the path nor an arm nor a declaration in
/// the block tells whose `select!` it is, the name is left as it is, and its future is not framed.
#[test]
#[ignore = "nothing in the block tells whether `a` is taken or borrowed"]
fn lone_names_declared_outside_of_the_block() {
    use futures::select_biased as select;
    check_async(
        async {
            let mut a = work("a").boxed().fuse();
            span!("s", {
                select! {
                    _ = a => info!("a is done"),
                }
            });
        },
        &["s start", "a 1 in s", "a 2 in s", "a is done in s", "s end"],
    );
}

#[test]
fn select_of_futures_with_lone_names() {
    check_async(
        async {
            span!("s", {
                let (mut a, mut b) = (pin!(work("a").fuse()), pin!(hang("b").fuse()));
                for _ in 0..3 {
                    futures::select_biased! {
                        _ = a => info!("a is done"),
                        _ = b => unreachable!(),
                        complete => unreachable!(),
                        default => { info!("default"); yield_now().await; }
                    }
                }
                info!("behind");
            });
        },
        &[
            "s start",
            "a 1 in s",
            "b in s",
            "default in s",
            "a 2 in s",
            "a is done in s",
            "default in s",
            "behind in s",
            "drop b in s",
            "s end",
        ],
    );
}

#[test]
fn arms_that_are_awaited_to_be_made() {
    check_async(
        async {
            span!("s", {
                tokio::join!(
                    {
                        work("make").await;
                        work("a")
                    },
                    {
                        info!("make another");
                        async {}
                    },
                );
                tokio::select! {
                    _ = { work("make").await; work("b") }, if { yield_now().await; true } => {}
                }
                info!("behind");
            });
        },
        &[
            "s start",
            "make 1 in s",
            "make 2 in s",
            "make another in s",
            "a 1 in s",
            "a 2 in s",
            "make 1 in s",
            "make 2 in s",
            "b 1 in s",
            "b 2 in s",
            "behind in s",
            "s end",
        ],
    );
}

#[test]
fn tasks_and_plain_futures_that_are_spawned() {
    let program = || {
        let mut pool = LocalPool::new();
        let spawner = pool.spawner();
        pool.run_until(async {
            span!(uid = 5; "s", {
                let task = span!("t", { work("x").in_named_task("job") }).map(drop);
                let task = spawner.spawn_local_with_handle(task).unwrap();
                let plain = spawner.spawn_local_with_handle(work("y")).unwrap();
                task.await;
                plain.await;
                info!("behind");
            });
        });
    };
    check(
        program,
        &[
            "s start uid=5",
            "t start in s uid=5",
            "t end uid=5",
            "job start in t uid=5 @job",
            "x 1 in job uid=5 @job",
            "y 1",
            "x 2 in job uid=5 @job",
            "job end uid=5 @job",
            "y 2",
            "behind in s uid=5",
            "s end uid=5",
        ],
    );
}

#[test]
fn a_task_that_is_aborted_drops_its_locals_in_their_spans() {
    let program = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let task = async {
                let _outer = Local("outer");
                span!("s", {
                    let _local = Local("local");
                    span!("t", { hang("x").await });
                });
            };
            let task = tokio::spawn(task.in_named_task("job"));
            span!("aborts", {
                tokio::task::yield_now().await;
                task.abort();
                assert!(task.await.is_err());
                info!("behind");
            });
        });
    };
    check(
        program,
        &[
            "aborts start",
            "job start @job",
            "s start in job @job",
            "t start in s @job",
            "x in t @job",
            "drop x in t @job",
            "t end cancelled @job",
            "drop local in s @job",
            "s end cancelled @job",
            "drop outer in job @job",
            "job end cancelled @job",
            "behind in aborts",
            "aborts end",
        ],
    );
}

#[test]
fn a_panic_that_is_caught() {
    check_async(
        async {
            let panics = async {
                span!("inner", {
                    let _local = Local("local");
                    yield_now().await;
                    panic_on_purpose()
                })
            };
            span!("s", {
                let caught = AssertUnwindSafe(panics).catch_unwind().await;
                caught.unwrap_or_else(forgive);
                info!("behind");
                yield_now().await;
                info!("still");
            });
        },
        &[
            "s start",
            "inner start in s",
            "drop local in inner",
            "inner end panicked",
            "behind in s",
            "still in s",
            "s end",
        ],
    );
}

#[test]
fn sets_and_streams_of_futures() {
    check_async(
        async {
            span!("set", {
                let mut set: FuturesUnordered<_> = [work("a"), work("b")].into_iter().collect();
                while set.next().await.is_some() {
                    info!("one");
                }
            });
            span!("each", {
                let each = |name| async move {
                    span!("{name}", { work(name).await });
                };
                stream::iter(["c", "d"]).for_each_concurrent(2, each).await;
            });
            span!("buffer", {
                let mut buffer = stream::iter([work("e"), work("f")]).buffer_unordered(2);
                while buffer.next().await.is_some() {
                    info!("one");
                }
            });
        },
        &[
            "set start",
            "a 1 in set",
            "b 1 in set",
            "a 2 in set",
            "one in set",
            "b 2 in set",
            "one in set",
            "set end",
            "each start",
            "c start in each",
            "c 1 in c",
            "c 2 in c",
            "c end",
            "d start in each",
            "d 1 in d",
            "d 2 in d",
            "d end",
            "each end",
            "buffer start",
            "e 1 in buffer",
            "f 1 in buffer",
            "e 2 in buffer",
            "one in buffer",
            "f 2 in buffer",
            "one in buffer",
            "buffer end",
        ],
    );
}

#[test]
fn a_stream_made_in_one_span_and_polled_in_another() {
    check_async(
        async {
            let stream = span!("made", {
                async_stream::stream! {
                    info!("first");
                    span!("item", {
                        yield 1;
                        info!("behind yield");
                        yield 2;
                    });
                    info!("last");
                }
            });
            let mut stream = pin!(stream);
            span!("polled", {
                while let Some(n) = stream.next().await {
                    info!("got {n}");
                }
            });
        },
        &[
            "made start",
            "made end",
            "polled start",
            "first in polled",
            "item start in polled",
            "got 1 in polled",
            "behind yield in item",
            "got 2 in polled",
            "item end",
            "last in polled",
            "polled end",
        ],
    );
}

#[test]
fn a_stream_dropped_at_a_yield() {
    check_async(
        async {
            let stream = async_stream::stream! {
                span!("item", {
                    let _local = Local("local");
                    yield 1;
                });
            };
            span!("s", {
                let mut stream = Box::pin(stream);
                stream.next().await;
                info!("got it");
                drop(stream);
                info!("behind");
            });
        },
        &[
            "s start",
            "item start in s",
            "got it in s",
            "drop local in item",
            "item end cancelled",
            "behind in s",
            "s end",
        ],
    );
}

#[test]
fn spans_without_a_block() {
    check_async(
        async {
            let open = span!("open");
            info!("outside");
            open.run(|| span!("inner", { info!("inside") }));
            drop(open);
            drop(span!("dropped"));
            span!("polls", {
                work("x").in_span(span!("future")).await;
                info!("behind");
            });
        },
        &[
            "open start",
            "outside",
            "inner start in open",
            "inside in inner",
            "inner end",
            "open end",
            "dropped start",
            "dropped end",
            "polls start",
            "future start in polls",
            "x 1 in future",
            "x 2 in future",
            "future end",
            "behind in polls",
            "polls end",
        ],
    );
}

/// Not every future drops what it holds when it is ready.
#[test]
fn a_future_that_is_ready_is_dropped_in_its_span() {
    check_async(
        async {
            let local = Local("local");
            let ready = std::future::poll_fn(move |_| {
                let _held = &local;
                std::task::Poll::Ready(())
            });
            let mut future = Box::pin(ready.in_span(span!("s")));
            assert!(poll_once(&mut future).is_ready());
            info!("behind");
            drop(future);
        },
        &["s start", "drop local in s", "s end", "behind"],
    );
}

#[test]
fn annotated_functions() {
    #[instrument(name = "sync")]
    fn sync(_n: u32) {
        info!("x");
    }

    #[instrument(name = "async")]
    async fn asynchronous(n: u32) {
        work("y").await;
        sync(n);
    }

    check_async(
        async {
            span!("s", {
                let future = asynchronous(1);
                info!("not yet");
                tokio::join!(future);
                info!("behind");
            });
        },
        &[
            "s start",
            "not yet in s",
            "async start in s",
            "y 1 in async",
            "y 2 in async",
            "sync start in async",
            "x in sync",
            "sync end",
            "async end",
            "behind in s",
            "s end",
        ],
    );
}

#[test]
fn a_future_made_here_begun_there_and_finished_elsewhere() {
    check_async(
        async {
            let mut future = span!("made", {
                Box::pin(async {
                    info!("begin");
                    span!("own", { work("x").await });
                    info!("finish");
                })
            });
            span!("begun", {
                yield_now().await;
                assert!(poll_once(&mut future).is_pending());
                info!("half");
                yield_now().await;
            });
            span!("finished", {
                future.await;
                info!("whole");
            });
        },
        &[
            "made start",
            "made end",
            "begun start",
            "begin in begun",
            "own start in begun",
            "x 1 in own",
            "half in begun",
            "begun end",
            "finished start",
            "x 2 in own",
            "own end",
            "finish in finished",
            "whole in finished",
            "finished end",
        ],
    );
}

#[test]
fn a_future_begun_here_and_dropped_on_another_thread() {
    check(
        || {
            let mut future = Box::pin(async {
                let _outer = Local("outer");
                span!("s", {
                    let _inner = Local("inner");
                    hang("x").await;
                });
            });
            span!("here", {
                assert!(poll_once(&mut future).is_pending());
            });
            let thread = thread::spawn(|| {
                span!("there", {
                    drop(future);
                    info!("behind");
                });
            });
            thread.join().unwrap();
        },
        &[
            "here start",
            "s start in here",
            "x in s",
            "here end",
            "there start",
            "drop x in s",
            "drop inner in s",
            "s end cancelled",
            "drop outer in there",
            "behind in there",
            "there end",
        ],
    );
}

#[test]
fn a_span_ends_in_the_task_that_it_was_in() {
    check(
        || {
            let (send, receive) = std::sync::mpsc::channel();
            let task = async {
                let mut future = Box::pin(async { span!("s", { hang("x").await }) });
                assert!(poll_once(&mut future).is_pending());
                send.send(future).unwrap();
            };
            block_on(task.in_named_task("job"));
            let drops = async { drop(receive.recv().unwrap()) };
            block_on(drops.in_named_task("another"));
        },
        &[
            "job start @job",
            "s start in job @job",
            "x in s @job",
            "job end @job",
            "another start @another",
            "drop x in s @another",
            "s end cancelled @job",
            "another end @another",
        ],
    );
}

#[test]
fn futures_polled_by_hand_in_a_span_with_awaits() {
    check_async(
        async {
            span!("s", {
                let mut future = Box::pin(async { span!("t", { work("x").await }) });
                assert!(poll_once(&mut future).is_pending());
                info!("polled");
                yield_now().await;
                assert!(poll_once(&mut future).is_ready());
                assert!(work("y").now_or_never().is_none());
                info!("never");
                yield_now().await;
                assert_eq!(block_on_alone(work("z")), 1);
                info!("blocked");
                yield_now().await;
                info!("behind");
            });
        },
        &[
            "s start",
            "t start in s",
            "x 1 in t",
            "polled in s",
            "x 2 in t",
            "t end",
            "y 1 in s",
            "never in s",
            "z 1 in s",
            "z 2 in s",
            "blocked in s",
            "behind in s",
            "s end",
        ],
    );
}

/// May be called inside of another executor.
fn block_on_alone<F: Future>(future: F) -> F::Output {
    smol::block_on(future)
}

#[test]
fn a_runtime_inside_a_span() {
    check(
        || {
            span!("s", {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let plain = tokio::spawn(work("x"));
                    span!("t", {
                        plain.await.unwrap();
                        tokio::spawn(hang("left"));
                        tokio::task::yield_now().await;
                    });
                });
                info!("behind");
            });
        },
        &[
            "s start",
            "t start in s",
            "x 1 in s",
            "x 2 in s",
            "left in s",
            "t end",
            "behind in s",
            // The runtime is a local of the block.
            "drop left in s",
            "s end",
        ],
    );
}

#[test]
fn a_context_on_another_thread() {
    check(
        || {
            let future = async {
                span!(uid = 3; "s", {
                    let context = Context::current();
                    let thread = thread::spawn(move || {
                        info!("outside");
                        context.run(|| {
                            info!("inside");
                            span!("t", { block_on(work("x")) });
                        });
                        info!("behind");
                    });
                    thread.join().unwrap();
                });
            };
            block_on(future.in_named_task("job"));
        },
        &[
            "job start @job",
            "s start in job uid=3 @job",
            "outside",
            "inside in s uid=3 @job",
            "t start in s uid=3 @job",
            "x 1 in t uid=3 @job",
            "x 2 in t uid=3 @job",
            "t end uid=3 @job",
            "behind",
            "s end uid=3 @job",
            "job end @job",
        ],
    );
}

#[test]
fn filtered_spans_are_transparent() {
    check_async(
        async {
            span!(target: "quiet", uid = 1; "filtered", {
                work("x").await;
                span!("s", {
                    span!(target: "quiet", uid = 2; "filtered too", {
                        tokio::join!(work("y"));
                    });
                    info!("in");
                });
                tokio::join!(work("z"));
                info!("behind");
            });
        },
        &[
            "x 1", "x 2", "s start", "y 1 in s", "y 2 in s", "in in s", "s end", "z 1", "z 2",
            "behind",
        ],
    );
}

#[test]
fn awaits_in_the_arguments_of_macros() {
    macro_rules! twice {
        ($expression:expr) => {
            $expression + $expression
        };
    }
    check_async(
        async {
            span!("s", {
                let text = format!("{} {}", work("a").await, async { work("b").await }.await);
                assert_eq!(text, "1 1");
                assert_eq!(twice!(work("c").await), 2);
                info!("behind");
            });
        },
        &[
            "s start",
            "a 1 in s",
            "a 2 in s",
            "b 1 in s",
            "b 2 in s",
            "c 1 in s",
            "c 2 in s",
            "c 1 in s",
            "c 2 in s",
            "behind in s",
            "s end",
        ],
    );
}

macro_rules! boxed {
    ($expression:expr) => {
        Box::pin(async move { $expression }) as std::pin::Pin<Box<dyn Future<Output = u32>>>
    };
}

/// The tokens are in the span's block, their state machine is another.
#[test]
fn awaits_in_a_macro_that_makes_a_future_of_them() {
    check_async(
        async {
            span!("s", {
                let future = boxed!(span!("t", { work("x").await }) + work("y").await);
                info!("made");
                assert_eq!(future.await, 2);
                yield_now().await;
                info!("behind");
            });
        },
        &[
            "s start",
            "made in s",
            "t start in s",
            "x 1 in t",
            "x 2 in t",
            "t end",
            "y 1 in s",
            "y 2 in s",
            "behind in s",
            "s end",
        ],
    );
}

#[test]
#[ignore = "an await in the tokens of a macro is taken for one of the block that they are in"]
fn a_future_that_a_macro_makes_polled_by_hand() {
    check_async(
        async {
            span!("s", {
                let mut future = boxed!(work("x").await);
                assert!(poll_once(&mut future).is_pending());
                info!("polled");
                future.await;
                info!("behind");
            });
        },
        &[
            "s start",
            "x 1 in s",
            "polled in s",
            "x 2 in s",
            "behind in s",
            "s end",
        ],
    );
}

#[test]
fn a_message_between_two_arms() {
    check_async(
        async {
            let (send, receive) = oneshot::channel();
            let sends = async {
                span!("sends", {
                    yield_now().await;
                    send.send(()).unwrap();
                    info!("sent");
                })
            };
            let receives = async {
                span!("receives", {
                    receive.await.unwrap();
                    info!("received")
                })
            };
            span!("s", { futures::join!(receives, sends) });
        },
        &[
            "s start",
            "receives start in s",
            "sends start in s",
            "sent in sends",
            "sends end",
            "received in receives",
            "receives end",
            "s end",
        ],
    );
}

/// Found by the programs: the code of a span's block polls another run of itself by hand. Where the
/// span of that run is filtered out, its awaits took the level of the first for their own.
#[test]
fn code_that_polls_itself_by_hand() {
    fn program(depth: u32) -> futures::future::BoxFuture<'static, ()> {
        let target = if depth == 0 { "quiet" } else { "loud" };
        Box::pin(async move {
            span!(target: target, "run {depth}", {
                info!("begin {depth}");
                yield_now().await;
                tokio::join!(async { info!("arm {depth}"); yield_now().await });
                if depth > 0 {
                    let mut inner = program(depth - 1);
                    while poll_once(&mut inner).is_pending() {
                        info!("pending");
                    }
                    info!("polled");
                    yield_now().await;
                }
                info!("finish {depth}");
            });
        })
    }

    check_async(
        program(1),
        &[
            "run 1 start",
            "begin 1 in run 1",
            "arm 1 in run 1",
            "begin 0 in run 1",
            "pending in run 1",
            "arm 0 in run 1",
            "pending in run 1",
            "finish 0 in run 1",
            "polled in run 1",
            "finish 1 in run 1",
            "run 1 end",
        ],
    );
}

/// The same, where the other run began somewhere else.
#[test]
fn code_that_goes_on_with_itself_by_hand() {
    async fn program(target: &'static str, mut other: Option<futures::future::BoxFuture<'_, ()>>) {
        span!(target: target, "{target}", {
            yield_now().await;
            if let Some(other) = &mut other {
                assert!(poll_once(other).is_pending());
                info!("polled");
            }
            info!("awaits");
            yield_now().await;
            info!("finish");
        });
    }

    check_async(
        async {
            let mut other = program("quiet", None).boxed();
            assert!(poll_once(&mut other).is_pending());
            program("loud", Some(other)).await;
            info!("behind");
        },
        &[
            "loud start",
            "awaits in loud",
            "polled in loud",
            "awaits in loud",
            "finish in loud",
            "loud end",
            "behind",
        ],
    );
}

/// The limit: such an await is not seen. A task keeps what comes of it to itself.
#[test]
fn an_await_in_the_definition_of_a_macro() {
    macro_rules! hidden {
        () => {
            yield_now().await
        };
    }
    async fn hides() {
        span!("s", {
            info!("before");
            hidden!();
            info!("behind");
            hidden!();
            pending::<()>().await
        });
    }
    check_async(
        async {
            let mut task = Box::pin(hides().in_named_task("job"));
            for _ in 0..3 {
                assert!(poll_once(&mut task).is_pending());
                info!("other code");
            }
            drop(task);
            let mut task = Box::pin(hides().in_named_task("another"));
            assert!(poll_once(&mut task).is_pending());
            drop(task);
            info!("other code");
        },
        &[
            "job start @job",
            "s start in job @job",
            "before in s @job",
            "other code",
            "behind in s @job",
            "other code",
            "other code",
            "s end cancelled @job",
            "job end cancelled @job",
            "another start @another",
            "s start in another @another",
            "before in s @another",
            "s end cancelled @another",
            "another end cancelled @another",
            "other code",
        ],
    );
}

/// A span that comes through a macro of the user's, block and all.
#[test]
fn blocks_from_macros() {
    macro_rules! inside {
        ($name:literal, $body:block) => {
            span!($name, $body)
        };
    }
    check_async(
        async {
            inside!("s", {
                work("x").await;
                inside!("t", { work("y").await });
                info!("behind t");
                yield_now().await;
                info!("still");
            });
        },
        &[
            "s start",
            "x 1 in s",
            "x 2 in s",
            "t start in s",
            "y 1 in t",
            "y 2 in t",
            "t end",
            "behind t in s",
            "still in s",
            "s end",
        ],
    );
}

/// An await of which nothing can be seen in a block's tokens.
macro_rules! pause {
    ($future:expr) => {
        $future.await
    };
}

fn poll_once_boxed(job: &mut BoxFuture<'static, ()>) {
    assert!(poll_once(job).is_pending());
}

/// On a thread of its own, to the end.
fn finish_elsewhere(job: BoxFuture<'static, ()>) {
    thread::spawn(|| block_on(job)).join().unwrap();
}

#[test]
fn a_span_that_ended_elsewhere_is_not_current_here() {
    check(
        || {
            let mut job = async { span!(uid = 7; "job", { pause!(yield_now()) }) }.boxed();
            poll_once_boxed(&mut job);
            finish_elsewhere(job);
            info!("much later");
            span!("a root", { info!("inside") });
            let context = Context::current();
            context.run(|| info!("in no context"));
            block_on(async { info!("in a task") }.in_named_task("task"));
        },
        &[
            "job start uid=7",
            "job end uid=7",
            "much later",
            "a root start",
            "inside in a root",
            "a root end",
            "in no context",
            "task start @task",
            "in a task in task @task",
            "task end @task",
        ],
    );
}

#[test]
fn spans_that_ended_elsewhere_leave_those_below_as_they_were() {
    check(
        || {
            let job = |nested: bool| {
                async move {
                    span!("outer", {
                        if nested {
                            span!("inner", { pause!(yield_now()) });
                        }
                        pause!(yield_now());
                        pause!(yield_now());
                    })
                }
                .boxed()
            };
            span!(uid = 1; "around", {
                let mut jobs = [job(true), job(false), job(true)];
                jobs.iter_mut().for_each(poll_once_boxed);
                let [first, second, third] = jobs;
                // In the middle of the stack, then below, then on top.
                finish_elsewhere(second);
                finish_elsewhere(first);
                finish_elsewhere(third);
                info!("behind");
                function_in_around();
            });
            info!("outside");
        },
        &[
            "around start uid=1",
            "outer start in around uid=1",
            "inner start in outer uid=1",
            "outer start in inner uid=1",
            "outer start in outer uid=1",
            "inner start in outer uid=1",
            "outer end uid=1",
            "inner end uid=1",
            "outer end uid=1",
            "inner end uid=1",
            "outer end uid=1",
            "behind in around uid=1",
            "tests/attribution/scenarios.rs#function_in_around start in around uid=1",
            "in a function in tests/attribution/scenarios.rs#function_in_around uid=1",
            "tests/attribution/scenarios.rs#function_in_around end uid=1",
            "around end uid=1",
            "outside",
        ],
    );
}

#[instrument]
fn function_in_around() {
    info!("in a function");
}

/// The same where a task of this crate polls by hand what goes on elsewhere, and is suspended itself meanwhile.
#[test]
fn a_span_that_ended_elsewhere_is_not_kept_by_a_task() {
    check(
        || {
            let (send, receive) = oneshot::channel();
            let task = async move {
                let mut job = async { span!("job", { pause!(yield_now()) }) }.boxed();
                poll_once_boxed(&mut job);
                send.send(job).map_err(drop).unwrap();
                yield_now().await;
                info!("in the task");
            };
            let mut task = task.in_named_task("task").boxed();
            poll_once_boxed(&mut task);
            finish_elsewhere(block_on(receive).unwrap());
            info!("between");
            block_on(task);
            info!("behind");
        },
        &[
            "task start @task",
            "job start in task @task",
            "job end @task",
            "between",
            "in the task in task @task",
            "task end @task",
            "behind",
        ],
    );
}

/// What a block has polled by hand cannot keep the block's own span on the thread.
#[test]
fn an_await_suspends_a_block_that_has_polled_a_hidden_await() {
    check(
        || {
            let block = async {
                span!("block", {
                    let mut job = async { span!("job", { pause!(yield_now()) }) }.boxed();
                    poll_once_boxed(&mut job);
                    yield_now().await;
                    info!("in the block");
                    Some(job)
                })
            };
            let mut block = pin!(block);
            assert!(poll_once(&mut block).is_pending());
            info!("between");
            let Poll::Ready(Some(job)) = poll_once(&mut block) else {
                panic!("not ready");
            };
            info!("behind");
            finish_elsewhere(job);
            info!("much later");
        },
        &[
            "block start",
            "job start in block",
            "between",
            "in the block in block",
            "block end",
            "behind",
            "job end",
            "much later",
        ],
    );
}

#[test]
fn a_context_keeps_a_span_that_has_ended() {
    check(
        || {
            let context = span!(uid = 7; "s", { Context::current() });
            let job = {
                let context = context.clone();
                thread::spawn(move || context.run(|| info!("elsewhere")))
            };
            job.join().unwrap();
            context.run(|| {
                info!("later");
                span!("t", {});
                block_on(async { info!("polled there") });
            });
            info!("outside");
        },
        &[
            "s start uid=7",
            "s end uid=7",
            "elsewhere in s uid=7",
            "later in s uid=7",
            "t start in s uid=7",
            "t end uid=7",
            "polled there in s uid=7",
            "outside",
        ],
    );
}

/// A macro of the same name as a known one may do anything with its tokens.
#[test]
fn a_branch_that_outlives_its_span_is_where_it_is_polled() {
    macro_rules! join {
        ($branch:expr) => {
            Some($branch.boxed())
        };
    }
    check(
        || {
            let mut branch = None;
            block_on(async {
                span!("s", {
                    yield_now().await;
                    branch = join!(work("branch"));
                })
            });
            span!("t", { block_on(branch.take().unwrap()) });
        },
        &[
            "s start",
            "s end",
            "t start",
            "branch 1 in t",
            "branch 2 in t",
            "t end",
        ],
    );
}

/// A filtered span is the context that it was created in, on any thread.
#[test]
fn filtered_spans_take_no_context_away() {
    check(
        || {
            let (in_span, in_task) = span!(uid = 9; "outer", {
                let mid = span!(target: "quiet", tag = 1; "mid");
                mid.run(|| info!("run"));
                (
                    work("in span").in_span(span!(target: "quiet", tag = 1; "mid")),
                    async_log_tests::quiet::future(async {
                        info!("in the task");
                        span!("inner", { yield_now().await });
                    })
                    .in_task(),
                )
            });
            thread::spawn(|| {
                block_on(in_span);
                block_on(in_task);
                info!("outside");
            })
            .join()
            .unwrap();
        },
        &[
            "outer start uid=9",
            "run in outer uid=9",
            "outer end uid=9",
            "in span 1 in outer uid=9",
            "in span 2 in outer uid=9",
            "in the task in outer uid=9 @in the task",
            "inner start in outer uid=9 @in the task",
            "inner end uid=9 @in the task",
            "outside",
        ],
    );
}

#[test]
fn a_filtered_span_on_another_thread_and_in_another_span() {
    check(
        || {
            let mid = span!(uid = 9; "outer", {
                span!(target: "quiet", "mid").run(|| span!(target: "quiet", "deeper"))
            });
            let outside = span!(target: "quiet", "begun outside");
            thread::spawn(move || {
                span!(tag = 3; "other", {
                    mid.run(|| {
                        info!("in outer");
                        let context = Context::current();
                        thread::spawn(move || context.run(|| info!("in outer too")))
                            .join()
                            .unwrap();
                    });
                    outside.run(|| info!("in no span"));
                    block_on(work("no").in_span(outside));
                    info!("in other");
                });
                drop(mid);
            })
            .join()
            .unwrap();
        },
        &[
            "outer start uid=9",
            "outer end uid=9",
            "other start tag=3",
            "in outer in outer uid=9",
            "in outer too in outer uid=9",
            "in no span",
            "no 1",
            "no 2",
            "in other in other tag=3",
            "other end tag=3",
        ],
    );
}

#[test]
fn a_filtered_span_as_a_parent() {
    #[instrument(parent = parent, skip_all, name = "child")]
    fn child(parent: &async_log::Span) {
        info!("in child");
    }
    #[instrument(parent = parent, skip_all, name = "quiet child", target = "quiet")]
    async fn quiet_child(parent: Context) {
        info!("in quiet child");
        span!("grandchild", { yield_now().await });
    }
    #[instrument(parent = parent, skip_all, name = "quiet function", target = "quiet")]
    fn quiet_function(parent: &async_log::Span) {
        info!("in a quiet function");
    }
    check(
        || {
            let (mid, context) = span!(uid = 9; "outer", {
                let mid = span!(target: "quiet", "mid");
                let context = mid.run(Context::current);
                (mid, context)
            });
            span!(tag = 3; "other", {
                child(&mid);
                block_on(quiet_child(context));
                quiet_function(&mid);
            });
        },
        &[
            "outer start uid=9",
            "outer end uid=9",
            "other start tag=3",
            "child start in outer uid=9",
            "in child in child uid=9",
            "child end uid=9",
            "in quiet child in outer uid=9",
            "grandchild start in outer uid=9",
            "grandchild end uid=9",
            "in a quiet function in outer uid=9",
            "other end tag=3",
        ],
    );
}
