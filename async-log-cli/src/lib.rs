#![doc = include_str!("../README.md")]
//!
//! ## The parts
//!
//! ```text
//! input   files, standard input, compressed or growing   → batches of whole lines
//! read    batches                                        → records
//! track   records                                        → spans that open and close, tasks, events
//! collect spans                                          → whole traces
//! write   spans                                          → tables, trees, flame graphs, traces
//! ```

#![forbid(unsafe_code)]

pub mod collect;
pub mod input;
pub mod pipeline;
mod printable;
pub mod read;
pub mod track;
pub mod write;
