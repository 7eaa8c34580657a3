//! The procedural macros of [`async-log`](https://docs.rs/async-log). Use them through that crate.

#![forbid(unsafe_code)]

/// Tokens of ours: a name in them is neither seen by the user's code nor sees any of it.
macro_rules! ours {
    ($($tokens:tt)*) => {
        quote::quote_spanned!(proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

mod arguments;
mod body;
mod branches;
mod error;
mod expand;
#[cfg(test)]
mod fuzz;
mod impl_block;
mod instrument;
mod key;
mod options;
mod returned;
mod signature;
mod span;
mod start;
mod tokens;
mod types;
mod watch;

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
    instrument::instrument(options.into(), item.into()).into()
}

/// What an annotated `impl` block puts on each of its methods.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn instrument_method(inherited: TokenStream, method: TokenStream) -> TokenStream {
    instrument::instrument_method(inherited.into(), method.into()).into()
}
