//! After SIGKILL at a random moment, the open spans are those that the log has a start but no end of.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, ChildStdout};
use std::thread;
use std::time::Duration;

use async_log_cli::read::{Form, ProcessId};
use serde_json::Value;

use crate::Scratch;
use crate::child::{self, Order};
use crate::command;
use crate::loggers::Setup;
use crate::rebuilt::{Rebuilt, Unfinished};
use async_log_tests::random::Random;
use async_log_tests::reader;

/// What came of some kills.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    kills: u64,
    lines: u64,
    unfinished: u64,
    torn: u64,
    /// Logs that were cut once more, at any byte.
    cut: u64,
}

impl Figures {
    fn add(&mut self, other: Figures) {
        self.kills += other.kills;
        self.lines += other.lines;
        self.unfinished += other.unfinished;
        self.torn += other.torn;
        self.cut += other.cut;
    }
}

/// A start or an end, as an independent reader sees it.
struct Mark {
    is_start: bool,
    process: Option<String>,
    /// The name, with whatever the logger wrote before it.
    name: String,
    id: u64,
    parent: u64,
    task: u64,
    at: Option<u64>,
}

/// All marks of a log.
fn marks(setup: Setup, log: &[u8]) -> Vec<Mark> {
    let log = String::from_utf8_lossy(log);
    match setup.form() {
        Form::Text => text_marks(&log),
        Form::Json => json_marks(&log),
        Form::KeyValue => key_value_marks(&log),
    }
}

fn text_marks(log: &str) -> Vec<Mark> {
    let (records, _) = reader::read(log);
    let mark = |record: &reader::Record| {
        let get = |key: &str| record.get(key).map(str::to_owned);
        Mark::of(record.message.clone(), &get)
    };
    records.iter().filter_map(mark).collect()
}

/// Whole lines.
fn lines(log: &str) -> impl Iterator<Item = &str> {
    let lines = log.split_inclusive('\n');
    lines.filter_map(|line| line.strip_suffix('\n'))
}

fn json_marks(log: &str) -> Vec<Mark> {
    let mark = |line: &str| {
        let record: Value = serde_json::from_str(line).ok()?;
        let pairs = ["attributes", "kv"].iter().find_map(|key| record.get(key));
        let pairs = pairs.unwrap_or(&record);
        let message = ["message", "text"].iter().find_map(|key| record.get(key));
        let get = |key: &str| match pairs.get(key)? {
            Value::String(text) => Some(text.clone()),
            value => Some(value.to_string()),
        };
        Mark::of(message?.as_str()?.to_owned(), &get)
    };
    lines(log).filter_map(mark).collect()
}

fn key_value_marks(log: &str) -> Vec<Mark> {
    let mark = |line: &str| {
        let get = |key: &str| {
            let (_, behind) = line.rsplit_once(&format!(" {key}="))?;
            let value = behind.split(' ').next();
            value.map(str::to_owned)
        };
        let name = line.split(" span_mark=").next()?;
        get("thread_id")?;
        Mark::of(name.to_owned(), &get)
    };
    lines(log).filter_map(mark).collect()
}

impl Mark {
    fn of(name: String, get: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |key| get(key).map_or(0, |value| value.parse().expect("a number"));
        let nanos = |value: String| value.replace('.', "").parse().expect("a number");
        Some(Mark {
            is_start: get("span_mark")? == "start",
            process: get("process_id"),
            name,
            id: number("span_id"),
            parent: number("span_parent"),
            task: number("task_id"),
            at: get("span_at").map(nanos),
        })
    }
}

/// What is open at the end of each process, which wrote one after another.
fn unfinished(marks: Vec<Mark>) -> Vec<(String, Vec<Unfinished>)> {
    let mut processes: Vec<(String, BTreeMap<u64, Unfinished>)> = Vec::new();
    for mark in marks {
        let known = processes
            .last()
            .is_some_and(|(process, _)| mark.process.as_ref().is_none_or(|of| of == process));
        if !known {
            let process = mark.process.clone().expect("the first is a root");
            processes.push((process, BTreeMap::new()));
        }
        let Some((_, open)) = processes.last_mut() else {
            continue;
        };
        if mark.is_start {
            let span = Unfinished {
                id: mark.id,
                parent: mark.parent,
                task: mark.task,
                start: mark.at.expect("a start says when"),
                name: mark.name,
            };
            open.insert(mark.id, span);
        } else {
            open.remove(&mark.id);
        }
    }
    let sorted = |(process, open): (_, BTreeMap<_, _>)| (process, open.into_values().collect());
    processes.into_iter().map(sorted).collect()
}

/// What processes left open, by their names.
type Left = [(String, Vec<Unfinished>)];

/// The reader and the tracker, and the command, find open what an independent reader does; says how
/// many spans.
fn assert_unfinished(setup: Setup, path: &Path) -> u64 {
    let log = fs::read(path).expect("a log");
    let mut expected = unfinished(marks(setup, &log));
    expected.retain(|(_, open)| !open.is_empty());

    let rebuilt = Rebuilt::of(&log, Some(setup.form()), 1 << 15);
    let mut left = Vec::new();
    for (process, mut open) in rebuilt.left {
        open.sort();
        if !open.is_empty() {
            let name = |id: ProcessId| id.to_string();
            left.push((process.id.map(name).unwrap_or_default(), open));
        }
    }
    assert_same(setup, &left, &expected);
    assert_same(setup, &command::unfinished(path), &expected);
    expected.iter().map(|(_, open)| open.len() as u64).sum()
}

fn assert_same(setup: Setup, left: &Left, expected: &Left) {
    let ids = |all: &Left| -> Vec<(String, Vec<u64>)> {
        let ids = |open: &[Unfinished]| open.iter().map(|span| span.id).collect();
        all.iter()
            .map(|(process, open)| (process.clone(), ids(open)))
            .collect()
    };
    assert_eq!(ids(left), ids(expected), "{setup:?}");
    let spans = |all: &Left| -> Vec<Unfinished> {
        all.iter()
            .flat_map(|(_, open)| open.iter().cloned())
            .collect()
    };
    for (left, mut expected) in spans(left).into_iter().zip(spans(expected)) {
        // The independent reader does not know where a prefix ends, nor, where nothing is quoted, a
        // message.
        let is_name = match setup.quotes() {
            true => expected.name.ends_with(&left.name),
            false => expected.name.contains(&left.name),
        };
        assert!(is_name, "{left:?} {expected:?}");
        expected.name.clone_from(&left.name);
        assert_eq!(left, expected, "{setup:?}");
    }
}

/// A child that does not outlive this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it was killed");
    }
}

/// Starts the child, lets it write for a while, kills it; then its log is in the file.
fn kill(order: Order, directory: &Path, random: &mut Random) {
    let log = child::log_file(directory);
    let length = || log.metadata().map_or(0, |file| file.len());
    let before = length();
    thread::scope(|scope| {
        let mut child = Running(child::start(order, directory));
        if let Some(pipe) = child.0.stdout.take() {
            scope.spawn(|| append(pipe, &log).expect("it is copied"));
        }
        while length() < before + SHORTEST {
            assert_eq!(child.0.try_wait().expect("it is there"), None, "{order:?}");
            thread::yield_now();
        }
        thread::sleep(Duration::from_micros(random.below(100_000)));
    });
}

/// The pipe's other end, as of a container engine, or of a shell that adds to a file.
fn append(mut pipe: ChildStdout, path: &Path) -> io::Result<u64> {
    let mut file = File::options().create(true).append(true).open(path)?;
    io::copy(&mut pipe, &mut file)
}

/// How much a child has written at least when it is killed.
const SHORTEST: u64 = 10_000;

/// One program after another is killed, and their log read.
fn run(setup: Setup, piped: bool, seed: u64, kills: u64) -> Figures {
    let mut random = Random::new(seed);
    let directory = Scratch::new();
    let directory = directory.path();
    let log = child::log_file(directory);
    let cut_log = log.with_extension("cut");
    let mut figures = Figures::default();
    for _ in 0..kills {
        let order = Order {
            setup,
            seed: random.below(1_000_000),
            records: u64::MAX,
            with_truth: false,
            piped,
        };
        kill(order, directory, &mut random);
        let bytes = fs::read(&log).expect("a log");
        figures.kills += 1;
        figures.lines += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        figures.torn += u64::from(bytes.last() != Some(&b'\n'));
        figures.unfinished += assert_unfinished(setup, &log);
        for _ in 0..4 {
            // Not before there is a record.
            let cut = SHORTEST / 2 + random.below(bytes.len() as u64 - SHORTEST / 2);
            fs::write(&cut_log, &bytes[..cut as usize]).expect("it is written");
            assert_unfinished(setup, &cut_log);
            figures.cut += 1;
        }
        // Every other log is that of a program that was started again.
        if figures.kills % 2 == 0 {
            fs::remove_file(&log).expect("it is there");
        }
    }
    println!("{setup:?}, seed {seed}: {figures:?}");
    figures
}

/// No two runs are killed at the same moments.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

#[test]
fn text() {
    let figures = run(Setup::EnvLogger, false, seed(), 4);
    assert!(figures.unfinished > 0);
}

#[test]
fn through_a_pipe() {
    run(Setup::EnvLogger, true, seed(), 2);
}

/// It writes a record piece by piece.
#[test]
fn torn() {
    run(Setup::Simplelog, false, seed(), 2);
}

#[test]
fn json() {
    run(Setup::StructuredLogger, false, seed(), 2);
}

#[test]
fn key_values() {
    run(Setup::EnvLoggerKv, false, seed(), 2);
}

#[test]
#[ignore = "takes long"]
fn long() {
    let mut all = Figures::default();
    for setup in Setup::ALL {
        all.add(run(setup, false, seed(), 10));
    }
    for setup in [Setup::EnvLogger, Setup::StructuredLogger] {
        all.add(run(setup, true, seed(), 10));
    }
    println!("{all:?}");
    assert!(all.kills >= 100);
}
