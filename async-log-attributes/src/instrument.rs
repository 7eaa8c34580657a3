//! `#[instrument]`: from the attribute and its item to the expansion, or to an error beside the item.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Error, Result};

use crate::arguments::check_skipped;
use crate::expand;
use crate::impl_block::{self, Inherited};
use crate::options::Options;
use crate::signature::{Function, Item};

pub(crate) fn instrument(options: TokenStream, item: TokenStream) -> TokenStream {
    or_item(try_instrument(options, item.clone()), item)
}

pub(crate) fn instrument_method(inherited: TokenStream, item: TokenStream) -> TokenStream {
    or_item(try_method(inherited, item.clone()), item)
}

/// With an error the item stays, so that nothing else fails because of it.
fn or_item(expanded: Result<TokenStream>, item: TokenStream) -> TokenStream {
    expanded.unwrap_or_else(|error| {
        let error = error.to_compile_error();
        let item = without_inherited(item);
        ours!(#error #item)
    })
}

/// The options of the `impl` block would expand, and say the same again.
fn without_inherited(item: TokenStream) -> TokenStream {
    match Item::parse(item.clone()) {
        Ok(Item::Function(mut function)) => {
            impl_block::remove_inherited(&mut function);
            function.to_token_stream()
        }
        _ => item,
    }
}

fn try_instrument(tokens: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options = Options::parse(tokens.clone())?;
    match Item::parse(item)? {
        Item::Impl(block) => impl_block::expand(&tokens, &options, *block),
        Item::Function(mut function) => {
            check_skipped(&options.skip, &function.sig)?;
            match (impl_block::inherited(&function)?, &options.off) {
                (None, None) => of_function(&options, *function, None),
                (None, Some(off)) => Err(Error::new(off.span(), OFF_ALONE)),
                (Some(inherited), _) if inherited.options.off.is_some() => {
                    Err(annotated_twice(&function))
                }
                (Some(_), Some(_)) => {
                    impl_block::switch_off(&mut function);
                    Ok(function.to_token_stream())
                }
                (Some(inherited), None) => {
                    impl_block::remove_inherited(&mut function);
                    of_method(options, inherited, *function)
                }
            }
        }
    }
}

const OFF_ALONE: &str = "`off` is for a method of an annotated `impl` block; remove the attribute";

fn annotated_twice(function: &Function) -> Error {
    let name = &function.sig.ident;
    let message =
        format!("`{name}` is annotated twice; put all options into one `#[instrument(…)]`");
    Error::new(name.span(), message)
}

fn try_method(tokens: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let inherited = impl_block::parse(tokens)?;
    match Item::parse(item)? {
        Item::Function(function) if inherited.options.off.is_some() => {
            Ok(function.to_token_stream())
        }
        Item::Function(function) => of_method(Options::default(), inherited, *function),
        Item::Impl(block) => Ok(block.to_token_stream()),
    }
}

fn of_method(own: Options, inherited: Inherited, function: Function) -> Result<TokenStream> {
    let options = own.within(inherited.options);
    of_function(&options, function, Some(&inherited.type_name))
}

fn of_function(
    options: &Options,
    function: Function,
    type_name: Option<&str>,
) -> Result<TokenStream> {
    if let Some(constness) = &function.sig.constness {
        let message = "a `const fn` cannot log: remove `const` or `#[instrument]`";
        return Err(Error::new(constness.span(), message));
    }
    let Some(body) = function.body.clone() else {
        let message = "a function without a body cannot be traced; annotate its implementations";
        return Err(Error::new(function.sig.ident.span(), message));
    };
    if impl_block::is_expanded(&body) {
        return Err(annotated_twice(&function));
    }
    expand::expand(options, function, &body, type_name)
}
