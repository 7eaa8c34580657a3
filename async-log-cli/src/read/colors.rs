//! Takes off what colours a terminal: loggers write it into their prefixes, some around whole lines.

use std::borrow::Cow;

const ESC: u8 = 0x1b;

/// A line without its escape sequences.
pub(crate) fn without(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(ESC, line).is_none() {
        return line.into();
    }
    let mut line = line.to_vec();
    let len = strip(&mut line);
    line.truncate(len);
    line.into()
}

/// Takes the escape sequences out of `bytes`, and says how many bytes are left, all at the front.
pub(crate) fn strip(bytes: &mut [u8]) -> usize {
    let Some(mut to) = memchr::memchr(ESC, bytes) else {
        return bytes.len();
    };
    let mut from = to;
    while from < bytes.len() {
        let len = sequence_len(&bytes[from..]);
        from += len;
        // An ESC that begins no sequence stays.
        let kept = usize::from(len == 0);
        let rest = bytes.get(from + kept..).unwrap_or_default();
        let next = memchr::memchr(ESC, rest).map_or(bytes.len(), |at| from + kept + at);
        bytes.copy_within(from..next, to);
        to += next - from;
        from = next;
    }
    to
}

/// The length of the escape sequence that `bytes` begins with, 0 if it begins with none.
fn sequence_len(bytes: &[u8]) -> usize {
    match bytes {
        [ESC, b'[', rest @ ..] => {
            let parameters = rest.iter().take_while(|byte| matches!(byte, 0x20..=0x3f));
            let len = parameters.count();
            match rest.get(len) {
                Some(0x40..=0x7e) => 2 + len + 1,
                _ => 0,
            }
        }
        // A title or a link, up to BEL or ESC \.
        [ESC, b']', rest @ ..] => {
            let end = rest
                .iter()
                .position(|byte| matches!(*byte, 0x07 | ESC | b'\n'));
            match end.map(|end| (end, &rest[end..])) {
                Some((end, [0x07, ..])) => 2 + end + 1,
                Some((end, [ESC, b'\\', ..])) => 2 + end + 2,
                _ => 0,
            }
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let len = strip(&mut bytes);
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    }

    #[test]
    fn sequences_go_and_all_else_stays() {
        assert_eq!(stripped("plain"), "plain");
        assert_eq!(
            stripped("\u{1b}[0m\u{1b}[38;5;208mred\u{1b}[0m, a\u{1b}[K\n"),
            "red, a\n"
        );
        assert_eq!(
            stripped("a\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\b"),
            "alinkb"
        );
        assert_eq!(stripped("a\u{1b}"), "a\u{1b}");
        assert_eq!(stripped("a\u{1b}[\nb\u{1b}[1"), "a\u{1b}[\nb\u{1b}[1");
        assert_eq!(stripped("\u{1b}\u{1b}[1mx"), "\u{1b}x");
    }
}
