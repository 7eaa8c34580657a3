//! What is wrong with an input, and what to do about it.

use std::fmt;
use std::io;

/// An input that cannot be read, or not to its end: `FILE: what is wrong; what to do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    name: String,
    what: String,
    advice: String,
    is_crowd: bool,
}

impl InputError {
    pub(crate) fn new(name: &str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        InputError {
            name: name.to_owned(),
            what: what.into(),
            advice: advice.into(),
            is_crowd: false,
        }
    }

    /// As many files are open as may be.
    pub(crate) fn is_crowd(&self) -> bool {
        self.is_crowd
    }

    /// A file that cannot be opened, or not be read on.
    pub(crate) fn io(name: &str, error: &io::Error) -> Self {
        let (what, advice) = match error.kind() {
            io::ErrorKind::NotFound => ("there is no such file", "check the path"),
            io::ErrorKind::PermissionDenied => (
                "it may not be read",
                "ask for the right to, or run as who may",
            ),
            io::ErrorKind::IsADirectory => (IS_DIRECTORY, NAME_FILES),
            _ if is_crowd(error) => {
                let advice = "let this process open more of them: `ulimit -n 1024`";
                let crowd = Self::new(name, "too many files are open", advice);
                return InputError {
                    is_crowd: true,
                    ..crowd
                };
            }
            _ => {
                let what = format!("it cannot be read: {error}");
                return Self::new(name, what, "copy it to another place, and try again");
            }
        };
        Self::new(name, what, advice)
    }

    pub(crate) fn is_directory(name: &str) -> Self {
        Self::new(name, IS_DIRECTORY, NAME_FILES)
    }

    pub(crate) fn is_empty(name: &str) -> Self {
        let advice = "check where the program writes its log, and whether that was rotated";
        Self::new(name, "it is empty", advice)
    }

    /// The file that it is about, as the user named it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// `EMFILE` and `ENFILE`, which have no kind of their own. All Unix systems have the same numbers.
fn is_crowd(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

const IS_DIRECTORY: &str = "it is a directory";
const NAME_FILES: &str = "name the log files in it";

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.name, self.what, self.advice)
    }
}

impl std::error::Error for InputError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_read() {
        let error = InputError::io("app.log", &io::ErrorKind::PermissionDenied.into());
        let text = "app.log: it may not be read; ask for the right to, or run as who may";
        assert_eq!(error.to_string(), text);
    }
}
