//! The options of a `Logger`.

use crate::record::fields::Fields;

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) form: Form,
    pub(crate) minimal_keys: bool,
    pub(crate) arguments: bool,
    pub(crate) process_id: bool,
    pub(crate) max_value_len: usize,
    /// What every record has.
    pub(crate) fields: Fields,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Text,
    KeyValues,
}
