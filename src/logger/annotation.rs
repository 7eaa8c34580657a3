//! What a `Logger` adds to a record, whatever form it has.

use log::Record;

use crate::logger::in_flight;
use crate::logger::options::Options;
use crate::record::pairs::First;
use crate::record::span_record::Mark;

/// A record on its way to the inner logger, and what is known of it. Nothing is put together before that logger asks.
#[derive(Clone, Copy)]
pub(crate) struct Added<'a> {
    pub(crate) record: &'a Record<'a>,
    pub(crate) options: &'a Options,
    pub(crate) subject: Subject<'a>,
    pub(crate) task_id: u64,
}

/// What a record is about.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// Anything, in code that found the place's stack so deep.
    Inside(usize),
    /// The same of a record that is known to have pairs.
    Paired(usize),
    /// The same as text, with these pairs before it.
    Tail(&'a str),
    /// The span whose mark is on its way.
    Mark,
}

impl Added<'_> {
    /// The pairs that the record itself brings, as far as they are shown: of a mark they are the arguments
    /// of a function.
    pub(crate) fn own_pairs(&self) -> First<'_> {
        let count = match self.subject {
            Subject::Inside(_) | Subject::Paired(_) => usize::MAX,
            Subject::Tail(_) => 0,
            Subject::Mark if self.options.arguments => {
                in_flight::with_mark(Mark::arguments).unwrap_or(0)
            }
            Subject::Mark => 0,
        };
        First::new(self.record.key_values(), count)
    }

    /// Whether `process_id` stands before the task, where a mark does not say it itself.
    pub(crate) fn wants_process_id(&self, mark: Option<&Mark>) -> bool {
        let options = self.options;
        options.process_id && !options.minimal && !mark.is_some_and(Mark::has_process_id)
    }
}
