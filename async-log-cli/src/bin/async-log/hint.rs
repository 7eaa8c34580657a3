//! What could be asked next: a line at the end, for a person on a terminal.

use std::io::{self, Write};
use std::path::Path;

use async_log_cli::write::Look;

use crate::args::Common;
use crate::output::Output;

/// A command that says more, without the logs that it would read.
#[derive(Debug, Default)]
pub(crate) struct Hint {
    arguments: Option<String>,
    what: &'static str,
}

impl Hint {
    /// All that a task wrote.
    pub(crate) fn task(task: Option<u64>) -> Hint {
        Hint {
            arguments: task.filter(|id| *id != 0).map(|id| format!("task {id}")),
            what: "all that this task did",
        }
    }

    /// The slowest spans of a name.
    pub(crate) fn slow(count: Option<usize>, name: &str) -> Hint {
        let count = count.map_or(String::new(), |count| format!(" {count}"));
        Hint {
            arguments: Some(format!("slow{count} --span {}", quoted(name))),
            what: "the slowest of these",
        }
    }

    /// The records that `tree` does not show.
    pub(crate) fn outside(_hidden: u64) -> Hint {
        Hint {
            arguments: Some("tree --outside".to_owned()),
            what: "the records that are in no span too",
        }
    }

    /// Writes it, where somebody looks at a terminal and the logs can be read again.
    pub(crate) fn write(self, look: Look, out: &mut Output, common: &Common) -> io::Result<()> {
        let files = &common.files.files;
        let can_be_read = !files.is_empty() && files.iter().all(|file| file != Path::new("-"));
        let Some(arguments) = self.arguments else {
            return Ok(());
        };
        if common.output.quiet || !out.is_terminal() || !can_be_read {
            return Ok(());
        }
        let files: Vec<_> = files
            .iter()
            .map(|file| quoted(&file.to_string_lossy()))
            .collect();
        let command = format!("async-log {arguments} {}", files.join(" "));
        let (dim, end) = if look.colour {
            ("\u{1b}[2m", "\u{1b}[0m")
        } else {
            ("", "")
        };
        writeln!(out, "\n{dim}{command}{end}   {dim}{}{end}", self.what)
    }
}

/// A word as a shell takes it for one.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,+@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_gets_back_what_was_quoted() {
        assert_eq!(quoted("server::connection"), "server::connection");
        assert_eq!(quoted("src/a.rs#load"), "'src/a.rs#load'");
        assert_eq!(quoted("it's #"), "'it'\\''s #'");
        assert_eq!(quoted(""), "''");
    }
}
