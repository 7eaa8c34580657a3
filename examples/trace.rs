//! Synchronous, asynchronous and annotated code, traced through env_logger.
//!
//! ```sh
//! cargo run --example trace
//! ```
//!
//! What to look for: each span has a start and an end with the same `span_id`; `level 2` has
//! `level 1` as its `span_parent`; what a function logs is in the span of its caller; and the end
//! of `level II` says that it took three seconds, though its thread was free meanwhile.

use std::time::Duration;

use async_log::{instrument, span, TaskExt};
use env_logger::Env;
use log::{info, LevelFilter};

fn setup_logger() {
    let logger = env_logger::Builder::from_env(Env::default().default_filter_or("trace")).build();
    async_log::Logger::wrap(logger, async_log::task_id)
        .start(LevelFilter::Trace)
        .unwrap();
}

#[tokio::main]
async fn main() {
    setup_logger();

    span!("level {}", 1, {
        let x = "beep";
        info!("look at this value, x={}", x);

        span!("level {}", 2, {
            inner("boop");
        })
    });

    tokio::spawn(wait().in_task()).await.unwrap();
}

#[instrument]
fn inner(y: &str) {
    info!("another nice value, y={}", y);
}

async fn wait() {
    span!("level I", {
        let x = "beep";
        info!("look at this value, x={}", x);

        span!("level II", {
            let y = "boop";
            tokio::time::sleep(Duration::from_secs(3)).await; // wait for 3 secs
            info!("another nice value, y={}", y);
        })
    })
}
