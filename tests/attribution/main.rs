//! Random programs with a known truth: each of their records must be logged once, in the span, the
//! fields and the task that the program itself knows it to be in.
//!
//! `ATTRIBUTION_SEED=7 cargo test -p async-log-tests --test attribution` runs the program of one seed, many times. The ignored test
//! `long` runs programs of so many events on each runtime as `ATTRIBUTION_EVENTS` says.

mod records;
mod scenarios;

use std::sync::Arc;
use std::thread;

use async_log_tests::program;
use async_log_tests::runtime::Runtime;
use async_log_tests::truth::Ledger;

use crate::records::{check, Recording, Report};

/// Says which program it was that failed in another way than by a report.
struct Running(Runtime, u64);

impl Drop for Running {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{:?}, ATTRIBUTION_SEED={}: panicked", self.0, self.1);
        }
    }
}

/// Runs the program of one seed and reports its failures.
fn run(runtime: Runtime, seed: u64) -> Report {
    let _running = Running(runtime, seed);
    let recording = Recording::start();
    let ledger = Arc::<Ledger>::default();
    program::run(runtime, seed, &ledger);
    let mut report = check(&ledger, &recording.lines());
    if !report.is_right() {
        report.programs_wrong += 1;
        println!("{runtime:?}, ATTRIBUTION_SEED={seed}:\n{}", report.failures);
    }
    report
}

/// Runs programs until there were so many events; or those of the one seed that the environment
/// names, as their threads may take turns in another way each time.
fn run_all(runtime: Runtime, events: u64) -> Report {
    let mut all = Report::default();
    let seed = std::env::var("ATTRIBUTION_SEED").ok();
    let one = seed.map(|seed| seed.parse::<u64>().expect("a number"));
    while all.events < events {
        let seed = one.unwrap_or(all.programs + 1);
        all.add(&run(runtime, seed));
        if all.programs_wrong > 5 {
            break;
        }
    }
    all
}

fn assert_right(runtime: Runtime, report: &Report) {
    println!("{runtime:?}: {report}");
    assert!(report.is_right(), "see above");
}

#[test]
fn on_threads() {
    assert_right(Runtime::Threads, &run_all(Runtime::Threads, 8_000));
}

#[test]
fn on_one_thread() {
    assert_right(Runtime::OneThread, &run_all(Runtime::OneThread, 8_000));
}

#[test]
fn on_smol() {
    assert_right(Runtime::Smol, &run_all(Runtime::Smol, 8_000));
}

#[test]
fn on_a_local_pool() {
    assert_right(Runtime::Local, &run_all(Runtime::Local, 8_000));
}

#[test]
#[ignore = "takes long"]
fn long() {
    let events = std::env::var("ATTRIBUTION_EVENTS").ok();
    let events = events.map_or(75_000, |events| events.parse().expect("a number"));
    let reports = Runtime::ALL.map(|runtime| run_all(runtime, events));
    for (runtime, report) in Runtime::ALL.iter().zip(&reports) {
        assert_right(*runtime, report);
    }
}
