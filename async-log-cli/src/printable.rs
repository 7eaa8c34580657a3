//! Text from a log, for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Text that moves no cursor, changes no colour and turns no direction.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push(' '),
            c if is_control(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.into()
}

/// How many bytes are kept of a message or a value.
const KEPT: usize = 4096;

/// A message or value, or its beginning with a `…` where it is very long.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= KEPT {
        return text.into();
    }
    let ends = text.char_indices().map(|(at, _)| at);
    let end = ends.take_while(|&at| at <= KEPT).last().unwrap_or(0);
    format!("{}…", &text[..end]).into()
}

/// The control characters of `docs/format.md`.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'
                ..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_log_reaches_the_terminal_but_text() {
        let text = "a\u{1b}[31m\nb\u{85}\u{202e}\u{2028}\r\u{7f}ä";
        let safe = "a\\u{1b}[31m b\\u{85}\\u{202e}\\u{2028}\\u{d}\\u{7f}ä";
        assert_eq!(printable(text), safe);
    }
}
