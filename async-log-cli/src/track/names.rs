//! Names, each kept once.

use std::fmt::Write;

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// A name that is kept in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(u32);

impl NameId {
    /// Its place among all names, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of spans. Those that differ only in numbers are one, unless they are to be exact:
/// `load 7` and `load 12` are `load #`.
#[derive(Debug, Default)]
pub struct Names {
    exact: bool,
    hasher: DefaultHashBuilder,
    table: HashTable<u32>,
    written: Vec<Box<[u8]>>,
    /// Where a name is folded.
    folded: Vec<u8>,
}

impl Names {
    /// Names that are folded, or kept as they are.
    pub fn new(exact: bool) -> Self {
        Names {
            exact,
            ..Names::default()
        }
    }

    /// The id of a name.
    pub fn id(&mut self, name: &[u8]) -> NameId {
        let mut folded = std::mem::take(&mut self.folded);
        let name = if self.exact {
            name
        } else {
            fold(name, &mut folded)
        };
        let hash = self.hasher.hash_one(name);
        let written = &self.written;
        let found = self.table.find(hash, |&id| *written[id as usize] == *name);
        let id = found.copied().unwrap_or_else(|| {
            let id = self.written.len() as u32;
            self.written.push(name.into());
            let (written, hasher) = (&self.written, &self.hasher);
            let hash_of = |&id: &u32| hasher.hash_one(&*written[id as usize]);
            self.table.insert_unique(hash, id, hash_of);
            id
        });
        self.folded = folded;
        NameId(id)
    }

    /// The bytes of a name.
    pub fn bytes(&self, id: NameId) -> &[u8] {
        &self.written[id.index()]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.written.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }
}

/// A name with a `#` for each of its numbers.
fn fold<'a>(name: &'a [u8], folded: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(first) = name.iter().position(u8::is_ascii_digit) else {
        return name;
    };
    folded.clear();
    folded.extend_from_slice(&name[..first]);
    let mut in_number = false;
    for &byte in &name[first..] {
        if !byte.is_ascii_digit() {
            folded.push(byte);
        } else if !in_number {
            folded.push(b'#');
        }
        in_number = byte.is_ascii_digit();
    }
    folded
}

/// Text for a person: what is not UTF-8 is replaced, what would move a cursor is escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(' '),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
