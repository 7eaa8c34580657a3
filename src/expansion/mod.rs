//! The types and functions that the macros expand to. Not for use by hand.

pub(crate) mod branches;
pub(crate) mod capture;
pub(crate) mod returned;
pub(crate) mod suspend_point;
