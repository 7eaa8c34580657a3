//! Names of spans, each kept once, with where they are from.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::{HashMap, HashTable};

use super::fold::fold;
use crate::read::{TargetField, View};

/// A name in a target that is kept in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(u32);

impl NameId {
    /// Its place among all, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of spans. Those that differ only in numbers and ids are one, unless they are to be exact:
/// `load 7` and `load 12` are `load #`. Those of different targets are different.
#[derive(Debug, Default)]
pub struct Names {
    exact: bool,
    hasher: DefaultHashBuilder,
    table: HashTable<u32>,
    written: Vec<Written>,
    ids: Vec<Named>,
    sources: Vec<Source>,
    /// The sources by their marks, where these say which it is.
    marked: HashMap<Mark, u32>,
    /// The source of a target that is known by no mark.
    unmarked: HashMap<u32, u32>,
    /// Targets, with numbers.
    targets: HashMap<Option<Box<str>>, u32>,
    /// The ids of names in more than one target, by the numbers of both.
    shared: HashMap<(u32, u32), NameId>,
    /// Where a name is folded.
    folded: Vec<u8>,
    /// Names as they were written lately, by their ends.
    lately: Vec<Lately>,
}

/// A name as it stood in a record.
#[derive(Clone, Debug, Default)]
struct Lately {
    raw: Vec<u8>,
    written: u32,
}

/// How many names are known as they were written.
const LATELY: usize = 64;

/// Longer ones are not.
const SHORT: usize = 64;

/// A name, whatever its target.
#[derive(Debug)]
struct Written {
    text: Box<str>,
    /// The source that it was seen in last, and its id there.
    recent: (u32, NameId),
    /// It is in more than one target.
    is_shared: bool,
}

/// A name in a target.
#[derive(Debug)]
struct Named {
    written: u32,
    source: u32,
}

/// Where records are from, and how that stands in their lines.
#[derive(Debug)]
struct Source {
    target: Option<Box<str>>,
    /// The number of that.
    number: u32,
    mark: Mark,
}

/// By what a line is known to be from somewhere, without its prefix being read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Mark {
    /// What stands before the message, from one byte before the target on, or behind the time where
    /// there is none. Then all of the prefix is as long.
    Before { bytes: Box<[u8]>, len: Option<u32> },
    /// The field of a JSON line, with its quotes.
    Field(Box<[u8]>),
    /// A JSON line without such a field.
    NoField,
    /// Nothing is known so quickly.
    None,
}

impl Names {
    /// Names that are folded, or kept as they are.
    pub fn new(exact: bool) -> Self {
        Names {
            exact,
            ..Names::default()
        }
    }

    /// The id of the message of a record.
    pub fn id(&mut self, view: View<'_>) -> NameId {
        let raw = view.raw_message();
        // What was not written yet has no name either.
        if raw.is_empty() || raw.len() > SHORT {
            return self.read(raw, view);
        }
        let at = place(raw);
        if let Some(lately) = self.lately.get(at).filter(|lately| lately.raw == raw) {
            return self.known(lately.written, view);
        }
        let id = self.read(raw, view);
        self.lately.resize(LATELY, Lately::default());
        let lately = &mut self.lately[at];
        lately.raw.clear();
        lately.raw.extend_from_slice(raw);
        lately.written = self.ids[id.index()].written;
        id
    }

    /// The id of a name that was not written so lately.
    fn read(&mut self, raw: &[u8], view: View<'_>) -> NameId {
        let Some(first) = raw.iter().position(|&byte| SPECIAL[byte as usize]) else {
            return self.intern(raw, view);
        };
        let is_plain = raw[first..].iter().all(|&byte| !is_escape(byte));
        if is_plain {
            return self.fold(raw, view);
        }
        self.fold(view.message().as_bytes(), view)
    }

    fn fold(&mut self, name: &[u8], view: View<'_>) -> NameId {
        if self.exact {
            return self.intern(name, view);
        }
        let mut folded = std::mem::take(&mut self.folded);
        fold(name, &mut folded);
        let id = self.intern(&folded, view);
        self.folded = folded;
        id
    }

    fn intern(&mut self, name: &[u8], view: View<'_>) -> NameId {
        let hash = self.hasher.hash_one(name);
        let written = &self.written;
        let is_name = |&id: &u32| written[id as usize].text.as_bytes() == name;
        if let Some(&found) = self.table.find(hash, is_name) {
            return self.known(found, view);
        }
        let new = self.written.len() as u32;
        let source = self.source(view);
        let id = self.push(new, source);
        self.written.push(Written {
            text: String::from_utf8_lossy(name).into(),
            recent: (source, id),
            is_shared: false,
        });
        let (written, hasher) = (&self.written, &self.hasher);
        let hash_of = |&id: &u32| hasher.hash_one(written[id as usize].text.as_bytes());
        self.table.insert_unique(hash, new, hash_of);
        id
    }

    /// The id of a name in the target of a record.
    #[inline]
    fn known(&mut self, written: u32, view: View<'_>) -> NameId {
        let (source, id) = self.written[written as usize].recent;
        match self.sources[source as usize].mark.is_in(view) {
            true => id,
            false => self.other_source(written, view),
        }
    }

    /// The id of a name that was last seen somewhere else, or so it seems.
    #[cold]
    fn other_source(&mut self, written: u32, view: View<'_>) -> NameId {
        let source = self.source(view);
        let target = self.sources[source as usize].number;
        let last = self.written[written as usize].recent.1;
        let last_target = self.sources[self.ids[last.index()].source as usize].number;
        let id = if last_target == target {
            last
        } else {
            self.shared.insert((written, last_target), last);
            let known = self.shared.get(&(written, target)).copied();
            known.unwrap_or_else(|| self.push(written, source))
        };
        let name = &mut self.written[written as usize];
        name.is_shared |= id != last;
        name.recent = (source, id);
        id
    }

    fn push(&mut self, written: u32, source: u32) -> NameId {
        let id = NameId(self.ids.len() as u32);
        self.ids.push(Named { written, source });
        id
    }

    /// Where a record is from. There are as many as there are modules, or nearly.
    fn source(&mut self, view: View<'_>) -> u32 {
        let mark = Mark::of(view);
        if let Some(&known) = self.marked.get(&mark)
            && mark.is_in(view)
        {
            return known;
        }
        let target: Option<Box<str>> = view.target().map(|target| target.into());
        let next = self.targets.len() as u32;
        let number = *self.targets.entry(target.clone()).or_insert(next);
        let mark = match self.marked.len() {
            0..MOST_MARKS => mark,
            _ => Mark::None,
        };
        let known = match &mark {
            Mark::None => self.unmarked.get(&number),
            mark => self.marked.get(mark),
        };
        if let Some(&known) = known
            && self.sources[known as usize].number == number
        {
            return known;
        }
        let source = self.sources.len() as u32;
        match &mark {
            Mark::None => self.unmarked.insert(number, source),
            mark => self.marked.insert(mark.clone(), source),
        };
        self.sources.push(Source {
            target,
            number,
            mark,
        });
        source
    }

    /// A name.
    pub fn text(&self, id: NameId) -> &str {
        &self.written[self.ids[id.index()].written as usize].text
    }

    /// The target that it is in, if the log says it.
    pub fn target(&self, id: NameId) -> Option<&str> {
        self.sources[self.ids[id.index()].source as usize]
            .target
            .as_deref()
    }

    /// A name as it is shown: with its target where others have the same name.
    pub fn shown(&self, id: NameId) -> String {
        let written = &self.written[self.ids[id.index()].written as usize];
        match self.target(id).filter(|_| written.is_shared) {
            Some(target) => with_target(&written.text, target),
            None => written.text.to_string(),
        }
    }

    /// All ids, in the order in which they were seen.
    pub fn ids(&self) -> impl Iterator<Item = NameId> + use<> {
        (0..self.ids.len() as u32).map(NameId)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// How many sources are known by their marks. A program that makes up targets has more.
const MOST_MARKS: usize = 4096;

/// How a name is shown that others have too.
pub(crate) fn with_target(name: &str, target: &str) -> String {
    format!("{name} ({target})")
}

impl Mark {
    fn of(view: View<'_>) -> Mark {
        match view.target_field() {
            TargetField::None => return Mark::NoField,
            TargetField::At(rest) => return Mark::Field(rest[..json_string(rest)].into()),
            TargetField::Far => return Mark::None,
            TargetField::InPrefix => {}
        }
        let Some(prefix) = view.before_message() else {
            return Mark::None;
        };
        let before = view.before();
        let (from, len) = match (before.target, before.time) {
            // What stands in front of the logger's own prefix may change from line to line.
            (Some(target), _) if target.start < before.front => return Mark::None,
            (Some(target), _) => (target.start.saturating_sub(1), None),
            (None, Some(time)) => (time.end.max(before.front), Some(prefix.len() as u32)),
            (None, None) => (before.front, Some(prefix.len() as u32)),
        };
        Mark::Before {
            bytes: prefix.get(from..).unwrap_or_default().into(),
            len,
        }
    }

    #[inline]
    fn is_in(&self, view: View<'_>) -> bool {
        match self {
            Mark::Before { bytes, len } => view.before_message().is_some_and(|prefix| {
                prefix.ends_with(bytes) && len.is_none_or(|len| prefix.len() == len as usize)
            }),
            Mark::Field(bytes) => match view.target_field() {
                TargetField::At(rest) => rest.starts_with(bytes),
                _ => false,
            },
            Mark::NoField => matches!(view.target_field(), TargetField::None),
            Mark::None => false,
        }
    }
}

/// The length of the JSON string that `rest` begins with.
fn json_string(rest: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match rest.get(at) {
            None => return rest.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// Where a name is kept that was written lately: by its last bytes, which differ most.
#[inline]
fn place(raw: &[u8]) -> usize {
    let end = match raw.last_chunk::<8>() {
        Some(end) => u64::from_le_bytes(*end),
        None => raw.iter().fold(0, |end, byte| end << 8 | u64::from(*byte)),
    };
    (end.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize % LATELY
}

/// Which bytes a name cannot hold that is kept as it is written: digits, and what an escape begins
/// with or is no ASCII.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        special[byte] = (byte as u8).is_ascii_digit() || is_escape(byte as u8);
        byte += 1;
    }
    special
};

/// Whether a message that holds this has to be read back.
const fn is_escape(byte: u8) -> bool {
    matches!(byte, b'\\' | b'\n' | 0x80..)
}
