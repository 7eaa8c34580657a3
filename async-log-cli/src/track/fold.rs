//! Names without what is new each time: `load 7` and `load 12` are `load #`.
//!
//! Numbers and ids are folded, also inside of words: UUIDs, ULIDs, hexadecimal and long decimal ones.
//! An identifier keeps its digits, because they say which one it is: `serve_http2`, `src/t1.rs#load`.

/// How many digits in an identifier are too many to be a part of its name.
const LONG_NUMBER: usize = 6;

/// From how many characters on a word of letters and digits that take turns is an id of some kind.
const LONG_ID: usize = 16;

/// Writes a name with a `#` for each of its numbers and ids.
pub(crate) fn fold(name: &[u8], folded: &mut Vec<u8>) {
    folded.clear();
    let has_path = memchr::memmem::find(name, b".rs").is_some();
    let mut at = 0;
    while at < name.len() {
        let rest = &name[at..];
        let path = if has_path && is_token_start(name, at) {
            code_place(rest)
        } else {
            0
        };
        let word = rest.iter().take_while(|byte| is_word(**byte)).count();
        if path > 0 {
            folded.extend_from_slice(&rest[..path]);
            at += path;
        } else if word == 0 {
            folded.push(rest[0]);
            at += 1;
        } else {
            at += fold_word(rest, word, folded);
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_token_start(name: &[u8], at: usize) -> bool {
    at == 0 || name[at - 1] == b' '
}

/// How much of a token is a place in a program: `src/t1.rs#load_v2`, or the path of `src/t1.rs:12`.
fn code_place(rest: &[u8]) -> usize {
    let len = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    let token = &rest[..len];
    let Some(end) = memchr::memmem::find(token, b".rs").map(|at| at + 3) else {
        return 0;
    };
    match token.get(end) {
        Some(b'#') => len,
        Some(next) if is_word(*next) => 0,
        _ => end,
    }
}

/// Folds the word of that length that `rest` begins with; says how much of `rest` that was.
fn fold_word(rest: &[u8], len: usize, folded: &mut Vec<u8>) -> usize {
    if let [b'0', b'x' | b'X', hex @ ..] = &rest[..len]
        && !hex.is_empty()
        && hex.iter().all(u8::is_ascii_hexdigit)
    {
        folded.extend_from_slice(&rest[..2]);
        folded.push(b'#');
        return len;
    }
    let is_identifier = !rest[0].is_ascii_digit();
    let mut at = 0;
    while at < len {
        if rest[at] == b'_' {
            folded.push(b'_');
            at += 1;
        } else if is_uuid(&rest[at..]) {
            folded.push(b'#');
            return at + UUID;
        } else {
            let part = rest[at..len].split(|byte| *byte == b'_').next();
            let part = part.unwrap_or_default();
            fold_part(part, is_identifier, folded);
            at += part.len();
        }
    }
    len
}

/// Folds a part of a word, of letters and digits alone.
fn fold_part(part: &[u8], is_identifier: bool, folded: &mut Vec<u8>) {
    if is_id(part) {
        folded.push(b'#');
        return;
    }
    let least = if is_identifier { LONG_NUMBER } else { 1 };
    let mut rest = part;
    while let Some(first) = rest.first() {
        let is_number = first.is_ascii_digit();
        let same = |byte: &&u8| byte.is_ascii_digit() == is_number;
        let (run, behind) = rest.split_at(rest.iter().take_while(same).count());
        match is_number && run.len() >= least {
            true => folded.push(b'#'),
            false => folded.extend_from_slice(run),
        }
        rest = behind;
    }
}

/// Whether letters and digits are an id: hexadecimal as hashes and traces have it, a ULID, or any
/// other in which they take turns as in no word.
fn is_id(part: &[u8]) -> bool {
    let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits == part.len() {
        return false;
    }
    let is_hex = part.iter().all(u8::is_ascii_hexdigit);
    match part.len() {
        // Git shortens hashes to seven; `ed25519` is none.
        7 => is_hex && digits >= 2 && !is_name_with_number(part),
        8.. if is_hex => true,
        26 if is_ulid(part) => true,
        LONG_ID.. => number_count(part) >= 3 || has_turning_case(part),
        _ => false,
    }
}

/// Whether it is letters with digits behind them.
fn is_name_with_number(part: &[u8]) -> bool {
    let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic());
    let letters = letters.count();
    letters > 0 && part[letters..].iter().all(u8::is_ascii_digit)
}

/// Whether capitals stand between small letters more often than in a name of several words, as in
/// what is written to the base of 62.
fn has_turning_case(part: &[u8]) -> bool {
    let is_turn = |pair: &&[u8]| pair[0].is_ascii_lowercase() && !pair[1].is_ascii_lowercase();
    let single = |three: &&[u8]| {
        three[0].is_ascii_uppercase()
            && three[1].is_ascii_lowercase()
            && !three[2].is_ascii_lowercase()
    };
    part.windows(2).filter(is_turn).count() >= 4 && part.windows(3).any(|three| single(&three))
}

fn is_ulid(part: &[u8]) -> bool {
    let is_digit = |byte: &u8| {
        let byte = byte.to_ascii_uppercase();
        byte.is_ascii_alphanumeric() && !matches!(byte, b'I' | b'L' | b'O' | b'U')
    };
    matches!(part[0], b'0'..=b'7') && part.iter().all(is_digit)
}

fn number_count(part: &[u8]) -> usize {
    let numbers = part.split(|byte| !byte.is_ascii_digit());
    numbers.filter(|number| !number.is_empty()).count()
}

/// The length of a UUID, `8-4-4-4-12`.
const UUID: usize = 36;

/// Whether `rest` begins with a UUID; in an identifier it may have `_` for its hyphens.
fn is_uuid(rest: &[u8]) -> bool {
    let Some(uuid) = rest.get(..UUID) else {
        return false;
    };
    let is_end = rest
        .get(UUID)
        .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let hyphen = uuid[8];
    let is_right = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == hyphen,
        _ => byte.is_ascii_hexdigit(),
    };
    is_end && matches!(hyphen, b'-' | b'_') && uuid.iter().enumerate().all(is_right)
}
