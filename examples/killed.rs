//! What the log of a program tells that was killed with SIGKILL in the middle of its work.
//!
//! ```sh
//! cargo run --example killed
//! ```
//!
//! What to look for: this starts itself as a child, kills it, and reads its log. It warns of
//! three spans that never ended, outermost first; the last one is what the child was doing.
//! `scan` is not among them: it has a start and an end. No process gets to write anything when it is
//! killed, so this works only because each start is in the log at once.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use async_log::{instrument, span};
use env_logger::Env;
use log::{info, warn, LevelFilter};

const READY: &str = "writing now";

fn main() -> io::Result<()> {
    let logger = env_logger::Builder::from_env(Env::default().default_filter_or("trace")).build();
    async_log::Logger::wrap(logger, async_log::task_id)
        .start(LevelFilter::Trace)
        .unwrap();

    match env::args().nth(1).as_deref() {
        Some("child") => work(),
        _ => watch()?,
    }
    Ok(())
}

fn work() {
    span!(id = 7; "backup", {
        span!("scan", { info!("2 files found") });
        span!("copy", { write("cats.db") });
    });
}

#[instrument]
fn write(file: &str) {
    info!("{READY}");
    thread::sleep(Duration::from_secs(60)); // the disk is slow, and the operator impatient
}

/// Starts this program as a child, kills it once it writes, and says what it was doing.
fn watch() -> io::Result<()> {
    let mut child = Command::new(env::current_exe()?)
        .arg("child")
        .env("RUST_LOG", "trace")
        .env("RUST_LOG_STYLE", "never")
        .stderr(Stdio::piped())
        .spawn()?;
    let log = child.stderr.take().expect("it is piped");

    let mut open: Vec<(String, String)> = Vec::new();
    for line in BufReader::new(log).lines() {
        let line = line?;
        if line.contains(READY) {
            info!("the child is there; killing it");
            child.kill()?;
        }
        let Some(id) = value(&line, "span_id") else {
            continue;
        };
        match value(&line, "span_mark") {
            Some("start") => open.push((id.to_owned(), name(&line).to_owned())),
            Some("end") => open.retain(|(started, _)| started != id),
            _ => {}
        }
    }
    info!("the child ended: {}", child.wait()?);

    for (span_id, name) in open {
        warn!("{name} (number {span_id}) never ended");
    }
    Ok(())
}

/// The value of a key. (This is enough for the log above, where no value is quoted; docs/format.md
/// says what it takes to read any.)
fn value<'line>(line: &'line str, key: &str) -> Option<&'line str> {
    let mut pairs = line.split(", ");
    pairs.find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// The message, between the prefix of env_logger and the first pair.
fn name(line: &str) -> &str {
    let message = line.split_once("] ").map_or(line, |(_, message)| message);
    message.split(", ").next().unwrap_or(message)
}
