//! `diff`: what has changed between two logs, and what of it is more than noise.
//!
//! Each name is compared in four ways: by its median, by its 99th percentile, by how many of its spans
//! failed, and by how many of them there are in a trace. See `significance` for the test.

mod compared;
mod limit;
mod measured;
mod significance;

pub use compared::{Change, Diff};
pub use limit::Limit;
pub use measured::Measured;

use super::Look;

/// How logs are compared, and what is written.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What it looks like.
    pub look: Look,
    /// What the logs are called: the earlier and the later.
    pub files: [String; 2],
    /// How many names, all if not said.
    pub limit: Option<usize>,
    /// JSON instead of a table.
    pub json: bool,
    /// The changes that are too much.
    pub fail_on: Vec<Limit>,
}
