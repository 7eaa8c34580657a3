//! A function of which the signature alone is parsed.

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::{quote, ToTokens};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Result, Signature, Visibility};

use crate::tokens::{brace, collect, is_punct};

pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// `#![…]`
    pub(crate) inner_attrs: TokenStream,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig: Signature = input.parse()?;
        let body: TokenTree = input.parse().map_err(|_| no_body(&sig))?;
        let Some(body) = brace(Some(&body)).cloned() else {
            return Err(no_body(&sig));
        };
        let tokens = collect(body.stream());
        let mut end = 0;
        while is_punct(tokens.get(end), '#') && is_punct(tokens.get(end + 1), '!') {
            end += 3;
        }
        let inner_attrs = tokens[..end].iter().cloned().collect();
        let body = match end {
            0 => body,
            _ => {
                let mut rest =
                    Group::new(body.delimiter(), tokens[end..].iter().cloned().collect());
                rest.set_span(body.span());
                rest
            }
        };
        Ok(Function {
            attrs,
            vis,
            sig,
            inner_attrs,
            body,
        })
    }
}

fn no_body(sig: &Signature) -> syn::Error {
    syn::Error::new_spanned(
        sig,
        "a function without a body cannot be traced; annotate its implementations",
    )
}

impl Function {
    /// The function around another body.
    pub(crate) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let Function {
            attrs,
            vis,
            sig,
            inner_attrs,
            ..
        } = self;
        let mut block = Group::new(proc_macro2::Delimiter::Brace, quote!(#inner_attrs #body));
        block.set_span(self.body.span());
        quote!(#(#attrs)* #vis #sig #block)
    }

    /// The function's name as a string, without `r#`.
    pub(crate) fn name(&self) -> Literal {
        let name = self.sig.ident.to_string();
        let mut literal = Literal::string(name.strip_prefix("r#").unwrap_or(&name));
        literal.set_span(self.sig.ident.span());
        literal
    }
}

/// Whether this is a function at all, for the message where it is not.
pub(crate) fn is_function(item: &TokenStream) -> bool {
    item.to_token_stream()
        .into_iter()
        .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "fn"))
}
