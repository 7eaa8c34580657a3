//! What is left of spans and records that are not kept.

use serde::Serialize;

use crate::read::Outcome;

/// Spans of one name, or records of one level, of which only sums are kept.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Sum {
    pub(crate) count: u64,
    pub(crate) total_ns: u64,
    pub(crate) errors: u64,
    pub(crate) cancelled: u64,
    pub(crate) panicked: u64,
    pub(crate) unfinished: u64,
}

impl Sum {
    /// So many records.
    pub(crate) fn of_records(count: u64) -> Sum {
        Sum {
            count,
            ..Sum::default()
        }
    }

    /// A span that ended so, or did not end.
    pub(crate) fn of_span(duration: u64, outcome: Option<Outcome>) -> Sum {
        let is = |of| u64::from(outcome == Some(of));
        Sum {
            count: 1,
            total_ns: duration,
            errors: is(Outcome::Error),
            cancelled: is(Outcome::Cancelled),
            panicked: is(Outcome::Panicked),
            unfinished: u64::from(outcome.is_none()),
        }
    }

    pub(crate) fn add(&mut self, other: &Sum) {
        let sums = [
            (&mut self.count, other.count),
            (&mut self.total_ns, other.total_ns),
            (&mut self.errors, other.errors),
            (&mut self.cancelled, other.cancelled),
            (&mut self.panicked, other.panicked),
            (&mut self.unfinished, other.unfinished),
        ];
        for (sum, more) in sums {
            *sum = sum.saturating_add(more);
        }
    }
}
