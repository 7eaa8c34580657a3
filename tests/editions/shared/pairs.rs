//! Each pair is one function, compiled twice: with `span!` as a macro that gives the plain block,
//! and with the real one. Both run, and what they give is compared.

// Each of these is given for the plain block as well: the pairs are about shapes, not about taste.
#![allow(
    clippy::assertions_on_constants,
    clippy::await_holding_refcell_ref,
    clippy::borrow_as_ptr,
    clippy::cast_lossless,
    clippy::elidable_lifetime_names,
    clippy::implied_bounds_in_impls,
    clippy::items_after_statements,
    clippy::let_and_return,
    clippy::let_unit_value,
    clippy::manual_async_fn,
    clippy::manual_unwrap_or,
    clippy::manual_unwrap_or_default,
    clippy::ignored_unit_patterns,
    clippy::needless_lifetimes,
    clippy::needless_pass_by_value,
    clippy::needless_return,
    clippy::never_loop,
    clippy::redundant_closure_call,
    clippy::semicolon_if_nothing_returned,
    clippy::single_match,
    clippy::type_complexity,
    clippy::uninlined_format_args,
    clippy::unnecessary_lazy_evaluations,
    clippy::unnecessary_wraps,
    clippy::unused_unit,
    clippy::useless_vec
)]

/// The functions of a module with what they give.
macro_rules! results {
    ($($name:ident)*) => {
        pub(crate) fn results() -> Vec<(&'static str, String)> {
            vec![$((stringify!($name), format!("{:?}", $name()))),*]
        }
    };
}

#[path = "plain.rs"]
mod plain;
#[path = "spanned.rs"]
mod spanned;

#[test]
fn blocks() {
    assert_eq!(plain::blocks::results(), spanned::blocks::results());
}

#[test]
fn awaits() {
    assert_eq!(plain::awaits::results(), spanned::awaits::results());
}

#[test]
fn arms() {
    assert_eq!(plain::arms::results(), spanned::arms::results());
}
