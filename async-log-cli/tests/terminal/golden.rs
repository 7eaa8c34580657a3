//! The expected outputs. `BLESS=1 cargo test -p async-log-cli --test terminal` writes them anew; one
//! that is missing is a failure.

use std::fs;
use std::path::{Path, PathBuf};

use async_log_cli::read::{Batch, Dialect};
use async_log_cli::track::{Selection, Sink, Tracker};
use async_log_cli::write::Look;

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
    let path = folder().join(name);
    let output = String::from_utf8(output.to_vec()).unwrap();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &output).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path);
    let expected = expected.unwrap_or_else(|error| panic!("{name}: {error}; BLESS=1 writes it"));
    assert!(
        expected == output,
        "{name} has changed; look at the difference after BLESS=1\n{output}"
    );
}

/// Compares what stands elsewhere with the expected output of that name, which it never writes.
#[track_caller]
pub(crate) fn check_only(name: &str, text: &str) {
    let expected = fs::read_to_string(folder().join(name)).unwrap();
    assert!(expected == text, "{name} is no longer this:\n{text}");
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
