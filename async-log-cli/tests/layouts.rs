//! Logs behind whatever people have them through: a table of layouts, prefixes put together at random,
//! and the small logs of `tests/cases`.

use std::io::Cursor;

use async_log_cli::input::{Cutter, Options, Source};
use async_log_cli::read::{Batch, Kind, Level, View};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What a record of a log says.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    kind: Kind,
    message: String,
    level: Option<Level>,
    nanos: Option<i64>,
    span: u64,
}

fn read(log: &[u8]) -> (Vec<Said>, u64) {
    read_with(log, Options::default())
}

fn read_with(log: &[u8], options: Options) -> (Vec<Said>, u64) {
    let source = Source::from_reader("log", Cursor::new(log.to_vec()));
    let mut cutter = Cutter::new(vec![source], options);
    let (mut said, mut batch, mut unreadable) = (Vec::new(), Batch::default(), 0);
    while cutter.next(&mut batch) {
        batch.parse();
        unreadable += batch.unreadable.lines;
        said.extend(batch.records.iter().map(|record| {
            let view = View {
                batch: &batch,
                record,
            };
            Said {
                kind: record.kind,
                message: view.message().into_owned(),
                level: view.level(),
                nanos: view.time().map(|time| time.nanos),
                span: record.span_id,
            }
        }));
    }
    (said, unreadable)
}

/// The lines of `base.log`: level, and message with pairs.
const BASE: [(&str, &str); 5] = [
    (
        "TRACE",
        "job, span_mark=start, span_id=1, span_at=1700000000.000000000, process_id=4242-1700000000000000000, task_id=0, thread_id=1",
    ),
    ("INFO", "hello, span_id=1, task_id=0, thread_id=1"),
    (
        "TRACE",
        "step, span_mark=start, span_id=2, span_parent=1, span_at=1700000000.002000000, task_id=0, thread_id=1",
    ),
    (
        "TRACE",
        "step, span_mark=end, span_id=2, span_elapsed=0.003000000, task_id=0, thread_id=1",
    ),
    (
        "TRACE",
        "job, span_mark=end, span_id=1, span_elapsed=0.010000000, task_id=0, thread_id=1",
    ),
];

const NAMES: [(Kind, &str); 5] = [
    (Kind::Start, "job"),
    (Kind::Event, "hello"),
    (Kind::Start, "step"),
    (Kind::End, "step"),
    (Kind::End, "job"),
];

/// The lines of `base.log` as they would be in the layout of a sample.
fn in_layout(sample: &str) -> String {
    let mut log = String::new();
    for (index, (level, text)) in BASE.iter().enumerate() {
        let line = sample.replace(BASE[1].1, text);
        let padded = line.replace("INFO ", &format!("{level:<5}"));
        let line = if sample.contains("INFO  ") {
            padded
        } else {
            line.replace("INFO", level)
        };
        let line = line.replace("000001", &format!("00000{}", index + 1));
        log += &line.replace("12:[", &format!("{}:[", 12 + index));
        log.push('\n');
    }
    log
}

/// The layouts of the table: their kind, their name, and a sample line.
fn table() -> Vec<(String, String, String)> {
    let table = include_str!("layouts.txt");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let (head, sample) = line.split_at(32);
        let (kind, name) = head.split_at(8);
        (
            kind.trim().to_owned(),
            name.trim().to_owned(),
            sample.to_owned(),
        )
    };
    lines.map(entry).collect()
}

#[test]
fn every_layout_of_the_table_is_read() {
    let table = table();
    let mut wrong = Vec::new();
    for (_, name, sample) in &table {
        let log = in_layout(sample);
        let (said, unreadable) = read(log.as_bytes());
        let names: Vec<_> = said
            .iter()
            .map(|said| (said.kind, &*said.message))
            .collect();
        let levels = said.iter().zip(BASE).all(|(said, (level, _))| {
            let has_level = sample.to_uppercase().contains("INFO");
            let level = Level::from_word(level.as_bytes()).filter(|_| sample.contains("INFO"));
            said.level == level || !sample.contains("INFO") && has_level
        });
        // A clock that somebody else started says nothing of the day.
        let seconds = 1_700_000_000i64;
        let times = said.iter().all(|said| match said.nanos {
            Some(nanos) => (nanos / 1_000_000_000 - seconds) % 900 == 0 || name == "dmesg",
            None => !sample.contains("22:13:20") && !sample.contains("221320"),
        });
        if names != NAMES || unreadable > 0 || !levels || !times {
            wrong.push(format!("{name}: {unreadable} {said:?}\n{log}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let learnt = table.iter().filter(|(kind, ..)| kind == "learnt").count();
    assert!(table.len() >= 40 && learnt >= 10);
}

/// The parts of a prefix.
fn part() -> impl Strategy<Value = String> {
    let words = &[
        "web-1",
        "vm",
        "ip-10-0-0-1.ec2.internal",
        "app",
        "7d4f9-abc",
        "-",
        "stdout",
        "node/3",
        "42",
        "0f3c9a1b2d4e5f60",
        "ams",
        "production",
        "web.1",
    ][..];
    let times = &[
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20.123456+01:00",
        "2023-11-14 22:13:20,123",
        "Nov 14 22:13:20",
        "Tue Nov 14 22:13:20 2023",
        "1700000000.123",
        "1700000000123",
        "22:13:20",
        "@400000006553f10a00000001",
        "Tue 2023-11-14 22:13:20 CET",
        "00:00:01.250",
        "14/Nov/2023:22:13:20 +0100",
        "+0.0123",
        "2023/11/14 22:13:20.123",
    ][..];
    let wraps = &[
        "{}", "[{}]", "({})", "<{}>", "{}:", "{} |", "| {}", "k={}", "\"{}\"", "{} -",
    ][..];
    (prop_oneof![select(words), select(times)], select(wraps))
        .prop_map(|(text, wrap)| wrap.replace("{}", text))
}

/// A prefix of several parts, with the separators between them and before the logger's own prefix.
fn prefix() -> impl Strategy<Value = String> {
    let gap = select(&[" ", "  ", "\t", " "][..]);
    (
        vec((part(), gap), 1..5),
        select(&[" ", "  ", ": ", " | ", "] ", "> "][..]),
    )
        .prop_map(|(parts, end)| {
            let parts: String = parts
                .iter()
                .map(|(part, gap)| format!("{part}{gap}"))
                .collect();
            format!("{}{end}", parts.trim_end())
        })
}

const LOGGERS: &[&str] = &[
    "[2023-11-14T22:13:20Z INFO  app] hello, span_id=1, task_id=0, thread_id=1",
    "2023-11-14T22:13:20.000001+00:00 INFO app - hello, span_id=1, task_id=0, thread_id=1",
    "[2023-11-14][22:13:20][app][INFO] hello, span_id=1, task_id=0, thread_id=1",
    "2023-11-14T22:13:20Z INFO app: hello, span_id=1, task_id=0, thread_id=1",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is in front, a log says what it says alone.
    #[test]
    fn any_prefix_changes_nothing(prefix in prefix(), logger in select(LOGGERS)) {
        let alone = in_layout(logger);
        let log: String = alone.lines().map(|line| format!("{prefix}{line}\n")).collect();
        prop_assert_eq!(read(log.as_bytes()), read(alone.as_bytes()), "{}", log);
    }

    /// Also where a third of the lines each has another one.
    #[test]
    fn several_prefixes_change_nothing(prefixes in vec(prefix(), 3), logger in select(LOGGERS)) {
        let alone = in_layout(logger).repeat(3);
        let lines = alone.lines().enumerate();
        let log: String = lines.map(|(n, line)| format!("{}{line}\n", prefixes[n / 5])).collect();
        prop_assert_eq!(read(log.as_bytes()), read(alone.as_bytes()), "{}", log);
    }

    /// And where JSON objects have the lines in a field of any name, at any depth.
    #[test]
    fn any_json_changes_nothing(
        keys in vec("[a-z@_.]{1,9}", 1..4),
        others in vec(("[a-z]{3,9}_x", part()), 0..5),
        prefix in prop_oneof![Just(String::new()), prefix()],
        logger in select(LOGGERS),
    ) {
        let alone = in_layout(logger);
        let log: String = alone.lines().map(|line| {
            let mut object = serde_json::json!(line);
            for key in &keys {
                let mut members = serde_json::Map::new();
                members.extend(others.iter().map(|(key, value)| (key.clone(), value.clone().into())));
                members.insert(key.clone(), object);
                object = members.into();
            }
            format!("{prefix}{object}\n")
        }).collect();
        prop_assert_eq!(read(log.as_bytes()), read(alone.as_bytes()), "{}", log);
    }
}
