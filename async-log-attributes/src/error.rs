//! An error in what a macro was given: it says what is wrong at the tokens, and what is accepted.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;

#[derive(Debug)]
pub(crate) struct Error {
    span: Span,
    message: String,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Error {
            span,
            message: message.into(),
        }
    }

    /// At a token; at the macro's invocation where there is none.
    pub(crate) fn at(token: Option<&TokenTree>, message: impl Into<String>) -> Self {
        Error::new(token.map_or_else(Span::call_site, TokenTree::span), message)
    }

    pub(crate) fn into_compile_error(self) -> TokenStream {
        let message = self.message;
        quote_spanned!(self.span=> ::core::compile_error! { #message })
    }
}
