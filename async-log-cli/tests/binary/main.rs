//! The binary as people use it: its outputs and its exit status.
//!
//! `ASYNC_LOG_BINARY=…` runs the tests on another binary, as on one from before a fault was mended.

#[cfg(unix)]
mod ended;
mod ids;
mod late;
mod names;
mod options;
mod output;
mod program;
mod questions;
mod selections;
#[cfg(target_os = "linux")]
mod shells;
#[cfg(target_os = "linux")]
mod traces;
