//! Errors in a macro's input: each says what is wrong, at the token, and what to write instead.

use proc_macro2::{Span, TokenTree};
pub(crate) use syn::{Error, Result};

/// An error at a token; at the macro's invocation where there is none.
pub(crate) fn at(token: Option<&TokenTree>, message: impl std::fmt::Display) -> Error {
    Error::new(token.map_or_else(Span::call_site, TokenTree::span), message)
}
