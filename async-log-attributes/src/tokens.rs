//! Small questions about tokens.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

pub(crate) fn is_punct(token: Option<&TokenTree>, punct: char) -> bool {
    matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == punct)
}

pub(crate) fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if *ident == name)
}

/// The block that this is, or that a `$body:block` of a `macro_rules` macro stands for.
pub(crate) fn brace(token: Option<&TokenTree>) -> Option<Group> {
    match token {
        Some(TokenTree::Group(group)) => match group.delimiter() {
            Delimiter::Brace => Some(group.clone()),
            Delimiter::None => match &*collect(group.stream()) {
                [inner @ TokenTree::Group(_)] => brace(Some(inner)),
                _ => None,
            },
            _ => None,
        },
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
pub(crate) fn find(tokens: &[TokenTree], found: &dyn Fn(usize) -> bool) -> Option<usize> {
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
        let end = find(tokens, &|at| is_punct(tokens.get(at), ','));
        let end = end.unwrap_or(tokens.len());
        parts.push(&tokens[..end]);
        tokens = tokens.get(end + 1..).unwrap_or_default();
    }
    parts
}

/// Whether `found` holds for a token here or in any group.
pub(crate) fn any(tokens: &[TokenTree], found: &dyn Fn(&[TokenTree], usize) -> bool) -> bool {
    (0..tokens.len()).any(|at| {
        found(tokens, at)
            || matches!(&tokens[at], TokenTree::Group(group)
                if any(&collect(group.stream()), found))
    })
}

/// Whether a name is anywhere in the tokens, raw or not.
pub(crate) fn mentions(tokens: &impl ToTokens, name: &Ident) -> bool {
    let name = name.unraw();
    any(
        &collect(tokens.to_token_stream()),
        &|tokens, at| matches!(&tokens[at], TokenTree::Ident(ident) if ident.unraw() == name),
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<TokenTree> {
        collect(source.parse().expect("tokens"))
    }

    fn text(tokens: &[TokenTree]) -> String {
        let text = tokens.iter().cloned().collect::<TokenStream>().to_string();
        text.replace(' ', "")
    }

    fn split(source: &str) -> Vec<String> {
        let tokens = tokens(source);
        split_commas(&tokens).into_iter().map(text).collect()
    }

    #[test]
    fn commas_split() {
        assert_eq!(split(""), [""; 0]);
        assert_eq!(split("a"), ["a"]);
        assert_eq!(split("a, b,"), ["a", "b"]);
        assert_eq!(split("a,, b"), ["a", "", "b"]);
        assert_eq!(
            split("f(a, b), [c, d], { e, f }"),
            ["f(a,b)", "[c,d]", "{e,f}"]
        );
    }

    #[test]
    fn commas_of_a_turbofish_do_not() {
        assert_eq!(split("f::<A, B>(), c"), ["f::<A,B>()", "c"]);
        assert_eq!(split("f::<A<B, C>, D>(), c"), ["f::<A<B,C>,D>()", "c"]);
        assert_eq!(split("f::<fn(A) -> B, C>(), c"), ["f::<fn(A)->B,C>()", "c"]);
        assert_eq!(split("<A as B<C, D>>::f(), c"), ["<AasB<C,D>>::f()", "c"]);
    }

    #[test]
    fn comparisons_and_shifts_do_split() {
        assert_eq!(split("a < b, c > d"), ["a<b", "c>d"]);
        assert_eq!(split("a << b, c >> d"), ["a<<b", "c>>d"]);
        assert_eq!(split("a <= b, c >= d"), ["a<=b", "c>=d"]);
    }

    #[test]
    fn an_assignment_stands_alone() {
        let assignment = |source: &str| {
            let tokens = tokens(source);
            (0..tokens.len()).find(|&at| is_assignment(&tokens, at))
        };
        assert_eq!(assignment("a = b"), Some(1));
        assert_eq!(assignment("1..=5 = a"), Some(5));
        assert_eq!(assignment("Some(1 | 2) = a"), Some(2));
        assert_eq!(assignment("a =-1"), Some(1));
        for source in [
            "a == b", "a => b", "a >= b", "a <= b", "a != b", "a += b", "a ..= b",
        ] {
            assert_eq!(assignment(source), None, "{source}");
        }
    }

    #[test]
    fn an_arrow_is_one_operator() {
        let arrow = |source: &str| {
            let tokens = tokens(source);
            (0..tokens.len()).find(|&at| is_arrow(&tokens, at))
        };
        assert_eq!(arrow("a => b"), Some(1));
        assert_eq!(arrow("a = b => c"), Some(3));
        for source in ["a == b", "a >= b", "a ==> b"] {
            assert_eq!(arrow(source), None, "{source}");
        }
    }

    #[test]
    fn a_fragment_of_a_macro_is_a_block() {
        let block = tokens("{ a }");
        let fragment = |tokens: &[TokenTree]| {
            let stream = tokens.iter().cloned().collect();
            TokenTree::Group(Group::new(Delimiter::None, stream))
        };
        let once = fragment(&block);
        let twice = fragment(std::slice::from_ref(&once));
        assert!(brace(block.first()).is_some());
        assert!(brace(Some(&once)).is_some() && brace(Some(&twice)).is_some());
        assert!(brace(Some(&fragment(&tokens("{ a } + 1")))).is_none());
        assert!(brace(Some(&fragment(&tokens("(a)")))).is_none() && brace(None).is_none());
    }
}
