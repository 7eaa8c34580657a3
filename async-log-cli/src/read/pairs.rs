//! The grammar of pairs, section 3 of `docs/format.md`: `, key=value, key="a string"`.

/// A pair as it stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) key: &'a [u8],
    /// A plain value, or a string with its quotes; without the `…` of one that was cut.
    pub(crate) value: &'a [u8],
    /// How many bytes of the line it takes, `, ` and `…` with it.
    pub(crate) len: usize,
}

/// The bytes that a key may hold.
const KEY: [bool; 256] = {
    let mut is_key = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        is_key[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'_' | b'.' | b':' | b'-');
        byte += 1;
    }
    is_key
};

pub(crate) fn is_key_byte(byte: u8) -> bool {
    KEY[byte as usize]
}

/// The pair that `line` begins with.
pub(crate) fn pair(line: &[u8]) -> Option<Pair<'_>> {
    let pair = line.strip_prefix(b", ")?;
    let key_len = pair.iter().position(|&byte| !is_key_byte(byte))?;
    let (key, rest) = pair.split_at(key_len);
    let rest = rest.strip_prefix(b"=").filter(|_| !key.is_empty())?;
    let (value, cut) = match rest.first()? {
        b'"' => string(rest)?,
        _ => (plain(rest)?, 0),
    };
    Some(Pair {
        key,
        value,
        len: 2 + key_len + 1 + value.len() + cut,
    })
}

/// Where in `line` the pairs begin: the earliest position from which all the rest is pairs. Behind
/// `line` pairs may go on.
pub(crate) fn begin(line: &[u8]) -> usize {
    // The earliest so far. No other can lie inside of its pairs: quotes come two by two from there on.
    let mut earliest = line.len();
    let mut end = line.len();
    while let Some(comma) = memchr::memrchr(b',', &line[..end]) {
        end = comma;
        if pair(&line[comma..]).is_some_and(|pair| comma + pair.len == earliest) {
            earliest = comma;
        }
    }
    earliest
}

/// What a byte may be in a plain value: 0 for what it may hold, 1 for the comma that ends it, 2 for
/// what it may not hold, 3 for the beginning of a character that has to be looked at.
const PLAIN: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b',' => 1,
            b'=' | b'"' | b'\\' | 0..=0x1f | 0x7f => 2,
            0xc2 | 0xd8 | 0xe2 => 3,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

fn plain(rest: &[u8]) -> Option<&[u8]> {
    let mut end = 0;
    while let Some(&byte) = rest.get(end) {
        match PLAIN[byte as usize] {
            0 => {}
            1 => break,
            2 => return None,
            _ if is_control(&rest[end..]) => return None,
            _ => {}
        }
        end += 1;
    }
    let value = &rest[..end];
    let is_plain = !value.is_empty() && !begins_with_space(value) && !ends_with_space(value);
    is_plain.then_some(value)
}

/// A string with its quotes, and the length of the `…` behind it.
fn string(rest: &[u8]) -> Option<(&[u8], usize)> {
    let mut end = 1;
    loop {
        match *rest.get(end)? {
            b'"' => break,
            b'\\' => end += escape_len(&rest[end..])?,
            0..=0x1f | 0x7f => return None,
            0x20..=0x7e => end += 1,
            _ if is_control(&rest[end..]) => return None,
            _ => end += 1,
        }
    }
    end += 1;
    let cut = if rest[end..].starts_with("…".as_bytes()) {
        "…".len()
    } else {
        0
    };
    Some((&rest[..end], cut))
}

/// The length of the JSON escape that `rest` begins with.
fn escape_len(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => {
            let digits = rest.get(2..6)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
        }
        _ => None,
    }
}

/// Whether text begins with a control character beyond ASCII: C1, U+2028, U+2029, or one that turns
/// the direction.
fn is_control(rest: &[u8]) -> bool {
    match rest {
        [0xc2, 0x80..=0x9f, ..] | [0xd8, 0x9c, ..] => true,
        [0xe2, 0x80, last, ..] => matches!(last, 0x8e | 0x8f | 0xa8..=0xae),
        [0xe2, 0x81, last, ..] => matches!(last, 0xa6..=0xa9),
        _ => false,
    }
}

fn begins_with_space(value: &[u8]) -> bool {
    match value[0] {
        b' ' => true,
        0..=0x7f => false,
        _ => first_char(value).is_some_and(char::is_whitespace),
    }
}

fn ends_with_space(value: &[u8]) -> bool {
    match value[value.len() - 1] {
        b' ' => true,
        0..=0x7f => false,
        _ => {
            let start = (1..=4.min(value.len()))
                .map(|back| value.len() - back)
                .find(|&at| value[at] & 0xc0 != 0x80);
            start.is_some_and(|at| first_char(&value[at..]).is_some_and(char::is_whitespace))
        }
    }
}

fn first_char(bytes: &[u8]) -> Option<char> {
    let chunk = bytes.utf8_chunks().next()?;
    chunk.valid().chars().next()
}

/// A value as it was before it was written.
pub(crate) fn unquote(value: &[u8]) -> std::borrow::Cow<'_, str> {
    if value.first() == Some(&b'"')
        && let Ok(text) = serde_json::from_slice::<String>(value)
    {
        return text.into();
    }
    String::from_utf8_lossy(value)
}
