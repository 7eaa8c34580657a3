//! Threads of the standard library and of rayon: a `Context` takes task and span along.
//!
//! ```sh
//! cargo run --example threads
//! ```
//!
//! What to look for: the records of the threads have the `span_id` of `import` and its field
//! `file`, or are in a span whose `span_parent` that is, while their `thread_id` is another. The
//! thread that has no `Context` logs outside of every span: a thread knows nothing of who made it.

use std::thread;

use async_log::{instrument, span, Context};
use env_logger::Env;
use log::{info, LevelFilter};
use rayon::prelude::*;

fn main() {
    let logger = env_logger::Builder::from_env(Env::default().default_filter_or("trace")).build();
    async_log::Logger::wrap(logger, async_log::task_id)
        .start(LevelFilter::Trace)
        .unwrap();

    span!(file = "cats.csv"; "import", {
        let context = Context::current();

        let with = context.clone();
        let progress = thread::spawn(move || with.run(|| info!("with a context")));
        let stranger = thread::spawn(|| info!("without a context"));
        progress.join().unwrap();
        stranger.join().unwrap();

        let columns = ["name", "colour", "snacks"];
        let letters: usize = columns
            .par_iter()
            .map(|column| context.run(|| check(column)))
            .sum();
        info!(letters; "all columns checked");

        thread::scope(|scope| {
            scope.spawn(|| {
                context.run(|| span!("write", { info!("written") }));
            });
        });
    });
}

#[instrument]
fn check(column: &str) -> usize {
    info!("checking");
    column.len()
}
