//! The traces that `Chrome` and `Perfetto` write, read back: of logs by hand, and of random programs.
//! `BLESS=1 cargo test -p async-log-cli --test traces` writes the expected ones anew.

mod chrome;
mod drawing;
mod history;
mod logs;
mod perfetto;
mod random;

use async_log_cli::read::{Batch, Dialect};
use async_log_cli::track::{Selection, Sink, Tracker};
use async_log_cli::write::chrome::Chrome;
use async_log_cli::write::perfetto::Perfetto;
use async_log_cli::write::trace::Options;

/// Leads the records of a log to a sink.
fn run<S: Sink>(log: &[u8], sink: S) -> S {
    let mut batch = Batch {
        lines_len: log.len(),
        bytes: log.to_vec(),
        dialect: Dialect::detect(&log[..log.len().min(10_000)], None)
            .expect("there are records")
            .into(),
        ..Batch::default()
    };
    batch.parse();
    let mut tracker = Tracker::new(sink, Selection::default());
    tracker.take(&batch).unwrap();
    tracker.finish().unwrap();
    tracker.into_sink()
}

fn write_chrome(log: &[u8]) -> Vec<u8> {
    run(log, Chrome::new(Options::default(), Vec::new())).into_out()
}

fn write_perfetto(log: &[u8]) -> Vec<u8> {
    run(log, Perfetto::new(Options::default(), Vec::new())).into_out()
}
