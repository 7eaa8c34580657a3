//! Two versions of the crate in one program. This test *is* the other one: it has the modules of the library, compiled
//! once more, as a dependency on another version would have them.

#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]

#[path = "../../src/added.rs"]
mod added;
#[path = "../../src/arms.rs"]
mod arms;
#[path = "../../src/capture.rs"]
mod capture;
#[path = "../../src/clock.rs"]
mod clock;
#[path = "../../src/context.rs"]
mod context;
#[path = "../../src/fields.rs"]
mod fields;
#[path = "../../src/frame.rs"]
mod frame;
#[path = "../../src/function.rs"]
mod function;
#[path = "../../src/ids.rs"]
mod ids;
#[path = "../../src/keep.rs"]
mod keep;
#[path = "../../src/line.rs"]
mod line;
#[path = "../../src/logger.rs"]
mod logger;
#[path = "../../src/mark.rs"]
mod mark;
#[path = "../../src/outcome.rs"]
mod outcome;
#[path = "../../src/pairs.rs"]
mod pairs;
#[path = "../../src/passing.rs"]
mod passing;
#[path = "../../src/place.rs"]
mod place;
#[path = "../../src/process.rs"]
mod process;
#[path = "../../src/scratch.rs"]
mod scratch;
#[path = "../../src/span.rs"]
mod span;
#[path = "../../src/state.rs"]
mod state;
#[path = "../../src/target.rs"]
mod target;
#[path = "../../src/task.rs"]
mod task;
#[path = "../../src/text.rs"]
mod text;
#[path = "../../src/macros.rs"]
#[macro_use]
mod macros;

pub use async_log_attributes::instrument;
pub use context::Context;
pub use frame::{InSpan, InTask};
pub use logger::Logger;
pub use process::forked;
pub use span::Span;
pub use task::{task_id, TaskExt};

/// What the macros expand to. Not for use by hand: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use std::boxed::Box;

    pub use async_log_attributes::span;
    pub use log;

    pub use crate::arms::{Around, FutureArm, OtherArm};
    pub use crate::capture::{Capture, CaptureError};
    pub use crate::context::Parent;
    pub use crate::frame::InSpan;
    pub use crate::keep::KeepPlace;
    pub use crate::mark::Site;
    pub use crate::place::{fail, Machine, Run};
    pub use crate::span::{call, is_enabled, is_loud, lend, never, Inline, Span, Start};
}

#[path = "two.rs"]
mod two;
