//! What stands before a message: the loggers' own layouts.

use std::ops::Range;

use super::record::Level;

/// How a prefix is built.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    bracket: bool,
}

/// The prefix of one line. Ranges are of that line.
#[derive(Clone, Debug, Default)]
pub struct Prefix {
    /// How many bytes it has.
    pub len: usize,
    /// The time.
    pub time: Option<Range<usize>>,
    /// The level.
    pub level: Option<Level>,
    /// The target.
    pub target: Option<Range<usize>>,
}

impl Prefix {
    /// What is behind the prefix.
    pub fn rest<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        &line[self.len..]
    }
}

impl Layout {
    /// What a container engine, a journal or the like puts before every line.
    pub fn host<'a>(_lines: impl Iterator<Item = &'a [u8]>) -> Layout {
        Layout::default()
    }

    /// What a logger puts before every message of these records.
    pub fn logger<'a>(mut records: impl Iterator<Item = &'a [u8]>) -> Layout {
        Layout {
            bracket: records.all(|record| record.first() == Some(&b'[')),
        }
    }

    /// The layout of a template.
    pub fn from_template(_template: &str) -> Result<Layout, String> {
        Ok(Layout::default())
    }

    /// Takes a line apart.
    pub fn cut(&self, line: &[u8]) -> Prefix {
        let mut prefix = Prefix::default();
        if self.bracket
            && let Some(end) = memchr::memchr(b']', line)
        {
            prefix.len = (end + 2).min(line.len());
        }
        prefix
    }
}
