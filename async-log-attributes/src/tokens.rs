//! Small questions about tokens.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

pub(crate) fn is_punct(token: Option<&TokenTree>, punct: char) -> bool {
    matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == punct)
}

pub(crate) fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if *ident == name)
}

pub(crate) fn brace(token: Option<&TokenTree>) -> Option<&Group> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}

/// Whether the punctuation at `at` is the second or later part of an operator.
fn continues(tokens: &[TokenTree], at: usize) -> bool {
    matches!(
        at.checked_sub(1).map(|before| &tokens[before]),
        Some(TokenTree::Punct(before)) if before.spacing() == Spacing::Joint
    )
}

/// Whether an `=` stands alone at `at`: not part of `=>`, `==`, `..=` and their like.
pub(crate) fn is_assignment(tokens: &[TokenTree], at: usize) -> bool {
    let TokenTree::Punct(punct) = &tokens[at] else {
        return false;
    };
    let next_is_operator = punct.spacing() == Spacing::Joint
        && (is_punct(tokens.get(at + 1), '=') || is_punct(tokens.get(at + 1), '>'));
    punct.as_char() == '=' && !next_is_operator && !continues(tokens, at)
}

/// Whether `=>` begins at `at`.
pub(crate) fn is_arrow(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), '=') && is_punct(tokens.get(at + 1), '>') && !continues(tokens, at)
}

/// Where the first of `tokens` is for which `found` holds, outside of generic arguments: those of
/// a turbofish (`::<A, B>`) and of a qualified path (`<A as B<C, D>>::f`) at the beginning.
pub(crate) fn find(tokens: &[TokenTree], found: impl Fn(usize) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    for at in 0..tokens.len() {
        let opens = is_punct(tokens.get(at), '<');
        let is_generic = depth > 0 || at == 0 || is_punct(tokens.get(at - 1), ':');
        if opens && is_generic {
            depth += 1;
        } else if depth > 0 && is_punct(tokens.get(at), '>') && !is_punct(tokens.get(at - 1), '-') {
            depth -= 1;
        } else if depth == 0 && found(at) {
            return Some(at);
        }
    }
    None
}

/// Splits at each comma outside of generic arguments; nothing follows a trailing one.
pub(crate) fn split_commas(mut tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut parts = Vec::new();
    while !tokens.is_empty() {
        let end = find(tokens, |at| is_punct(tokens.get(at), ','));
        let end = end.unwrap_or(tokens.len());
        parts.push(&tokens[..end]);
        tokens = tokens.get(end + 1..).unwrap_or_default();
    }
    parts
}

/// Whether `found` holds for a token here or in any group.
pub(crate) fn any(tokens: &[TokenTree], found: &impl Fn(&[TokenTree], usize) -> bool) -> bool {
    (0..tokens.len()).any(|at| {
        found(tokens, at)
            || matches!(&tokens[at], TokenTree::Group(group)
                if any(&collect(group.stream()), found))
    })
}

pub(crate) fn collect(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

/// The same group around other tokens.
pub(crate) fn regroup(group: &Group, tokens: TokenStream) -> TokenTree {
    let mut new = Group::new(group.delimiter(), tokens);
    new.set_span(group.span());
    TokenTree::Group(new)
}
