//! How spans end.

/// How a span ended, if it did not just end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Panicked,
    Cancelled,
    /// An annotated function with `err` gave an error.
    Error,
}

impl Outcome {
    /// As the end record says it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::Panicked => "panicked",
            Outcome::Cancelled => "cancelled",
            Outcome::Error => "error",
        }
    }
}
