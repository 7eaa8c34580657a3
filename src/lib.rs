#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod added;
mod arms;
mod capture;
mod clock;
mod context;
mod fields;
mod frame;
mod function;
mod ids;
mod keep;
mod line;
mod logger;
mod macros;
mod mark;
mod outcome;
mod pairs;
mod passing;
mod place;
mod process;
mod scratch;
mod span;
mod state;
mod target;
mod task;
mod text;

/// Writes a span around each call of a function, with what it was called with.
///
/// ```
/// use async_log::instrument;
///
/// #[instrument]
/// fn double(n: u32) -> u32 {
///     2 * n // src/main.rs#double, arg_0=7, span_mark=start, …
/// }
///
/// struct Session;
///
/// #[instrument(names)] // every method: src/main.rs#Session::login, user=ada, …
/// impl Session {
///     #[instrument(skip(password), err)]
///     async fn login(&self, user: &str, password: &str) -> Result<(), std::fmt::Error> {
///         Ok(())
///     }
///
///     #[instrument(off)]
///     fn is_open(&self) -> bool {
///         true
///     }
/// }
/// ```
///
/// It goes on any function with a body that is not `const`, and on an `impl` block, for all of its
/// methods. The span has the name `FILE#METHOD`, in an annotated `impl` `FILE#Type::METHOD`. The arguments are on
/// its start as `arg_0`, `arg_1` and so on, `self` not counted. A value is logged with its type
/// where `log` knows it ([`log::kv::ToValue`]), else as `Debug` has it, else as the name of its type; no bound is
/// asked for. Where a `Debug` panics the log says `<panicked>`, and annotated functions that run while a span's
/// record is written, such as a `Debug`, are not traced. The body of an `async fn`, or the future that a
/// function returns, is inside the span until it ends.
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the span's name |
/// | `target = "…"` | the target of its records, a string or a constant, instead of the module |
/// | `level = debug` | their level, a word or a `log::Level`, instead of `trace` |
/// | `names` | arguments under their own names |
/// | `skip(a, b)`, `skip_all` | leaves arguments out of the log |
/// | `fields(k = v, k:? = v)` | fields of the span, in the syntax of [`span!`] |
/// | `ret`, `err` | a record in the span with what is returned as `ret`, or the error as `err`, which also makes the span's outcome `error`; `ret(Debug, level = info)` says how |
/// | `parent = expr` | a [`Span`] or [`Context`] that the span is inside of, instead of where it is called |
/// | `crate = path` | where this crate is found under another name |
/// | `off` | leaves a method of an annotated `impl` out |
///
/// The options of an `impl` block hold for its methods; a method's own come first, and what either
/// leaves out of the log stays out.
///
/// # Errors
///
/// What cannot be traced and what is no option is an error of the compiler at that token; the
/// function is compiled as if it had no attribute.
///
/// # Panics
///
/// Where the logger does; not where an argument's formatting does.
///
/// # Cost
///
/// Filtered out, the comparison of a level. The future of an annotated `async fn` is 56 bytes larger on 64 bits,
/// however large its arguments are, and some more where arguments are patterns (`benches/attribute` measures it).
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
