//! What is left in the log of a program that was killed with SIGKILL in the middle of its work.
//!
//! ```sh
//! cargo run --example killed -- killed.log
//! ```
//!
//! What to look for: this starts itself as a child that logs to that file, kills it, and reads the file. (It is in the
//! directory for temporary files if none is named.) It warns of three spans that never ended, outermost first; the last
//! one is what the child was doing. `scan` is not among them: it has a start and an end. A killed process can write
//! nothing more, so this works only because each start is in the log at once.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::thread;
use std::time::Duration;

use async_log::{instrument, span};
use env_logger::{Builder, Env, Target};
use log::{info, warn, LevelFilter};

const READY: &str = "writing now";

fn main() -> io::Result<()> {
    let mut logger = Builder::from_env(Env::default().default_filter_or("trace"));
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    match &arguments[..] {
        [child, path] if child.as_os_str() == "child" => {
            logger.target(Target::Pipe(Box::new(File::create(path)?)));
            start(&mut logger);
            work();
            Ok(())
        }
        paths => {
            start(&mut logger);
            let unnamed = env::temp_dir().join(format!("killed-{}.log", process::id()));
            watch(paths.first().unwrap_or(&unnamed))
        }
    }
}

fn start(logger: &mut Builder) {
    async_log::Logger::wrap(logger.build(), async_log::task_id)
        .start(LevelFilter::Trace)
        .unwrap();
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
fn watch(path: &Path) -> io::Result<()> {
    File::create(path)?; // an old log would be taken for the child's
    let mut child = Command::new(env::current_exe()?)
        .arg("child")
        .arg(path)
        .env("RUST_LOG", "trace")
        .spawn()?;
    while child.try_wait()?.is_none() && !fs::read_to_string(path)?.contains(READY) {
        thread::sleep(Duration::from_millis(10));
    }
    info!("the child writes to {}; killing it", path.display());
    child.kill()?;
    info!("the child ended: {}", child.wait()?);

    let log = fs::read_to_string(path)?;
    let mut open: Vec<(&str, &str)> = Vec::new();
    for line in log.lines() {
        let Some(id) = value(line, "span_id") else {
            continue;
        };
        match value(line, "span_mark") {
            Some("start") => open.push((id, name(line))),
            Some("end") => open.retain(|(started, _)| *started != id),
            _ => {}
        }
    }
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
