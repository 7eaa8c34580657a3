//! Where code runs.

use crate::record::fields::Fields;
use crate::span_state::SpanRef;

/// A span as the records inside it see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanContext {
    pub(crate) span: SpanRef,
    pub(crate) fields: Fields,
}
