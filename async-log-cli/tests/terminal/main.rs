//! What a person reads on a terminal, and its JSON twin, on small logs: see `golden`.

mod binary;
mod bounds;
mod compared;
mod golden;
mod questions;
mod strange;
mod tables;
mod tasks;
mod trees;
