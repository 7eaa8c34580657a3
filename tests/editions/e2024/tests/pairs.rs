//! The pairs in edition 2024.

#![deny(warnings)]
#![warn(clippy::pedantic)]
#![allow(clippy::duplicate_mod)] // that is how a pair is one source

#[macro_use(span)]
extern crate async_log;

#[path = "../../shared/pairs.rs"]
mod pairs;
