//! `#[instrument]` in edition 2021.

#![deny(warnings)]
#![warn(clippy::pedantic)]

extern crate tracer as async_log;

use async_log::instrument;

#[path = "../../shared/functions.rs"]
mod functions;
