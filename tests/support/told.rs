//! What a log tells, record by record, in the words of the command and of the program alike.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Start,
    End,
    Event,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub kind: Kind,
    /// Of a start or an end the name of the span.
    pub message: String,
    /// The span that starts or ends, or that the record is in; 0 for none.
    pub span: u64,
    /// Of a start; 0 for none.
    pub parent: u64,
    pub task: u64,
    pub task_parent: Option<u64>,
    pub spawn_line: Option<String>,
    /// Of a start: when, in nanoseconds since 1970.
    pub at: Option<u64>,
    /// Of an end: how long, in nanoseconds.
    pub duration: Option<u64>,
    /// Of an end, where it did not just end.
    pub outcome: Option<String>,
    /// The program's own pairs; the last of a key counts.
    pub pairs: BTreeMap<String, String>,
    /// In lower case; none if the log does not say it.
    pub level: Option<String>,
    pub target: Option<String>,
}

impl Told {
    /// The number under a key of the program's own, 0 where it is absent.
    pub fn number(&self, key: &str) -> u64 {
        let value = self.pairs.get(key);
        value.map_or(0, |value| {
            value
                .parse()
                .unwrap_or_else(|_| panic!("{key} is {value} in {self:?}"))
        })
    }
}
