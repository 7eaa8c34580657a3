//! Failures of values, task sources and inner loggers, and the context of the next record.

use super::*;

/// The next record is in no span, and has nothing of what went before.
#[track_caller]
fn check_outside(lines: &Lines) {
    lines.take();
    info!(own = 1; "after");
    let line = lines.take().remove(0);
    assert_eq!(keys(&line), ["own", "task_id", "thread_id"]);
    assert_eq!(stable(&line), "after, own=1, task_id=5");
}

/// Runs `f` within a span, and checks the place within and behind it.
#[track_caller]
fn check_place(f: impl Fn(&Lines)) {
    let lines = Lines::default();
    with_global(Logger::wrap(lines.clone(), five), || {
        f(&lines);
        check_outside(&lines);
        span!(user = 7; "around", {
            let id = get(&lines.take()[0], "span_id");
            f(&lines);
            lines.take();
            info!("after");
            let line = lines.take().remove(0);
            assert_eq!(stable(&line), "after, user=7, task_id=5");
            assert_eq!(get(&line, "span_id"), id);
        });
        check_outside(&lines);
    });
}

#[test]
fn a_value_that_panics_leaves_no_trace() {
    struct Loud;

    impl fmt::Debug for Loud {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("formatted");
        }
    }

    let cases: [fn(); 8] = [
        || info!("before {}", Bomb),
        || info!("before {:?}", Loud),
        || info!(own:% = Bomb; "m"),
        || info!(own:? = Loud; "m"),
        || span!("before {}", Bomb, { unreachable!() }),
        || span!(user:% = Bomb; "s", { unreachable!() }),
        || span!(user:? = Loud; "s", { unreachable!() }),
        || drop(span!(user:? = Loud; "s")),
    ];
    for case in cases {
        check_place(|lines| {
            lines.take();
            panics(case);
            assert_eq!(lines.take(), [""; 0]);
        });
    }
}

#[test]
fn a_value_that_fails_stands_as_far_as_it_came() {
    #[instrument(name = "function")]
    fn called_with(broken: Broken) {}

    check_place(|lines| {
        lines.take();
        info!("a {} b", Broken);
        info!(own:% = Broken, next = 1; "m");
        span!("a {} b", Broken, {});
        span!(user:? = Broken, next = 1; "s", {});
        called_with(Broken);
        let text: Vec<_> = (lines.take().iter())
            .map(|line| stable(line).replace(", user=7", ""))
            .collect();
        assert_eq!(
            text,
            [
                "a half, task_id=5",
                "m, own=\"half\"…, next=1, task_id=5",
                "a half, span_mark=start, task_id=5",
                "a half, span_mark=end, task_id=5",
                "s, span_mark=start, user=\"half\"…, next=1, task_id=5",
                "s, span_mark=end, user=\"half\"…, next=1, task_id=5",
                "function, arg_0=\"half\"…, span_mark=start, task_id=5",
                "function, span_mark=end, task_id=5",
            ]
        );
    });
}

#[test]
fn a_value_may_log_while_it_is_logged() {
    #[instrument(name = "function")]
    fn called_with(chatty: Chatty) {}

    check_place(|lines| {
        lines.take();
        info!("a {} b", Chatty);
        info!(first = "x", own:% = Chatty; "m");
        span!("a {}", Chatty, {});
        span!(first = "x", chatty:? = Chatty; "s", {});
        called_with(Chatty);
        let text: Vec<_> = (lines.take().iter())
            .map(|line| stable(line).replace(", user=7", ""))
            .collect();
        let within = "from within, own=1, task_id=5";
        assert_eq!(
            text,
            [
                within,
                "a chatty b, task_id=5",
                within,
                "m, first=x, own=chatty, task_id=5",
                within,
                "a chatty, span_mark=start, task_id=5",
                "a chatty, span_mark=end, task_id=5",
                within,
                "s, span_mark=start, first=x, chatty=chatty, task_id=5",
                "s, span_mark=end, first=x, chatty=chatty, task_id=5",
                within,
                "function, arg_0=chatty, span_mark=start, task_id=5",
                "function, span_mark=end, task_id=5",
            ]
        );
    });
}

#[test]
fn a_value_may_have_a_span_of_its_own() {
    struct Traced;

    impl fmt::Display for Traced {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            span!(inner = 1; "within", { f.write_str("traced") })
        }
    }

    impl fmt::Debug for Traced {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt::Display::fmt(self, f)
        }
    }

    #[instrument(name = "function")]
    fn called_with(traced: Traced) {}

    check_place(|lines| {
        lines.take();
        info!(own:% = Traced; "m {}", Traced);
        span!(traced:% = Traced; "s {}", Traced, {});
        called_with(Traced);
        let text = lines.take();
        let marks = ["within, span_mark=start", "within, span_mark=end"];
        let stable: Vec<_> = (text.iter())
            .map(|line| stable(line).replace(", user=7", ""))
            .filter(|line| !marks.iter().any(|mark| line.starts_with(mark)))
            .collect();
        assert_eq!(
            stable,
            [
                "m traced, own=traced, task_id=5",
                "s traced, span_mark=start, traced=traced, task_id=5",
                "s traced, span_mark=end, traced=traced, task_id=5",
                "function, arg_0=traced, span_mark=start, task_id=5",
                "function, span_mark=end, task_id=5",
            ]
        );
        assert_eq!(text.len(), stable.len() + 2 * 5);
        let plain = text.iter().find(|line| line.starts_with("m traced"));
        let outer = get(plain.unwrap(), "span_id");
        for start in text.iter().filter(|line| line.starts_with(marks[0])) {
            assert_eq!(get(start, "span_parent"), outer);
        }
    });
}

#[test]
fn a_task_source_may_log() {
    let inner = Lines::default();
    let source = || {
        info!("asking");
        9
    };
    with_global(Logger::wrap(inner.clone(), source), || {
        info!("m");
        span!("s", {});
        let mut task = pin!(async { info!("t") }.in_named_task("task"));
        assert!(poll_once(task.as_mut()).is_ready());
    });
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    // What the source logs has the task that this crate knows.
    assert_eq!(text[..2], ["asking, task_id=0", "m, task_id=9"]);
    assert_eq!(
        text[2..5],
        [
            "asking, task_id=0",
            "s, span_mark=start, task_id=9",
            "s, span_mark=end, task_id=9"
        ]
    );
    assert!(text.iter().any(|line| line.starts_with("t, task_id=9")));
}

#[test]
fn a_task_source_that_panics_leaves_no_trace() {
    let inner = Lines::default();
    let fails = Arc::new(AtomicBool::new(true));
    let source = {
        let fails = fails.clone();
        move || {
            assert!(!fails.load(Ordering::Relaxed), "asked");
            5
        }
    };
    with_global(Logger::wrap(inner.clone(), source), || {
        panics(|| info!("m"));
        panics(|| span!("s", { unreachable!() }));
        panics(|| drop(async {}.in_task()));
        assert_eq!(inner.take(), [""; 0]);
        fails.store(false, Ordering::Relaxed);
        check_outside(&inner);
        // An end has the task of its start, and does not ask.
        span!("s", {
            fails.store(true, Ordering::Relaxed);
        });
        assert_eq!(inner.take().len(), 2);
        fails.store(false, Ordering::Relaxed);
        check_outside(&inner);
    });
}

/// Panics for each record with this word in it.
struct Touchy(Lines, &'static str);

impl Log for Touchy {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.log(record);
        assert!(!record.args().to_string().contains(self.1), "touchy");
    }

    fn flush(&self) {}
}

#[test]
fn an_inner_logger_that_panics() {
    let inner = Lines::default();
    let touchy = |word| Logger::wrap(Touchy(inner.clone(), word), five);
    with_global(touchy("bad"), || {
        panics(|| info!("bad"));
        check_outside(&inner);
    });
    with_global(touchy("span_mark=start"), || {
        panics(|| span!("s", { unreachable!() }));
        check_outside(&inner);
        panics(|| drop(span!("s")));
        check_outside(&inner);
        panics(|| finish(async { unreachable!() }.in_task()));
        check_outside(&inner);
    });
    with_global(touchy("span_mark=end"), || {
        panics(|| span!("s", {}));
        check_outside(&inner);
        panics(|| drop(span!("s")));
        check_outside(&inner);
        panics(|| finish(async {}.in_task()));
        check_outside(&inner);
        let mut task = Box::pin(std::future::pending::<()>().in_task());
        assert!(poll_once(task.as_mut()).is_pending());
        panics(|| drop(task));
        check_outside(&inner);
        panics(|| finish(async {}.in_span(span!("s"))));
        check_outside(&inner);
    });
}

/// What two spans would share then, they had once: the one that ended first took the other's context with it.
#[test]
fn a_span_whose_end_panicked_ends_once() {
    let inner = Lines::default();
    with_global(
        Logger::wrap(Touchy(inner.clone(), "span_mark=end"), five),
        || {
            for _ in 0..3 {
                panics(|| finish(async {}.in_span(span!("bad"))));
                panics(|| finish(async {}.in_named_task("bad")));
                panics(|| span!("bad", {}));
            }
        },
    );
    with_global(Logger::wrap(inner.clone(), five), || {
        for _ in 0..9 {
            span!(user = 1; "a", {
                span!("b", { span!("c", {}) });
                inner.take();
                info!("m");
                assert_eq!(stable(&inner.take()[0]), "m, user=1, task_id=5");
            });
        }
    });
}

/// Two panics at once would abort the process.
#[test]
fn an_inner_logger_that_panics_while_a_span_unwinds() {
    alone(
        "failures::an_inner_logger_that_panics_while_a_span_unwinds",
        || {
            let inner = Lines::default();
            let logger = Logger::wrap(Touchy(inner.clone(), "span_mark=end"), five);
            with_global(logger, || {
                let caught =
                    catch_unwind(|| span!("outer", { span!("inner", { panic!("first") }) }));
                assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"first"));
                let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
                let expected = [
                    "outer, span_mark=start, task_id=5",
                    "inner, span_mark=start, task_id=5",
                    "inner, span_mark=end, span_outcome=panicked, task_id=5",
                    "outer, span_mark=end, span_outcome=panicked, task_id=5",
                ];
                assert_eq!(text, expected);
                check_outside(&inner);

                panics(|| finish(async { panic!("first") }.in_task()));
                check_outside(&inner);
                panics(|| {
                    let _span = span!("kept");
                    panic!("first");
                });
                check_outside(&inner);
            });
        },
    );
}

#[test]
fn a_panic_hook_may_log() {
    alone("failures::a_panic_hook_may_log", || {
        panic::set_hook(Box::new(|_| {
            info!("from the hook");
            span!("hook", {});
        }));
        let text = lines(plain, || {
            span!(user = 7; "s", {
                panics(|| info!("m {}", Bomb));
                panics(|| span!("inner", { panic!() }));
            });
            panics(|| panic!());
        });
        let _ = panic::take_hook();
        let expected = [
            "s, span_mark=start, user=7, task_id=5",
            "from the hook, user=7, task_id=5",
            "hook, span_mark=start, user=7, task_id=5",
            "hook, span_mark=end, user=7, task_id=5",
            "inner, span_mark=start, user=7, task_id=5",
            "from the hook, user=7, task_id=5",
            "hook, span_mark=start, user=7, task_id=5",
            "hook, span_mark=end, user=7, task_id=5",
            "inner, span_mark=end, user=7, span_outcome=panicked, task_id=5",
            "s, span_mark=end, user=7, task_id=5",
            "from the hook, task_id=5",
            "hook, span_mark=start, task_id=5",
            "hook, span_mark=end, task_id=5",
        ];
        let stable: Vec<_> = text.iter().map(|line| stable(line)).collect();
        assert_eq!(stable, expected);
        let id = |nth: usize| get(&text[nth], "span_id");
        assert_eq!(id(1), id(0));
        assert_eq!(id(5), id(4));
        assert_eq!(id(10), None);
    });
}

#[test]
fn a_destructor_of_a_thread_local_may_log() {
    alone("failures::a_destructor_of_a_thread_local_may_log", || {
        struct Last(Option<async_log::Span>);

        impl Drop for Last {
            fn drop(&mut self) {
                info!(own = 1; "from a destructor");
                span!(user = 7; "s {}", 1, { function("x", 1) });
                self.0 = None;
            }
        }

        thread_local! {
            static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
        }

        let inner = Lines::default();
        Logger::wrap(inner.clone(), async_log::task_id)
            .start(LevelFilter::Trace)
            .unwrap();
        // Locals go in the order in which they were first used, or the reverse: both are tried.
        for first in [true, false] {
            thread::spawn(move || {
                if first {
                    LAST.with(|last| last.replace(Some(Last(None))));
                }
                span!("before", { info!("m") });
                LAST.with(|last| last.replace(Some(Last(Some(span!(kept = 1; "kept"))))));
            })
            .join()
            .unwrap();
            let text = inner.take();
            // `replace` drops the first one where there was one.
            let text = &text[text.len() - 7..];
            // Where the code is may be forgotten by then; that a span is a span is not.
            let stable: Vec<_> = (text.iter().map(|line| stable(line)))
                .map(|line| match line.starts_with("s 1") {
                    true => line,
                    false => line.replace(", user=7", ""),
                })
                .collect();
            assert_eq!(
                stable,
                [
                    "from a destructor, own=1, task_id=0",
                    "s 1, span_mark=start, user=7, task_id=0",
                    "function, arg_0=x, arg_1=1, span_mark=start, task_id=0",
                    "inside, own=true, task_id=0",
                    "function, span_mark=end, task_id=0",
                    "s 1, span_mark=end, user=7, task_id=0",
                    "kept, span_mark=end, kept=1, task_id=0",
                ]
            );
        }
    });
}
