//! Lines that what ran the program keeps as JSON: Docker's `json-file` driver, and
//! `journalctl -o json`. Each has one line that the program wrote, and when.

use std::borrow::Cow;

use super::json;

/// Whether lines are wrapped, all of those in `sample`.
pub(crate) fn is_wrapped(sample: &[u8]) -> bool {
    let mut lines = sample
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let mut line = Vec::new();
    // Of a sample the last line may be cut.
    let first = lines
        .next()
        .is_some_and(|first| json::unwrap(first, &mut line).is_some());
    first
        && lines
            .take(8)
            .all(|next| json::unwrap(next, &mut line).is_some())
}

/// Puts the program's own lines in the place of those that they are wrapped in, each behind its time
/// and a space, and says how many bytes are left, all at the front. What is not wrapped stays.
pub(crate) fn unwrap(bytes: &mut [u8]) -> usize {
    let mut line = Vec::new();
    let (mut from, mut to) = (0, 0);
    // Docker cuts long lines: then no line break is in the text.
    let mut is_part = false;
    while from < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[from..]);
        let end = end.map_or(bytes.len(), |end| from + end + 1);
        line.clear();
        let wrapped = bytes[from..end].trim_ascii_end();
        match json::unwrap(wrapped, &mut line) {
            // It is shorter than what it was wrapped in.
            Some(unwrapped) if line.len() <= end - from => {
                let text = if is_part {
                    &line[unwrapped.text..]
                } else {
                    &line[..]
                };
                bytes[to..to + text.len()].copy_from_slice(text);
                to += text.len();
                is_part = unwrapped.is_part;
            }
            _ => {
                bytes.copy_within(from..end, to);
                to += end - from;
                is_part = false;
            }
        }
        from = end;
    }
    to
}

/// A line that may be wrapped, as the program wrote it, behind its time.
pub(crate) fn line(line: &[u8]) -> Cow<'_, [u8]> {
    let mut bytes = Vec::new();
    match json::unwrap(line, &mut bytes) {
        Some(_) => {
            bytes.truncate(bytes.trim_ascii_end().len());
            bytes.into()
        }
        None => line.into(),
    }
}
