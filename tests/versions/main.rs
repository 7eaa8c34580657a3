//! Two versions of the crate in one program. This test *is* the other one: it has the modules of the library, compiled
//! once more, as a dependency on another version would have them.

#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]

#[path = "../../src/clock.rs"]
mod clock;
#[path = "../../src/context.rs"]
mod context;
#[path = "../../src/expansion/mod.rs"]
mod expansion;
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
#[path = "../../src/macros.rs"]
#[macro_use]
mod macros;

pub use async_log_attributes::instrument;
pub use context::Context;
pub use instrumented::{InSpan, InTask};
pub use logger::Logger;
pub use process::forked;
pub use span::Span;
pub use task::{task_id, TaskExt};

/// What the macros expand to. Not for use by hand: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use std::boxed::Box;

    pub use async_log_attributes::{instrument_method, span};
    pub use log;

    pub use crate::context::{Parent, Root};
    pub use crate::expansion::branches::{Around, FutureArm, OtherArm};
    pub use crate::expansion::capture::{Capture, CaptureError, OwnedValue};
    pub use crate::expansion::returned::{
        assert_fallible, assert_no_future, AnyFuture, HasSpan, KindBoxed, KindOpaque, NotCovered,
        Returned, ReturnedNested, ReturnedOpaque, ReturnedType, Tried, Typed, Watched,
    };
    pub use crate::expansion::suspend_point::KeepPlace;
    pub use crate::instrumented::InSpan;
    pub use crate::record::span_record::Site;
    pub use crate::span::{
        are_arguments_wanted, call, is_enabled, is_loud, lend, never, Inline, Span, Start,
    };
    pub use crate::stack::{fail, Machine, Run};
}

#[path = "two.rs"]
mod two;
