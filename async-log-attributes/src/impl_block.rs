//! `#[instrument]` on an `impl` block: its options go to each method, which expands by itself.
//!
//! ```text
//! #[instrument(skip(token))]
//! impl Session {
//!     #[instrument(names)]
//!     fn login(&self, user: &str, token: &str) { … }
//! }
//!
//! impl Session {
//!     #[instrument(names)]
//!     #[async_log::__private::instrument_method("Session", (skip(token)))]
//!     fn login(&self, user: &str, token: &str) { … }
//! }
//! ```
//!
//! The compiler expands attributes from the first to the last. So a method's own `instrument`, under whatever
//! name, finds the hidden attribute below it, takes it off and merges the two. Nobody has to know that name.

use proc_macro2::{Group, Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{parenthesized, Attribute, Error, LitStr, Meta, Result, Token};

use crate::arguments::has_argument;
use crate::expand::GUARD;
use crate::options::Options;
use crate::signature::{Function, Impl, Member};
use crate::tokens::{any, collect};

/// Of the attribute's path, which the crate's name precedes.
const INHERITED: &str = "instrument_method";

/// What a method has from the `impl` block around it.
pub(crate) struct Inherited {
    pub(crate) type_name: String,
    pub(crate) options: Options,
}

pub(crate) fn expand(
    tokens: &TokenStream,
    options: &Options,
    mut block: Impl,
) -> Result<TokenStream> {
    check(options, &block)?;
    let krate = match &options.krate {
        Some(krate) => krate.to_token_stream(),
        None => ours!(::async_log),
    };
    let attribute = Ident::new(INHERITED, proc_macro2::Span::mixed_site());
    let type_name = Literal::string(&block.type_name);
    for member in &mut block.members {
        let Member::Function(function) = member else {
            continue;
        };
        if function.sig.constness.is_some() || function.body.is_none() {
            continue;
        }
        let inherited = ours!(#[#krate::__private::#attribute(#type_name, (#tokens))]);
        function
            .attrs
            .extend(Parser::parse2(Attribute::parse_outer, inherited)?);
    }
    Ok(block.to_token_stream())
}

/// What is wrong with an `impl` block's own options, each said once and not for every method.
fn check(options: &Options, block: &Impl) -> Result<()> {
    if let Some(name) = &options.name {
        let message = "all methods would have this name; `name` goes on a single method";
        return Err(Error::new(name.span(), message));
    }
    if let Some(off) = &options.off {
        let message = "`off` is for a method of an annotated `impl` block; remove the attribute";
        return Err(Error::new(off.span(), message));
    }
    for name in &options.skip {
        if !block
            .functions()
            .any(|function| has_argument(&function.sig, name))
        {
            let message = format!("no method of this `impl` block has an argument `{name}`");
            return Err(Error::new(name.span(), message));
        }
    }
    let hides = options.skip_all || !options.skip.is_empty();
    if let (Some(call), true) = (block.macro_calls().next(), hides) {
        let message = "what this macro makes is not seen here, so `skip` and `skip_all` of the `impl` block would not \
                       hold for it; move it into an `impl` block of its own";
        return Err(Error::new_spanned(call, message));
    }
    let is_annotated = |attr: &&Attribute| is_inherited(attr);
    for function in block.functions() {
        if let Some(attr) = function.attrs.iter().find(is_annotated) {
            let message =
                "this `impl` block is annotated twice; put all options into one `#[instrument(…)]`";
            return Err(Error::new(attr.span(), message));
        }
    }
    Ok(())
}

fn is_inherited(attr: &Attribute) -> bool {
    let mut path = attr.path().segments.iter().rev();
    path.next().is_some_and(|last| last.ident == INHERITED)
        && path
            .next()
            .is_some_and(|module| module.ident == "__private")
}

/// Leaves a method out. The hidden attribute stays and says so, so that another `instrument` below finds it.
pub(crate) fn switch_off(function: &mut Function) {
    let hidden = function.attrs.iter_mut().find(|attr| is_inherited(attr));
    if let Some(Meta::List(list)) = hidden.map(|attr| &mut attr.meta) {
        list.tokens = ours!(off);
    }
}

/// What the hidden attribute of a method says, if it has one.
pub(crate) fn inherited(function: &Function) -> Result<Option<Inherited>> {
    let hidden = function.attrs.iter().find(|attr| is_inherited(attr));
    hidden
        .map(|attr| match &attr.meta {
            Meta::List(list) => parse(list.tokens.clone()),
            other => Err(Error::new(
                other.span(),
                "expected the options of an `impl` block",
            )),
        })
        .transpose()
}

/// Takes the hidden attribute off a method.
pub(crate) fn remove_inherited(function: &mut Function) {
    function.attrs.retain(|attr| !is_inherited(attr));
}

/// The tokens of the hidden attribute.
pub(crate) fn parse(tokens: TokenStream) -> Result<Inherited> {
    let parse = |input: ParseStream<'_>| {
        if input.peek(Ident::peek_any) {
            let off: Ident = input.parse()?;
            return Ok(Inherited {
                type_name: String::new(),
                options: Options {
                    off: Some(off),
                    ..Options::default()
                },
            });
        }
        let type_name: LitStr = input.parse()?;
        input.parse::<Token![,]>()?;
        let options;
        parenthesized!(options in input);
        Ok(Inherited {
            type_name: type_name.value(),
            options: Options::parse(options.parse()?)?,
        })
    };
    Parser::parse2(parse, tokens)
}

/// Whether the body of a function is already an expansion of this attribute.
pub(crate) fn is_expanded(body: &Group) -> bool {
    any(
        &collect(body.stream()),
        &|tokens, at| matches!(&tokens[at], TokenTree::Ident(ident) if ident == GUARD),
    )
}
