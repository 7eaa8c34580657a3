//! The items that `#[instrument]` goes on. Signatures and headers are parsed; bodies stay tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, ToTokens};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Generics, Result, Signature, Token, Type, Visibility, WhereClause};

use crate::error::at;
use crate::tokens::{brace, collect, is_punct};

pub(crate) enum Item {
    Function(Box<Function>),
    Impl(Box<Impl>),
}

pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    vis: Visibility,
    /// `default`, of specialization.
    defaultness: Option<Ident>,
    pub(crate) sig: Signature,
    /// `#![…]`
    inner_attrs: TokenStream,
    /// `None` in a trait.
    pub(crate) body: Option<Group>,
}

pub(crate) struct Impl {
    pub(crate) attrs: Vec<Attribute>,
    /// Up to the braces.
    header: TokenStream,
    /// The type's name in the names of spans.
    pub(crate) type_name: String,
    braces: Group,
    pub(crate) members: Vec<Member>,
}

pub(crate) enum Member {
    Function(Box<Function>),
    Other(TokenStream),
}

const WRONG_ITEM: &str = "`#[instrument]` goes on a function, a method, or an `impl` block";

impl Item {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        match keyword(&collect(tokens.clone())) {
            Some(word) if word == "impl" => {
                let block = Parser::parse2(Impl::parse, tokens)?;
                Ok(Item::Impl(Box::new(block)))
            }
            Some(_) => Ok(Item::Function(Box::new(Function::parse(tokens)?))),
            None => Err(at(item_start(&collect(tokens)), WRONG_ITEM)),
        }
    }
}

/// The first token behind the attributes.
fn item_start(tokens: &[TokenTree]) -> Option<&TokenTree> {
    let mut start = 0;
    while is_punct(tokens.get(start), '#') {
        start += 2;
    }
    tokens.get(start)
}

/// The `fn` or `impl` behind attributes, visibility and qualifiers.
fn keyword(tokens: &[TokenTree]) -> Option<&Ident> {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => match ident.to_string().as_str() {
                "fn" | "impl" => return Some(ident),
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

/// `default`, unless it is the name of something.
fn defaultness(input: ParseStream<'_>) -> Result<Option<Ident>> {
    let is_default = input
        .cursor()
        .ident()
        .is_some_and(|(word, _)| word == "default");
    is_default.then(|| input.call(Ident::parse_any)).transpose()
}

impl Function {
    fn parse(tokens: TokenStream) -> Result<Self> {
        Parser::parse2(Function::parse_at_end, tokens).map_err(|error| {
            Error::new(
                error.span(),
                format!("unsupported function syntax: {error}"),
            )
        })
    }

    fn parse_at_end(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = defaultness(input)?;
        let sig: Signature = input.parse()?;
        let rest = collect(input.parse()?);
        let (inner_attrs, body) = match &*rest {
            [semicolon] if is_punct(Some(semicolon), ';') => (TokenStream::new(), None),
            [token] if brace(Some(token)).is_some() => {
                let body = brace(Some(token)).expect("just seen");
                let (attrs, body) = split_inner_attrs(body);
                (attrs, Some(body))
            }
            rest => return Err(at(rest.first(), "expected the function's body")),
        };
        Ok(Function {
            attrs,
            vis,
            defaultness,
            sig,
            inner_attrs,
            body,
        })
    }

    /// The function with another body.
    pub(crate) fn with_body(&self, body: TokenStream) -> TokenStream {
        let attrs = &self.attrs;
        let (vis, defaultness, sig) = (&self.vis, &self.defaultness, &self.sig);
        let inner_attrs = &self.inner_attrs;
        let mut block = Group::new(Delimiter::Brace, quote!(#inner_attrs #body));
        let span = self.body.as_ref().map_or_else(Span::call_site, Group::span);
        block.set_span(span);
        ours!(#(#attrs)* #vis #defaultness #sig #block)
    }

    /// The function's name, without `r#`, as a string.
    pub(crate) fn name(&self, of_type: Option<&str>) -> String {
        let name = self.sig.ident.unraw().to_string();
        of_type.map_or_else(|| name.clone(), |ty| format!("{ty}::{name}"))
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.body {
            Some(body) => tokens.extend(self.with_body(body.stream())),
            None => {
                let attrs = &self.attrs;
                let (vis, defaultness, sig) = (&self.vis, &self.defaultness, &self.sig);
                tokens.extend(ours!(#(#attrs)* #vis #defaultness #sig;));
            }
        }
    }
}

/// `#![…]` at the beginning belongs to the function, not to a block inside it.
fn split_inner_attrs(body: Group) -> (TokenStream, Group) {
    let tokens = collect(body.stream());
    let mut end = 0;
    while is_punct(tokens.get(end), '#')
        && is_punct(tokens.get(end + 1), '!')
        && matches!(tokens.get(end + 2), Some(TokenTree::Group(_)))
    {
        end += 3;
    }
    if end == 0 {
        return (TokenStream::new(), body);
    }
    let mut rest = Group::new(Delimiter::Brace, tokens[end..].iter().cloned().collect());
    rest.set_span(body.span());
    (tokens[..end].iter().cloned().collect(), rest)
}

impl Impl {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let start = input.fork();
        let defaultness = defaultness(input)?;
        let constness: Option<Token![const]> = input.parse()?;
        let unsafety: Option<Token![unsafe]> = input.parse()?;
        let keyword: Token![impl] = input.parse()?;
        // `impl <T as Trait>::Type { … }` has none.
        let has_generics = input.peek(Token![<]) && input.fork().parse::<Generics>().is_ok();
        let generics = has_generics.then(|| input.parse::<Generics>());
        let generics = generics.transpose()?;
        let const_trait: Option<Token![const]> = input.parse()?;
        let polarity: Option<Token![!]> = input.parse()?;
        let first: Type = input.parse()?;
        let keyword_for: Option<Token![for]> = input.parse()?;
        let second: Option<Type> = keyword_for.map(|_| input.parse()).transpose()?;
        let type_name = type_name(second.as_ref().unwrap_or(&first));
        let where_clause: Option<WhereClause> = input.parse()?;
        let rest = collect(input.parse()?);
        let Some(braces) = brace(rest.first()).filter(|_| rest.len() == 1) else {
            return Err(start.error(WRONG_ITEM));
        };
        Ok(Impl {
            attrs,
            header: quote!(#defaultness #constness #unsafety #keyword #generics #const_trait #polarity
                #first #keyword_for #second #where_clause),
            type_name,
            members: split_members(collect(braces.stream()))
                .into_iter()
                .map(Member::parse)
                .collect::<Result<_>>()?,
            braces,
        })
    }

    /// The macros among the members, whose methods are not known.
    pub(crate) fn macro_calls(&self) -> impl Iterator<Item = &TokenStream> {
        self.members.iter().filter_map(|member| match member {
            Member::Other(tokens) if is_macro_call(tokens) => Some(tokens),
            _ => None,
        })
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.members.iter().filter_map(|member| match member {
            Member::Function(function) => Some(&**function),
            Member::Other(_) => None,
        })
    }
}

impl ToTokens for Impl {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let members = self.members.iter().map(|member| match member {
            Member::Function(function) => function.to_token_stream(),
            Member::Other(tokens) => tokens.clone(),
        });
        let mut braces = Group::new(Delimiter::Brace, members.collect());
        braces.set_span(self.braces.span());
        let (attrs, header) = (&self.attrs, &self.header);
        tokens.extend(ours!(#(#attrs)* #header #braces));
    }
}

/// The last name of a type's path: `Stack` of `foo::Stack<T>`.
fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map_or_else(
            || path.to_token_stream().to_string(),
            |part| part.ident.to_string(),
        ),
        Type::Group(group) => type_name(&group.elem),
        Type::Paren(paren) => type_name(&paren.elem),
        Type::Reference(reference) => type_name(&reference.elem),
        Type::Ptr(pointer) => type_name(&pointer.elem),
        Type::TraitObject(object) => object
            .bounds
            .iter()
            .find_map(|bound| match bound {
                syn::TypeParamBound::Trait(bound) => bound.path.segments.last(),
                _ => None,
            })
            .map_or_else(String::new, |part| part.ident.to_string()),
        other => other.to_token_stream().to_string(),
    }
}

/// The items of an `impl` block.
fn split_members(tokens: Vec<TokenTree>) -> Vec<Vec<TokenTree>> {
    let mut members = Vec::new();
    let mut member: Vec<TokenTree> = Vec::new();
    for token in tokens {
        if let (TokenTree::Group(group), true) = (&token, member.is_empty()) {
            if group.delimiter() == Delimiter::None {
                // A fragment of a `macro_rules` macro, which is an item by itself.
                members.extend(split_members(collect(group.stream())));
                continue;
            }
        }
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

/// `name!(…);`, and not a constant or a type that has one in it.
fn is_macro_call(tokens: &TokenStream) -> bool {
    let tokens = collect(tokens.clone());
    let bang = tokens.iter().position(|token| is_punct(Some(token), '!'));
    let is_other = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if *word == "const" || *word == "type");
    bang.is_some_and(|bang| !tokens[..bang].iter().any(is_other))
}

impl Member {
    fn parse(tokens: Vec<TokenTree>) -> Result<Self> {
        let is_function = keyword(&tokens).is_some_and(|word| word == "fn");
        let tokens = tokens.into_iter().collect();
        Ok(if is_function {
            Member::Function(Box::new(Function::parse(tokens)?))
        } else {
            Member::Other(tokens)
        })
    }
}
