//! Spans in, what a person or a program reads out.

pub mod chrome;
pub mod diff;
pub mod failed;
pub mod flame;
pub mod grep;
pub mod perfetto;
pub mod slow;
pub mod stats;
pub mod task;
pub mod tasks;
pub mod trace;
pub mod tree;
pub mod unfinished;

mod by;
mod fields;
mod json;
mod number;
mod state;
mod table;
mod terminal;
mod timing;
mod tracks;
mod value;
mod whole;

pub use terminal::Look;
