//! The item that an attribute stands on, as far as it has to be understood.
//!
//! Of a function that is where its name, its arguments, its return type and its body are. Types,
//! generics and the body are tokens that pass through, so nothing in them can be misunderstood.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

use crate::error::{Error, Result};
use crate::tokens::{brace, collect, is_ident, is_punct};

pub(crate) enum Item {
    Function(Box<Function>),
    Impl(Impl),
}

pub(crate) struct Function {
    /// Up to the arguments, which a group of parentheses holds.
    pub(crate) head: Vec<TokenTree>,
    pub(crate) name: Ident,
    pub(crate) is_async: bool,
    pub(crate) constness: Option<TokenTree>,
    pub(crate) arguments: Vec<Argument>,
    parentheses: Group,
    /// Between arguments and body: return type and `where`.
    tail: Vec<TokenTree>,
    /// The return type.
    pub(crate) output: Vec<TokenTree>,
    /// `#![…]`
    inner_attrs: Vec<TokenTree>,
    /// `None` in a trait.
    pub(crate) body: Option<Group>,
}

pub(crate) enum Argument {
    /// `self` in any form.
    Receiver(Vec<TokenTree>),
    Typed {
        /// Attributes.
        attrs: Vec<TokenTree>,
        pattern: Vec<TokenTree>,
        /// From the colon on.
        ty: Vec<TokenTree>,
    },
}

pub(crate) struct Impl {
    /// Up to the braces.
    pub(crate) head: Vec<TokenTree>,
    /// What messages call the type.
    pub(crate) type_name: String,
    pub(crate) braces: Group,
    pub(crate) members: Vec<Member>,
}

pub(crate) enum Member {
    Function {
        /// The attributes in front, each `#[…]`.
        attrs: Vec<[TokenTree; 2]>,
        function: Box<Function>,
    },
    Other(Vec<TokenTree>),
}

const WRONG_ITEM: &str = "`#[instrument]` goes on a function, a method, or an `impl` block";

impl Item {
    pub(crate) fn parse(tokens: Vec<TokenTree>) -> Result<Self> {
        let keyword = keyword(&tokens);
        let keyword = keyword.ok_or_else(|| Error::at(item_start(&tokens), WRONG_ITEM))?;
        if is_ident(tokens.get(keyword), "impl") {
            Impl::parse(tokens, keyword).map(Item::Impl)
        } else {
            let function = Function::parse(tokens, keyword)?;
            Ok(Item::Function(Box::new(function)))
        }
    }
}

/// The first token that is no attribute: where the item itself begins.
fn item_start(tokens: &[TokenTree]) -> Option<&TokenTree> {
    let mut at = 0;
    while is_punct(tokens.get(at), '#') {
        at += 2;
    }
    tokens.get(at)
}

/// Where `fn` or `impl` is, behind attributes, visibility and qualifiers.
fn keyword(tokens: &[TokenTree]) -> Option<usize> {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) => match ident.to_string().as_str() {
                "fn" | "impl" => return Some(at),
                "pub" | "crate" | "default" | "const" | "async" | "unsafe" | "safe" | "extern" => {}
                _ => return None,
            },
            // An attribute, a visibility in a fragment, `(crate)`, `"C"`.
            TokenTree::Group(_) | TokenTree::Literal(_) => {}
            TokenTree::Punct(punct) if punct.as_char() == '#' => {}
            TokenTree::Punct(_) => return None,
        }
    }
    None
}

/// Where the generic arguments end that may begin at `at`.
fn skip_generics(tokens: &[TokenTree], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < tokens.len() {
        if is_punct(tokens.get(at), '<') {
            depth += 1;
        } else if is_punct(tokens.get(at), '>') && !is_return_arrow(tokens, at) {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            return at;
        }
        at += 1;
    }
    at
}

/// Whether the `>` at `at` is that of `->`.
fn is_return_arrow(tokens: &[TokenTree], at: usize) -> bool {
    at > 0 && is_punct(tokens.get(at - 1), '-')
}

impl Function {
    fn parse(mut tokens: Vec<TokenTree>, keyword: usize) -> Result<Self> {
        let is_qualified = |with: &str| {
            let qualifier = |token: &&TokenTree| is_ident(Some(token), with);
            tokens[..keyword].iter().find(qualifier).cloned()
        };
        let (constness, is_async) = (is_qualified("const"), is_qualified("async").is_some());
        let unreadable = || Error::at(tokens.get(keyword), "this function cannot be read");
        let Some(TokenTree::Ident(name)) = tokens.get(keyword + 1) else {
            return Err(unreadable());
        };
        let name = name.clone();
        let at = skip_generics(&tokens, keyword + 2);
        let parentheses = match tokens.get(at) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                group.clone()
            }
            _ => return Err(unreadable()),
        };
        let arguments = split_types(&collect(parentheses.stream()))
            .into_iter()
            .map(Argument::parse)
            .collect();

        let body = brace(tokens.last());
        let end = tokens.len() - usize::from(body.is_some());
        let tail = tokens[at + 1..end].to_vec();
        tokens.truncate(at);
        let (inner_attrs, body) = match body {
            Some(body) => {
                let (inner_attrs, body) = split_inner_attrs(body);
                (inner_attrs, Some(body))
            }
            None => (Vec::new(), None),
        };
        Ok(Function {
            head: tokens,
            name,
            is_async,
            constness,
            arguments,
            parentheses,
            output: output(&tail),
            tail,
            inner_attrs,
            body,
        })
    }

    /// The function around another body, its arguments as they are now.
    pub(crate) fn with_body(self, body: TokenStream) -> TokenStream {
        let mut arguments = TokenStream::new();
        for argument in self.arguments {
            arguments.extend(argument.into_tokens());
            arguments.extend([TokenTree::from(proc_macro2::Punct::new(
                ',',
                proc_macro2::Spacing::Alone,
            ))]);
        }
        let mut parentheses = Group::new(Delimiter::Parenthesis, arguments);
        parentheses.set_span(self.parentheses.span());
        let body_span = self.body.map_or_else(Span::call_site, |body| body.span());
        let inside = self.inner_attrs.into_iter().chain(body).collect();
        let mut block = Group::new(Delimiter::Brace, inside);
        block.set_span(body_span);

        let mut item: TokenStream = self.head.into_iter().collect();
        item.extend([TokenTree::Group(parentheses)]);
        item.extend(self.tail);
        item.extend([TokenTree::Group(block)]);
        item
    }

    /// The function as it was.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        match self.body.take() {
            Some(body) => {
                let inside = body.stream();
                self.body = Some(body);
                self.with_body(inside)
            }
            None => {
                let arguments = TokenTree::Group(self.parentheses);
                let tokens = self.head.into_iter().chain([arguments]);
                tokens.chain(self.tail).collect()
            }
        }
    }

    /// The function's name as a string, without `r#`.
    pub(crate) fn name_literal(&self, of_type: Option<&str>) -> Literal {
        let name = self.name.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name);
        let name = of_type.map_or_else(|| name.to_owned(), |ty| format!("{ty}::{name}"));
        Literal::string(&name)
    }
}

/// `#![…]` at the beginning belongs to the function, not to a block inside it.
fn split_inner_attrs(body: Group) -> (Vec<TokenTree>, Group) {
    let tokens = collect(body.stream());
    let mut end = 0;
    while is_punct(tokens.get(end), '#')
        && is_punct(tokens.get(end + 1), '!')
        && matches!(tokens.get(end + 2), Some(TokenTree::Group(_)))
    {
        end += 3;
    }
    if end == 0 {
        return (Vec::new(), body);
    }
    let mut rest = Group::new(Delimiter::Brace, tokens[end..].iter().cloned().collect());
    rest.set_span(body.span());
    (tokens[..end].to_vec(), rest)
}

/// The type behind `->`.
fn output(tail: &[TokenTree]) -> Vec<TokenTree> {
    if !is_punct(tail.first(), '-') {
        return Vec::new();
    }
    let ty = tail.iter().skip(2);
    ty.take_while(|token| !is_ident(Some(token), "where"))
        .cloned()
        .collect()
}

/// Splits at the commas between types.
fn split_types(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for at in 0..tokens.len() {
        if is_punct(tokens.get(at), '<') {
            depth += 1;
        } else if is_punct(tokens.get(at), '>') && !is_return_arrow(tokens, at) {
            depth = depth.saturating_sub(1);
        } else if is_punct(tokens.get(at), ',') && depth == 0 {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    if start < tokens.len() {
        parts.push(&tokens[start..]);
    }
    parts
}

impl Argument {
    fn parse(tokens: &[TokenTree]) -> Self {
        let mut start = 0;
        while is_punct(tokens.get(start), '#') {
            start += 2;
        }
        let (attrs, rest) = tokens.split_at(start.min(tokens.len()));
        let colon = (0..rest.len()).find(|&at| is_type_colon(rest, at));
        let pattern = &rest[..colon.unwrap_or(rest.len())];
        // `self`, `mut self`, `&self`, `&'a mut self`
        let is_receiver = pattern
            .last()
            .is_some_and(|last| is_ident(Some(last), "self"));
        match colon {
            Some(colon) if !is_receiver => Argument::Typed {
                attrs: attrs.to_vec(),
                pattern: pattern.to_vec(),
                ty: rest[colon..].to_vec(),
            },
            _ => Argument::Receiver(tokens.to_vec()),
        }
    }

    fn into_tokens(self) -> Vec<TokenTree> {
        match self {
            Argument::Receiver(tokens) => tokens,
            Argument::Typed { attrs, pattern, ty } => [attrs, pattern, ty].concat(),
        }
    }
}

/// Whether there is a colon at `at` that is no part of `::`.
fn is_type_colon(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':')
        && !is_punct(tokens.get(at + 1), ':')
        && !(at > 0 && is_punct(tokens.get(at - 1), ':'))
}

impl Impl {
    fn parse(mut tokens: Vec<TokenTree>, keyword: usize) -> Result<Self> {
        let Some(braces) = brace(tokens.last()) else {
            return Err(Error::at(tokens.get(keyword), WRONG_ITEM));
        };
        tokens.pop();
        let members = split_members(collect(braces.stream()))
            .into_iter()
            .map(Member::parse)
            .collect::<Result<_>>()?;
        Ok(Impl {
            type_name: type_name(&tokens[keyword + 1..]),
            head: tokens,
            braces,
            members,
        })
    }
}

/// The last name of the type's path: `Stack` of `impl<T> Trait for foo::Stack<T> where …`.
fn type_name(header: &[TokenTree]) -> String {
    let mut at = skip_generics(header, 0);
    let mut name = String::new();
    while let Some(token) = header.get(at) {
        match token {
            TokenTree::Ident(ident) if *ident == "where" => break,
            // `for<'a>` is part of a type.
            TokenTree::Ident(ident) if *ident == "for" && !is_punct(header.get(at + 1), '<') => {
                name.clear();
            }
            TokenTree::Ident(ident) if *ident == "dyn" || *ident == "mut" || *ident == "const" => {}
            TokenTree::Ident(ident) => name = ident.to_string(),
            TokenTree::Punct(punct) if punct.as_char() == '+' => break,
            TokenTree::Punct(punct) if punct.as_char() == '<' => {
                at = skip_generics(header, at);
                continue;
            }
            TokenTree::Group(group) => name = group.to_string(),
            _ => {}
        }
        at += 1;
    }
    name
}

/// The items of an `impl` block.
fn split_members(tokens: Vec<TokenTree>) -> Vec<Vec<TokenTree>> {
    let mut members = Vec::new();
    let mut member: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let is_semicolon = is_punct(Some(&token), ';');
        let is_brace = brace(Some(&token)).is_some();
        member.push(token);
        // Braces end a function and a macro's invocation; those of `const X: T = { … };` do not.
        let ends = is_semicolon
            || is_brace
                && (keyword(&member).is_some()
                    || member.len() > 1 && is_punct(member.get(member.len() - 2), '!'));
        if ends {
            members.push(std::mem::take(&mut member));
        }
    }
    if !member.is_empty() {
        members.push(member);
    }
    members
}

impl Member {
    fn parse(tokens: Vec<TokenTree>) -> Result<Self> {
        let Some(_) = keyword(&tokens) else {
            return Ok(Member::Other(tokens));
        };
        let mut rest = tokens.into_iter().peekable();
        let mut attrs = Vec::new();
        while is_punct(rest.peek(), '#') {
            attrs.extend(
                rest.next()
                    .zip(rest.next())
                    .map(|(pound, attr)| [pound, attr]),
            );
        }
        let rest: Vec<_> = rest.collect();
        let Some(keyword) = keyword(&rest) else {
            return Ok(Member::Other(
                attrs.into_iter().flatten().chain(rest).collect(),
            ));
        };
        Ok(Member::Function {
            attrs,
            function: Box::new(Function::parse(rest, keyword)?),
        })
    }
}
