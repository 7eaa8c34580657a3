//! The data of a record: keys, values, fields, and the text form. Nothing here knows how a record travels.

pub(crate) mod arguments;
pub(crate) mod fields;
pub(crate) mod outcome;
pub(crate) mod pair_order;
pub(crate) mod pairs;
pub(crate) mod reserved_key;
pub(crate) mod reserved_value;
pub(crate) mod scratch;
pub(crate) mod span_record;
pub(crate) mod text;
