//! Spans in, what a person or a program reads out.

pub mod flame;
pub mod stats;
