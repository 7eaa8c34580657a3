//! `span!`: options, then whatever `log`'s own macros take, then a block or none.
//!
//! ```text
//! span!(target: "t", user = 7; "load {id}", { body })
//!
//! {
//!     let start = Start::new(&Site { … });
//!     log::log!(logger: start, target: "t", Level::Trace, user = 7; "load {id}");
//!     let guard = start.enter(MACHINE);
//!     { body }
//! }
//! ```
//!
//! So `log` parses what stands for a record, checks the level first, and evaluates nothing else if
//! the span is filtered out; the block keeps its place as the tail of a block.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{Error, Result};

use crate::body::{keep, Kept, Machine};
use crate::tokens::{brace, collect, find, is_assignment, is_ident, is_punct};

const FORM: &str = "`span!(\"name\", { … })`";

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let tokens = collect(input);
    // `[$crate]`, from the `macro_rules` macro.
    let krate = match tokens.first() {
        Some(TokenTree::Group(group)) => group.stream(),
        _ => return Err(error(None, "use `async_log::span!`")),
    };
    let private = quote!(#krate::__private);
    let arguments = Arguments::parse(&tokens[1..])?;

    let level = match arguments.level {
        Some(level) => quote!(#(#level)*),
        None => quote!(#private::log::Level::Trace),
    };
    let target = arguments.target.map(|target| quote!(target: #(#target)*,));
    let record = arguments.record;
    let start = quote! {
        let __start = #private::Start::new(&#private::Site {
            module_path: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
        });
        #private::log::log!(logger: __start, #target #level, #(#record)*);
    };
    Ok(match arguments.block {
        None => quote!({ #start #private::Start::into_span(__start) }),
        Some(block) => {
            let body = enter(&private, block);
            quote!({ #start #body })
        }
    })
}

/// Enters the span that `__start` has begun for the time of a block.
pub(crate) fn enter(private: &TokenStream, block: &Group) -> TokenStream {
    let Kept { block, machine } = keep(block, private);
    let traits = quote! {
        #[allow(unused_imports)]
        use #private::{FutureArm as _, KeepPlace as _, OtherArm as _};
    };
    match machine {
        Machine::None => quote! {
            let __guard = #private::Start::enter(__start, 0);
            #block
        },
        Machine::Outermost(machine) => quote! {
            #traits
            let __guard = #private::Start::enter(__start, #machine);
            #block
        },
        Machine::Nested(machine) => quote! {
            let __guard = #private::Start::enter_nested(__start, #machine);
            #block
        },
    }
}

struct Arguments<'a> {
    target: Option<&'a [TokenTree]>,
    level: Option<&'a [TokenTree]>,
    /// Key-values and name, for `log!`.
    record: &'a [TokenTree],
    block: Option<&'a Group>,
}

impl<'a> Arguments<'a> {
    fn parse(tokens: &'a [TokenTree]) -> Result<Self> {
        let (mut rest, block) = split_block(tokens)?;
        let (mut target, mut level) = (None, None);
        while let (Some(TokenTree::Ident(option)), true) = (
            rest.first(),
            is_punct(rest.get(1), ':') && !is_punct(rest.get(2), ':'),
        ) {
            let slot = match option.to_string().as_str() {
                "target" => &mut target,
                "level" => &mut level,
                // `key:? = value`
                _ => break,
            };
            if slot.is_some() {
                return Err(error(
                    rest.first(),
                    &format!("`{option}` stands here twice"),
                ));
            }
            let end = find(rest, |at| is_punct(rest.get(at), ',')).unwrap_or(rest.len());
            if end == 2 {
                let message =
                    format!("`{option}:` wants a value: `span!({option}: …, \"name\", {{ … }})`");
                return Err(error(rest.first(), &message));
            }
            *slot = Some(&rest[2..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        check_name(rest)?;
        Ok(Arguments {
            target,
            level,
            record: rest,
            block,
        })
    }
}

/// Takes the block off the end.
fn split_block(tokens: &[TokenTree]) -> Result<(&[TokenTree], Option<&Group>)> {
    let tokens = match tokens {
        [tokens @ .., last] if is_punct(Some(last), ',') => tokens,
        tokens => tokens,
    };
    let Some(block) = brace(tokens.last()) else {
        return Ok((tokens, None));
    };
    match &tokens[..tokens.len() - 1] {
        [] => Err(error(tokens.last(), &format!("a span has a name: {FORM}"))),
        [arguments @ .., comma] if is_punct(Some(comma), ',') => Ok((arguments, Some(block))),
        // `name!{…}` is a macro that makes the name.
        [.., bang] if is_punct(Some(bang), '!') => Ok((tokens, None)),
        _ => Err(error(
            tokens.last(),
            &format!("a comma stands before the block: {FORM}"),
        )),
    }
}

/// Checks that there is a name and that fields stand before it: what `log` and `format_args` would
/// say of the rest is clear enough.
fn check_name(record: &[TokenTree]) -> Result<()> {
    let semicolon = (0..record.len()).find(|&at| is_punct(record.get(at), ';'));
    let name = match semicolon {
        Some(semicolon) => &record[semicolon + 1..],
        None => record,
    };
    let is_string = match name.first() {
        Some(TokenTree::Literal(literal)) => {
            let text = literal.to_string();
            text.starts_with('"') || text.starts_with('r')
        }
        // A fragment of a `macro_rules` macro.
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::None,
        // `concat!(…)`
        Some(TokenTree::Ident(_)) => (0..name.len()).any(|at| is_punct(name.get(at), '!')),
        _ => false,
    };
    if is_string {
        return check_fields(name);
    }
    let message = match name.first() {
        None => format!("a span has a name: {FORM}"),
        Some(TokenTree::Ident(ident)) if *ident == "Level" || is_level_path(name) => {
            "the level is an option: `span!(level: Level::Debug, \"name\", { … })`".to_owned()
        }
        Some(_) if semicolon.is_none() && find(name, |at| is_assignment(name, at)).is_some() => {
            "fields stand before the name, with a semicolon: `span!(user = 7; \"name\", { … })`"
                .to_owned()
        }
        Some(_) => "a span's name is a format string: `span!(\"{}\", name, { … })`, with fields \
             `span!(user = 7; \"name\", { … })`"
            .to_owned(),
    };
    Err(error(name.first(), &message))
}

fn is_level_path(tokens: &[TokenTree]) -> bool {
    let end = find(tokens, |at| is_punct(tokens.get(at), ',')).unwrap_or(tokens.len());
    (0..end).any(|at| is_ident(tokens.get(at), "Level"))
}

/// `"name", user = 7` is a named argument that the name does not use.
fn check_fields(name: &[TokenTree]) -> Result<()> {
    let Some(TokenTree::Literal(literal)) = name.first() else {
        return Ok(());
    };
    let format = literal.to_string();
    for at in 1..name.len() {
        if let (TokenTree::Ident(key), true) = (&name[at], at + 1 < name.len()) {
            let is_named = is_punct(name.get(at - 1), ',') && is_assignment(name, at + 1);
            // `{key}`, `{key:?}`, and `{:key$}`
            if is_named && !format.contains(&*key.to_string()) {
                let message = format!(
                    "fields stand before the name, with a semicolon: `span!({key} = …; {format}, {{ … }})`"
                );
                return Err(error(name.get(at), &message));
            }
        }
    }
    Ok(())
}

fn error(token: Option<&TokenTree>, message: &str) -> Error {
    let span = token.map_or_else(proc_macro2::Span::call_site, TokenTree::span);
    Error::new(span, message)
}
