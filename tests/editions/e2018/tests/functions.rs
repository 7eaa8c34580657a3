//! `#[instrument]` in edition 2018.

#![deny(warnings)]
#![warn(clippy::pedantic)]

use async_log::instrument;

#[path = "../../shared/functions.rs"]
mod functions;
