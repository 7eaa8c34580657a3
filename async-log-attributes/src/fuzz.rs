//! Whatever is written in a `span!` or an `#[instrument]`, the answer is code or an error, never a panic.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;

use crate::instrument::{instrument, instrument_method};
use crate::options::Options;
use crate::span;

/// A small generator, the same numbers in each run (Knuth's multiplier).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn tokens(&mut self, depth: usize) -> TokenStream {
        let length = self.below(8);
        (0..length).flat_map(|_| self.token(depth)).collect()
    }

    fn token(&mut self, depth: usize) -> TokenStream {
        match self.below(if depth == 0 { 4 } else { 7 }) {
            0 => TokenTree::from(Ident::new(self.one_of(&WORDS), Span::call_site())).into(),
            1 | 2 => {
                let spacing = self.one_of(&[Spacing::Alone, Spacing::Joint]);
                TokenTree::from(Punct::new(self.one_of(&PUNCTUATION), spacing)).into()
            }
            3 => match self.below(3) {
                0 => TokenTree::from(Literal::string("name {}")).into(),
                1 => TokenTree::from(Literal::u8_unsuffixed(7)).into(),
                _ => TokenTree::from(Literal::byte_string(b"x")).into(),
            },
            4 => self.one_of(&PHRASES).parse().expect("tokens"),
            _ => {
                let delimiter = self.one_of(&[
                    Delimiter::Brace,
                    Delimiter::Brace,
                    Delimiter::Parenthesis,
                    Delimiter::Bracket,
                    Delimiter::None,
                ]);
                TokenTree::from(Group::new(delimiter, self.tokens(depth - 1))).into()
            }
        }
    }
}

const WORDS: [&str; 34] = [
    "target",
    "level",
    "user",
    "Level",
    "await",
    "async",
    "move",
    "fn",
    "let",
    "mut",
    "if",
    "else",
    "complete",
    "default",
    "biased",
    "join",
    "try_join",
    "select",
    "select_biased",
    "stream",
    "tokio",
    "futures",
    "name",
    "crate",
    "self",
    "impl",
    "pub",
    "const",
    "unsafe",
    "extern",
    "struct",
    "pin",
    "fuse",
    "__async_log_suspend",
];

const PUNCTUATION: [char; 20] = [
    ',', ';', ':', '=', '>', '<', '!', '#', '.', '?', '|', '&', '$', '-', '*', '@', '+', '%', '/',
    '~',
];

const PHRASES: [&str; 13] = [
    "x.await",
    "tokio::join!(a, b.await)",
    "select! { a = b, if c => d, else => e }",
    "a = b => c,",
    "async move { x.await }",
    "::<A, B>",
    "target: \"t\",",
    "\"name\", { a.await }",
    "user = 7;",
    "#![inner]",
    "#!",
    "fn f(a: u8, (b, c): (u8, u8)) -> u8",
    "let __async_log_guarded =",
];

/// As many as `FUZZ_ROUNDS` says, for a longer search.
fn rounds() -> usize {
    let told = std::env::var("FUZZ_ROUNDS").ok();
    told.and_then(|rounds| rounds.parse().ok()).unwrap_or(5_000)
}

#[test]
fn spans() {
    let mut random = Random(1);
    for _ in 0..rounds() {
        let tokens = random.tokens(3);
        span::expand(tokens.clone());
        span::expand(quote!([krate] #tokens));
        span::expand(quote!([krate] "name", { #tokens }));
        span::expand(quote!([krate] #tokens "name", { tokio::select! { #tokens } }));
    }
}

#[test]
fn options() {
    let mut random = Random(2);
    for _ in 0..rounds() {
        let tokens = random.tokens(2);
        let parse = |tokens: TokenStream| Options::parse(tokens).is_ok();
        parse(tokens.clone());
        parse(quote!(name = "name", #tokens));
        parse(quote!(fields(#tokens), skip(#tokens), ret(#tokens), level = #tokens));
        instrument(
            tokens,
            quote!(
                fn f(a: u8) {}
            ),
        );
    }
}

#[test]
fn functions() {
    let mut random = Random(3);
    for _ in 0..rounds() {
        let (options, tokens) = (random.tokens(1), random.tokens(3));
        instrument(
            options,
            quote!(
                fn f() {}
            ),
        );
        instrument(quote!(), tokens.clone());
        instrument_method(
            tokens.clone(),
            quote!(
                fn f(a: u8) {}
            ),
        );
        instrument_method(
            quote!("A", (#tokens)),
            quote!(
                fn f(a: u8) {}
            ),
        );
        instrument(quote!(), quote!(impl #tokens { #tokens }));
        instrument(
            quote!(ret, err),
            quote!(impl A { fn f(#tokens) -> #tokens { #tokens } }),
        );
        instrument(
            quote!(),
            quote!(fn f() -> impl Future { Box::pin(async { #tokens }) }),
        );
        instrument(quote!(), quote!(async fn f(a: u8) { #tokens }));
        instrument(quote!(), quote!(fn f(#tokens) {}));
        instrument(quote!(), quote!(fn f() #tokens));
    }
}

/// An item that cannot be parsed is one error, and stays.
#[test]
fn what_cannot_be_parsed_stays() {
    for item in [
        quote!(fn f(a: u8 b: u8) {}),
        quote!(impl { fn f() {} }),
        quote!(impl A { fn f(a: u8 b: u8) {} }),
        quote!(fn f() -> u8),
    ] {
        let expanded = instrument(quote!(), item.clone()).to_string();
        assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
        assert!(expanded.ends_with(&item.to_string()), "{expanded}");
    }
}
