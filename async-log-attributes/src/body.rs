//! The block of a span: its awaits are rewritten, on the tokens, so that it reaches into other macros.
//!
//! ```text
//! x.await                      x.__async_log_suspend(INSTANCE).await
//! unknown!(x.await)            unknown!(x.__async_log_suspend(CODE).await)
//! tokio::join!(a, b)           { let around = Around::leave(INSTANCE); after(&around, tokio::join!(…)) }
//! async { x.await }            as it is: another state machine, with spans of its own
//! ```
//!
//! CODE is a number that only the tokens of one outermost block have, INSTANCE is `run.of(CODE)` with a local
//! variable that tells one run of that block from another. What an unknown macro does with
//! its tokens is its affair: they may end in a closure or in another function, where no local reaches.
//!
//! A span nested in another finds its awaits kept already, and learns from them whose they are.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use crate::branches::{self, around, Declaration, Rewriter, GUARDED};
use crate::tokens::{any, brace, collect, is_ident, is_punct, regroup};

pub(crate) const SUSPEND: &str = "__async_log_suspend";

/// A block whose awaits are rewritten.
pub(crate) struct RewrittenBlock {
    pub(crate) block: TokenTree,
    pub(crate) instance: Instance,
}

pub(crate) enum Instance {
    /// It has no await that could be seen.
    None,
    /// It is the outermost block of a state machine.
    Outermost { run: Ident, instance: TokenStream },
    /// It is nested in one.
    Nested(TokenStream),
}

/// Keeps the awaits of a span's block; `private` is the path of what the expansion uses.
pub(crate) fn keep(block: &Group, private: &TokenStream) -> RewrittenBlock {
    let tokens = collect(block.stream());
    let outer = find_rewritten(&tokens, true).or_else(|| find_rewritten(&tokens, false));
    let run = Ident::new("__async_log_instance", Span::mixed_site());
    let code = new_code();
    let mut keeper = AwaitRewriter {
        private,
        instance: outer.clone().unwrap_or_else(|| quote!(#run.of(#code))),
        code: outer.clone().unwrap_or_else(|| quote!(#code)),
        in_macro: false,
        found: outer.is_some(),
        body: &tokens,
    };
    let kept = keeper.tokens(&tokens);
    let instance = match (keeper.found, outer) {
        (false, _) => Instance::None,
        (true, None) => Instance::Outermost {
            run,
            instance: keeper.instance,
        },
        (true, Some(outer)) => Instance::Nested(outer),
    };
    // With the braces that the user wrote: their edition says how long the tail's temporaries live.
    let block = match instance {
        Instance::None => TokenTree::Group(block.clone()),
        _ => regroup(block, kept),
    };
    RewrittenBlock { block, instance }
}

/// A number for the block that is expanded, the same each time it is compiled.
fn new_code() -> Literal {
    let mut hasher = DefaultHasher::new();
    for variable in ["CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_CRATE_NAME"] {
        std::env::var(variable).ok().hash(&mut hasher);
    }
    // Different for each expansion: position in the source, and in which macro's expansion.
    format!("{:?}", Span::call_site()).hash(&mut hasher);
    // 0 is nobody's.
    Literal::u64_suffixed(hasher.finish().max(1))
}

/// The instance of the awaits that are rewritten already, of those that know the run or of the others.
fn find_rewritten(tokens: &[TokenTree], with_run: bool) -> Option<TokenStream> {
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = other_state_machine(tokens, at) {
            at = end;
            continue;
        }
        if let (true, Some(TokenTree::Group(arguments))) =
            (is_rewritten_name(&tokens[at]), tokens.get(at + 1))
        {
            let instance = arguments.stream();
            if names_instance(&instance) == with_run {
                return Some(instance);
            }
        }
        if let TokenTree::Group(group) = &tokens[at] {
            if let Some(instance) = find_rewritten(&collect(group.stream()), with_run) {
                return Some(instance);
            }
        }
        at += 1;
    }
    None
}

/// `run.of(CODE)`, not `CODE`.
fn names_instance(instance: &TokenStream) -> bool {
    let first = instance.clone().into_iter().next();
    matches!(first, Some(TokenTree::Ident(_)))
}

/// `__async_log_suspend(M)` and `MacroGuard::leave(M)` both say it.
fn is_rewritten_name(token: &TokenTree) -> bool {
    is_ident(Some(token), SUSPEND) || is_ident(Some(token), "__async_log_leave")
}

/// Where the tokens end that belong to another state machine and begin at `at`: an `async` block,
/// function or closure, or a macro that makes a stream of its tokens.
fn other_state_machine(tokens: &[TokenTree], at: usize) -> Option<usize> {
    let is_stream = (is_ident(tokens.get(at), "stream") || is_ident(tokens.get(at), "try_stream"))
        && is_punct(tokens.get(at + 1), '!')
        && brace(tokens.get(at + 2)).is_some();
    if is_stream {
        return Some(at + 3);
    }
    if !is_ident(tokens.get(at), "async") {
        return None;
    }
    let is_function = !is_ident(tokens.get(at + 1), "move")
        && matches!(tokens.get(at + 1), Some(TokenTree::Ident(_)));
    for end in at + 1..tokens.len() {
        if brace(tokens.get(end)).is_some() {
            return Some(end + 1);
        }
        let ends = is_punct(tokens.get(end), ';') || is_punct(tokens.get(end), ',');
        if ends && !is_function {
            return None;
        }
    }
    None
}

pub(crate) struct AwaitRewriter<'a> {
    pub(crate) private: &'a TokenStream,
    /// As the block itself names its instance, and as the tokens of unknown macros do.
    instance: TokenStream,
    code: TokenStream,
    in_macro: bool,
    /// Whether there was anything to keep.
    pub(crate) found: bool,
    /// The whole block.
    body: &'a [TokenTree],
}

/// Macros that leave expressions where they are.
const TRANSPARENT: [&str; 24] = [
    "span",
    "format",
    "format_args",
    "print",
    "println",
    "eprint",
    "eprintln",
    "write",
    "writeln",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "matches",
    "vec",
    "dbg",
    "error",
    "warn",
    "info",
    "debug",
    "trace",
    "log",
];

/// Whether the tokens at `at` are those of a macro that may put them anywhere.
fn is_in_unknown_macro(tokens: &[TokenTree], at: usize) -> bool {
    let Some(TokenTree::Ident(name)) = at.checked_sub(2).map(|name| &tokens[name]) else {
        return false;
    };
    is_punct(tokens.get(at - 1), '!') && !TRANSPARENT.contains(&name.to_string().as_str())
}

impl AwaitRewriter<'_> {
    fn instance(&self) -> &TokenStream {
        if self.in_macro {
            &self.code
        } else {
            &self.instance
        }
    }

    fn token(&mut self, token: &TokenTree) -> TokenTree {
        match token {
            TokenTree::Group(group) => {
                let tokens = collect(group.stream());
                // What the block around this one has made of a macro is done.
                let is_done = is_ident(tokens.first(), "let") && is_ident(tokens.get(1), GUARDED);
                if is_done {
                    token.clone()
                } else {
                    regroup(group, self.tokens(&tokens))
                }
            }
            token => token.clone(),
        }
    }

    /// Writes the `join!` or `select!` that begins at `at`, whose path is at the end of `out`, inside a guard that
    /// leaves the span context; gives the index behind it.
    fn macro_with_branches(
        &mut self,
        tokens: &[TokenTree],
        at: usize,
        out: &mut Vec<TokenTree>,
    ) -> Option<usize> {
        let (TokenTree::Ident(name), Some(TokenTree::Group(arguments))) =
            (&tokens[at], tokens.get(at + 2))
        else {
            return None;
        };
        if !is_punct(tokens.get(at + 1), '!') || arguments.delimiter() == Delimiter::None {
            return None;
        }
        let path_start = path_start(out);
        let written = self.branches(name, arguments, &out[path_start..])?;
        let path = out.split_off(path_start);
        let bang = &tokens[at + 1];
        let call = quote!(#(#path)* #name #bang #written);
        let mut block = self.guarded(name, call);
        // Lints and errors point at the macro, not at the whole span. A lint that asks whether a statement wants a
        // semicolon sees it end as the macro does.
        let here = Span::mixed_site().located_at(name.span());
        block.set_span(if is_statement_start(out.last()) {
            arguments.span_close()
        } else {
            here
        });
        // At the beginning of a statement a block would end it.
        let is_operand = is_punct(tokens.get(at + 3), '.') || is_punct(tokens.get(at + 3), '?');
        out.extend(if is_operand {
            quote_spanned!(here=> (#block))
        } else {
            quote!(#block)
        });
        Some(at + 3)
    }

    /// The arguments of a macro with its branches rewritten; `None` if it is another macro.
    fn branches(
        &mut self,
        name: &Ident,
        arguments: &Group,
        path: &[TokenTree],
    ) -> Option<TokenTree> {
        let found = std::mem::replace(&mut self.found, true);
        let written = match name.to_string().as_str() {
            "join" | "try_join" => branches::join(self, arguments),
            "select" => branches::select(self, arguments, path, false),
            "select_biased" => branches::select(self, arguments, path, true),
            _ => None,
        };
        self.found = found || written.is_some();
        written
    }

    /// The call of a macro behind its guard.
    fn guarded(&self, name: &Ident, call: TokenStream) -> Group {
        let (private, instance) = (self.private, self.instance());
        let around = around();
        let here = Span::mixed_site().located_at(name.span());
        let call = match name.to_string().as_str() {
            "join" | "try_join" => {
                quote_spanned!(here=> #private::MacroGuard::after(&#around, #call))
            }
            _ => call,
        };
        let block = quote_spanned!(here=>
            let #around = #private::MacroGuard::__async_log_leave(#instance);
            #call
        );
        Group::new(Delimiter::Brace, block)
    }
}

impl Rewriter for AwaitRewriter<'_> {
    fn private(&self) -> &TokenStream {
        self.private
    }

    fn tokens(&mut self, tokens: &[TokenTree]) -> TokenStream {
        let mut out: Vec<TokenTree> = Vec::with_capacity(tokens.len());
        let mut at = 0;
        while at < tokens.len() {
            if let Some(end) = other_state_machine(tokens, at) {
                out.extend_from_slice(&tokens[at..end]);
                at = end;
            } else if is_plain_await(tokens, at) {
                self.found = true;
                let span = tokens[at + 1].span();
                let method = Ident::new(SUSPEND, Span::mixed_site().located_at(span));
                let instance = self.instance();
                let dot = &tokens[at];
                out.extend(quote_spanned!(method.span()=> #dot #method(#instance)));
                out.extend_from_slice(&tokens[at..at + 2]);
                at += 2;
            } else if let Some(end) = self.macro_with_branches(tokens, at, &mut out) {
                at = end;
            } else {
                let in_macro = self.in_macro;
                self.in_macro |= is_in_unknown_macro(tokens, at);
                out.push(self.token(&tokens[at]));
                self.in_macro = in_macro;
                at += 1;
            }
        }
        out.into_iter().collect()
    }

    /// How a variable of this name was declared in the block, if it was.
    fn declaration(&self, name: &Ident) -> Option<Declaration> {
        let is_name = |tokens: &[TokenTree], at: usize| matches!(&tokens[at], TokenTree::Ident(ident) if ident == name);
        let declared_mut = |tokens: &[TokenTree], at: usize| {
            // `let mut a`, `let (mut a, mut b)`; not `&mut a`.
            let is_mut = at > 0
                && is_ident(tokens.get(at - 1), "mut")
                && (at == 1 || !is_punct(tokens.get(at - 2), '&'));
            let is_pinned = (is_ident(tokens.get(at), "pin")
                || is_ident(tokens.get(at), "pin_mut"))
                && is_punct(tokens.get(at + 1), '!')
                && matches!(tokens.get(at + 2), Some(TokenTree::Group(group))
                    if any(&collect(group.stream()), &is_name));
            is_name(tokens, at) && is_mut || is_pinned
        };
        let declared = |tokens: &[TokenTree], at: usize| {
            // `let a`, `let (a, b)`; `if let (a, b)` holds for a block of its own.
            let is_let = is_ident(tokens.get(at), "let")
                && (at == 0 || !matches!(&tokens[at - 1], TokenTree::Ident(_)));
            is_let
                && match tokens.get(at + 1) {
                    Some(TokenTree::Group(tuple)) => any(&collect(tuple.stream()), &is_name),
                    Some(_) => is_name(tokens, at + 1),
                    None => false,
                }
        };
        if any(self.body, &declared_mut) {
            Some(Declaration::Mutable)
        } else if any(self.body, &declared) {
            Some(Declaration::Immutable)
        } else {
            None
        }
    }
}

fn is_statement_start(before: Option<&TokenTree>) -> bool {
    before.is_none() || is_punct(before, ';') || brace(before).is_some()
}

fn is_plain_await(tokens: &[TokenTree], at: usize) -> bool {
    let is_kept = at > 1 && is_ident(tokens.get(at - 2), SUSPEND);
    is_punct(tokens.get(at), '.') && is_ident(tokens.get(at + 1), "await") && !is_kept
}

/// Where the path begins that `tokens` end with: `::a::b::`, or nothing.
fn path_start(tokens: &[TokenTree]) -> usize {
    let mut start = tokens.len();
    while start > 1 && is_punct(tokens.get(start - 1), ':') && is_punct(tokens.get(start - 2), ':')
    {
        start -= 2;
        if start > 0 && matches!(tokens[start - 1], TokenTree::Ident(_)) {
            start -= 1;
            // `$crate` is an identifier, with a dollar in front where it is not resolved.
            if start > 0 && is_punct(tokens.get(start - 1), '$') {
                start -= 1;
            }
        }
    }
    start
}
