//! A `Logger` with other loggers around it, behind it and beside it.

use super::*;

#[test]
fn through_the_json_of_structured_logger() {
    let out = Shared::default();
    let inner = structured_logger::Builder::with_level("trace")
        .with_target_writer("*", structured_logger::json::new_writer(out.clone()))
        .build();
    with_global(Logger::wrap(inner, five).with_key_values(), || {
        span!(user = 7, load = 0.5, none = None::<u8>; "s", {
            info!(own = true, task_id = "forged", text = "\", \"task_id\": 9"; "m");
        });
    });
    let out = out.text();
    let all: Vec<serde_json::Value> = (out.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(all.len(), 3);
    for record in &all {
        assert_eq!(record["user"], 7);
        assert_eq!(record["load"], 0.5);
        assert_eq!(record["none"], serde_json::Value::Null);
        assert_eq!(record["task_id"], 5);
        assert!(record["thread_id"].is_u64());
        assert_eq!(record["span_id"], all[0]["span_id"]);
        assert!(record["span_id"].is_u64());
    }
    assert_eq!(all[0]["span_mark"], "start");
    assert!(all[0]["span_at"].is_string());
    assert_eq!(all[1]["own"], true);
    assert_eq!(all[1]["task_id_"], "forged");
    assert_eq!(all[1]["message"], "m");
    assert!(all[2]["span_elapsed"].is_string());
}

fn env_logger_to(out: &Shared) -> env_logger::Logger {
    env_logger::Builder::new()
        .filter_level(LevelFilter::Trace)
        .format_timestamp(None)
        .target(env_logger::Target::Pipe(Box::new(out.clone())))
        .build()
}

#[test]
fn through_the_key_values_of_env_logger() {
    let out = Shared::default();
    let logger = Logger::wrap(env_logger_to(&out), five).with_key_values();
    with_global(
        logger.with_minimal_keys(),
        || span!(user = 7; "s", { info!(own = true; "m") }),
    );
    let out = out.text();
    let lines: Vec<_> = (out.lines())
        .map(|line| line.split(" thread_id=").next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "[TRACE logger::others] s span_mark=start user=7 task_id=5",
            "[INFO  logger::others] m own=true user=7 task_id=5",
            "[TRACE logger::others] s span_mark=end user=7 task_id=5",
        ]
    );
}

#[test]
fn in_text_form_nothing_is_left_as_a_key_value() {
    let inner = Entries::default();
    with_global(Logger::wrap(inner.clone(), five), || {
        span!(user = 7; "s", { info!(own = true; "m") });
    });
    assert!(inner.take().iter().all(|entry| entry.pairs.is_empty()));
}

#[test]
fn inside_of_a_fern_dispatch() {
    let inner = Lines::default();
    let (_, dispatch) = fern::Dispatch::new()
        .level(LevelFilter::Trace)
        .chain(Box::new(Logger::wrap(inner.clone(), five)) as Box<dyn Log>)
        .into_log();
    with_global(dispatch, || span!(user = 7; "s", { function("x", 1) }));
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    assert_eq!(
        text,
        [
            "s, span_mark=start, user=7, task_id=5",
            "function, arg_0=x, arg_1=1, span_mark=start, user=7, task_id=5",
            "inside, own=true, user=7, task_id=5",
            "function, span_mark=end, user=7, task_id=5",
            "s, span_mark=end, user=7, task_id=5",
        ]
    );
}

/// `fern` builds a new record there, without key-values.
#[test]
fn behind_a_fern_dispatch_that_formats() {
    let inner = Lines::default();
    let (_, dispatch) = fern::Dispatch::new()
        .format(|out, message, record| out.finish(format_args!("[{}] {message}", record.level())))
        .chain(Box::new(Logger::wrap(inner.clone(), five)) as Box<dyn Log>)
        .into_log();
    with_global(dispatch, || span!(user = 7; "s", { info!("m") }));
    let text = inner.take();
    let stable: Vec<_> = text.iter().map(|line| stable(line)).collect();
    assert_eq!(
        stable,
        [
            "[TRACE] s, span_mark=start, user=7, task_id=5",
            "[INFO] m, user=7, task_id=5",
            "[TRACE] s, span_mark=end, user=7, task_id=5",
        ]
    );
    assert_eq!(get(&text[0], "span_id"), get(&text[2], "span_id"));
}

#[test]
fn around_a_fern_dispatch_that_formats_around_a_logger() {
    let inner = Lines::default();
    let (_, dispatch) = fern::Dispatch::new()
        .format(|out, message, _| out.finish(format_args!("> {message}")))
        .chain(Box::new(Logger::wrap(inner.clone(), || 1)) as Box<dyn Log>)
        .into_log();
    with_global(Logger::wrap(dispatch, five), || {
        span!("s", { info!(own = ", x"; "m") })
    });
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    assert_eq!(
        text,
        [
            "> s, span_mark=start, task_id=5",
            "> m, own=\", x\", task_id=5",
            "> s, span_mark=end, task_id=5",
        ]
    );
}

#[test]
fn two_loggers_in_one_fan_out() {
    let (text, typed) = (Lines::default(), Entries::default());
    let both = Both(
        Logger::wrap(text.clone(), five),
        Logger::wrap(typed.clone(), five)
            .with_key_values()
            .with_field("second", 2),
    );
    with_global(both, || span!(user = 7; "s", { info!("m") }));
    let text = text.take();
    let stable: Vec<_> = text.iter().map(|line| stable(line)).collect();
    assert_eq!(
        stable,
        [
            "s, span_mark=start, user=7, task_id=5",
            "m, user=7, task_id=5",
            "s, span_mark=end, user=7, task_id=5",
        ]
    );
    let typed = typed.take();
    assert_eq!(typed.len(), 3);
    for (line, entry) in text.iter().zip(&typed) {
        assert_eq!(entry.get("user"), Some("i64 7"));
        assert_eq!(entry.get("second"), Some("i64 2"));
        let id = format!("u64 {}", get(line, "span_id").unwrap());
        assert_eq!(entry.get("span_id"), Some(&*id));
    }
}

#[test]
fn wrapped_twice_the_outer_one_alone_adds() {
    let run = || {
        span!(path = "a, b\n"; "s\n, task_id=1", {
            info!(own = "\"", task_id = 1; "m\n\\u{{3d}}, span_mark=end");
        });
    };
    let once: Vec<_> = lines(plain, run).iter().map(|line| stable(line)).collect();
    let inner = Lines::default();
    let twice = Logger::wrap(
        Logger::wrap(inner.clone(), || 1).with_field("inner", 1),
        five,
    );
    with_global(twice, run);
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    assert_eq!(text, once);

    let inner = Entries::default();
    let twice = Logger::wrap(Logger::wrap(inner.clone(), || 1).with_key_values(), five);
    with_global(twice.with_key_values(), run);
    let typed = inner.take();
    assert_eq!(
        typed[1].keys(),
        ["own", "task_id_", "path", "span_id", "task_id", "thread_id"]
    );
    assert_eq!(typed[1].get("task_id"), Some("u64 5"));
}

#[test]
fn called_by_hand() {
    let inner = Lines::default();
    let logger = Logger::wrap(inner.clone(), five);
    let log = |message: &str| {
        let pairs = [("own", 1)];
        let mut record = Record::builder();
        logger.log(
            &record
                .args(format_args!("{message}"))
                .key_values(&pairs)
                .build(),
        );
    };
    log("outside");
    with_global(Logger::wrap(Lines::default(), five), || {
        span!(user = 7; "s", { log("inside") });
    });
    let text = inner.take();
    assert_eq!(stable(&text[0]), "outside, own=1, task_id=5");
    assert_eq!(stable(&text[1]), "inside, own=1, user=7, task_id=5");
    assert!(get(&text[1], "span_id").is_some());
}

/// An inner logger may log itself, of other things and without a line to name.
#[test]
fn a_record_of_the_inner_logger_is_one_like_any_other() {
    struct Telling(Lines);

    impl Log for Telling {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            if !record.target().starts_with("telling") {
                info!(target: "telling", "with a line");
                let mut told = Record::builder();
                let told = told.target("telling too");
                log::logger().log(&told.args(format_args!("without")).build());
            }
            self.0.log(record);
        }

        fn flush(&self) {}
    }

    let inner = Lines::default();
    with_global(Logger::wrap(Telling(inner.clone()), five), || {
        info!("m");
        let record = Record::builder().args(format_args!("by hand")).build();
        log::logger().log(&record);
        span!("s", {});
    });
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    let told = ["with a line, task_id=5", "without, task_id=5"];
    assert_eq!(text[..3], [told[0], told[1], "m, task_id=5"]);
    assert_eq!(text[3..6], [told[0], told[1], "by hand, task_id=5"]);
    assert_eq!(
        text[6..9],
        [told[0], told[1], "s, span_mark=start, task_id=5"]
    );
    assert_eq!(text[9..], [told[0], told[1], "s, span_mark=end, task_id=5"]);
}

#[test]
fn without_any_logger_spans_reach_the_global_one() {
    let inner = Entries::default();
    with_global(inner.clone(), || {
        span!(user = 7; "load {}", 1, { function("x", 1) });
    });
    let all = inner.take();
    let told: Vec<_> = (all.iter())
        .map(|entry| format!("{} {}", entry.message, entry.keys().join(" ")))
        .collect();
    assert_eq!(
        told,
        [
            "load 1 span_mark user span_id span_at process_id",
            "function arg_0 arg_1 span_mark user span_id span_parent span_at",
            "inside own",
            "function span_mark user span_id span_elapsed",
            "load 1 span_mark user span_id span_elapsed",
        ]
    );
    assert_eq!(all[0].get("span_mark"), Some("str start"));
    assert_eq!(all[0].get("user"), Some("i64 7"));
    assert_eq!(all[1].get("arg_0"), Some("str x"));
}

#[test]
fn start_sets_logger_and_level_once() {
    alone("others::start_sets_logger_and_level_once", || {
        let (first, second) = (Lines::default(), Lines::default());
        Logger::wrap(first.clone(), five)
            .start(LevelFilter::Info)
            .unwrap();
        assert_eq!(log::max_level(), LevelFilter::Info);
        assert!(Logger::wrap(second.clone(), five)
            .start(LevelFilter::Trace)
            .is_err());
        assert_eq!(log::max_level(), LevelFilter::Info);
        info!("m");
        log::debug!("filtered");
        span!("filtered", { info!("in no span") });
        span!(level: Level::Info, "s", {});
        assert!(second.take().is_empty());
        let text: Vec<_> = first.take().iter().map(|line| stable(line)).collect();
        let expected = [
            "m, task_id=5",
            "in no span, task_id=5",
            "s, span_mark=start, task_id=5",
            "s, span_mark=end, task_id=5",
        ];
        assert_eq!(text, expected);
    });
}

#[test]
fn enabled_log_and_flush_are_forwarded() {
    let inner = Entries {
        wants: |metadata| metadata.target() == "wanted" && metadata.level() <= Level::Info,
        ..Entries::default()
    };
    let logger = Logger::wrap(inner.clone(), five);
    let is_enabled =
        |target, level| logger.enabled(&Metadata::builder().target(target).level(level).build());
    assert!(is_enabled("wanted", Level::Info));
    assert!(!is_enabled("wanted", Level::Debug));
    assert!(!is_enabled("other", Level::Info));
    logger.flush();
    assert_eq!(inner.flushed.load(Ordering::Relaxed), 1);
    with_global(logger, || {
        info!(target: "wanted", "m");
        info!(target: "other", "no");
        log::logger().flush();
    });
    let all = inner.take();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].target, "wanted");
    assert_eq!(inner.flushed.load(Ordering::Relaxed), 2);
}

#[test]
fn records_say_where_they_come_from() {
    let inner = Entries::default();
    let line = line!() + 2;
    with_global(Logger::wrap(inner.clone(), five), || {
        span!("s", {});
        span!(target: "t", level: Level::Warn, "s", {});
        info!(target: "u", "m");
        finish(async {}.in_named_task("task"));
        let target = String::from("dynamic");
        span!(target: &target, "s", {});
    });
    let all = inner.take();
    let told: Vec<_> = all
        .iter()
        .map(|entry| (&*entry.target, entry.level, entry.line.unwrap() - line))
        .collect();
    assert_eq!(
        told,
        [
            (module_path!(), Level::Trace, 0),
            (module_path!(), Level::Trace, 0),
            ("t", Level::Warn, 1),
            ("t", Level::Warn, 1),
            ("u", Level::Info, 2),
            (module_path!(), Level::Trace, 3),
            (module_path!(), Level::Trace, 3),
            ("dynamic", Level::Trace, 5),
            ("dynamic", Level::Trace, 5),
        ]
    );
    for entry in &all {
        assert_eq!(entry.file.as_deref(), Some(file!()));
        let is_task = entry.message.starts_with("task, ");
        assert_eq!(
            entry.module.as_deref(),
            (!is_task).then_some(module_path!())
        );
    }
}

#[test]
fn the_inner_logger_filters_spans_by_target() {
    let inner = Entries {
        wants: |metadata| metadata.target() != "quiet",
        ..Entries::default()
    };
    with_global(Logger::wrap(inner.clone(), five), || {
        span!(target: "quiet", user:% = Bomb; "{}", Bomb, {
            span!("s", { info!("m") });
            info!("outside");
        });
    });
    let all: Vec<_> = (inner.take().iter())
        .map(|entry| stable(&entry.message))
        .collect();
    let expected = [
        "s, span_mark=start, task_id=5",
        "m, task_id=5",
        "s, span_mark=end, task_id=5",
        "outside, task_id=5",
    ];
    assert_eq!(all, expected);
}

#[test]
fn the_level_may_change_midway() {
    alone("others::the_level_may_change_midway", || {
        let text = lines(plain, || {
            span!("lowered", {
                log::set_max_level(LevelFilter::Error);
                info!("filtered");
            });
            span!("raised", {
                log::set_max_level(LevelFilter::Trace);
                info!("in no span");
            });
        });
        let text: Vec<_> = text.iter().map(|line| stable(line)).collect();
        let expected = [
            "lowered, span_mark=start, task_id=5",
            "lowered, span_mark=end, task_id=5",
            "in no span, task_id=5",
        ];
        assert_eq!(text, expected);
    });
}

/// The same where it is the inner logger that changes its mind.
#[test]
fn the_inner_level_may_change_midway() {
    struct Moody(Lines, Arc<AtomicBool>);

    impl Log for Moody {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            self.1.load(Ordering::Relaxed)
        }

        fn log(&self, record: &Record<'_>) {
            self.0.log(record);
        }

        fn flush(&self) {}
    }

    let (inner, mood) = (Lines::default(), Arc::new(AtomicBool::new(true)));
    with_global(
        Logger::wrap(Moody(inner.clone(), mood.clone()), five),
        || {
            span!("lowered", { mood.store(false, Ordering::Relaxed) });
            span!("raised", { mood.store(true, Ordering::Relaxed) });
        },
    );
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    let expected = [
        "lowered, span_mark=start, task_id=5",
        "lowered, span_mark=end, task_id=5",
    ];
    assert_eq!(text, expected);
}
