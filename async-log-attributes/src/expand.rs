//! `#[instrument]`: the body of a function in a span.
//!
//! ```text
//! fn f(a: A, (b, c): (B, C)) -> R { body }
//!
//! fn f(a: A, __arg_1: (B, C)) -> R {
//!     let mut __guard = Inline::none();
//!     if is_enabled(Level::Trace) {
//!         __guard.enter_span(Span::of_function(&Site { … }, Level::Trace, &[("arg_0", …(&a)), ("arg_1", …(&__arg_1))]));
//!     }
//!     let (b, c) = __arg_1;
//!     { body }
//! }
//!
//! async fn f(a: A) -> R { body }
//!
//! async fn f(a: A) -> R {
//!     let __span = if …;
//!     InSpan::new(__span, async move { if false { return never::<R>(); } { body } }).await
//! }
//! ```
//!
//! The body of an `async fn` is a future of its own, because a frame is smaller than awaits that
//! are kept, sees awaits that hide in any macro, and leaves the body's tokens as they are. The call of
//! `never` gives the body its expected type.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{format_ident, quote_spanned, ToTokens};

use crate::attr::{of_attribute, Event, Options};
use crate::error::{Error, Result};
use crate::item::{Argument, Function, Impl, Item, Member};
use crate::tokens::{any, collect, is_ident, is_punct, regroup};

pub(crate) fn instrument(options: TokenStream, item: TokenStream) -> TokenStream {
    try_instrument(&collect(options), collect(item.clone())).unwrap_or_else(|error| {
        // The item stays, so that nothing else fails because of this.
        let error = error.into_compile_error();
        ours!(#error #item)
    })
}

fn try_instrument(options: &[TokenTree], item: Vec<TokenTree>) -> Result<TokenStream> {
    let parsed = Options::parse(options)?;
    match Item::parse(item)? {
        Item::Function(function) => {
            check_skipped(&parsed.skip, &function)?;
            if parsed.off {
                let message =
                    "`off` is for a method of an annotated `impl` block; remove the attribute";
                return Err(Error::at(options.first(), message));
            }
            of_function(&parsed, *function, None)
        }
        Item::Impl(block) => of_impl(&parsed, block),
    }
}

fn of_impl(options: &Options, block: Impl) -> Result<TokenStream> {
    if let Some(name) = &options.name {
        let message = "all methods would have this name; `name` goes on a single method";
        return Err(Error::at(name.clone().into_iter().next().as_ref(), message));
    }
    let mut members = TokenStream::new();
    for member in block.members {
        match member {
            Member::Other(tokens) => members.extend(tokens),
            Member::Function { attrs, function } => {
                let mut own = None;
                for attr in attrs {
                    match of_attribute(&attr[1]) {
                        Some(tokens) => own = Some((Options::parse(&tokens)?, attr)),
                        None => members.extend(attr),
                    }
                }
                members.extend(of_method(options, own, *function, &block.type_name)?);
            }
        }
    }
    let mut braces = Group::new(Delimiter::Brace, members);
    braces.set_span(block.braces.span());
    let head = block.head;
    Ok(ours!(#(#head)* #braces))
}

fn of_method(
    block: &Options,
    own: Option<(Options, [TokenTree; 2])>,
    method: Function,
    type_name: &str,
) -> Result<TokenStream> {
    let is_explicit = own.is_some();
    let own = own.map(|(options, _)| options).unwrap_or_default();
    check_skipped(&own.skip, &method)?;
    let options = own.or(block);
    let is_left_out = options.off || method.body.is_none() || method.constness.is_some();
    if is_left_out && !(is_explicit && method.constness.is_some() && !options.off) {
        return Ok(method.into_tokens());
    }
    of_function(&options, method, Some(type_name))
}

/// A name in `skip` that is no argument would leave in the log what was to be kept out of it.
fn check_skipped(skip: &[Ident], function: &Function) -> Result<()> {
    for name in skip {
        let is_argument = |argument: &Argument| match argument {
            Argument::Receiver(_) => name == "self",
            Argument::Typed { pattern, .. } => mentions(pattern, name),
        };
        if !function.arguments.iter().any(is_argument) {
            let message = format!("`{}` has no argument `{name}`", function.name);
            return Err(Error::new(name.span(), message));
        }
    }
    Ok(())
}

fn mentions(pattern: &[TokenTree], name: &Ident) -> bool {
    any(
        pattern,
        &|tokens, at| matches!(&tokens[at], TokenTree::Ident(ident) if ident == name),
    )
}

fn of_function(
    options: &Options,
    mut function: Function,
    type_name: Option<&str>,
) -> Result<TokenStream> {
    if let Some(constness) = &function.constness {
        let message = "a `const fn` cannot log: remove `const` or `#[instrument]`";
        return Err(Error::at(Some(constness), message));
    }
    let Some(body) = function.body.clone() else {
        let message = "a function without a body cannot be traced; annotate its implementations";
        return Err(Error::new(function.name.span(), message));
    };
    let expansion = Expansion {
        private: match &options.krate {
            Some(krate) => ours!(#krate::__private),
            None => ours!(::async_log::__private),
        },
        options,
        captured: name_arguments(&mut function),
        name: options.name.clone().unwrap_or_else(|| {
            let name = function.name_literal(type_name);
            ours!(::core::concat!(::core::file!(), "#", #name))
        }),
        output: function.output.clone(),
    };
    function
        .head
        .splice(0..0, allowed(&body).into_iter().flatten());
    let body = if function.is_async {
        let moved = match expansion.can_lend() {
            true => 0,
            false => expansion.first_pattern(),
        };
        take_mut(&mut function, &expansion.captured[moved..]);
        expansion.of_async(&body)
    } else {
        let moved = expansion.first_pattern();
        take_mut(&mut function, &expansion.captured[moved..]);
        match returned_future(&function.output) {
            Some(Returned::Boxed) if !makes_box(&body) => expansion.of_sync(&body),
            Some(returned) => expansion.of_returned_future(&body, returned),
            None => expansion.of_sync(&body),
        }
    };
    Ok(function.with_body(body))
}

/// An empty body is what a lint takes for a check of the generic arguments, and this one will not be empty.
fn allowed(body: &Group) -> Option<TokenStream> {
    let is_empty = body.stream().is_empty();
    is_empty.then(|| ours!(#[allow(clippy::extra_unused_type_parameters)]))
}

/// An argument that can be logged.
struct Captured {
    /// Its own name, or one of ours.
    variable: TokenStream,
    /// What it is taken apart with.
    pattern: Option<Vec<TokenTree>>,
    attrs: Vec<TokenTree>,
    is_mut: bool,
}

/// Gives each argument that is a pattern a name, so that it can be logged before it is taken apart.
fn name_arguments(function: &mut Function) -> Vec<Captured> {
    let mut captured = Vec::new();
    for argument in &mut function.arguments {
        let Argument::Typed { attrs, pattern, ty } = argument else {
            continue;
        };
        // C's variadic arguments are no value; one under `cfg` may not be there.
        let is_cfg = |attr: &TokenTree| {
            matches!(attr, TokenTree::Group(group)
            if is_ident(group.stream().into_iter().next().as_ref(), "cfg"))
        };
        if is_punct(ty.get(1), '.') || attrs.iter().any(is_cfg) {
            continue;
        }
        if let Some((name, is_mut)) = plain_name(pattern) {
            captured.push(Captured {
                variable: name.into_token_stream(),
                pattern: None,
                attrs: attrs.clone(),
                is_mut,
            });
            continue;
        }
        let name = format!("__arg_{}", captured.len());
        let variable = Ident::new(&name, Span::mixed_site());
        let taken = std::mem::replace(pattern, vec![variable.clone().into()]);
        let is_wild = is_ident(taken.first(), "_");
        captured.push(Captured {
            variable: variable.into_token_stream(),
            pattern: (!is_wild).then_some(taken),
            attrs: attrs.clone(),
            is_mut: false,
        });
    }
    captured
}

/// Makes arguments immutable that are moved before anything could change them.
fn take_mut(function: &mut Function, captured: &[Captured]) {
    let is_moved = |name: &Ident| {
        captured
            .iter()
            .any(|captured| *name == captured.variable.to_string())
    };
    for argument in &mut function.arguments {
        let Argument::Typed { pattern, .. } = argument else {
            continue;
        };
        match plain_name(pattern) {
            Some((name, true)) if is_moved(&name) => *pattern = vec![name.into()],
            _ => {}
        }
    }
}

/// The name that a pattern consists of, and whether it is mutable.
fn plain_name(pattern: &[TokenTree]) -> Option<(Ident, bool)> {
    match pattern {
        [TokenTree::Ident(name)] if *name != "_" => Some((name.clone(), false)),
        [TokenTree::Ident(word), TokenTree::Ident(name)] if *word == "mut" => {
            Some((name.clone(), true))
        }
        // A fragment of a `macro_rules` macro.
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            plain_name(&collect(group.stream()))
        }
        _ => None,
    }
}

/// What a function is that is not `async` and returns a future.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Returned {
    /// `impl Future`
    Opaque,
    /// `Pin<Box<dyn Future>>`
    Boxed,
}

fn returned_future(output: &[TokenTree]) -> Option<Returned> {
    // Others would have to be true of our future, too.
    const BOUNDS: [&str; 6] = ["Future", "FusedFuture", "Send", "Sync", "Unpin", "use"];
    if is_ident(output.first(), "impl") {
        return is_bounded_by(&output[1..], &BOUNDS).then_some(Returned::Opaque);
    }
    let (name, arguments) = split_path(output)?;
    if name == "BoxFuture" || name == "LocalBoxFuture" {
        return Some(Returned::Boxed);
    }
    // `Pin<Box<dyn Future + …>>` itself, not one in another type.
    let (inner, pointee) = split_path(arguments.filter(|_| name == "Pin")?)?;
    let pointee = pointee.filter(|pointee| inner == "Box" && is_ident(pointee.first(), "dyn"))?;
    is_bounded_by(&pointee[1..], &BOUNDS[..5]).then_some(Returned::Boxed)
}

/// The last name of a path that is a whole type, and its generic arguments.
fn split_path(ty: &[TokenTree]) -> Option<(&Ident, Option<&[TokenTree]>)> {
    let is_path =
        |token: &&TokenTree| matches!(token, TokenTree::Ident(_)) || is_punct(Some(token), ':');
    let end = ty.iter().take_while(is_path).count();
    let Some(TokenTree::Ident(name)) = ty[..end].last() else {
        return None;
    };
    match &ty[end..] {
        [] => Some((name, None)),
        [open, arguments @ .., close]
            if is_punct(Some(open), '<') && is_punct(Some(close), '>') =>
        {
            Some((name, Some(arguments)))
        }
        _ => None,
    }
}

/// Whether a body makes its boxed future itself. One that it only hands on could not be put into another box where
/// no bound says that the future's output lives as long as the box.
fn makes_box(body: &Group) -> bool {
    let makers = ["pin", "boxed", "boxed_local"];
    any(
        &collect(body.stream()),
        &|tokens, at| matches!(&tokens[at], TokenTree::Ident(ident) if makers.iter().any(|maker| ident == maker)),
    )
}

/// Whether a future is among the bounds, and each is one of these.
fn is_bounded_by(bounds: &[TokenTree], accepted: &[&str]) -> bool {
    let mut is_future = false;
    let mut depth = 0_usize;
    let mut last: Option<String> = None;
    let mut is_accepted = |name: Option<String>| match name {
        Some(name) if name == "Future" || name == "FusedFuture" => {
            is_future = true;
            true
        }
        Some(name) => accepted.contains(&name.as_str()) || name.starts_with('\''),
        None => true,
    };
    for at in 0..bounds.len() {
        match &bounds[at] {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
            TokenTree::Punct(punct)
                if punct.as_char() == '+' && depth == 0 && !is_accepted(last.take()) =>
            {
                return false;
            }
            TokenTree::Ident(ident) if depth == 0 => {
                let is_lifetime = at > 0 && is_punct(bounds.get(at - 1), '\'');
                last = Some(match is_lifetime {
                    true => format!("'{ident}"),
                    false => ident.to_string(),
                });
            }
            _ => {}
        }
    }
    is_accepted(last) && is_future
}

/// Whether a variable of this name may be used in these tokens: the name stands there, not as a field's.
fn uses(tokens: &[TokenTree], name: &str) -> bool {
    any(tokens, &|tokens, at| {
        let is_dot = |back: usize| at >= back && is_punct(tokens.get(at - back), '.');
        let is_field = is_dot(1) && !is_dot(2);
        is_ident(tokens.get(at), name) && !is_field
    })
}

/// All that an expansion is made of.
struct Expansion<'a> {
    private: TokenStream,
    options: &'a Options,
    captured: Vec<Captured>,
    name: TokenStream,
    output: Vec<TokenTree>,
}

impl Expansion<'_> {
    fn of_sync(&self, body: &Group) -> TokenStream {
        let private = &self.private;
        let (start, patterns) = (self.start(), self.patterns());
        let level = self.span_level();
        let body = match self.is_watched() {
            false => body.to_token_stream(),
            true => {
                let output = self.output_type();
                let result = ours!(#private::call(move || #output #body));
                self.watch(&result)
            }
        };
        let body = lint_free(body);
        ours! {
            let mut __guard = #private::Inline::none();
            if #private::is_enabled(#level) {
                __guard.enter_span(#start);
            }
            #patterns
            #body
        }
    }

    fn of_async(&self, body: &Group) -> TokenStream {
        let (private, future) = (&self.private, self.future(body, &ours!(move)));
        if !self.can_lend() {
            let span = self.span();
            return ours!(#private::InSpan::new(#span, #future).await);
        }
        let span = self.if_enabled(self.direct_start(true));
        let lent: Vec<_> = self
            .captured
            .iter()
            .map(|captured| &captured.variable)
            .collect();
        // What is skipped is lent with the others and not looked at.
        let seen = self.captured.iter().enumerate().map(|(nth, captured)| {
            let variable = &captured.variable;
            match self.logged().any(|(logged, _)| logged == nth) {
                true => variable.clone(),
                false => ours!(_),
            }
        });
        let first_pattern = self.first_pattern();
        let back = self.captured.iter().enumerate().map(|(nth, captured)| {
            let is_last_binding = nth < first_pattern;
            let mutability = (captured.is_mut && is_last_binding).then(|| ours!(mut));
            let variable = &captured.variable;
            ours!(#mutability #variable)
        });
        ours! {
            #[allow(clippy::used_underscore_binding)]
            let (__span, (#(#back,)*)) = #private::lend((#(#lent,)*), |(#(#seen,)*)| #span);
            #private::InSpan::new(__span, #future).await
        }
    }

    /// An `async fn` lends its arguments to a closure to have them logged: for what it had borrowed itself
    /// it would keep room as long as it awaits. The expressions of `fields` and `parent` want them as they are.
    fn can_lend(&self) -> bool {
        let is_plain = self.options.fields.is_none() && self.options.parent.is_none();
        is_plain && self.arguments(true).next().is_some()
    }

    /// The span is around the future, not around its making. Where the function does nothing but make an
    /// `async` block, as those of `async_trait` do, the span starts in that, at its first poll.
    fn of_returned_future(&self, body: &Group, returned: Returned) -> TokenStream {
        let private = &self.private;
        if let Some(tail) = self.tail_future(&collect(body.stream())) {
            return tail;
        }
        let (span, patterns) = (self.span(), self.patterns());
        let output = &self.output;
        match returned {
            Returned::Opaque => ours! {
                let __span = #span;
                #patterns
                #private::InSpan::new(__span, #private::call(move || #body))
            },
            Returned::Boxed => ours! {
                let __span = #span;
                #patterns
                let __future = #private::call(move || -> #(#output)* #body);
                #private::Box::pin(#private::InSpan::new(__span, __future))
            },
        }
    }

    /// The same tokens with the `async` block instrumented that they end with, bare or in `Box::pin(…)`.
    fn tail_future(&self, tokens: &[TokenTree]) -> Option<TokenStream> {
        let (last, before) = tokens.split_last()?;
        let TokenTree::Group(last) = last else {
            return None;
        };
        if !self.are_untouched_by(before) {
            return None;
        }
        match last.delimiter() {
            Delimiter::Parenthesis => {
                let is_pin = is_ident(before.last(), "pin")
                    && before.len() > 1
                    && is_punct(before.get(before.len() - 2), ':');
                let inside = collect(last.stream());
                // The block alone: what is made before it may matter.
                let is_block = is_ident(inside.first(), "async") && inside.len() <= 3;
                let inside = (is_pin && is_block).then(|| self.tail_future(&inside))??;
                let group = regroup(last, inside);
                Some(ours!(#(#before)* #group))
            }
            Delimiter::Brace => {
                let (is_move, start) = match before {
                    [.., start, word] if is_ident(Some(word), "move") => (true, Some(start)),
                    before => (false, before.last()),
                };
                if !is_ident(start, "async") || !self.are_captured_by(last, is_move) {
                    return None;
                }
                let (private, span) = (&self.private, self.span());
                let future = self.inner_future(last, &if is_move { ours!(move) } else { ours!() });
                Some(ours!(#(#before)* { #private::InSpan::new(#span, #future).await }))
            }
            _ => None,
        }
    }

    /// Whether all that is logged is still there behind these tokens.
    fn are_untouched_by(&self, tokens: &[TokenTree]) -> bool {
        let is_untouched = |captured: &Captured| {
            captured.pattern.is_none() && !uses(tokens, &captured.variable.to_string())
        };
        let is_plain = self.options.fields.is_none() && self.options.parent.is_none();
        is_plain && self.captured.iter().all(is_untouched)
    }

    /// Whether an `async` block holds all that is logged anyway: what else it held, its type would have to allow.
    fn are_captured_by(&self, block: &Group, is_move: bool) -> bool {
        let tokens = collect(block.stream());
        let is_used =
            |captured: &Captured| is_move && uses(&tokens, &captured.variable.to_string());
        self.logged().all(|(_, captured)| is_used(captured))
    }

    /// The body of an `async fn` as a future of its declared type.
    fn future(&self, body: &Group, modifier: &TokenStream) -> TokenStream {
        let patterns = self.patterns_in_future();
        let private = &self.private;
        let output = &self.output;
        let expected = match () {
            // A type that has no name here.
            () if output.iter().any(|token| is_ident(Some(token), "impl")) => ours!(),
            () if is_punct(output.first(), '!') => ours!(),
            () if output.is_empty() => ours!(if false {
                return;
            }),
            // At the type, which is what an error that it gives rise to is about.
            () => quote_spanned! {Span::mixed_site().located_at(output[0].span())=>
                #[allow(clippy::all, clippy::pedantic)]
                if false {
                    return #private::never::<#(#output)*>();
                }
            },
        };
        let body = lint_free(body.to_token_stream());
        let future = ours!(async #modifier { #patterns #expected #body });
        match self.is_watched() {
            false => future,
            true => {
                let watched = self.watch(&ours!(#future.await));
                ours!(async #modifier { #watched })
            }
        }
    }

    fn inner_future(&self, body: &Group, modifier: &TokenStream) -> TokenStream {
        match self.is_watched() {
            false => ours!(async #modifier #body),
            true => {
                let watched = self.watch(&ours!(async #modifier #body.await));
                ours!(async #modifier { #watched })
            }
        }
    }

    fn output_type(&self) -> TokenStream {
        let output = &self.output;
        let has_no_name = output.iter().any(|token| is_ident(Some(token), "impl"));
        match output.is_empty() || has_no_name {
            true => ours!(),
            false => ours!(-> #(#output)*),
        }
    }

    /// Which argument is the first that is taken apart.
    fn first_pattern(&self) -> usize {
        let is_pattern = |captured: &Captured| captured.pattern.is_some();
        let first = self.captured.iter().position(is_pattern);
        first.unwrap_or(self.captured.len())
    }

    /// Takes arguments apart. From the first of these on all are bound again, in their order, so that they are
    /// dropped in the order in which a function drops its arguments.
    fn patterns(&self) -> TokenStream {
        let bindings = self.captured[self.first_pattern()..]
            .iter()
            .map(|captured| {
                let (variable, attrs) = (&captured.variable, &captured.attrs);
                let mutability = captured.is_mut.then(|| ours!(mut));
                let pattern = captured.pattern.as_ref();
                let pattern =
                    pattern.map(|pattern| ours!(#(#attrs)* let #(#pattern)* = #variable;));
                ours!(#(#attrs)* let #mutability #variable = #variable; #pattern)
            });
        ours!(#(#bindings)*)
    }

    /// As [`Expansion::patterns`], in a block that captures the arguments: it drops them in the order in which they
    /// are named first, and would leave those that the body does not name to the function around.
    fn patterns_in_future(&self) -> TokenStream {
        let patterns = self.patterns();
        let captured = self.captured[..self.first_pattern()].iter().rev();
        let variables: Vec<_> = captured.map(|captured| &captured.variable).collect();
        match variables.is_empty() {
            true => patterns,
            false => ours! {
                #patterns
                #[allow(clippy::used_underscore_binding)]
                let _ = (#(&#variables,)*);
            },
        }
    }

    /// The expression of the span, which starts if it is enabled.
    fn span(&self) -> TokenStream {
        self.if_enabled(self.start())
    }

    fn if_enabled(&self, start: TokenStream) -> TokenStream {
        let (private, level) = (&self.private, self.span_level());
        ours! {
            if #private::is_enabled(#level) { #start } else { #private::Span::none() }
        }
    }

    /// The expression that starts the span.
    fn start(&self) -> TokenStream {
        match &self.options.fields {
            None => self.direct_start(false),
            Some(fields) => self.start_with_fields(fields.clone()),
        }
    }

    fn direct_start(&self, lent: bool) -> TokenStream {
        let (private, site, level) = (&self.private, self.site(), self.span_level());
        let pairs = self.arguments(lent).map(|(key, value)| {
            let key = Literal::string(&key.to_string());
            ours!((#key, #value))
        });
        let pairs: Vec<_> = pairs.collect();
        let start = match pairs.is_empty() {
            true => ours!(#private::Span::of_function(#site, #level, &[])),
            false => ours!({
                #[allow(clippy::used_underscore_binding)]
                let __span = #private::Span::of_function(#site, #level, &[#(#pairs),*]);
                __span
            }),
        };
        self.within_parent(start)
    }

    /// Fields have the syntax of `log`'s own macros, so one of those has to read them.
    fn start_with_fields(&self, fields: TokenStream) -> TokenStream {
        let (private, site, level) = (&self.private, self.site(), self.span_level());
        let arguments: Vec<_> = self.arguments(false).collect();
        let count = arguments.len();
        let pairs = arguments.iter().map(|(key, value)| ours!(#key = #value));
        let fields = Some(strip_comma(fields)).filter(|fields| !fields.is_empty());
        let pairs: Vec<_> = pairs.chain(fields).collect();
        let semicolon = (!pairs.is_empty()).then(|| ours!(;));
        let target = self.target();
        let start = ours!({
            let mut __started = #private::Inline::none();
            let __start = #private::Start::of_function(#site, #count, &mut __started);
            #[allow(clippy::used_underscore_binding)]
            {
                #private::log::log!(logger: __start, target: #target, #level, #(#pairs),* #semicolon "");
            }
            #private::Inline::into_span(__started)
        });
        self.within_parent(start)
    }

    fn site(&self) -> TokenStream {
        let (private, name, target) = (&self.private, &self.name, self.target());
        ours! {
            &#private::Site {
                name: ::core::option::Option::Some(#name),
                target: #target,
                module_path: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
            }
        }
    }

    fn target(&self) -> TokenStream {
        match &self.options.target {
            Some(target) => target.clone(),
            None => ours!(::core::module_path!()),
        }
    }

    fn span_level(&self) -> TokenStream {
        self.level(self.options.level.as_ref(), "Trace")
    }

    fn within_parent(&self, start: TokenStream) -> TokenStream {
        let private = &self.private;
        match &self.options.parent {
            Some(parent) => {
                let first = parent.clone().into_iter().next();
                let span = first.map_or_else(Span::call_site, |token| token.span());
                quote_spanned! {Span::mixed_site().located_at(span)=>
                    #private::Parent::within(&#parent, || #start)
                }
            }
            None => start,
        }
    }

    /// Each argument that is logged, with its key; `lent` where the variables are references.
    fn arguments(&self, lent: bool) -> impl Iterator<Item = (Ident, TokenStream)> + '_ {
        let private = &self.private;
        self.logged().map(move |(nth, captured)| {
            let variable = &captured.variable;
            let key = match (self.options.names, &variable.clone().into_iter().next()) {
                (true, Some(TokenTree::Ident(name))) if !is_ours(name) => name.clone(),
                _ => format_ident!("arg_{nth}"),
            };
            let argument = match lent {
                true => ours!(#variable),
                false => ours!(&#variable),
            };
            let value = ours!(#private::Capture::new(#argument).value());
            (key, value)
        })
    }

    /// The arguments that are not skipped, and which ones they are.
    fn logged(&self) -> impl Iterator<Item = (usize, &Captured)> {
        let is_skipped = |captured: &Captured| {
            self.options
                .skip
                .iter()
                .any(|name| match &captured.pattern {
                    Some(pattern) => mentions(pattern, name),
                    None => *name == captured.variable.to_string(),
                })
        };
        let captured = self.captured.iter().enumerate();
        captured.filter(move |(_, captured)| !self.options.skip_all && !is_skipped(captured))
    }

    fn level(&self, level: Option<&TokenStream>, default: &str) -> TokenStream {
        let private = &self.private;
        match level.map(|level| (level, level.clone().into_iter().next())) {
            Some((level, Some(TokenTree::Group(_)))) => level.clone(),
            Some((level, _)) => ours!(#private::log::Level::#level),
            None => {
                let default = format_ident!("{default}");
                ours!(#private::log::Level::#default)
            }
        }
    }

    fn is_watched(&self) -> bool {
        self.options.ret.is_some() || self.options.err.is_some()
    }

    /// Logs what an expression gives, as `ret` and `err` say, and gives it.
    fn watch(&self, result: &TokenStream) -> TokenStream {
        let private = &self.private;
        let ret = self
            .options
            .ret
            .as_ref()
            .map(|event| self.event(event, "ret", "Trace"));
        let err = self
            .options
            .err
            .as_ref()
            .map(|event| self.event(event, "err", "Error"));
        let watched = match (ret, err) {
            (ret, None) => ours! { let __value = &__result; #ret },
            (ret, Some(err)) => ours! {
                match &__result {
                    ::core::result::Result::Ok(__value) => { #ret }
                    ::core::result::Result::Err(__value) => { #private::fail(); #err }
                }
            },
        };
        ours! {
            let __result = #result;
            #[allow(unused_variables)]
            { #watched }
            __result
        }
    }

    /// A record in the span that says what was returned.
    fn event(&self, event: &Event, key: &str, default: &str) -> TokenStream {
        let private = &self.private;
        let level = match (&event.level, &self.options.level, default) {
            (None, Some(level), "Trace") => self.level(Some(level), default),
            (level, ..) => self.level(level.as_ref(), default),
        };
        let capture = format_ident!(
            "{}",
            if key == "err" {
                "CaptureError"
            } else {
                "Capture"
            }
        );
        let key = format_ident!("{key}");
        let target = match &self.options.target {
            Some(target) => ours!(target: #target,),
            None => ours!(),
        };
        let name = &self.name;
        let pair = match event.form.as_ref().map(Ident::to_string).as_deref() {
            Some("Debug") => ours!(#key:? = __value),
            Some("Display") => ours!(#key:% = __value),
            _ => ours!(#key = #private::#capture::new(__value).value()),
        };
        ours!({
            #private::log::log!(#target #level, #pair; "{}", #name);
        })
    }
}

/// Whether a name is one that was given here.
fn is_ours(name: &Ident) -> bool {
    name.to_string().starts_with("__arg_")
}

fn strip_comma(tokens: TokenStream) -> TokenStream {
    let mut tokens = collect(tokens);
    if is_punct(tokens.last(), ',') {
        tokens.pop();
    }
    tokens.into_iter().collect()
}

/// A block whose braces no lint calls unnecessary. They are the user's: their edition says how long
/// the tail's temporaries live.
fn lint_free(block: TokenStream) -> TokenStream {
    ours!(#[allow(unused_braces)] #block)
}
