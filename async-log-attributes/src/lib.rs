//! The procedural macros of [`async-log`](https://docs.rs/async-log). Use them through that crate.

#![forbid(unsafe_code)]

/// Tokens of ours: a name in them is neither seen by the user's code nor sees any of it.
macro_rules! ours {
    ($($tokens:tt)*) => {
        quote::quote_spanned!(proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

mod arms;
mod attr;
mod body;
mod error;
mod expand;
#[cfg(test)]
mod fuzz;
mod item;
mod span;
mod tokens;

use proc_macro::TokenStream;

/// What `async_log::span!` expands to.
#[doc(hidden)]
#[proc_macro]
pub fn span(input: TokenStream) -> TokenStream {
    span::expand(input.into()).into()
}

/// Writes a span around each call of a function.
#[proc_macro_attribute]
pub fn instrument(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::instrument(options.into(), item.into()).into()
}
