//! Values of keys, by which names are taken apart: `--by route,status`.

use std::borrow::Cow;

use hashbrown::HashMap;

use crate::read::View;
use crate::track::own_value;

/// What a record says with some keys, each set of values once.
#[derive(Debug, Default)]
pub(crate) struct By {
    keys: Vec<String>,
    sets: Vec<Values>,
    places: HashMap<Values, ValuesId>,
    /// Which of the keys a record had.
    is_found: Vec<bool>,
    found: Values,
}

type Values = Vec<Option<Box<str>>>;

/// A set of values that is kept in [`By`]; 0 is that of who says none.
pub(crate) type ValuesId = u32;

/// How many sets are kept apart; what comes behind them is one.
const MOST: usize = 10_000;

impl By {
    pub(crate) fn new(keys: &[String]) -> Self {
        let none: Values = vec![None; keys.len()];
        By {
            keys: keys.to_vec(),
            sets: vec![none.clone()],
            places: [(none, 0)].into_iter().collect(),
            is_found: vec![false; keys.len()],
            found: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The values of a record, which take the place of those that were said `before`.
    #[inline]
    pub(crate) fn of(&mut self, view: View<'_>, before: ValuesId) -> ValuesId {
        match self.keys.is_empty() {
            true => 0,
            false => self.find(view, before),
        }
    }

    #[inline(never)]
    fn find(&mut self, view: View<'_>, before: ValuesId) -> ValuesId {
        self.found.clone_from(&self.sets[before as usize]);
        let (keys, found, is_found) = (&self.keys, &mut self.found, &mut self.is_found);
        let mut set = |index: usize, value: Cow<'_, str>| {
            is_found[index] = true;
            found[index] = Some(super::fields::shortened(&value).into());
        };
        view.pairs(|key, value| {
            let index = keys.iter().position(|of| of == key);
            if let Some(index) = index {
                set(index, value);
            }
        });
        for (index, key) in keys.iter().enumerate() {
            if let Some(value) = own_value(view, key) {
                set(index, value);
            }
        }
        self.intern()
    }

    fn intern(&mut self) -> ValuesId {
        if let Some(known) = self.places.get(&self.found) {
            return *known;
        }
        if self.sets.len() > MOST {
            self.found.fill(Some("(others)".into()));
            if let Some(known) = self.places.get(&self.found) {
                return *known;
            }
        }
        let id = self.sets.len() as ValuesId;
        self.sets.push(self.found.clone());
        self.places.insert(self.found.clone(), id);
        id
    }

    /// Each key with its value.
    pub(crate) fn pairs(&self, id: ValuesId) -> impl Iterator<Item = (&str, Option<&str>)> {
        let values = self.sets[id as usize].iter().map(Option::as_deref);
        self.keys.iter().map(String::as_str).zip(values)
    }

    /// Those that there are, as `route=/cart status=200`.
    pub(crate) fn shown(&self, id: ValuesId) -> String {
        let pairs = self.pairs(id);
        let said = pairs.filter_map(|(key, value)| Some(format!("{key}={}", value?)));
        said.collect::<Vec<_>>().join(" ")
    }

    /// The keys that no record had.
    pub(crate) fn unknown(&self) -> Vec<&str> {
        let keys = self.keys.iter().zip(&self.is_found);
        let unknown = keys.filter(|(_, is_found)| !**is_found);
        unknown.map(|(key, _)| key.as_str()).collect()
    }
}
