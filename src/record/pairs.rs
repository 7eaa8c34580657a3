//! Key-values: those that a record brings, and the key-value form of a record.

use std::cell::OnceCell;

use log::kv::{self, Key, Source, Value, VisitSource, VisitValue};

use crate::ids;
use crate::logger::annotation::{Added, Subject};
use crate::logger::in_flight;
use crate::record::fields::Fields;
use crate::record::span_record::{
    self, Mark, Own, PROCESS_ID, SPAN_ID, SPAN_MARK, TASK_ID, THREAD_ID,
};
use crate::record::text;
use crate::stack::{self, Position};

/// The first pairs of a source.
#[derive(Clone, Copy)]
pub(crate) struct First<'a> {
    source: &'a dyn Source,
    count: usize,
}

impl<'a> First<'a> {
    pub(crate) fn new(source: &'a dyn Source, count: usize) -> Self {
        First { source, count }
    }

    pub(crate) fn none() -> Self {
        First::new(&NO_PAIRS, 0)
    }

    pub(crate) fn is_none(self) -> bool {
        self.count == 0
    }

    pub(crate) fn visit(self, visitor: &mut dyn VisitSource<'a>) -> Result<(), kv::Error> {
        match self.count {
            0 => Ok(()),
            usize::MAX => self.source.visit(visitor),
            left => self.source.visit(&mut Counted { left, visitor }),
        }
    }

    /// Whether they are those of a mark, of another version of this crate in the same program. Its numbers may be ours
    /// too, so what it says under our keys is left away; nobody can gain anything by saying that he is one.
    #[cold]
    pub(crate) fn is_other_mark(self) -> bool {
        self.source.get(Key::from_str(OTHER_MARK)).is_some()
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

/// The key by which a mark tells the `Logger` of another version of this crate that it is one. It is no pair: whoever
/// looks at all of them does not find it. It is the same in all versions.
pub(crate) const OTHER_MARK: &str = "async_log::mark?";

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

/// The arguments of a function as text, with the types of those that are numbers, booleans and strings.
///
/// They are formatted when the span's start leaves, if one of them is anything else and they are written. So whoever asks for them runs no
/// code of the program, which might want a lock that another thread has while it waits for the logger.
pub(crate) struct Arguments(Fields);

impl Arguments {
    /// Formats them; `None` if that need not be.
    #[inline]
    pub(crate) fn settle(arguments: First<'_>) -> Option<Self> {
        match arguments.is_none() || in_flight::are_arguments_left_out() {
            true => None,
            false => Arguments::format(arguments),
        }
    }

    /// The same where they are written in any case.
    #[inline(never)]
    pub(crate) fn format(arguments: First<'_>) -> Option<Self> {
        let mut formats = Formats(false);
        let _ = arguments.visit(&mut formats);
        formats.0.then(|| Arguments(Fields::of_pairs(arguments)))
    }

    pub(crate) fn fields(&self) -> &Fields {
        &self.0
    }
}

impl Source for Arguments {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let mut fields = self.0.iter();
        fields.try_for_each(|field| visitor.visit_pair(Key::from_str(field.key), field.to_value()))
    }
}

/// Whether a value's own code has to run to know it.
struct Formats(bool);

impl<'kvs> VisitSource<'kvs> for Formats {
    fn visit_pair(&mut self, _: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        value.visit(self)
    }
}

impl<'v> VisitValue<'v> for Formats {
    fn visit_any(&mut self, _: Value<'_>) -> Result<(), kv::Error> {
        self.0 = true;
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_u64(&mut self, _: u64) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_i64(&mut self, _: i64) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_u128(&mut self, _: u128) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_i128(&mut self, _: i128) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_f64(&mut self, _: f64) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_bool(&mut self, _: bool) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_str(&mut self, _: &str) -> Result<(), kv::Error> {
        Ok(())
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

impl Source for First<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        First::visit(*self, visitor)
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

/// A record's pairs with ours, typed.
pub(crate) struct TypedPairs<'a> {
    added: Added<'a>,
    /// What it is about, once somebody looks.
    about: OnceCell<About>,
}

enum About {
    Inside(Position),
    Mark(Mark),
}

impl<'a> TypedPairs<'a> {
    pub(crate) fn new(added: Added<'a>) -> Self {
        TypedPairs {
            added,
            about: OnceCell::new(),
        }
    }

    /// Nothing else is there as long as this lives.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self as *const Self as usize
    }

    fn about(&self) -> &About {
        self.about.get_or_init(|| match self.added.subject {
            Subject::Inside(depth) | Subject::Paired(depth) => About::Inside(stack::at(depth)),
            Subject::Tail(_) => About::Inside(Position::default()), // text alone
            Subject::Mark => {
                in_flight::mark().map_or_else(|| About::Inside(Position::default()), About::Mark)
            }
        })
    }
}

impl Source for TypedPairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let (options, own_pairs) = (self.added.options, self.added.own_pairs());
        own_pairs.visit(&mut Renamed(visitor, own_pairs))?;
        let (fields, mark, span_id) = match self.about() {
            About::Inside(position) => (&position.fields, None, position.span.id),
            About::Mark(mark) => (&mark.fields, Some(mark), 0),
        };
        if let Some(mark) = mark {
            visitor.visit_pair(SPAN_MARK.to_key(), Value::from(mark.word()))?;
        }
        let of_logger = (options.fields.iter()).filter(|field| !fields.has(field.key));
        for field in fields.iter().chain(of_logger) {
            if !own_pairs.hides(field.key) {
                let value = field.within(options.max_value_len).to_value();
                visitor.visit_pair(Key::from_str(field.key), value)?;
            }
        }
        let mut own = |key: span_record::Key, own: Own<'kvs>| {
            visitor.visit_pair(key.to_key(), own.to_value())
        };
        let mut visited = Ok(());
        if !options.minimal {
            match mark {
                Some(mark) => mark.own(|key, value| {
                    if visited.is_ok() {
                        visited = own(key, value);
                    }
                }),
                None if span_id != 0 => visited = own(SPAN_ID, Own::Number(span_id)),
                None => {}
            }
        }
        visited?;
        if self.added.wants_process_id(mark) {
            own(PROCESS_ID, Own::Process)?;
        }
        own(TASK_ID, Own::Number(self.added.task_id))?;
        own(THREAD_ID, Own::Number(ids::thread()))
    }
}

/// Keeps pairs under reserved keys apart from ours.
struct Renamed<'a, 'kvs>(&'a mut dyn VisitSource<'kvs>, First<'kvs>);

impl<'kvs> VisitSource<'kvs> for Renamed<'_, 'kvs> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        match text::renamed(key.as_str()) {
            None => self.0.visit_pair(key, value),
            Some(_) if self.1.is_other_mark() => Ok(()),
            Some(other) => self.0.visit_pair(Key::from_str(other), value),
        }
    }
}
