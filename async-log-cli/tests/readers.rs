//! Reads the logs of real loggers. `tests/logs/README.md` describes how they were made.

use std::path::{Path, PathBuf};

use async_log_cli::read::{Batch, Dialect, Form, Kind, Level, View};

/// What a log says of one record.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    kind: Kind,
    message: &'static str,
    level: Option<Level>,
    target: &'static str,
    pairs: Vec<(&'static str, &'static str)>,
    span: (u64, u64),
    task: u64,
}

/// The records of `program` in tests/loggers/src/bin/samples.rs.
fn program() -> Vec<Expected> {
    let fields = [("user", "7"), ("path", "/x, y")];
    let with = |own: &[(&'static str, &'static str)]| [own, &fields].concat();
    let record = |kind, message, level, pairs, span| Expected {
        kind,
        message,
        level: Some(level),
        target: "samples",
        pairs,
        span,
        task: 0,
    };
    use Kind::{End, Event, Start};
    vec![
        record(Start, "load 1", Level::Trace, with(&[]), (1, 0)),
        record(Event, "loaded", Level::Info, with(&[("rows", "3")]), (1, 0)),
        record(
            Event,
            "two lines\n  the second",
            Level::Warn,
            with(&[("x", "1")]),
            (1, 0),
        ),
        Expected {
            target: "db::query",
            ..record(
                Event,
                "asked",
                Level::Debug,
                with(&[("sql", "select \"a\"")]),
                (1, 0),
            )
        },
        record(
            Start,
            "check",
            Level::Trace,
            with(&[("arg_0", "boop")]),
            (2, 1),
        ),
        record(End, "check", Level::Trace, with(&[]), (2, 0)),
        record(Event, "[42] not: a prefix", Level::Error, with(&[]), (1, 0)),
        record(End, "load 1", Level::Trace, with(&[]), (1, 0)),
        Expected {
            task: 1,
            ..record(Start, "worker", Level::Trace, vec![], (3, 0))
        },
        Expected {
            task: 1,
            ..record(Event, "in a task", Level::Info, vec![], (3, 0))
        },
        Expected {
            task: 1,
            ..record(End, "worker", Level::Trace, vec![], (3, 0))
        },
        record(Event, "", Level::Trace, vec![], (0, 0)),
    ]
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs")
}

fn batch(bytes: Vec<u8>) -> Batch {
    let dialect = Dialect::detect(&bytes, None).expect("there are records");
    let mut batch = Batch {
        lines_len: bytes.len(),
        bytes,
        dialect: dialect.into(),
        ..Batch::default()
    };
    batch.parse();
    batch
}

fn sample(name: &str) -> Batch {
    let path = directory().join(format!("{name}.log"));
    batch(std::fs::read(path).expect("it is there"))
}

fn views(batch: &Batch) -> impl Iterator<Item = View<'_>> {
    batch
        .records
        .iter()
        .map(move |record| View { batch, record })
}

fn pairs(view: View<'_>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    view.pairs(|key, value| pairs.push((key.to_owned(), value.into_owned())));
    pairs
}

/// What a layout leaves out.
#[derive(Clone, Copy, Default)]
struct Without {
    level: bool,
    target: bool,
    /// Of all levels but these.
    target_but: &'static [Level],
    time: bool,
    ids: bool,
    /// The target is the module's.
    own_target: bool,
    /// The logger sorts pairs.
    order: bool,
    /// The message is as it was given, also where it reads as pairs.
    key_values: bool,
}

fn without(name: &str) -> Without {
    let none = Without::default();
    let level = Without {
        level: true,
        ..none
    };
    let target = Without {
        target: true,
        ..none
    };
    let key_values = Without {
        key_values: true,
        ..none
    };
    let time = Without { time: true, ..none };
    match name {
        "env_logger.no-time" => time,
        "env_logger.no-time.kv" => Without {
            key_values: true,
            ..time
        },
        "env_logger.no-level" => level,
        "env_logger.no-target" => target,
        "env_logger.target-alone" => Without {
            level: true,
            ..time
        },
        "env_logger.message-alone" | "fern" => Without {
            level: true,
            target: true,
            ..time
        },
        "env_logger.kv" | "logforth.kv" | "log4rs.json.kv" | "spdlog.json.kv" => key_values,
        "env_logger.minimal" => Without { ids: true, ..none },
        "simplelog" | "simplelog.colors" => Without {
            target_but: &[Level::Debug, Level::Trace],
            ..none
        },
        "flexi_logger" => Without {
            own_target: true,
            ..time
        },
        "flexi_logger.opt" | "flexi_logger.thread" => target,
        "flexi_logger.detailed" | "flexi_logger.colors" | "flexi_logger.json" => Without {
            own_target: true,
            ..none
        },
        "flexi_logger.json.kv" => Without {
            own_target: true,
            order: true,
            ..key_values
        },
        "logforth.json.kv" | "structured-logger.kv" => Without {
            order: true,
            ..key_values
        },
        "structured-logger.minimal.kv" => Without {
            order: true,
            ids: true,
            ..key_values
        },
        "stderrlog" => Without {
            time: true,
            ..target
        },
        "stderrlog.seconds" | "stderrlog.colors" | "ftlog" => target,
        "simple_logger.no-time" | "pretty_env_logger" => time,
        "syslog" => Without {
            level: true,
            ..target
        },
        _ => none,
    }
}

/// Where one process wrote both, the logger's clock and ours say the same, as far as the logger's says
/// anything.
#[track_caller]
fn assert_time(view: View<'_>, at: u64) {
    const SECOND: i64 = 1_000_000_000;
    let time = view.time().expect("it has a time");
    let mut at = at as i64;
    if !time.has_date {
        let day = 86_400 * SECOND;
        // Without a year the day is of 1970: only the time of day can be told from this.
        assert_eq!(time.nanos.rem_euclid(day), time.nanos % day);
        let distance = (time.nanos.rem_euclid(day) - at.rem_euclid(day)).abs();
        assert!(distance < 2 * SECOND, "{time:?} is not {at}");
        return;
    }
    at -= at % time.resolution as i64;
    let distance = time.nanos - at;
    assert!(
        (0..SECOND / 2).contains(&distance) || distance == SECOND,
        "{time:?} is not {at}"
    );
}

#[track_caller]
fn assert_sample(name: &str) {
    let batch = sample(name);
    let without = without(name);
    let views: Vec<_> = views(&batch).collect();
    assert_eq!(views.len(), 12, "{name}: {:?}", batch.dialect);
    assert_eq!(batch.unreadable.lines, 0, "{name}: {:?}", batch.unreadable);
    for (view, expected) in views.iter().zip(program()) {
        let record = view.record;
        let in_name = format!("{name}, line {}: {:?}", record.line, batch.dialect.shapes);
        let mut message = expected.message.to_owned();
        let mut own = expected.pairs.clone();
        if without.key_values
            && message.contains('\n')
            && !matches!(
                name,
                "env_logger.kv" | "env_logger.no-time.kv" | "logforth.kv"
            )
        {
            message += ", x=1";
            own.retain(|(key, _)| *key != "x");
        }
        assert_eq!(view.message(), message, "{in_name}");
        assert_eq!(record.kind, expected.kind, "{in_name}");
        let level = expected.level.filter(|_| !without.level);
        assert_eq!(view.level(), level, "{in_name}");
        let target = match expected.level {
            _ if without.target => None,
            Some(level)
                if !without.target_but.is_empty() && !without.target_but.contains(&level) =>
            {
                None
            }
            // The spans of tasks are not of a module.
            _ if without.own_target && expected.message == "worker" => None,
            _ if without.own_target => Some("samples"),
            _ => Some(expected.target),
        };
        assert_eq!(view.target().as_deref(), target, "{in_name}");
        let mut read = pairs(*view);
        let mut own: Vec<_> = own
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        if without.order {
            read.sort();
            own.sort();
        }
        assert_eq!(read, own, "{in_name}");
        assert_eq!(record.task_id, expected.task, "{in_name}");
        assert_eq!(record.thread_id, 1, "{in_name}");
        if without.ids {
            assert!(batch.dialect.legacy, "{in_name}");
            continue;
        }
        assert!(!batch.dialect.legacy, "{in_name}");
        assert_eq!(
            (record.span_id, record.span_parent),
            expected.span,
            "{in_name}"
        );
        assert_eq!(record.at.is_some(), record.kind == Kind::Start, "{in_name}");
        assert_eq!(
            record.elapsed.is_some(),
            record.kind == Kind::End,
            "{in_name}"
        );
        assert_eq!(
            record.process.is_some(),
            record.kind == Kind::Start && record.span_parent == 0,
            "{in_name}"
        );
        if let Some(at) = record.at {
            match without.time {
                true => assert_eq!(view.time(), None, "{in_name}"),
                false => assert_time(*view, at),
            }
        }
        if expected.message == "worker" && record.kind == Kind::Start {
            let spawned = view.spawn_line().expect("it is a task's");
            assert!(spawned.starts_with("src/bin/samples.rs:"), "{spawned}");
            assert_eq!(record.task_parent_id, Some(0));
        }
    }
}

#[test]
fn what_every_logger_wrote_is_read() {
    let mut names: Vec<String> = std::fs::read_dir(directory())
        .expect("it is there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".log").map(str::to_owned))
        .filter(|name| !name.starts_with("async-log-2"))
        .collect();
    names.sort();
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        assert_sample(&name);
    }
}

#[test]
fn version_2_is_read() {
    for (name, form) in [
        ("async-log-2", Form::KeyValue),
        ("async-log-2.structured-logger", Form::Json),
    ] {
        let batch = sample(name);
        assert_eq!(batch.dialect.form, form);
        assert!(batch.dialect.legacy);
        let marks: Vec<_> = views(&batch)
            .filter(|view| view.record.kind != Kind::Event)
            .map(|view| {
                (
                    view.record.kind,
                    view.message().into_owned(),
                    view.record.task_id,
                )
            })
            .collect();
        use Kind::{End, Start};
        let expected = [
            (Start, "load 1"),
            (Start, "src/bin/samples.rs#inner"),
            (End, "src/bin/samples.rs#inner"),
            (Start, "unquoted"),
            (End, "unquoted"),
            (End, "load 1"),
        ];
        for (mark, (kind, name)) in marks.iter().zip(expected) {
            assert_eq!((mark.0, mark.2), (kind, 12));
            assert!(mark.1.starts_with(name), "{mark:?}");
        }
        assert_eq!(marks.len(), expected.len());
        // A span's start and end have one name.
        assert_eq!(marks[3].1, marks[4].1);
    }
}

/// The lines of a log with something before each of them.
fn hosted(name: &str, before: impl Fn(usize) -> String) -> Batch {
    let path = directory().join(format!("{name}.log"));
    let log = std::fs::read_to_string(path).expect("it is there");
    let lines = log.lines().enumerate();
    let lines = lines.map(|(index, line)| format!("{}{line}\n", before(index)));
    batch(lines.collect::<String>().into_bytes())
}

/// Container engines and journals, as their manuals have it. The seconds count up.
type Host = (&'static str, fn(usize) -> String);

fn hosts() -> Vec<Host> {
    vec![
        ("docker", |n| format!("2026-01-02T03:04:{n:02}.123456789Z ")),
        ("kubectl", |n| {
            format!("2026-01-02T03:04:{n:02}.12345678{}Z ", ["", "9"][n % 2])
        }),
        ("compose", |_| "web-1  | ".to_owned()),
        ("compose with times", |n| {
            format!("web-1  | 2026-01-02T03:04:{n:02}.123456789Z ")
        }),
        ("kubectl with pods", |_| "[pod/web-7d9f/app] ".to_owned()),
        ("kubectl with both", |n| {
            format!("[pod/web-7d9f/app] 2026-01-02T03:04:{n:02}.123456789Z ")
        }),
        ("containerd", |n| {
            format!("2026-01-02T03:04:{n:02}.123456789Z stderr F ")
        }),
        ("journal", |n| format!("Jan 02 03:04:{n:02} box app[123]: ")),
        ("journal, precise", |n| {
            format!("Jan 02 03:04:{n:02}.123456 box app[123]: ")
        }),
        ("journal, iso", |n| {
            format!("2026-01-02T03:04:{n:02}+0000 box app[123]: ")
        }),
        ("journal, iso, precise", |n| {
            format!("2026-01-02T03:04:{n:02}.123456+00:00 box app[123]: ")
        }),
        ("journal, full", |n| {
            format!("Fri 2026-01-02 03:04:{n:02} UTC box app[123]: ")
        }),
        ("journal, no name", |n| {
            format!("Jan 02 03:04:{n:02} app[123]: ")
        }),
        ("syslog", |n| format!("Jan  2 03:04:{n:02} box app[123]: ")),
        ("syslog, 5424", |n| {
            format!("<14>1 2026-01-02T03:04:{n:02}.123Z box app 123 - - ")
        }),
    ]
}

#[test]
fn what_ran_the_program_may_write_before_each_line() {
    let loggers = [
        "env_logger",
        "env_logger.colors",
        "env_logger.message-alone",
        "env_logger.no-time",
        "env_logger.kv",
        "log4rs",
        "log4rs.json",
        "stderrlog",
        "simplelog",
        "structured-logger.kv",
    ];
    for name in loggers {
        let alone = sample(name);
        for (host, before) in hosts() {
            let batch = hosted(name, before);
            let of = format!("{name} in {host}: {:?}", batch.dialect.shapes);
            assert_eq!(batch.records.len(), alone.records.len(), "{of}");
            assert_eq!(batch.unreadable.lines, 0, "{of}");
            for (view, alone) in views(&batch).zip(views(&alone)) {
                assert_eq!(view.message(), alone.message(), "{of}");
                assert_eq!(view.level(), alone.level(), "{of}");
                assert_eq!(view.target(), alone.target(), "{of}");
                assert_eq!(pairs(view), pairs(alone), "{of}");
                assert_eq!(view.record.span_id, alone.record.span_id, "{of}");
                if let Some(time) = alone.time() {
                    assert_eq!(view.time(), Some(time), "{of}");
                } else if before(0).contains("03:04:") {
                    let time = view.time().expect("the host says it");
                    let seconds = time.nanos / 1_000_000_000 % 60;
                    assert_eq!(seconds + 1, view.record.line as i64, "{of}");
                }
            }
        }
    }
}

/// Docker's json-file and a journal as JSON; the one that has the text's bytes as numbers too.
fn wrapped(line: &str, index: usize) -> [String; 3] {
    let text = serde_json::to_string(&format!("{line}\n")).unwrap();
    let entry = serde_json::to_string(line).unwrap();
    let bytes = serde_json::to_string(line.as_bytes()).unwrap();
    let journal = |message: &str| {
        format!(
            "{{\"__CURSOR\":\"s=1\",\"__REALTIME_TIMESTAMP\":\"17673230{index:02}123456\",\"PRIORITY\":\"6\",\"MESSAGE\":{message},\"_PID\":\"123\"}}\n"
        )
    };
    [
        format!(
            "{{\"log\":{text},\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:{index:02}.123456789Z\"}}\n"
        ),
        journal(&entry),
        journal(&bytes),
    ]
}

#[test]
fn lines_may_be_wrapped_in_json() {
    for name in [
        "env_logger",
        "env_logger.colors",
        "env_logger.no-time",
        "log4rs.json.kv",
        "env_logger.kv",
    ] {
        let log = std::fs::read_to_string(directory().join(format!("{name}.log"))).unwrap();
        let alone = sample(name);
        for form in 0..3 {
            let lines = log.lines().enumerate();
            let lines = lines.map(|(index, line)| wrapped(line, index)[form].clone());
            let lines: String = lines.collect();
            let batch = batch(lines.clone().into_bytes());
            let of = format!("{name} {form} {:?}", batch.dialect);
            let records = lines
                .lines()
                .filter(|line| batch.dialect.is_record(line.as_bytes()));
            assert_eq!(records.count(), alone.records.len(), "{of}");
            assert_eq!(batch.records.len(), alone.records.len(), "{of}");
            assert_eq!(batch.unreadable.lines, 0, "{of}");
            for (view, alone) in views(&batch).zip(views(&alone)) {
                assert_eq!(view.message(), alone.message(), "{of}");
                assert_eq!(pairs(view), pairs(alone), "{of}");
                assert_eq!(view.target(), alone.target(), "{of}");
                match alone.time() {
                    Some(time) => assert_eq!(view.time(), Some(time), "{of}"),
                    None => assert!(
                        view.time()
                            .is_some_and(|time| time.nanos / 1_000_000_000 >= 1_767_323_000)
                    ),
                }
            }
        }
    }
}
