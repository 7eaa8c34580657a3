//! Draws the folded stacks of standard input with inferno, as they are: unsorted lines are an error.
//! What inferno warns of is one, too.

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use inferno::flamegraph;

static WARNINGS: AtomicUsize = AtomicUsize::new(0);

struct Warnings;

impl log::Log for Warnings {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            WARNINGS.fetch_add(1, Ordering::Relaxed);
            println!("inferno: {}", record.args());
        }
    }

    fn flush(&self) {}
}

fn main() -> ExitCode {
    log::set_logger(&Warnings).expect("the first logger");
    log::set_max_level(log::LevelFilter::Warn);
    let mut options = flamegraph::Options::default();
    options.no_sort = true;
    let drawn = flamegraph::from_reader(&mut options, io::stdin().lock(), io::sink());
    if let Err(error) = &drawn {
        println!("inferno: {error}");
    }
    let is_accepted = drawn.is_ok() && WARNINGS.load(Ordering::Relaxed) == 0;
    println!(
        "{} inferno draws the folded stacks without a warning",
        if is_accepted { "ok     " } else { "FAILED " }
    );
    println!(
        "{} passed, {} failed",
        usize::from(is_accepted),
        usize::from(!is_accepted)
    );
    ExitCode::from(u8::from(!is_accepted))
}
