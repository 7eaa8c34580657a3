//! Spans in, what a person or a program reads out.

pub mod chrome;
pub mod flame;
pub mod perfetto;
pub mod stats;
pub mod task;
pub mod tasks;
pub mod trace;
pub mod tree;
pub mod unfinished;

mod fields;
mod json;
mod number;
mod state;
mod table;
mod terminal;
mod tracks;
mod value;

pub use terminal::Look;
