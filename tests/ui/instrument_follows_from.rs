//! An option of tracing's.

use async_log::{instrument, Span};

#[instrument(skip(causes), follows_from = causes)]
fn consequence(causes: &[Span]) -> usize {
    causes.len()
}

fn main() {
    consequence(&[]);
}
