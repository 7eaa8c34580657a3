//! The arguments of an annotated function, formatted before their span's start is written.

use log::kv::{self, Key, Source, Value, VisitSource, VisitValue};

use crate::record::fields::Fields;
use crate::record::pairs::FirstPairs;

/// The arguments of a function as text, with the types of those that are numbers, booleans and strings.
///
/// They are formatted when the span's start leaves, if one of them is anything else and they are written. So whoever asks for them runs no
/// code of the program, which might want a lock that another thread has while it waits for the logger.
pub(crate) struct Arguments(Fields);

impl Arguments {
    /// Formats them; `None` if that need not be.
    #[inline(never)]
    pub(crate) fn format(arguments: FirstPairs<'_>) -> Option<Self> {
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
