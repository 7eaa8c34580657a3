#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod active_span;
mod call_site;
mod clock;
mod context;
mod expansion;
mod fork;
mod function_name;
mod ids;
mod instrumented;
mod logger;
mod macros;
mod process;
mod record;
mod span;
mod span_state;
mod stack;
mod target;
mod task;
mod task_ext;

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
/// It goes on any function with a body that is not `const`, and on an `impl` block, for all of its methods. The span
/// has the name `FILE#METHOD`, in an annotated `impl` `FILE#Type::METHOD`.
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the span's name, a string or a constant. It is fixed text: a value belongs in a field |
/// | `target = "…"` | the target of its records, a string or a constant, instead of the module |
/// | `level = debug` | their level instead of `trace`: a word or an expression of type `log::Level` |
/// | `names` | arguments under their own names. Each binding of a pattern is an argument: `Path(id)` gives `id=13` |
/// | `skip(a, b)`, `skip_all` | leaves arguments out of the log |
/// | `fields(k = v, k:? = v)` | fields of the span, in the syntax of [`span!`]; `user.id = v` works too. They can use the arguments and the bindings of their patterns. A field with an argument's name replaces the argument |
/// | `ret` | a record in the span with the returned value as `ret`, at the span's level |
/// | `err` | for a `Result`: a record with the error as `err`, at level `error`; the outcome of the function's span is `error` |
/// | `parent = expr` | a [`Span`] or [`Context`] that the span is inside of, instead of where it is called. `None` makes it a root. If the span is filtered out, the code is in the parent's context |
/// | `crate = path` | the path of this crate, if it has another name |
/// | `off` | leaves a method of an annotated `impl` out |
///
/// `ret(Debug, level = info)` and `err(Display, level = warn)` say how a value is formatted and at which level it is
/// logged. By default an error uses `Display`, then `Debug`.
///
/// The options of an `impl` block hold for its methods. A method's own options come first, fields add up, and what either
/// keeps out of the log stays out, under whatever name the method's attribute was imported. `ret` and `err` of an `impl` hold
/// for the methods that they fit.
///
/// # Arguments
///
/// The arguments are on the span's start as `arg_0`, `arg_1` and so on, `self` not counted. They can have any type. A
/// value that implements [`log::kv::ToValue`] keeps its type. Other values use `Debug`, then `Display`. Anything else is
/// logged as its type's name. If formatting an argument panics, the log says `<panicked>`. Annotated functions that
/// run while a span's record is written, such as a `Debug`, are not traced.
///
/// # When the span starts, and what is inside
///
/// The span of an `async fn` starts when its future is first polled and ends with it. Any other span starts when its
/// function is called and ends when it returns. If the function returns a future, the span goes on in that and ends when
/// the future is done or dropped. The compiler decides this by types, so aliases and associated types work:
///
/// | the function returns | the span goes on in the future |
/// |---|---|
/// | `impl Future<Output = T> + …` | yes, in a wrapper, if that satisfies the other bounds |
/// | `Pin<Box<dyn Future<Output = T> + …>>` by any name, with `Send`, `Sync`, `Unpin` or none of them | yes, in a box around it |
/// | `Box<dyn Future<Output = T> + Unpin + …>`, `Pin<Box<impl Future>>`, `Box<impl Future + Unpin>` | yes, in a box around it |
/// | a future by the name of its type, such as `Ready<T>`, a type parameter, or a box of a trait of yours | no: a wrapper would have another type |
/// | a future in another type, such as `Option<BoxFuture<T>>` or a tuple, or an `impl Future` that a macro gives | no |
///
/// `ret` and `err` see the output of every future that the span goes on in. On another future they are errors.
///
/// A body that ends with `Box::pin(…)` needs no second box. A second box needs to know how long the output lives. If that
/// is a type parameter without a lifetime bound in the function's signature (`T: 'static`), only a body that ends with
/// `Box::pin(…)` is covered. The bounds of an `impl` block are not seen from its methods: a name such as `T` or `E` in the
/// return type is taken for a parameter of it. If the return type is an associated type such as `Self::Future`, a body
/// that only hands a boxed future on is not covered, and one that boxes its future anywhere but in a last `Box::pin(…)`
/// needs an output that lives as long as the box.
///
/// # Errors
///
/// What cannot be traced and what is no option is an error of the compiler at that token; the function is compiled
/// as if it had no attribute. So are a name in `skip` that is no argument, a second `#[instrument]`, a macro among the
/// members of an `impl` block with `skip` or `skip_all`, and a boxed future whose type has the name `Result`, `Option`,
/// `Vec` or `String`.
///
/// A function with `#[track_caller]` keeps its body where it is, so that it sees its caller. With `ret` or `err` its body
/// cannot have `return`, `?` or macros that may expand to them, and without them a boxed future that it returns by such
/// an exit is not covered. An attribute on the declaration of a trait's method cannot be seen from its implementation.
///
/// # Panics
///
/// When the logger does; not when an argument's formatting does.
///
/// # Cost
///
/// Filtered out, the comparison of a level; with `parent` the entering of that, too. The future of an annotated `async fn` is 56 bytes larger on 64 bits,
/// however large its arguments are, and some more if arguments are patterns (`benches/attribute` measures it). A function
/// that returns a type that may be a future has its body in a closure if it has other exits than its end; the optimizer
/// removes it.
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
