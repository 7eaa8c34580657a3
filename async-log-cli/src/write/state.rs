//! How far something has come.

use anstyle::Style;
use serde::{Serialize, Serializer};

use super::terminal::{UNFINISHED, outcome_style};
use crate::collect;
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

/// What is open when it is shown has not ended.
impl From<collect::State> for State {
    fn from(state: collect::State) -> State {
        match state {
            collect::State::Ended(outcome) => State::Ended(outcome),
            collect::State::Open | collect::State::Unfinished => State::Unfinished,
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}
