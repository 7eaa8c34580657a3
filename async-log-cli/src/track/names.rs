//! Names, each kept once.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;

use crate::read::View;

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
    written: Vec<Box<str>>,
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

    /// The id of the message of a record.
    pub fn id(&mut self, view: View<'_>) -> NameId {
        let raw = view.raw_message();
        let Some(first) = raw.iter().position(|&byte| SPECIAL[byte as usize]) else {
            return self.intern(raw);
        };
        let is_plain = raw[first..].iter().all(|&byte| !is_escape(byte));
        if is_plain {
            return self.fold(raw);
        }
        self.fold(view.message().as_bytes())
    }

    fn fold(&mut self, name: &[u8]) -> NameId {
        if self.exact {
            return self.intern(name);
        }
        let mut folded = std::mem::take(&mut self.folded);
        fold(name, &mut folded);
        let id = self.intern(&folded);
        self.folded = folded;
        id
    }

    fn intern(&mut self, name: &[u8]) -> NameId {
        let hash = self.hasher.hash_one(name);
        let written = &self.written;
        let is_name = |&id: &u32| written[id as usize].as_bytes() == name;
        if let Some(&id) = self.table.find(hash, is_name) {
            return NameId(id);
        }
        let id = self.written.len() as u32;
        self.written.push(String::from_utf8_lossy(name).into());
        let (written, hasher) = (&self.written, &self.hasher);
        let hash_of = |&id: &u32| hasher.hash_one(written[id as usize].as_bytes());
        self.table.insert_unique(hash, id, hash_of);
        NameId(id)
    }

    /// A name.
    pub fn text(&self, id: NameId) -> &str {
        &self.written[id.index()]
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.written.iter().map(|name| &**name)
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

/// Writes a name with a `#` for each of its numbers.
pub(crate) fn fold(name: &[u8], folded: &mut Vec<u8>) {
    folded.clear();
    let mut in_number = false;
    for &byte in name {
        if !byte.is_ascii_digit() {
            folded.push(byte);
        } else if !in_number {
            folded.push(b'#');
        }
        in_number = byte.is_ascii_digit();
    }
}
