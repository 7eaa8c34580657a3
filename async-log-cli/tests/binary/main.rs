//! The binary, as people use it: a test asks what stands on its outputs and how it ended.
//!
//! `ASYNC_LOG_BINARY=…` runs the tests on another binary, as on one from before a fault was mended.

#[cfg(unix)]
mod ended;
mod ids;
mod late;
#[path = "../support/modes.rs"]
mod modes;
mod names;
mod options;
mod output;
mod program;
mod questions;
mod selections;
#[cfg(target_os = "linux")]
mod shells;
#[path = "../support/shop.rs"]
#[expect(
    dead_code,
    reason = "what is slow in it, and what fails, is compared elsewhere"
)]
mod shop;
#[cfg(target_os = "linux")]
mod traces;
