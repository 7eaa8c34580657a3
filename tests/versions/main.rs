//! Two versions of the crate in one program. This test *is* the other one: it has the modules of the library, compiled
//! once more, as a dependency on another version would have them.

#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]

#[path = "../../src/active_span.rs"]
mod active_span;
#[path = "../../src/call_site.rs"]
mod call_site;
#[path = "../../src/clock.rs"]
mod clock;
#[path = "../../src/context.rs"]
mod context;
#[path = "../../src/expansion/mod.rs"]
mod expansion;
#[path = "../../src/fork.rs"]
mod fork;
#[path = "../../src/function_name.rs"]
mod function_name;
#[path = "../../src/ids.rs"]
mod ids;
#[path = "../../src/instrumented.rs"]
mod instrumented;
#[path = "../../src/logger/mod.rs"]
mod logger;
#[path = "../../src/process.rs"]
mod process;
#[path = "../../src/record/mod.rs"]
mod record;
#[path = "../../src/span.rs"]
mod span;
#[path = "../../src/span_state.rs"]
mod span_state;
#[path = "../../src/stack/mod.rs"]
mod stack;
#[path = "../../src/target.rs"]
mod target;
#[path = "../../src/task.rs"]
mod task;
#[path = "../../src/task_ext.rs"]
mod task_ext;
#[path = "../../src/macros.rs"]
#[macro_use]
mod macros;

pub use async_log_attributes::instrument;
pub use context::Context;
pub use fork::forked;
pub use instrumented::{InSpan, InTask};
pub use logger::Logger;
pub use span::Span;
pub use task_ext::{task_id, TaskExt};

/// What the macros expand to. Not for use by hand: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use std::boxed::Box;

    pub use async_log_attributes::{instrument_method, span};
    pub use log;

    pub use crate::call_site::CallSite;
    pub use crate::expansion::branches::{FutureBranch, MacroGuard, OtherBranch};
    pub use crate::expansion::capture::{Capture, CaptureError, OwnedValue};
    pub use crate::expansion::inline_span::{InlineSpan, Start};
    pub use crate::expansion::parent::{Parent, Root};
    pub use crate::expansion::returned::{
        assert_fallible, assert_no_future, AnyFuture, HasSpan, KindBoxed, KindOpaque, NotCovered,
        Returned, ReturnedNested, ReturnedOpaque, ReturnedType, Tried, Typed, Watched,
    };
    pub use crate::expansion::start::{
        are_arguments_wanted, call, is_enabled, is_level_enabled, lend_arguments, type_hint,
    };
    pub use crate::expansion::suspend_point::SuspendPoint;
    pub use crate::instrumented::InSpan;
    pub use crate::span::Span;
    pub use crate::stack::{mark_failed, Block, BlockInstance};
}

#[path = "two.rs"]
mod two;
