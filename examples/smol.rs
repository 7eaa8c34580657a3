//! The same library without tokio: smol's executor and timers.
//!
//! ```sh
//! cargo run --example smol
//! ```
//!
//! What to look for: `smol::feed` and the two `smol::cat` have a `task_id` of their own, and
//! `task_parent_id` says who spawned them. The loser of the race ends with
//! `span_outcome=cancelled`, and so does the task `purr` when its handle is dropped.

use std::time::Duration;

use async_log::{instrument, span, TaskExt};
use env_logger::Env;
use log::{info, LevelFilter};
use smol::future::{or, zip};
use smol::Timer;

fn main() {
    let logger = env_logger::Builder::from_env(Env::default().default_filter_or("trace")).build();
    async_log::Logger::wrap(logger, async_log::task_id)
        .start(LevelFilter::Trace)
        .unwrap();

    smol::block_on(feed().in_task());
}

async fn feed() {
    span!(bowl = "blue"; "both cats", {
        let nori = smol::spawn(cat("nori", 20).in_task());
        let miso = smol::spawn(cat("miso", 10).in_task());
        let (nori, miso) = zip(nori, miso).await;
        info!("{} snacks eaten", nori + miso);
    });

    span!("race", {
        let winner = or(run("nori", 10_000), run("miso", 10)).await;
        info!("{winner} was first");
    });

    let purr = smol::spawn(purr().in_named_task("purr"));
    Timer::after(Duration::from_millis(100)).await;
    purr.cancel().await;
}

async fn cat(name: &'static str, millis: u64) -> u32 {
    info!("{name} is hungry");
    Timer::after(Duration::from_millis(millis)).await;
    info!("{name} has eaten");
    1
}

#[instrument]
async fn run(name: &str, millis: u64) -> &str {
    Timer::after(Duration::from_millis(millis)).await;
    name
}

async fn purr() {
    loop {
        info!("prr");
        Timer::after(Duration::from_millis(40)).await;
    }
}
