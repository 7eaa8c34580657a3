#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod arms;
mod capture;
mod clock;
mod context;
mod fields;
mod frame;
mod ids;
mod keep;
mod logger;
mod macros;
mod mark;
mod place;
mod scratch;
mod span;
mod task;
mod text;

pub use async_log_attributes::instrument;
pub use context::Context;
pub use frame::{InSpan, InTask};
pub use logger::Logger;
pub use span::Span;
pub use task::{task_id, TaskExt};

/// What the macros expand to. Not for use by hand: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use async_log_attributes::span;
    pub use log;

    pub use crate::arms::{Around, FutureArm, OtherArm};
    pub use crate::capture::{Capture, DebugValue, NameValue, TypedValue};
    pub use crate::keep::KeepPlace;
    pub use crate::mark::Site;
    pub use crate::span::{Inline, Start};
}
