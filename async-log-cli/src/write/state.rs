//! How far something has come.

use anstyle::Style;
use serde::{Serialize, Serializer};

use super::terminal::{UNFINISHED, outcome_style};
use crate::read::Outcome;

/// How a span or a task has ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ended(Outcome),
    Unfinished,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Ended(outcome) => outcome.word().unwrap_or("finished"),
            State::Unfinished => "unfinished",
        }
    }

    pub(crate) fn style(self) -> Style {
        match self {
            State::Ended(outcome) => outcome_style(outcome),
            State::Unfinished => UNFINISHED,
        }
    }

    pub(crate) fn is_finished(self) -> bool {
        self == State::Ended(Outcome::Finished)
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}
