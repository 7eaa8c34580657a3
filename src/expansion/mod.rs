//! The types and functions that the macros expand to. Not for use by hand.

pub(crate) mod branch_future;
pub(crate) mod branches;
pub(crate) mod capture;
pub(crate) mod inline_span;
pub(crate) mod parent;
pub(crate) mod returned;
pub(crate) mod start;
pub(crate) mod suspend_point;
