//! The key-values that a record brings.

use log::kv::{self, Key, Source, Value, VisitSource};

use crate::record::text;

/// The first pairs of a source.
#[derive(Clone, Copy)]
pub(crate) struct FirstPairs<'a> {
    source: &'a dyn Source,
    count: Count,
}

/// How many pairs of a source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    All,
    First(usize),
}

impl<'a> FirstPairs<'a> {
    pub(crate) fn new(source: &'a dyn Source, count: usize) -> Self {
        let count = Count::First(count);
        FirstPairs { source, count }
    }

    pub(crate) fn counted(source: &'a dyn Source, count: Count) -> Self {
        FirstPairs { source, count }
    }

    pub(crate) fn none() -> Self {
        FirstPairs::new(&NO_PAIRS, 0)
    }

    pub(crate) fn is_none(self) -> bool {
        self.count == Count::First(0)
    }

    pub(crate) fn visit(self, visitor: &mut dyn VisitSource<'a>) -> Result<(), kv::Error> {
        match self.count {
            Count::First(0) => Ok(()),
            Count::All => self.source.visit(visitor),
            Count::First(left) => self.source.visit(&mut Counted { left, visitor }),
        }
    }

    /// Whether they are those of a span record, of another version of this crate in the same program. Its numbers may be ours
    /// too, so what it says under our keys is left away; nobody can gain anything by saying that he is one.
    #[cold]
    pub(crate) fn is_foreign_span_record(self) -> bool {
        self.source
            .get(Key::from_str(FOREIGN_SPAN_RECORD))
            .is_some()
    }

    /// Whether the key of one of them is such a one.
    pub(crate) fn any(self, is_it: impl Fn(&str) -> bool) -> bool {
        let mut find = Find {
            is_it,
            found: false,
        };
        let _ = self.visit(&mut find);
        find.found
    }

    /// Whether one of them hides a field: its key is written as the field's is.
    pub(crate) fn hides(self, field: &str) -> bool {
        self.any(|key| text::is_written(key, field))
    }
}

/// The key by which a span record tells the `Logger` of another version of this crate that it is one. It is no pair: whoever
/// looks at all of them does not find it. It is the same in all versions.
pub(crate) const FOREIGN_SPAN_RECORD: &str = "async_log::span_record?";

/// Lets so many pairs through.
struct Counted<'a, 'kvs> {
    left: usize,
    visitor: &'a mut dyn VisitSource<'kvs>,
}

impl<'kvs> VisitSource<'kvs> for Counted<'_, 'kvs> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Ok(()),
        }
        self.visitor.visit_pair(key, value)
    }
}

struct Find<F> {
    is_it: F,
    found: bool,
}

impl<'kvs, F: Fn(&str) -> bool> VisitSource<'kvs> for Find<F> {
    fn visit_pair(&mut self, key: Key<'kvs>, _: Value<'kvs>) -> Result<(), kv::Error> {
        self.found |= (self.is_it)(key.as_str());
        Ok(())
    }
}

impl Source for FirstPairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        FirstPairs::visit(*self, visitor)
    }
}

/// No key-values.
#[derive(Debug)]
pub(crate) struct NoPairs;

pub(crate) static NO_PAIRS: NoPairs = NoPairs;

impl Source for NoPairs {
    fn visit<'kvs>(&'kvs self, _: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        Ok(())
    }
}
