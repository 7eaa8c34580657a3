//! Golden files: expected outputs that `BLESS=1` writes anew. A missing one fails.

use std::fs;
use std::path::Path;

use similar::TextDiff;

/// Compares an output with the file at `path`, or writes that file if `BLESS` is set.
#[track_caller]
pub fn check(path: &Path, output: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, output).unwrap();
        return;
    }
    check_only(path, output);
}

/// Compares a text with the file at `path`, and never writes it.
#[track_caller]
pub fn check_only(path: &Path, text: &str) {
    let name = path.display();
    let expected = fs::read_to_string(path);
    let expected = expected.unwrap_or_else(|error| panic!("{name}: {error}; BLESS=1 writes it"));
    assert_same(&name.to_string(), &expected, text);
}

/// Fails with a diff unless the texts are equal.
#[track_caller]
pub fn assert_same(name: &str, expected: &str, text: &str) {
    if expected != text {
        panic!("{name} has changed:\n{}", diff(expected, text));
    }
}

/// A unified diff, of which a terminal can show all.
fn diff(expected: &str, text: &str) -> String {
    const MOST: usize = 200;
    let diff = TextDiff::from_lines(expected, text);
    let diff = diff.unified_diff().header("expected", "now").to_string();
    let lines: Vec<_> = diff.lines().collect();
    let more = lines.len().saturating_sub(MOST);
    let mut shown = lines[..lines.len() - more].join("\n");
    if more > 0 {
        shown += &format!("\n… and {more} more lines");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_the_lines_that_differ() {
        let failed = std::panic::catch_unwind(|| assert_same("x.txt", "a\nb\nc\n", "a\nB\nc\n"));
        let message = *failed.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(
            message,
            "x.txt has changed:\n--- expected\n+++ now\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c"
        );
    }

    #[test]
    fn a_missing_file_fails() {
        let missing = || check_only(Path::new("no-such-file.txt"), "");
        assert!(std::panic::catch_unwind(missing).is_err());
    }
}
