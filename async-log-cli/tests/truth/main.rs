//! Compares the command's reading of a log with the program's own knowledge.
//!
//! A child process runs the random programs of `async_log_tests` and logs through one of several loggers to
//! a file. A second logger beside it writes down what `log`'s own API told, to the nanosecond, and the
//! programs write down where they know each span and event to be. Then the log is read.

mod check;
mod child;
mod command;
mod killed;
mod loggers;
mod rebuilt;
mod witness;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::thread;

use async_log_tests::modes::{self, Mode};
use async_log_tests::told::{self, Told};
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use crate::check::{Figures, Shown, Threads, assert_known, assert_self_times, assert_told};
use crate::child::{Known, Order};
use crate::loggers::Setup;
use crate::rebuilt::Rebuilt;

/// A directory that is kept if the test fails.
struct Scratch(Option<TempDir>);

impl Scratch {
    fn new() -> Self {
        Scratch(Some(tempfile::tempdir().expect("a directory")))
    }

    fn path(&self) -> &Path {
        self.0.as_ref().expect("it is there").path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(directory) = self.0.take_if(|_| thread::panicking()) {
            println!("see {}", directory.keep().display());
        }
    }
}

/// Reads what the child wrote down.
fn json_lines<T: DeserializeOwned>(path: &Path) -> impl Iterator<Item = T> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = BufReader::new(file).lines();
    lines.map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("JSON"))
}

/// The knowledge of one process about its log.
struct Witnessed {
    threads: Threads,
    known: Vec<Known>,
}

impl Witnessed {
    fn read(directory: &Path) -> Self {
        let mut threads = Threads::new();
        for (thread, told) in json_lines::<(u64, Told)>(&child::told_file(directory)) {
            threads.entry(thread).or_default().push(told);
        }
        let known = json_lines(&child::known_file(directory)).collect();
        Witnessed { threads, known }
    }

    /// Gives the self times too.
    fn assert_rebuilt(&self, setup: Setup, rebuilt: &Rebuilt) -> (Figures, HashMap<u64, u64>) {
        assert_told(setup, rebuilt, &self.threads);
        let figures = assert_known(rebuilt, &self.known);
        (figures, assert_self_times(rebuilt))
    }
}

fn order(setup: Setup, seed: u64, records: u64) -> Order {
    Order {
        setup,
        seed,
        records,
        with_truth: true,
        piped: false,
    }
}

fn end(mut child: Child) {
    assert!(child.wait().expect("it ends").success());
}

/// Programs run until they have written so many records, and their log is read.
fn run(setup: Setup, seed: u64, records: u64) -> Figures {
    let directory = Scratch::new();
    let directory = directory.path();
    end(child::start(order(setup, seed, records), directory));

    let witnessed = Witnessed::read(directory);
    let path = &child::log_file(directory);
    let rebuilt = Rebuilt::of(&fs::read(path).expect("a log"), None, 1 << 16);
    let (figures, self_times) = witnessed.assert_rebuilt(setup, &rebuilt);

    let told = command::Log::of(&witnessed.threads);
    told.assert_tree(path);
    told.assert_tasks(path);
    told.assert_stats(path, &self_times);
    assert_eq!(command::unfinished(path), []);
    if setup == Setup::EnvLogger {
        assert_modes(path, &told, &rebuilt);
    }
    println!("{setup:?}, seed {seed}: {figures:?}");
    figures
}

/// When spans are written, in all ways but as they happen.
const MODES: [Mode; 5] = [
    Mode::AtEnd,
    Mode::Tail {
        after: 1,
        drop_one_in: 0,
    },
    Mode::Tail {
        after: 4,
        drop_one_in: 0,
    },
    Mode::Tail {
        after: usize::MAX,
        drop_one_in: 0,
    },
    Mode::None,
];

/// The same log, with its spans written when they have ended, or some time later.
fn assert_modes(log: &Path, told: &command::Log<'_>, rebuilt: &Rebuilt) {
    let text = fs::read_to_string(log).expect("UTF-8");
    for mode in MODES {
        let path = &log.with_extension("mode");
        let converted = modes::convert(&text, mode);
        fs::write(path, &converted).expect("it can be written");
        if mode == Mode::None {
            command::assert_no_span(path);
            continue;
        }
        println!("{mode:?}");
        told.assert_tree(path);
        // A whole span is one record; of a trace that is written in the middle some are.
        told.assert_tasks_with(path, |kind| match (mode, kind) {
            (Mode::AtEnd, told::Kind::End) => Some(0),
            (Mode::AtEnd, _) => Some(1),
            _ => None,
        });
        let lines = modes::SpanLines::of(&converted);
        let shown = |parent, child| match lines.are_in_time(parent, child) {
            (false, _) => Shown::Nothing,
            (true, false) => Shown::Start,
            (true, true) => Shown::All,
        };
        told.assert_stats(path, &check::self_times(rebuilt, shown));
        assert_eq!(command::unfinished(path), []);
    }
}

/// Two processes write into one file; those of an even seed name themselves on every record.
fn run_two(seed: u64, at_once: bool) {
    let setup = Setup::EnvLogger;
    let directories = [(); 2].map(|()| Scratch::new());
    let [first, second] = [0, 1].map(|n| child::log_file(directories[n].path()));
    File::create(&first).expect("a log");
    fs::hard_link(&first, second).expect("one file under two names");
    let mut children = Vec::new();
    for directory in &directories {
        let child = child::start(order(setup, seed, 1_000), directory.path());
        let pid = u64::from(child.id());
        children.push((pid, directory, Some(child)));
        let is_first = children.len() == 1;
        if let Some(child) = children[0].2.take_if(|_| is_first && !at_once) {
            end(child);
        }
    }
    children
        .iter_mut()
        .filter_map(|(.., child)| child.take())
        .for_each(end);

    let rebuilt = Rebuilt::of(&fs::read(&first).expect("a log"), None, 1 << 14);
    assert_eq!(rebuilt.left.len(), 2);
    for (pid, directory, _) in children {
        let witnessed = Witnessed::read(directory.path());
        witnessed.assert_rebuilt(setup, &rebuilt.of_process(pid));
    }
    assert_eq!(command::unfinished(&first), []);
}

#[test]
fn two_processes_at_once() {
    run_two(10, true);
}

#[test]
fn a_process_behind_another() {
    run_two(11, false);
}

#[test]
fn env_logger() {
    run(Setup::EnvLogger, 1, 1_500);
}

#[test]
fn env_logger_colours() {
    run(Setup::EnvLoggerColours, 12, 1_500);
}

#[test]
fn env_logger_key_values() {
    run(Setup::EnvLoggerKv, 2, 1_500);
}

#[test]
fn fern() {
    run(Setup::Fern, 3, 1_500);
}

#[test]
fn fern_plain() {
    run(Setup::FernPlain, 13, 1_500);
}

#[test]
fn simplelog() {
    run(Setup::Simplelog, 4, 1_500);
}

#[test]
fn flexi_logger() {
    run(Setup::FlexiLogger, 5, 1_500);
}

#[test]
fn flexi_logger_json() {
    run(Setup::FlexiLoggerJson, 6, 1_500);
}

#[test]
fn log4rs() {
    run(Setup::Log4rs, 7, 1_500);
}

#[test]
fn log4rs_json() {
    run(Setup::Log4rsJson, 8, 1_500);
}

#[test]
fn structured_logger() {
    run(Setup::StructuredLogger, 9, 1_500);
}

#[test]
#[ignore = "takes long"]
fn long() {
    let mut all = Figures::default();
    for (seed, setup) in (0..).zip([Setup::ALL; 4].concat()) {
        all.add(run(setup, 1000 * seed, 5_000));
    }
    println!("{all:?}");
    assert!(all.records >= 200_000);
}
