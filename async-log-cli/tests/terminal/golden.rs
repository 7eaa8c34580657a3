//! The expected outputs. `BLESS=1 cargo test -p async-log-cli --test terminal` writes them anew; one
//! that is missing is a failure.

use std::fs;
use std::path::{Path, PathBuf};

use async_log_cli::read::{Batch, Dialect};
use async_log_cli::track::{Selection, Sink, Tracker};
use async_log_cli::write::Look;
use async_log_tests::golden;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Leads the records of a log to a sink.
pub(crate) fn run<S: Sink>(log: &[u8], sink: S, selection: Selection) -> S {
    let sample = &log[..log.len().min(10_000)];
    let mut batch = Batch {
        lines_len: log.len(),
        bytes: log.to_vec(),
        dialect: Dialect::detect(sample, None)
            .expect("there are records")
            .into(),
        ..Batch::default()
    };
    batch.parse();
    let mut tracker = Tracker::new(sink, selection);
    tracker.take(&batch).unwrap();
    tracker.finish().unwrap();
    tracker.into_sink()
}

/// The bytes of one of the logs beside the expected outputs.
pub(crate) fn log(name: &str) -> Vec<u8> {
    fs::read(folder().join(name).with_extension("log")).unwrap()
}

/// Compares an output with the one of that name.
#[track_caller]
pub(crate) fn check(name: &str, output: &[u8]) {
    let output = String::from_utf8(output.to_vec()).unwrap();
    golden::check(&folder().join(name), &output);
}

/// Compares a text from elsewhere with the expected output of that name, and never writes that.
#[track_caller]
pub(crate) fn check_only(name: &str, text: &str) {
    golden::check_only(&folder().join(name), text);
}

/// Tries a sink with all looks on a log.
#[track_caller]
pub(crate) fn check_looks<S: Sink>(
    log_name: &str,
    command: &str,
    sink: impl Fn(Look) -> S,
    output: impl Fn(S) -> Vec<u8>,
) {
    let log = log(log_name);
    let looks = [
        ("plain", Look::new(false, None)),
        ("40", Look::new(false, Some(40))),
        ("80", Look::new(false, Some(80))),
        ("200", Look::new(false, Some(200))),
        ("colour", Look::new(true, Some(80))),
    ];
    for (name, look) in looks {
        let sink = run(&log, sink(look), Selection::default());
        check(&format!("{log_name}.{command}.{name}.txt"), &output(sink));
    }
}
