//! The pairs of a record, kept.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

pub(crate) use crate::printable::shortened;
use crate::read::View;

/// Pairs, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    text: String,
    /// Where each key and each value ends.
    ends: Vec<(usize, usize)>,
}

/// How many pairs of the spans around it a record is compared with.
const COMPARED: usize = 64;

impl Fields {
    /// All pairs of a record.
    pub(crate) fn new(view: View<'_>) -> Self {
        let mut fields = Fields::default();
        view.pairs(|key, value| fields.push(key, &value));
        fields
    }

    /// Pairs that are at hand.
    pub(crate) fn of(pairs: &[(String, String)]) -> Self {
        let mut fields = Fields::default();
        pairs
            .iter()
            .for_each(|(key, value)| fields.push(key, value));
        fields
    }

    fn push(&mut self, key: &str, value: &str) {
        self.text.push_str(key);
        let key_end = self.text.len();
        self.text.push_str(&shortened(value));
        self.ends.push((key_end, self.text.len()));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|&(_, end)| end));
        let places = starts.zip(&self.ends);
        places.map(|(start, &(key, value))| (&self.text[start..key], &self.text[key..value]))
    }

    /// Those that the spans around have not said.
    pub(crate) fn without(&self, around: &Fields) -> Fields {
        let mut fields = Fields::default();
        for (key, value) in self.iter() {
            let mut said = around.iter().take(COMPARED);
            if !said.any(|pair| pair == (key, value)) {
                fields.push(key, value);
            }
        }
        fields
    }
}

/// An object; the last of a key counts.
impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs: BTreeMap<_, _> = self.iter().collect();
        pairs.serialize(serializer)
    }
}
