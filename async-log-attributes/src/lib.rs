//! The procedural macros of [`async-log`](https://docs.rs/async-log). Use them through that crate.

#![forbid(unsafe_code)]

mod arms;
mod attr;
mod body;
mod expand;
mod item;
mod span;
mod tokens;

use proc_macro::TokenStream;

/// What `async_log::span!` expands to.
#[doc(hidden)]
#[proc_macro]
pub fn span(input: TokenStream) -> TokenStream {
    span::expand(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Writes a span around each call of a function.
#[proc_macro_attribute]
pub fn instrument(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::instrument(options.into(), item.into()).into()
}
