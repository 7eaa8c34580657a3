//! The branches of `join!`, `try_join!`, `select!` and `select_biased!`.
//!
//! ```text
//! a                      at(&around).branch(a).__async_log_branch()
//! p = a, if c => h       p = (the same), if at(&around).condition(c) => { enter(&around); h }
//! ```
//!
//! Whatever does not look like the asynchronous macro of that name is left exactly as it is.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, ToTokens};

use crate::tokens::{
    any, brace, collect, find, is_arrow, is_assignment, is_ident, is_punct, regroup, split_commas,
};

/// Rewrites the block that a macro is in, and knows its variables.
pub(crate) trait Rewriter {
    /// The path of what the expansion uses.
    fn private(&self) -> &TokenStream;

    /// Rewrites tokens of the block.
    fn tokens(&mut self, tokens: &[TokenTree]) -> TokenStream;

    /// How a variable of this name was declared in the block, if it was.
    fn declaration(&self, name: &Ident) -> Option<Declaration>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declaration {
    Mutable,
    Immutable,
}

/// The variable of the guard around the macro.
pub(crate) fn around() -> Ident {
    Ident::new(GUARDED, Span::mixed_site())
}

pub(crate) const GUARDED: &str = "__async_log_guarded";

/// `join!` and `try_join!`: expressions.
pub(crate) fn join(rewriter: &mut impl Rewriter, arguments: &Group) -> Option<TokenTree> {
    let tokens = collect(arguments.stream());
    let (biased, tokens) = split_biased(&tokens);
    let looks_alike = tokens.is_empty()
        || (0..tokens.len()).any(|at| is_punct(tokens.get(at), ';') || is_arrow(tokens, at));
    if looks_alike {
        return None;
    }
    let mut branches = Vec::new();
    for branch in split_commas(tokens) {
        if matches!(branch, [TokenTree::Literal(_)]) || !can_be_future(branch) {
            return None;
        }
        branches.push(future(rewriter, branch));
    }
    Some(regroup(arguments, quote!(#(#biased)* #(#branches),*)))
}

/// Whose `select!` it is. They differ in what they do with a branch that is a lone name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flavour {
    /// Takes it.
    Tokio,
    /// Borrows it mutably.
    Futures,
}

struct Branch<'a> {
    /// The pattern with its `=`, or `else`, `complete`, `default`.
    head: &'a [TokenTree],
    future: Option<&'a [TokenTree]>,
    condition: Option<&'a [TokenTree]>,
    handler: &'a [TokenTree],
    comma: Option<&'a TokenTree>,
}

/// `select!` and `select_biased!`: `PATTERN = FUTURE, if CONDITION => HANDLER`.
pub(crate) fn select(
    rewriter: &mut impl Rewriter,
    arguments: &Group,
    path: &[TokenTree],
    is_biased: bool,
) -> Option<TokenTree> {
    let tokens = collect(arguments.stream());
    let (biased, mut rest) = split_biased(&tokens);
    let mut branches = Vec::new();
    while !rest.is_empty() {
        let (branch, after) = parse_branch(rest)?;
        branches.push(branch);
        rest = after;
    }
    if !branches.iter().any(|branch| branch.future.is_some()) {
        return None;
    }
    let flavour = if is_biased {
        Some(Flavour::Futures)
    } else {
        flavour(path, biased, &branches)
    };

    let branches = branches.iter();
    let written: TokenStream = branches
        .map(|branch| write_branch(rewriter, branch, flavour))
        .collect();
    Some(regroup(arguments, quote!(#(#biased)* #written)))
}

fn write_branch(
    rewriter: &mut impl Rewriter,
    branch: &Branch<'_>,
    flavour: Option<Flavour>,
) -> TokenStream {
    let (head, comma) = (branch.head, branch.comma);
    let future = branch.future.map(|tokens| match tokens {
        [TokenTree::Ident(name)] => lone_name(rewriter, name, flavour),
        _ => future(rewriter, tokens),
    });
    let condition = branch.condition.map(|condition| {
        let condition = rewriter.tokens(condition);
        let (private, around) = (rewriter.private(), around());
        quote!(, if #private::MacroGuard::at(&#around).condition(#condition))
    });
    let handler = write_handler(rewriter, branch.handler);
    quote!(#(#head)* #future #condition => #handler #comma)
}

fn write_handler(rewriter: &mut impl Rewriter, handler: &[TokenTree]) -> TokenStream {
    let (private, around) = (rewriter.private(), around());
    let enter = quote!(#private::MacroGuard::enter(&#around););
    match brace(handler.first()).filter(|_| handler.len() == 1) {
        // A lint objects to braces around braces.
        Some(block) => {
            let inside = rewriter.tokens(&collect(block.stream()));
            regroup(&block, quote!(#enter #inside)).into_token_stream()
        }
        None => {
            let handler = rewriter.tokens(handler);
            quote!({ #enter #handler })
        }
    }
}

fn future(rewriter: &mut impl Rewriter, expression: &[TokenTree]) -> TokenStream {
    let expression = rewriter.tokens(expression);
    frame(rewriter, expression)
}

fn frame(rewriter: &impl Rewriter, expression: TokenStream) -> TokenStream {
    let private = rewriter.private();
    let around = around();
    quote!(#private::MacroGuard::at(&#around).branch(#expression).__async_log_branch())
}

/// The name may have to stay the variable's own, to be used again. Where nothing tells, it does, and only the
/// records of that future are not seen inside the span while the macro waits.
fn lone_name(rewriter: &impl Rewriter, name: &Ident, flavour: Option<Flavour>) -> TokenStream {
    let borrowed = match (flavour, rewriter.declaration(name)) {
        (Some(flavour), _) => flavour == Flavour::Futures,
        (None, Some(declaration)) => declaration == Declaration::Mutable,
        (None, None) => return quote!(#name),
    };
    if borrowed {
        frame(rewriter, quote!(&mut #name))
    } else {
        frame(rewriter, quote!(#name))
    }
}

fn flavour(path: &[TokenTree], biased: &[TokenTree], branches: &[Branch<'_>]) -> Option<Flavour> {
    let in_path = |of: &str| {
        path.iter().any(
            |token| matches!(token, TokenTree::Ident(ident) if ident.to_string().starts_with(of)),
        )
    };
    let has_head = |word: &str| {
        branches
            .iter()
            .any(|branch| is_ident(branch.head.first(), word))
    };
    let is_fused = |branch: &Branch<'_>| {
        any(branch.future.unwrap_or_default(), &|tokens, at| {
            is_ident(tokens.get(at), "fuse") || is_ident(tokens.get(at), "select_next_some")
        })
    };
    let is_tokio = in_path("tokio")
        || !biased.is_empty()
        || has_head("else")
        || branches.iter().any(|branch| branch.condition.is_some());
    let is_futures = in_path("futures")
        || has_head("complete")
        || has_head("default")
        || branches.iter().any(is_fused);
    match (is_tokio, is_futures) {
        (true, _) => Some(Flavour::Tokio),
        (_, true) => Some(Flavour::Futures),
        _ => None,
    }
}

fn parse_branch(tokens: &[TokenTree]) -> Option<(Branch<'_>, &[TokenTree])> {
    let arrow = find(tokens, &|at| is_arrow(tokens, at))?;
    let (before, after) = (&tokens[..arrow], &tokens[arrow + 2..]);
    let (head, future, condition) = parse_head(before)?;
    let end = handler_end(after)?;
    let comma = after.get(end).filter(|next| is_punct(Some(next), ','));
    let rest = &after[end + usize::from(comma.is_some())..];
    let branch = Branch {
        head,
        future,
        condition,
        handler: &after[..end],
        comma,
    };
    Some((branch, rest))
}

/// Pattern, future and condition of a branch.
type Head<'a> = (
    &'a [TokenTree],
    Option<&'a [TokenTree]>,
    Option<&'a [TokenTree]>,
);

/// Splits the tokens before the arrow.
fn parse_head(before: &[TokenTree]) -> Option<Head<'_>> {
    let is_word = |token: &TokenTree| {
        ["else", "complete", "default"]
            .iter()
            .any(|word| is_ident(Some(token), word))
    };
    if matches!(before, [word] if is_word(word)) {
        return Some((before, None, None));
    }
    // A pattern has no generic arguments that could hold an `=`.
    let equals = (0..before.len()).find(|&at| is_assignment(before, at))?;
    let (head, future) = before.split_at(equals + 1);
    let comma = find(future, &|at| is_punct(future.get(at), ','));
    let (future, condition) = match comma {
        None => (future, None),
        Some(comma) if is_ident(future.get(comma + 1), "if") => {
            (&future[..comma], Some(&future[comma + 2..]))
        }
        Some(_) => return None,
    };
    can_be_future(future).then_some((head, Some(future), condition))
}

/// The length of the handler behind an arrow; `None` if there is none.
fn handler_end(after: &[TokenTree]) -> Option<usize> {
    // A block ends the handler unless an expression goes on behind it.
    let goes_on = is_punct(after.get(1), '.') || is_punct(after.get(1), '?');
    let end = match brace(after.first()) {
        Some(_) if !goes_on => 1,
        _ => find(after, &|at| is_punct(after.get(at), ',')).unwrap_or(after.len()),
    };
    (end > 0).then_some(end)
}

fn can_be_future(tokens: &[TokenTree]) -> bool {
    !tokens.is_empty() && !borrows_temporary(tokens) && is_expression(tokens)
}

/// Whether these tokens can be an expression: no two operands stand side by side.
fn is_expression(tokens: &[TokenTree]) -> bool {
    const BEFORE_OPERAND: [&str; 14] = [
        "as", "async", "break", "const", "else", "for", "if", "in", "loop", "match", "move", "mut",
        "return", "unsafe",
    ];
    const BEHIND_OPERAND: [&str; 3] = ["as", "else", "in"];
    let is_word = |token: &TokenTree, words: &[&str]| matches!(token, TokenTree::Ident(ident) if words.contains(&&*ident.to_string()));
    tokens.windows(2).all(|pair| {
        let ends_operand = match &pair[0] {
            TokenTree::Punct(_) => false,
            token => !is_word(token, &BEFORE_OPERAND),
        };
        let begins_operand = match &pair[1] {
            TokenTree::Ident(_) => !is_word(&pair[1], &BEHIND_OPERAND),
            TokenTree::Literal(_) => true,
            _ => false,
        };
        !(ends_operand && begins_operand)
    })
}

/// `&mut make()`: the macro would extend the temporary's life, which a call around it prevents.
fn borrows_temporary(expression: &[TokenTree]) -> bool {
    is_punct(expression.first(), '&')
        && expression
            .iter()
            .any(|token| matches!(token, TokenTree::Group(group) if group.delimiter() != Delimiter::None))
}

fn split_biased(tokens: &[TokenTree]) -> (&[TokenTree], &[TokenTree]) {
    if is_ident(tokens.first(), "biased") && is_punct(tokens.get(1), ';') {
        tokens.split_at(2)
    } else {
        (&[], tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tokens: &[TokenTree]) -> String {
        let text = tokens.iter().cloned().collect::<TokenStream>().to_string();
        text.replace(' ', "")
    }

    /// `head|future|condition|handler` of each branch; `None` where this is no asynchronous `select!`.
    fn branches(source: &str) -> Option<Vec<String>> {
        let tokens = collect(source.parse().expect("tokens"));
        let mut rest = &tokens[..];
        let mut branches = Vec::new();
        while !rest.is_empty() {
            let (branch, after) = parse_branch(rest)?;
            rest = after;
            let parts = [
                branch.head,
                branch.future.unwrap_or_default(),
                branch.condition.unwrap_or_default(),
                branch.handler,
            ];
            branches.push(parts.map(text).join("|"));
        }
        Some(branches)
    }

    #[test]
    fn handlers_with_and_without_commas() {
        let expected = ["a=|b||c", "d=|e||{f}", "g=|h||i"];
        let expected = Some(expected.map(str::to_owned).to_vec());
        assert_eq!(branches("a = b => c, d = e => { f } g = h => i"), expected);
        assert_eq!(
            branches("a = b => c, d = e => { f }, g = h => i,"),
            expected
        );
    }

    #[test]
    fn a_handler_goes_on_behind_its_block() {
        let expected = vec!["a=|b||{c}.d()".to_owned(), "e=|f||{g}?".to_owned()];
        assert_eq!(
            branches("a = b => { c }.d(), e = f => { g }?"),
            Some(expected)
        );
    }

    #[test]
    fn patterns_futures_and_conditions() {
        let one = |source| branches(source).map(|branches| branches.join("  "));
        let is = |source, expected: &str| assert_eq!(one(source).as_deref(), Some(expected));
        is("1..=5 = a => b", "1..=5=|a||b");
        is("Some(1 | 2) = a => b", "Some(1|2)=|a||b");
        is("x @ A { y: 1 | 2, .. } = a => b", "x@A{y:1|2,..}=|a||b");
        is("a = f::<A, B>(), if c == d => e", "a=|f::<A,B>()|c==d|e");
        is("a = <A as B<C, D>>::f() => e", "a=|<AasB<C,D>>::f()||e");
        is("a = b < c => d", "a=|b<c||d");
        is(
            "a = async { match b { c => d, _ => e } } => f",
            "a=|async{matchb{c=>d,_=>e}}||f",
        );
        is("else => a", "else|||a");
        is(
            "complete => break, default => {}",
            "complete|||break  default|||{}",
        );
    }

    #[test]
    fn what_is_no_asynchronous_select() {
        for source in [
            "recv(a) -> b => c",
            "a from b",
            "a, b",
            "a => b",
            "a = b",
            "a = => b",
            "a = b =>",
            "a = b, c => d",
            "a = b and c => d",
            "a = &mut f() => b",
        ] {
            assert_eq!(branches(source), None, "{source}");
        }
    }
}
