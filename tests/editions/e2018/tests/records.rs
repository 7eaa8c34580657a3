//! The forms of a span's record in edition 2018.

#![deny(warnings)]
#![warn(clippy::pedantic)]

#[macro_use(span)]
extern crate async_log;

#[path = "../../shared/records.rs"]
mod records;
