//! The sample lines of the announcement and of `docs/format.md`, byte for byte.
//!
//! They name threads, so this has no test harness: `main` is the main thread, which is number 1.
//! With `BLESS=1` in the environment the samples of the document are written instead of compared.

use std::future::{pending, Future};
use std::panic::catch_unwind;
use std::pin::pin;
use std::process::ExitCode;
use std::task::Context;

use async_log::{instrument, span, Logger, TaskExt};
use futures::task::noop_waker_ref;
use log::info;

use async_log_tests::memory::{with_global, Lines, Shared};
use async_log_tests::reader::{self, Record};

fn main() -> ExitCode {
    let cases: [(&str, fn()); 4] = [
        ("the announcement's span", the_announcements_span),
        ("the announcement's function", the_announcements_function),
        ("the document's samples", the_documents_samples),
        ("the document's samples read back", the_samples_read_back),
    ];
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in cases {
        let (count, word) = match catch_unwind(case) {
            Ok(()) => (&mut passed, "ok"),
            Err(_) => (&mut failed, "FAILED"),
        };
        *count += 1;
        println!("{name} ... {word}");
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

/// The log of `f`, with the minimal keys only.
fn minimal(task_id: fn() -> u64, f: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    with_global(Logger::wrap(lines.clone(), task_id).with_minimal_keys(), f);
    lines.take()
}

fn the_announcements_span() {
    let read = || span!(path = "/tmp/foob"; "runtime::fs::read_to_string", {});
    loop {
        let lines = std::thread::spawn(move || minimal(|| 7, read))
            .join()
            .unwrap();
        let number = lines[0].rsplit_once("thread_id=").unwrap().1.to_owned();
        assert!(number.parse::<u64>().unwrap() <= 8);
        if number == "8" {
            assert_eq!(
                lines,
                [
                    "runtime::fs::read_to_string, span_mark=start, path=/tmp/foob, task_id=7, thread_id=8",
                    "runtime::fs::read_to_string, span_mark=end, path=/tmp/foob, task_id=7, thread_id=8",
                ]
            );
            return;
        }
    }
}

fn the_announcements_function() {
    #[instrument(name = "examples/")]
    fn inner(y: &str) {
        info!("another nice value, y={}", y);
    }

    assert_eq!(
        minimal(async_log::task_id, || inner("boop")),
        [
            "examples/, arg_0=boop, span_mark=start, task_id=0, thread_id=1",
            "another nice value, y=boop, task_id=0, thread_id=1",
            "examples/, span_mark=end, task_id=0, thread_id=1",
        ]
    );
}

const DOCUMENT: &str = "../docs/format.md";

/// The name of a sample of the document, and the program that writes it.
type Sample = (&'static str, fn() -> String);

const SAMPLES: [Sample; 9] = [
    ("plain", plain),
    ("span", a_span),
    ("continuation", continuation),
    ("escapes", escapes),
    ("task", task),
    ("arguments", arguments),
    ("json", json),
    ("env_logger_kv", env_logger_kv),
    ("minimal", minimal_keys),
];

fn plain() -> String {
    env_logger(
        |logger| logger,
        || info!(target: "shop", "look at this value, x={}", "beep"),
    )
}

fn a_span() -> String {
    env_logger(|logger| logger, || load(7))
}

fn load(id: u32) {
    span!(target: "shop", user = id, path = "/tmp/a, b"; "load {id}", {
        info!(target: "shop", bytes = 512; "found");
    });
}

fn continuation() -> String {
    env_logger(
        |logger| logger,
        || info!(target: "shop", a = 1; "first\nsecond\n  third"),
    )
}

fn escapes() -> String {
    env_logger(
        |logger| logger.with_max_value_len(9),
        || {
            info!(
                target: "shop",
                text = "say \"hi\"", line = "a\nb", esc = "\u{1b}[31m", empty = "", space = " x",
                words = "two words", long = "abcdefghijkl", "a b" = 1, task_id = 9;
                "C:\\users\\u{{41}}, task_id=9, bell \u{7}"
            );
        },
    )
}

fn task() -> String {
    env_logger(
        |logger| logger,
        || {
            span!(target: "shop", req = 1; "request", {
                let mut task = pin!(async {
                    info!(target: "shop", "working");
                    pending::<()>().await;
                }
                .in_named_task("worker"));
                let polled = task.as_mut().poll(&mut Context::from_waker(noop_waker_ref()));
                assert!(polled.is_pending());
            });
        },
    )
}

fn arguments() -> String {
    #[instrument]
    fn fetch(id: u32, path: &str) {}

    env_logger(|logger| logger, || fetch(7, "a, b"))
}

fn json() -> String {
    let out = Shared::default();
    let inner = structured_logger::Builder::with_level("trace")
        .with_target_writer("*", structured_logger::json::new_writer(out.clone()))
        .build();
    let inner = Box::leak(Box::new(inner));
    with_global(
        Logger::wrap(&*inner, async_log::task_id).with_key_values(),
        || load(7),
    );
    out.text().lines().nth(1).unwrap().to_owned() + "\n"
}

fn env_logger_kv() -> String {
    let all = env_logger(|logger| logger.with_key_values(), || load(7));
    all.lines().nth(1).unwrap().to_owned() + "\n"
}

fn minimal_keys() -> String {
    env_logger(
        |logger| logger.with_minimal_keys(),
        || {
            span!(target: "shop", user = 7; "load", { info!(target: "shop", "found") });
        },
    )
}

type Wrapped = Logger<env_logger::Logger, fn() -> u64>;

/// What env_logger prints meanwhile.
fn env_logger(options: impl FnOnce(Wrapped) -> Wrapped, f: impl FnOnce()) -> String {
    let out = Shared::default();
    let inner = env_logger::Builder::new()
        .filter_level(log::LevelFilter::Trace)
        .target(env_logger::Target::Pipe(Box::new(out.clone())))
        .build();
    with_global(options(Logger::wrap(inner, async_log::task_id)), f);
    log::logger().flush();
    out.text()
}

fn the_documents_samples() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let mut names = Vec::new();
    let mut blessed = String::new();
    let mut rest = &*document;
    while let Some((before, sample)) = rest.split_once("```log ") {
        let (name, sample) = sample.split_once('\n').unwrap();
        let (lines, after) = sample.split_once("```").unwrap();
        let (_, write) = (SAMPLES.iter().find(|(of, _)| *of == name))
            .unwrap_or_else(|| panic!("no program writes the sample {name}"));
        let written = fixed(&write());
        blessed += &format!("{before}```log {name}\n{written}```");
        names.push(name);
        if std::env::var_os("BLESS").is_none() {
            assert_eq!(
                lines, written,
                "{DOCUMENT}, sample {name}; BLESS=1 rewrites it"
            );
        }
        rest = after;
    }
    assert_eq!(names, SAMPLES.map(|(name, _)| name));
    // All text that looks like a record is a sample: none is written by hand.
    assert!(!(blessed.split("```"))
        .step_by(2)
        .any(|text| text.contains("thread_id=")));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(DOCUMENT, blessed + rest).unwrap();
    }
}

/// Puts fixed digits where they are others each time, and numbers the spans from 1.
fn fixed(log: &str) -> String {
    let digits = |c: char| c.is_ascii_digit();
    let mut log = log.to_owned();
    let mut spans: Vec<String> = Vec::new();
    for key in ["span_id=", "span_parent=", "\"span_id\":"] {
        log = replace(&log, key, digits, |id| {
            let known = spans.iter().position(|span| span == id);
            let nth = known.unwrap_or_else(|| {
                spans.push(id.to_owned());
                spans.len() - 1
            });
            (nth + 1).to_string()
        });
    }
    let seconds = |c: char| c == '.' || digits(c);
    for (key, to) in [
        ("span_at=", "1700000000.000000000"),
        ("span_elapsed=", "1.000000000"),
    ] {
        log = replace(&log, key, seconds, |was| {
            let (_, nanos) = was.split_once('.').unwrap();
            assert_eq!(nanos.len(), 9, "{was}");
            to.to_owned()
        });
    }
    log = replace(
        &log,
        "process_id=",
        |c| c == '-' || digits(c),
        |was| {
            let (pid, _) = was.split_once('-').unwrap();
            assert_eq!(pid, std::process::id().to_string());
            "4242-1700000000000000000".to_owned()
        },
    );
    log = replace(&log, "spawn_line=tests/format.rs:", digits, |_| {
        "1".to_owned()
    });
    log = replace(&log, "\"timestamp\":", digits, |_| {
        "1700000000000".to_owned()
    });
    // A continuation line has no time.
    let time = |line: &str| match line.strip_prefix('[').and_then(|line| line.split_once(' ')) {
        Some((_, after)) => format!("[2026-01-02T03:04:05Z {after}\n"),
        None => format!("{line}\n"),
    };
    log.lines().map(time).collect()
}

/// Replaces each run of such characters behind `key`, if there is one.
fn replace(
    text: &str,
    key: &str,
    is_part: impl Fn(char) -> bool,
    mut to: impl FnMut(&str) -> String,
) -> String {
    let mut parts = text.split(key);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c| !is_part(c)).unwrap_or(part.len());
        out += key;
        if end > 0 {
            out += &to(&part[..end]);
        }
        out += &part[end..];
    }
    out
}

/// The samples, read back, are as the document describes them.
fn the_samples_read_back() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let read = |name: &str| -> Vec<Record> {
        let start = format!("```log {name}\n");
        let (_, sample) = document.split_once(&start).unwrap();
        let (records, others) = reader::read(sample.split_once("```").unwrap().0);
        assert_eq!(others, 0, "{name}");
        records
    };
    let message = |record: &Record| record.message.split_once("] ").unwrap().1.to_owned();

    let span = read("span");
    assert_eq!(span.len(), 3);
    assert!(span
        .iter()
        .all(|record| record.get("path") == Some("/tmp/a, b")));
    assert!(span
        .iter()
        .all(|record| record.number("span_id") == Some(1)));
    assert_eq!(message(&read("continuation")[0]), "first\nsecond\n  third");

    let escapes = &read("escapes")[0];
    assert_eq!(message(escapes), "C:\\users\\u{41}, task_id=9, bell \u{7}");
    let values = [
        "say \"hi\"",
        "a\nb",
        "\u{1b}[31m",
        "",
        " x",
        "two words",
        "abcdefghi",
        "1",
        "9",
    ];
    for (pair, value) in escapes.pairs.iter().zip(values) {
        assert_eq!((&*pair.value, pair.cut), (value, pair.key == "long"));
    }
    assert_eq!(escapes.number("task_id"), Some(0));

    let task = read("task");
    assert_eq!(task[1].number("span_parent"), task[0].number("span_id"));
    assert_eq!(read("arguments")[0].get("arg_1"), Some("a, b"));
    assert_eq!(read("minimal").len(), 3);
    assert_eq!(read("plain").len(), 1);
}
