//! A reader of the text form, written from `docs/format.md` and nothing else.

use std::collections::BTreeSet;

/// A record, read back.
#[derive(Clone, Debug)]
pub struct Record {
    /// Prefix and message, as they were.
    pub message: String,
    pub pairs: Vec<Pair>,
    /// Lines of the log that it takes.
    pub lines: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub key: String,
    pub value: String,
    pub cut: bool,
    /// The pair as it is in the log.
    pub written: String,
}

impl Record {
    /// The last pair of a key counts.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut all = self.pairs.iter().rev();
        all.find(|pair| pair.key == key)
            .map(|pair| pair.value.as_str())
    }

    pub fn number(&self, key: &str) -> Option<u64> {
        number(self.get(key)?)
    }

    pub fn keys(&self) -> Vec<&str> {
        self.pairs.iter().map(|pair| pair.key.as_str()).collect()
    }

    /// The message with the first `count` pairs, as it was before somebody took them for pairs.
    pub fn message_with(&self, count: usize) -> String {
        let written: String = (self.pairs[..count].iter())
            .map(|pair| pair.written.as_str())
            .collect();
        self.message.clone() + &unescape(&written)
    }
}

/// The records of a log, and how many lines are none.
pub fn read(log: &str) -> (Vec<Record>, usize) {
    let mut lines: Vec<&str> = log.split('\n').collect();
    // Behind the last line break is nothing, or a torn line.
    let torn = lines.pop().is_some_and(|last| !last.is_empty());
    let (mut records, mut others) = (Vec::new(), usize::from(torn));
    let mut open: Vec<&str> = Vec::new();
    for line in lines {
        match continuation(line) {
            None => {
                others += open.len();
                open = vec![line];
            }
            Some(more) if !open.is_empty() => open.push(more),
            Some(_) => others += 1,
        }
        if let Some(record) = record(&open) {
            records.push(record);
            open.clear();
        }
    }
    (records, others + open.len())
}

/// What a continuation line adds to the message.
fn continuation(line: &str) -> Option<&str> {
    let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
    let tab = line[..indentation].find('\t')?;
    Some(&line[tab + 1..])
}

/// The record that ends with the last of these lines, if one does.
fn record(lines: &[&str]) -> Option<Record> {
    let (last, before) = lines.split_last()?;
    let last = last.strip_suffix('\r').unwrap_or(last);
    let (end, pairs) = split(last);
    let is_number = |pair: &Pair, key| pair.key == key && number(&pair.value).is_some();
    let is_ours = matches!(&pairs[..], [.., task, thread]
        if is_number(task, "task_id") && is_number(thread, "thread_id"));
    is_ours.then(|| Record {
        message: unescape(&[before, &[&last[..end]]].concat().join("\n")),
        pairs,
        lines: lines.len(),
    })
}

fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Where the message ends, and the pairs behind it.
pub fn split(line: &str) -> (usize, Vec<Pair>) {
    let mut good = BTreeSet::from([line.len()]);
    for (at, _) in line.rmatch_indices(", ") {
        if pair(&line[at..]).is_some_and(|(_, length)| good.contains(&(at + length))) {
            good.insert(at);
        }
    }
    let end = *good.first().expect("the line's own end");
    let (mut at, mut pairs) = (end, Vec::new());
    while let Some((pair, length)) = pair(&line[at..]) {
        pairs.push(pair);
        at += length;
    }
    (end, pairs)
}

/// The pair at the beginning of `text`, and its length.
fn pair(text: &str) -> Option<(Pair, usize)> {
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let text_of_pair = text.strip_prefix(", ")?;
    let (key, rest) = text_of_pair.split_at(text_of_pair.find(|c| !is_key(c))?);
    let rest = rest.strip_prefix('=').filter(|_| !key.is_empty())?;
    let (value, cut, length) = match rest.starts_with('"') {
        true => string(rest)?,
        false => plain(rest)?,
    };
    let length = 2 + key.len() + 1 + length;
    let pair = Pair {
        key: key.to_owned(),
        value,
        cut,
        written: text[..length].to_owned(),
    };
    Some((pair, length))
}

fn plain(text: &str) -> Option<(String, bool, usize)> {
    let value = &text[..text.find(',').unwrap_or(text.len())];
    let is_plain = !value.is_empty()
        && value.trim() == value
        && !value.contains(|c| matches!(c, '=' | '"' | '\\') || is_control(c));
    is_plain.then(|| (value.to_owned(), false, value.len()))
}

fn string(text: &str) -> Option<(String, bool, usize)> {
    let mut escaped = false;
    let end = text[1..].find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    let quoted = &text[..end + 2];
    if quoted.contains(is_control) {
        return None;
    }
    let value = serde_json::from_str(quoted).ok()?;
    let cut = text[quoted.len()..].starts_with('…');
    Some((
        value,
        cut,
        quoted.len() + if cut { '…'.len_utf8() } else { 0 },
    ))
}

pub fn is_control(c: char) -> bool {
    matches!(u32::from(c), 0..=0x1f | 0x7f..=0x9f | 0x2028 | 0x2029 | 0x61c | 0x200e | 0x200f
        | 0x202a..=0x202e | 0x2066..=0x2069)
}

fn unescape(message: &str) -> String {
    let mut out = String::new();
    let mut rest = message;
    while let Some(at) = rest.find("\\u{") {
        out.push_str(&rest[..at]);
        let escape = rest[at + 3..].split_once('}').and_then(|(digits, after)| {
            let is_number = (1..=6).contains(&digits.len()) && !digits.contains('+');
            let c = u32::from_str_radix(digits, 16).ok().filter(|_| is_number)?;
            Some((char::from_u32(c)?, after))
        });
        match escape {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}
