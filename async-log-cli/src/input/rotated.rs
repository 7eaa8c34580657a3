//! The files of one log that was rotated, in the order of time.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How old a file is among those of its log; what is smaller is older.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// The day, and what numbers follow: `app.log-20260101`, `app.log.2026-01-01.2`.
    Date(Vec<u64>),
    /// Files that are numbered as they are begun: `app_r00001.log`.
    Begun(u64),
    /// Files that are numbered anew at each rotation: `app.log.1`, `app.1.log`.
    Rotated(Reverse<u64>),
    /// The one that is written now: `app.log`, `app_rCURRENT.log`.
    Current,
}

/// The files of each rotated log in the order of time, where the first of them stands. Others stay
/// where they are.
///
/// Files are of one log if they are in one directory and their names differ only in this, and in
/// `.gz`, `.zst` or `.zstd` at the end:
///
/// * a number behind the name, or before its extension, the oldest the highest: `app.log.2.gz`,
///   `app.log.1`, `app.log`; `app.2.log`, `app.1.log`, `app.log`;
/// * a day, and numbers behind it: `app.log-20260101`, `app.log.2026-01-01`,
///   `app.2026-01-01-13.log`, `app.log`;
/// * `_r`, and a number or a time: `app_r00001.log`, `app_r00002.log`, `app_rCURRENT.log`.
pub fn ordered(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut logs: Vec<(Log, Vec<(Age, &PathBuf)>)> = Vec::new();
    for path in paths {
        let (log, age) = identify(path);
        match logs.iter_mut().find(|(other, _)| *other == log) {
            Some((_, files)) => files.push((age, path)),
            None => logs.push((log, vec![(age, path)])),
        }
    }
    let mut ordered = Vec::with_capacity(paths.len());
    for (_, mut files) in logs {
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        ordered.extend(files.into_iter().map(|(_, path)| path.clone()));
    }
    ordered
}

/// A log: its directory, and the name of its files without what tells them apart.
type Log = (Option<PathBuf>, OsString);

fn identify(path: &Path) -> (Log, Age) {
    let directory = path.parent().map(Path::to_owned);
    let Some(name) = path.file_name() else {
        return ((None, path.into()), Age::Current);
    };
    let Some(text) = name.to_str() else {
        return ((directory, name.into()), Age::Current);
    };
    let text = uncompressed(text);
    let found = by_infix(text)
        .or_else(|| by_date(text))
        .or_else(|| by_number(text));
    let (log, age) = found.unwrap_or_else(|| (text.to_owned(), Age::Current));
    ((directory, log.into()), age)
}

fn uncompressed(name: &str) -> &str {
    let packed = [".gz", ".zst", ".zstd"];
    packed
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
}

/// `app_r00001.log`, `app_r2026-01-01_13-00-00.log`, `app_rCURRENT.log`.
fn by_infix(name: &str) -> Option<(String, Age)> {
    let (stem, rest) = name.rsplit_once("_r")?;
    let (age, rest) = if let Some(rest) = rest.strip_prefix("CURRENT") {
        (Age::Current, rest)
    } else if let Some((date, len)) = date(rest) {
        (Age::Date(date), &rest[len..])
    } else {
        let len = digits(rest);
        let number = rest[..len].parse().ok().filter(|_| len >= 5)?;
        (Age::Begun(number), &rest[len..])
    };
    let (age, rest) = match (age, rest.strip_prefix(".restart-")) {
        (Age::Date(mut date), Some(restart)) => {
            let len = digits(restart);
            date.push(restart[..len].parse().ok()?);
            (Age::Date(date), &restart[len..])
        }
        (age, _) => (age, rest),
    };
    let is_end = rest.is_empty() || rest.starts_with('.');
    is_end.then(|| (format!("{stem}_r{rest}"), age))
}

/// `app.log-20260101`, `app.log.2026-01-01`, `app-2026-01-01.log`.
fn by_date(name: &str) -> Option<(String, Age)> {
    let starts = name.rmatch_indices(['.', '-', '_']);
    let mut found = starts.filter_map(|(at, _)| {
        let (date, len) = date(&name[at + 1..])?;
        let rest = &name[at + 1 + len..];
        let is_end = rest.is_empty() || rest.starts_with('.');
        is_end.then(|| (format!("{}{rest}", &name[..at]), Age::Date(date)))
    });
    found.next()
}

/// `app.log.1`, `app.1.log`.
fn by_number(name: &str) -> Option<(String, Age)> {
    let (stem, end) = name.rsplit_once('.')?;
    if let Some(age) = index(end) {
        return Some((stem.to_owned(), age));
    }
    let (stem, number) = stem.rsplit_once('.')?;
    // `app-1.2.3.log` is a version.
    let before = stem.rsplit(['.', '-', '_']).next().unwrap_or_default();
    let is_version = before.bytes().all(|byte| byte.is_ascii_digit());
    let age = index(number).filter(|_| !is_version)?;
    Some((format!("{stem}.{end}"), age))
}

fn index(word: &str) -> Option<Age> {
    let is_index = (1..=5).contains(&word.len()) && digits(word) == word.len();
    let number = word.parse().ok().filter(|_| is_index)?;
    Some(Age::Rotated(Reverse(number)))
}

/// The date that `text` begins with, and numbers behind it, and how long they are.
fn date(text: &str) -> Option<(Vec<u64>, usize)> {
    let mut parts = Vec::new();
    let mut at = 0;
    loop {
        let len = digits(&text[at..]);
        if len == 0 {
            break;
        }
        parts.push((len, text[at..at + len].parse::<u64>().ok()?));
        at += len;
        let behind = &text[at..];
        let goes_on = behind.starts_with(['-', '.', '_', ':', 'T']) && digits(&behind[1..]) > 0;
        if !goes_on {
            break;
        }
        at += 1;
    }
    let numbers: Vec<u64> = match parts[..] {
        [(8, day), ref more @ ..] => {
            let more = more.iter().map(|(_, number)| *number);
            [day / 10_000, day / 100 % 100, day % 100]
                .into_iter()
                .chain(more)
                .collect()
        }
        [(4, _), (2, _), (2, _), ..] => parts.iter().map(|(_, number)| *number).collect(),
        _ => return None,
    };
    is_day(&numbers).then_some((numbers, at))
}

fn is_day(numbers: &[u64]) -> bool {
    matches!(numbers, [1970..=2999, 1..=12, 1..=31, ..])
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}
