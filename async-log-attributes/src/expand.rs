//! `#[instrument]`: the body of a function in a span.
//!
//! ```text
//! fn f(a: A, (b, c): (B, C)) -> R { body }
//!
//! fn f(a: A, __arg_1: (B, C)) -> R {
//!     let start = Start::of_function(&Site { … }, "src/main.rs#f", 2);
//!     log::log!(logger: start, Level::Trace, arg_0 = capture(&a), arg_1 = capture(&__arg_1); "");
//!     let guard = start.enter(MACHINE);
//!     let (b, c) = __arg_1;
//!     { body }
//! }
//! ```
//!
//! The body of an `async fn` is one like any other: its awaits are kept as those in a `span!`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, FnArg, Pat, PatIdent, Result};

use crate::attr::Options;
use crate::item::{is_function, Function};
use crate::span::enter;

pub(crate) fn instrument(options: TokenStream, item: TokenStream) -> TokenStream {
    try_instrument(options, &item).unwrap_or_else(|error| {
        // The item stays, so that nothing else fails because of this.
        let error = error.into_compile_error();
        quote!(#error #item)
    })
}

fn try_instrument(options: TokenStream, item: &TokenStream) -> Result<TokenStream> {
    let options = Options::parse(options)?;
    if !is_function(item) {
        return Err(Error::new(
            Span::call_site(),
            "`#[instrument]` goes on a function or a method",
        ));
    }
    let mut function: Function = syn::parse2(item.clone())?;
    if let Some(constness) = &function.sig.constness {
        return Err(Error::new_spanned(
            constness,
            "a `const fn` cannot log: remove `const` or `#[instrument]`",
        ));
    }
    let arguments = name_arguments(&mut function);

    let private = match &options.krate {
        Some(krate) => quote!(#krate::__private),
        None => quote!(::async_log::__private),
    };
    let name = match options.name {
        Some(name) => quote!(#name),
        None => {
            let method = function.name();
            quote!(::core::concat!(::core::file!(), "#", #method))
        }
    };
    let count = arguments.len();
    let keys = (0..count).map(|nth| format_ident!("arg_{nth}"));
    let values = arguments.iter().map(|argument| {
        let variable = &argument.variable;
        quote!((&&&#private::Capture(&#variable)).__async_log_value())
    });
    let pairs = match count {
        0 => quote!(),
        _ => quote!(#(#keys = #values),*;),
    };
    let patterns = arguments.iter().filter_map(|argument| {
        let (variable, pattern) = (&argument.variable, argument.pattern.as_ref()?);
        Some(quote!(let #pattern = #variable;))
    });
    let body = enter(&private, &function.body);
    let body = quote! {
        #[allow(unused_imports)]
        use #private::{DebugValue as _, NameValue as _, TypedValue as _};
        let __start = #private::Start::of_function(
            &#private::Site {
                module_path: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
            },
            #name,
            #count,
        );
        #private::log::log!(logger: __start, #private::log::Level::Trace, #pairs "");
        #(#patterns)*
        #body
    };
    Ok(function.with_body(&body))
}

struct Argument {
    variable: syn::Ident,
    /// What it is taken apart with.
    pattern: Option<Pat>,
}

/// Gives each argument that is a pattern a name, so that it can be logged before it is taken apart.
fn name_arguments(function: &mut Function) -> Vec<Argument> {
    let mut arguments = Vec::new();
    for input in &mut function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        if let Pat::Ident(PatIdent {
            by_ref: None,
            subpat: None,
            ident,
            ..
        }) = &*input.pat
        {
            arguments.push(Argument {
                variable: ident.clone(),
                pattern: None,
            });
            continue;
        }
        let variable = syn::Ident::new(&format!("__arg_{}", arguments.len()), Span::mixed_site());
        let pattern = std::mem::replace(
            &mut *input.pat,
            Pat::Ident(PatIdent {
                attrs: Vec::new(),
                by_ref: None,
                mutability: None,
                ident: variable.clone(),
                subpat: None,
            }),
        );
        arguments.push(Argument {
            variable,
            pattern: (!matches!(pattern, Pat::Wild(_))).then_some(pattern),
        });
    }
    arguments
}
