//! Spans in, what a person or a program reads out.

pub mod chrome;
pub mod flame;
pub mod perfetto;
pub mod stats;
pub mod trace;
mod tracks;
mod value;
