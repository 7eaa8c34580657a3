//! The grammar of `docs/format.md`, sections 3 to 5, in the words of the document and in no hurry: what
//! the reader of the text form has to agree with.

use async_log_cli::read::{Kind, Outcome};

/// What a line says.
#[derive(Debug, Default)]
pub(crate) struct Line<'a> {
    /// The message, or what is left of it on this line, with the prefix.
    pub(crate) message: &'a str,
    /// All pairs, as they are written; of a value that was cut without the `…`.
    pub(crate) pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Line<'a> {
    /// The pairs begin at the earliest position from which all the rest of the line is pairs.
    pub(crate) fn read(line: &'a str) -> Option<Self> {
        let mut commas = line.match_indices(", ");
        let found = commas.find_map(|(at, _)| Some((at, pairs(&line[at..])?)));
        let (at, pairs) = found?;
        let is_record = match &pairs[..] {
            [.., ("task_id", task), ("thread_id", thread)] => is_number(task) && is_number(thread),
            _ => false,
        };
        is_record.then_some(Line {
            message: &line[..at],
            pairs,
        })
    }

    /// The last value of a key that is of its form.
    fn last<T>(&self, key: &str, read: impl Fn(&'a str) -> Option<T>) -> Option<T> {
        let of_key = self.pairs.iter().rev().filter(|(of, _)| *of == key);
        of_key.map(|(_, value)| *value).find_map(read)
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.last(key, number)
    }

    /// No span has the id 0.
    pub(crate) fn span_id(&self) -> Option<u64> {
        self.last("span_id", |id| number(id).filter(|id| *id != 0))
    }

    pub(crate) fn seconds(&self, key: &str) -> Option<u64> {
        self.last(key, |value| {
            let (seconds, nanos) = value.split_once('.')?;
            let is_nanos = nanos.len() == 9 && nanos.bytes().all(|byte| byte.is_ascii_digit());
            let nanos: u64 = nanos.parse().ok().filter(|_| is_nanos)?;
            number(seconds)?
                .checked_mul(1_000_000_000)?
                .checked_add(nanos)
        })
    }

    pub(crate) fn process(&self) -> Option<(u64, u64)> {
        self.last("process_id", |value| {
            let (pid, start) = value.split_once('-')?;
            Some((number(pid)?, number(start)?))
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        let mark = self.last("span_mark", |value| match value {
            "start" => Some(Kind::Start),
            "end" => Some(Kind::End),
            _ => None,
        });
        mark.unwrap_or(Kind::Event)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let word = self.last("span_outcome", Some);
        word.map_or(Outcome::Finished, |word| match word {
            "error" => Outcome::Error,
            "cancelled" => Outcome::Cancelled,
            "panicked" => Outcome::Panicked,
            _ => Outcome::Other,
        })
    }

    /// Whether our keys stand where a writer puts them: the mark first of all, the others last, each
    /// once.
    pub(crate) fn is_in_order(&self) -> bool {
        let own = self
            .pairs
            .iter()
            .rposition(|(key, _)| !RESERVED.contains(key));
        let first = self
            .pairs
            .iter()
            .position(|(key, _)| RESERVED.contains(key));
        let mark = self.pairs.iter().position(|(key, _)| *key == "span_mark");
        let behind = match mark {
            Some(mark) => mark + 1,
            None => 0,
        };
        let ours = self.pairs[behind..]
            .iter()
            .position(|(key, _)| RESERVED.contains(key));
        let keys: Vec<_> = self.pairs.iter().map(|(key, _)| key).collect();
        let once = RESERVED
            .iter()
            .all(|of| keys.iter().filter(|key| **key == of).count() < 2);
        once && (mark.is_none() || mark == first)
            && ours.is_none_or(|ours| own.is_none_or(|own| own < behind + ours))
    }

    /// The program's own pairs.
    pub(crate) fn own(&self) -> impl Iterator<Item = (&'a str, String)> {
        let own = self.pairs.iter().filter(|(key, _)| !RESERVED.contains(key));
        own.map(|(key, value)| match value.starts_with('"') {
            // An escape may name half a character, which is none.
            true => (
                *key,
                serde_json::from_str(value).unwrap_or((*value).to_owned()),
            ),
            false => (*key, (*value).to_owned()),
        })
    }
}

pub(crate) const RESERVED: [&str; 11] = [
    "span_mark",
    "span_id",
    "span_parent",
    "span_at",
    "span_elapsed",
    "span_outcome",
    "task_parent_id",
    "spawn_line",
    "process_id",
    "task_id",
    "thread_id",
];

fn pairs(mut rest: &str) -> Option<Vec<(&str, &str)>> {
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let pair = rest.strip_prefix(", ")?;
        let (key, behind) = pair.split_once('=')?;
        let is_key = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        if key.is_empty() || !key.chars().all(is_key) {
            return None;
        }
        let len = match behind.starts_with('"') {
            true => string(behind)?,
            false => plain(behind)?,
        };
        let (value, more) = behind.split_at(len);
        rest = match value.starts_with('"') {
            true => more.strip_prefix('…').unwrap_or(more),
            false => more,
        };
        pairs.push((key, value));
    }
    Some(pairs)
}

fn plain(rest: &str) -> Option<usize> {
    let value = rest.split(',').next()?;
    let is_inner = |c: char| !"=\"\\".contains(c) && !is_control(c);
    let is_edge = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
    let is_plain = value.chars().all(is_inner)
        && is_edge(value.chars().next())
        && is_edge(value.chars().next_back());
    is_plain.then_some(value.len())
}

fn string(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    loop {
        match chars.next()? {
            (at, '"') => return Some(at + 1),
            (_, '\\') => match chars.next()?.1 {
                'u' => {
                    for _ in 0..4 {
                        chars.next().filter(|(_, c)| c.is_ascii_hexdigit())?;
                    }
                }
                c if "\"\\/bfnrt".contains(c) => {}
                _ => return None,
            },
            (_, c) if is_control(c) => return None,
            _ => {}
        }
    }
}

fn is_control(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{61c}'
        | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn number(digits: &str) -> Option<u64> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = digits == "0" || !digits.starts_with('0');
    digits.parse().ok().filter(|_| is_number && is_short)
}

fn is_number(digits: &str) -> bool {
    number(digits).is_some()
}
