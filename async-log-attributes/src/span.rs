//! `span!`: options, then whatever `log`'s own macros take, then a block or none.
//!
//! ```text
//! span!(target: "t", user = 7; "load {id}", { body })
//!
//! {
//!     let mut guard = InlineSpan::none();
//!     if is_level_enabled(Level::Trace) {
//!         let start = Start::new(&Site { … }, &mut guard);
//!         log::log!(logger: start, target: "t", Level::Trace, user = 7; "load {id}");
//!         guard.enter(INSTANCE);
//!     }
//!     { body }
//! }
//! ```
//!
//! So `log` parses what stands for a record, and evaluates nothing else if
//! the span is filtered out; the block keeps its place as the tail of a block.

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};

use crate::body::{keep, Instance, RewrittenBlock};
use crate::error::{at as error, Result};
use crate::options;
use crate::tokens::{brace, collect, find, is_assignment, is_ident, is_punct, split_commas};

const FORM: &str = "`span!(\"name\", { … })`";

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    try_expand(input.clone()).unwrap_or_else(|error| {
        // The block stays, so that nothing is unused or of another type because of this.
        let error = error.to_compile_error();
        let tokens = collect(input);
        match brace(without_comma(&tokens).last()) {
            Some(block) => ours!({ #error #[allow(unused_braces)] #block }),
            None => error,
        }
    })
}

fn try_expand(input: TokenStream) -> Result<TokenStream> {
    let tokens = collect(input);
    // `[$crate]`, from the `macro_rules` macro.
    let krate = match tokens.first() {
        Some(TokenTree::Group(group)) => group.stream(),
        _ => return Err(error(None, "use `async_log::span!`")),
    };
    let private = ours!(#krate::__private);
    let arguments = Arguments::parse(&tokens[1..])?;

    let (let_level, level) = level_in_variable(&private, &arguments)?;
    let (record, site) = (arguments.record, site(&private, &arguments));
    let target = arguments.target.map(|target| ours!(target: #(#target)*,));
    let guard = |enter: TokenStream| {
        ours! {
            let mut __guard = #private::InlineSpan::none();
            #let_level
            if #private::is_level_enabled(#level) {
                let __start = #private::Start::new(#site, &mut __guard);
                #private::log::log!(logger: __start, #target #level, #(#record)*);
                #enter
            }
        }
    };
    Ok(match arguments.block {
        None => {
            let guard = guard(ours!());
            ours!({
                #guard
                #private::InlineSpan::into_span(__guard)
            })
        }
        Some(block) => enter(&private, guard, &block),
    })
}

/// The place in the source, with the name and target if they are static.
fn site(private: &TokenStream, arguments: &Arguments<'_>) -> TokenStream {
    let name = match static_name(arguments.record) {
        Some(name) => ours!(::core::option::Option::Some(#name)),
        None => ours!(::core::option::Option::None),
    };
    let target = match arguments.target {
        Some([TokenTree::Literal(target)]) => ours!(#target),
        _ => ours!(::core::module_path!()),
    };
    ours! {
        &#private::CallSite {
            name: #name,
            target: #target,
            module_path: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
        }
    }
}

/// The level, and the variable for one that is an expression: evaluated once, and of this type here, so that another
/// one is one error at this place.
fn level_in_variable(
    private: &TokenStream,
    arguments: &Arguments<'_>,
) -> Result<(TokenStream, TokenStream)> {
    Ok(match arguments.level.map(level).transpose()? {
        Some(Level::Word(word)) => (ours!(), ours!(#private::log::Level::#word)),
        Some(Level::Expr(expr)) => (
            ours!(let __level: #private::log::Level = #expr;),
            ours!(__level),
        ),
        None => (ours!(), ours!(#private::log::Level::Trace)),
    })
}

/// A level's word, such as `info`, or the tokens of another expression.
enum Level {
    Word(Ident),
    Expr(TokenStream),
}

fn level(tokens: &[TokenTree]) -> Result<Level> {
    let tokens: TokenStream = tokens.iter().cloned().collect();
    match options::Level::of(&tokens).transpose()? {
        Some(options::Level::Word(word)) => Ok(Level::Word(word)),
        _ => Ok(Level::Expr(tokens)),
    }
}

/// The name if it is a string that is printed as it is.
fn static_name(record: &[TokenTree]) -> Option<&TokenTree> {
    let semicolon = record.iter().rposition(|token| is_punct(Some(token), ';'));
    match &record[semicolon.map_or(0, |at| at + 1)..] {
        [name @ TokenTree::Literal(literal)] if !literal.to_string().contains(['{', '}']) => {
            Some(name)
        }
        _ => None,
    }
}

/// A block in a span; `guard` starts that and ends with how it is entered.
fn enter(
    private: &TokenStream,
    guard: impl Fn(TokenStream) -> TokenStream,
    block: &Group,
) -> TokenStream {
    let RewrittenBlock { block, instance } = keep(block, private);
    let (before, guard) = match instance {
        Instance::None => (
            ours!(),
            guard(ours!(#private::InlineSpan::enter(&mut __guard, 0_u64);)),
        ),
        Instance::Outermost { run, instance } => {
            let before = ours! {
                #[allow(unused_imports)]
                use #private::{FutureBranch as _, SuspendPoint as _, OtherBranch as _};
                let #run = #private::BlockInstance::new();
            };
            (
                before,
                guard(ours!(#private::InlineSpan::enter(&mut __guard, #instance);)),
            )
        }
        Instance::Nested(instance) => (
            ours!(),
            guard(ours!(#private::InlineSpan::enter_nested(&mut __guard, #instance);)),
        ),
    };
    // The braces are not the user's to leave out.
    ours!({
        #before
        #guard
        #[allow(unused_braces)]
        #block
    })
}

struct Arguments<'a> {
    target: Option<&'a [TokenTree]>,
    level: Option<&'a [TokenTree]>,
    /// Key-values and name, for `log!`.
    record: &'a [TokenTree],
    block: Option<Group>,
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
                return Err(error(rest.first(), format!("duplicate option `{option}`")));
            }
            let end = find(rest, &|at| is_punct(rest.get(at), ',')).unwrap_or(rest.len());
            if end == 2 {
                let message =
                    format!("`{option}:` wants a value: `span!({option}: …, \"name\", {{ … }})`");
                return Err(error(rest.first(), message));
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

fn without_comma(tokens: &[TokenTree]) -> &[TokenTree] {
    match tokens {
        [tokens @ .., last] if is_punct(Some(last), ',') => tokens,
        tokens => tokens,
    }
}

/// Takes the block off the end.
fn split_block(tokens: &[TokenTree]) -> Result<(&[TokenTree], Option<Group>)> {
    let tokens = without_comma(tokens);
    let Some(block) = brace(tokens.last()) else {
        return Ok((tokens, None));
    };
    match &tokens[..tokens.len() - 1] {
        [] => Err(error(tokens.last(), format!("a span has a name: {FORM}"))),
        [.., semicolon] if is_punct(Some(semicolon), ';') => Err(error(
            tokens.last(),
            "a span has a name: `span!(user = 7; \"name\", { … })`",
        )),
        [arguments @ .., comma] if is_punct(Some(comma), ',') => Ok((arguments, Some(block))),
        // `name!{…}` is a macro that makes the name.
        [.., bang] if is_punct(Some(bang), '!') => Ok((tokens, None)),
        arguments if ends_with_expression(arguments) => Ok((tokens, None)),
        _ => Err(error(
            tokens.last(),
            format!("expected a comma before the block: {FORM}"),
        )),
    }
}

/// Whether the last argument is an `if … { … }` or its like, to which braces belong that follow.
fn ends_with_expression(arguments: &[TokenTree]) -> bool {
    let last = split_commas(arguments).pop().unwrap_or_default();
    ["if", "match", "unsafe", "async", "loop"]
        .iter()
        .any(|word| is_ident(last.first(), word))
}

/// Checks that there is a name and that fields stand before it: what `log` and `format_args` would
/// say of the rest is clear enough.
fn check_name(record: &[TokenTree]) -> Result<()> {
    let semicolon = (0..record.len()).find(|&at| is_punct(record.get(at), ';'));
    let name = match semicolon {
        Some(semicolon) => &record[semicolon + 1..],
        None => record,
    };
    let is_name = match name.first() {
        Some(TokenTree::Literal(literal)) => is_string(literal),
        // A fragment of a `macro_rules` macro.
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::None,
        // `concat!(…)`
        Some(TokenTree::Ident(_)) => (0..name.len()).any(|at| is_punct(name.get(at), '!')),
        _ => false,
    };
    if is_name {
        return check_arguments(name);
    }
    let is_alone = |at| semicolon.is_none() && is_punct(name.get(at), ':');
    let message = match name.first() {
        None => format!("a span has a name: {FORM}"),
        Some(TokenTree::Ident(ident)) if *ident == "Level" || is_level_path(name) => {
            "the level is an option: `span!(level: Level::Debug, \"name\", { … })`".to_owned()
        }
        Some(_) if semicolon.is_none() && find(name, &|at| is_assignment(name, at)).is_some() => {
            FIELDS.to_owned()
        }
        Some(TokenTree::Ident(option)) if is_alone(1) && !is_alone(2) => {
            format!("no such option `{option}`; expected one of `target: …` and `level: …`")
        }
        Some(_) if semicolon.is_none() && has_string_behind(name) => FIELDS.to_owned(),
        Some(_) => "a span's name is a format string: `span!(\"{}\", name, { … })`, with fields \
             `span!(user = 7; \"name\", { … })`"
            .to_owned(),
    };
    Err(error(name.first(), message))
}

const FIELDS: &str =
    "fields stand before the name, with a semicolon: `span!(user = 7; \"name\", { … })`";

/// Whether an argument behind the first is a string: that was to be the name.
fn has_string_behind(arguments: &[TokenTree]) -> bool {
    split_commas(arguments)
        .iter()
        .skip(1)
        .any(|argument| matches!(argument, [TokenTree::Literal(literal)] if is_string(literal)))
}

fn is_string(literal: &Literal) -> bool {
    let text = literal.to_string();
    text.starts_with('"') || text.starts_with('r')
}

fn is_level_path(tokens: &[TokenTree]) -> bool {
    let end = find(tokens, &|at| is_punct(tokens.get(at), ',')).unwrap_or(tokens.len());
    (0..end).any(|at| is_ident(tokens.get(at), "Level"))
}

/// `"name", user = 7` is a named argument that the name does not use.
fn check_arguments(name: &[TokenTree]) -> Result<()> {
    let Some(TokenTree::Literal(literal)) = name.first() else {
        return Ok(());
    };
    let format = literal.to_string();
    let takes_arguments = format.replace("{{", "").contains('{');
    if let (false, Some(argument)) = (takes_arguments, split_commas(name).get(1)) {
        let example = match argument {
            [TokenTree::Ident(key)] => key.to_string(),
            [TokenTree::Ident(key), ..] if is_assignment(argument, 1) => format!("{key} = …"),
            _ => "key = …".to_owned(),
        };
        let message = format!(
            "the name has no `{{}}` for this; fields stand before the name, with a semicolon: \
             `span!({example}; {format}, {{ … }})`"
        );
        return Err(error(argument.first(), message));
    }
    for at in 1..name.len() {
        if let (TokenTree::Ident(key), true) = (&name[at], at + 1 < name.len()) {
            let is_named = is_punct(name.get(at - 1), ',') && is_assignment(name, at + 1);
            // `{key}`, `{key:?}`, and `{:key$}`
            if is_named && !format.contains(&*key.to_string()) {
                let message = format!(
                    "fields stand before the name, with a semicolon: `span!({key} = …; {format}, {{ … }})`"
                );
                return Err(error(name.get(at), message));
            }
        }
    }
    Ok(())
}
