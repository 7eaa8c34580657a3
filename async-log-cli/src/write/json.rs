//! What the JSON outputs have in common: see `docs/json.md`.

use serde::{Serialize, Serializer};

use crate::track::Process;

/// A moment: digits in a string, which JavaScript would round as a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(pub(crate) u64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A span id, if it stands in the log: where it has none the tracker gives them from 2⁶³ on.
pub(crate) fn span_id(id: u64) -> Option<u64> {
    (id != 0 && id < 1 << 63).then_some(id)
}

/// A process as the log names it.
pub(crate) fn process_id(process: Process) -> Option<String> {
    process.id.map(|id| id.to_string())
}
