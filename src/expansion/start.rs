//! Level tests and type hints that an expansion uses before a span starts.

use log::{Level, Metadata};

use crate::logger::{emission, start_arguments};

/// Whether `log`'s own levels let a span pass.
#[doc(hidden)]
#[inline]
pub fn is_level_enabled(level: Level) -> bool {
    level <= log::STATIC_MAX_LEVEL && level <= log::max_level()
}

/// Whether `log`'s own levels let the span of an annotated function pass, and it is no part of writing another.
#[doc(hidden)]
#[inline]
pub fn is_enabled(level: Level) -> bool {
    is_level_enabled(level) && !emission::is_writing()
}

/// Whether the arguments of an annotated function will be written, for those that have to be formatted before its start.
#[doc(hidden)]
pub fn are_arguments_wanted(level: Level, target: &str) -> bool {
    let metadata = || Metadata::builder().level(level).target(target).build();
    is_enabled(level)
        && start_arguments::is_wanted(&metadata(), 1)
        && !start_arguments::are_arguments_left_out()
}

/// Lends the arguments of an `async fn` to the start of its span, and gives them back.
#[doc(hidden)]
#[inline]
pub fn lend_arguments<A, R>(arguments: A, start: impl FnOnce(&A) -> R) -> (R, A) {
    (start(&arguments), arguments)
}

/// Calls a function's body. The bound lets it give away what it has captured, as the function itself could.
#[doc(hidden)]
#[inline]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Has a type, and is never called.
#[doc(hidden)]
pub fn type_hint<T>() -> T {
    unreachable!("stands in a branch that is type_hint taken")
}
