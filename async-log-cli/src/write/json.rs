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

/// An id: a number where every reader keeps all of its digits, else digits in a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id(pub(crate) u64);

/// Integers beyond are none for who reads numbers as doubles.
pub(crate) const EXACT: u64 = 1 << 53;

impl Id {
    /// The id of a span, if there is one in the log.
    pub(crate) fn of_span(id: u64) -> Option<Id> {
        (id != 0).then_some(Id(id))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ..=EXACT => serializer.serialize_u64(self.0),
            _ => serializer.collect_str(&self.0),
        }
    }
}

/// A process as the log names it.
pub(crate) fn process_id(process: Process) -> Option<String> {
    process.id.map(|id| id.to_string())
}
