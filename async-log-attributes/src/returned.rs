//! The return type: whether it can name a future, and how the compiler is asked.
//!
//! A macro sees names, not types. So of a type that can name a future the value is handed to a function of the
//! library, and the compiler chooses by the value's type what that does (`src/returned.rs` of the library).

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{
    GenericArgument, GenericParam, Generics, Path, PathArguments, ReturnType, Signature, Token,
    TraitBound, Type, TypeImplTrait, TypeInfer, TypeParamBound, WherePredicate,
};

use crate::tokens::{any, collect, is_ident, is_punct, mentions, regroup};
use crate::types::walk;

pub(crate) enum Returned {
    /// No future, for instance a number, a tuple or a `Result`.
    Plain,
    /// A type with a name, which may be that of a boxed future.
    Named,
    /// A type that may be a future's and that no wrapper can have: its bounds mention generics of the function, or
    /// nothing says that these live as long as the future.
    Unwrappable,
    /// `impl Trait`, which may be a future.
    Opaque(Bounds),
    /// A named type with an `impl Trait` in it, such as `Pin<Box<impl Future>>`.
    NestedOpaque,
}

/// The bounds of an `impl Trait` that the wrapper of a future has to satisfy, too.
pub(crate) enum Bounds {
    /// It does wherever the future does.
    RewrittenBlock,
    /// The compiler has to be asked.
    Unknown(Vec<TokenStream>),
}

/// Primitive types.
const PRIMITIVE: [&str; 17] = [
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
    "i128", "isize", "f32", "f64",
];

/// Types of the standard library, by whose names the compiler is asked whether they are. To look at each value
/// would be to move the body into a closure for nothing.
const WELL_KNOWN: [&str; 4] = ["Option", "Result", "String", "Vec"];

/// Traits that no caller can await.
const NO_FUTURES: [&str; 24] = [
    "Fn",
    "FnMut",
    "FnOnce",
    "Iterator",
    "DoubleEndedIterator",
    "ExactSizeIterator",
    "FusedIterator",
    "IntoIterator",
    "Display",
    "Debug",
    "Error",
    "ToString",
    "AsRef",
    "Into",
    "Read",
    "Write",
    "Clone",
    "Copy",
    "Default",
    "Send",
    "Sync",
    "Unpin",
    "Sized",
    "Stream",
];

/// Traits that the wrapper of a future implements where the future does.
const KEPT: [&str; 8] = [
    "Future",
    "FusedFuture",
    "Send",
    "Sync",
    "Unpin",
    "UnwindSafe",
    "Debug",
    "Sized",
];

impl Returned {
    /// Whether the type can be written, and be that of a boxed future.
    pub(crate) fn may_be_boxed(&self) -> bool {
        matches!(self, Returned::Named | Returned::Unwrappable)
    }

    pub(crate) fn of(sig: &Signature) -> Self {
        let ReturnType::Type(_, ty) = &sig.output else {
            return Returned::Plain;
        };
        match peel(ty) {
            Type::ImplTrait(opaque) => Returned::of_opaque(opaque, sig),
            Type::Path(path) if path.qself.is_none() && is_plain(&path.path) => Returned::Plain,
            ty @ Type::Path(_) if has_opaque(ty) => match opaque_in(ty) {
                Some(opaque) if is_kept(&opaque) => Returned::NestedOpaque,
                _ => Returned::Unwrappable,
            },
            ty @ Type::Path(_) if may_be_short_lived(ty, &sig.generics) => Returned::Unwrappable,
            Type::Path(_) | Type::Macro(_) => Returned::Named,
            _ => Returned::Plain,
        }
    }

    fn of_opaque(opaque: &TypeImplTrait, sig: &Signature) -> Self {
        if traits(opaque).all(|bound| is_one_of(bound, &NO_FUTURES)) {
            return Returned::Plain;
        }
        let is_unknown = |bound: &&TypeParamBound| matches!(bound, TypeParamBound::Trait(bound) if !is_one_of(bound, &KEPT));
        let unknown: Vec<_> = opaque.bounds.iter().filter(is_unknown).collect();
        if unknown.is_empty() {
            return Returned::Opaque(Bounds::RewrittenBlock);
        }
        // The question is an item, which knows no generics of the function around.
        let mut generics: Vec<_> = sig
            .generics
            .params
            .iter()
            .filter_map(|param| match param {
                GenericParam::Type(param) => Some(param.ident.clone()),
                GenericParam::Const(param) => Some(param.ident.clone()),
                GenericParam::Lifetime(_) => None,
            })
            .collect();
        generics.push(Ident::new("Self", Span::call_site()));
        let is_generic = |bound: &TypeParamBound| {
            generics.iter().any(|param| mentions(bound, param)) || may_be_generic(bound)
        };
        if unknown
            .iter()
            .any(|bound| is_generic(bound) || has_opaque(bound))
        {
            return Returned::Unwrappable;
        }
        let bounds = unknown.into_iter().map(for_any_lifetime);
        Returned::Opaque(Bounds::Unknown(bounds.collect()))
    }
}

/// The type inside the groups of macro fragments and parentheses.
fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        ty => ty,
    }
}

/// Whether a type mentions a generic type of the function that no bound says the lifetime of, or lifetimes that no
/// bound orders. A box around a boxed future would need such bounds, since its own type says that the output
/// outlives it.
fn may_be_short_lived(ty: &Type, generics: &Generics) -> bool {
    let predicates = || {
        generics
            .where_clause
            .iter()
            .flat_map(|clause| &clause.predicates)
    };
    let outlives = |bounds: &Punctuated<TypeParamBound, Token![+]>| {
        bounds
            .iter()
            .any(|bound| matches!(bound, TypeParamBound::Lifetime(_)))
    };
    let is_bounded = |name: &Ident| {
        predicates().any(|predicate| match predicate {
            WherePredicate::Type(predicate) => {
                mentions(&predicate.bounded_ty, name) && outlives(&predicate.bounds)
            }
            _ => false,
        })
    };
    let mut lifetimes = 0;
    for param in &generics.params {
        match param {
            GenericParam::Type(param) => {
                let is_free = !outlives(&param.bounds) && !is_bounded(&param.ident);
                if is_free && mentions(ty, &param.ident) {
                    return true;
                }
            }
            GenericParam::Lifetime(param) if param.bounds.is_empty() => {
                lifetimes += usize::from(mentions(ty, &param.lifetime.ident));
            }
            _ => {}
        }
    }
    let are_ordered =
        predicates().any(|predicate| matches!(predicate, WherePredicate::Lifetime(_)));
    lifetimes > 1 && !are_ordered || names_outer_generic(ty, generics)
}

/// Whether a type mentions a name that by convention is that of a generic type, `T` or `K2`, and is none of the function's
/// own: it is one of the `impl` block around, whose bounds are not seen from here.
fn names_outer_generic(ty: &Type, generics: &Generics) -> bool {
    let is_own = |name: &Ident| generics.type_params().any(|param| param.ident == *name);
    let is_generic = |name: &Ident| {
        let text = name.to_string();
        let mut chars = text.chars();
        let is_capital = chars.next().is_some_and(char::is_uppercase);
        is_capital && chars.all(|c| c.is_ascii_digit()) && !is_own(name)
    };
    let mut found = false;
    walk(&mut ty.clone(), &mut |ty| {
        if let Type::Path(path) = ty {
            let first = path.path.segments.first();
            found |= first.is_some_and(|part| part.arguments.is_none() && is_generic(&part.ident));
        }
        !found
    });
    found
}

fn is_plain(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| {
        let is_primitive =
            path.segments.len() == 1 && PRIMITIVE.iter().any(|name| last.ident == name);
        is_primitive || is_well_known(path)
    })
}

/// Whether a path has a name of [`WELL_KNOWN`], and is no associated type such as `Self::Result`.
fn is_well_known(path: &Path) -> bool {
    let mut names = path
        .segments
        .iter()
        .rev()
        .map(|part| part.ident.to_string());
    let last = names.next().unwrap_or_default();
    let of_a_type = names.any(|name| name.starts_with(|first: char| first.is_uppercase()));
    WELL_KNOWN.iter().any(|name| last == *name) && !of_a_type
}

/// The declared type if it has a name of [`WELL_KNOWN`].
pub(crate) fn well_known(output: &ReturnType) -> Option<Type> {
    match output {
        ReturnType::Type(_, ty) => match peel(ty) {
            Type::Path(path) if path.qself.is_none() && is_well_known(&path.path) => {
                inferred(output)
            }
            _ => None,
        },
        ReturnType::Default => None,
    }
}

pub(crate) fn is_never(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(peel(ty), Type::Never(_)))
}

fn traits(opaque: &TypeImplTrait) -> impl Iterator<Item = &TraitBound> {
    opaque.bounds.iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(bound),
        _ => None,
    })
}

fn is_one_of(bound: &TraitBound, names: &[&str]) -> bool {
    let last = bound.path.segments.last();
    last.is_some_and(|part| names.iter().any(|name| part.ident == name))
}

fn is_kept(opaque: &TypeImplTrait) -> bool {
    traits(opaque).all(|bound| is_one_of(bound, &KEPT))
}

fn has_opaque(ty: &impl ToTokens) -> bool {
    let tokens = collect(ty.to_token_stream());
    any(&tokens, &|tokens, at| is_ident(tokens.get(at), "impl"))
}

/// The first `impl Trait` in a type.
fn opaque_in(ty: &Type) -> Option<TypeImplTrait> {
    let mut found = None;
    walk(&mut ty.clone(), &mut |ty| {
        if let (Type::ImplTrait(opaque), None) = (&*ty, &found) {
            found = Some(opaque.clone());
        }
        found.is_none()
    });
    found
}

/// Whether a bound has a type that may be a generic one of the `impl` block around, or a lifetime without a name.
fn may_be_generic(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    let is_argument = |argument: &GenericArgument| match argument {
        GenericArgument::Lifetime(_) => false,
        GenericArgument::Type(Type::Path(path)) => match path.path.get_ident() {
            Some(name) => !PRIMITIVE.iter().any(|primitive| name == primitive) && name != "String",
            None => true,
        },
        _ => true,
    };
    bound
        .path
        .segments
        .iter()
        .any(|part| match &part.arguments {
            PathArguments::None => false,
            PathArguments::AngleBracketed(list) => list.args.iter().any(is_argument),
            PathArguments::Parenthesized(_) => true,
        })
}

/// A bound for one lifetime instead of those that it names.
fn for_any_lifetime(bound: &TypeParamBound) -> TokenStream {
    let mut is_renamed = false;
    let renamed = rename_lifetimes(bound.to_token_stream(), &mut is_renamed);
    match bound {
        TypeParamBound::Trait(bound) if is_renamed && bound.lifetimes.is_none() => {
            ours!(for<'any> #renamed)
        }
        bound => bound.to_token_stream(),
    }
}

fn rename_lifetimes(tokens: TokenStream, is_renamed: &mut bool) -> TokenStream {
    let mut is_lifetime = false;
    let rename = |token| match token {
        TokenTree::Ident(name) if is_lifetime && name != "static" => {
            is_lifetime = false;
            *is_renamed = true;
            Ident::new("any", Span::mixed_site()).into()
        }
        TokenTree::Group(group) => {
            let inner = rename_lifetimes(group.stream(), is_renamed);
            regroup(&group, inner)
        }
        token => {
            is_lifetime = is_punct(Some(&token), '\'');
            token
        }
    };
    tokens.into_iter().map(rename).collect()
}

/// The declared type with `_` for each `impl Trait`; `None` where there is none, or where it says nothing.
pub(crate) fn inferred(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    // A macro may give an `impl Trait`, which no other place takes.
    if matches!(peel(ty), Type::ImplTrait(_) | Type::Macro(_)) {
        return None;
    }
    let mut ty = (**ty).clone();
    walk(&mut ty, &mut |ty| {
        let is_opaque = matches!(ty, Type::ImplTrait(_));
        if is_opaque {
            *ty = infer();
        }
        !is_opaque
    });
    Some(ty)
}

/// Whether the declared type can be written where a value is: it has no `impl Trait`, and comes out of no macro.
pub(crate) fn can_be_named(output: &ReturnType) -> bool {
    !is_macro(output) && !has_opaque(output)
}

/// Whether the declared type is an associated type such as `Self::Future`, of which the lifetime of its parts is not seen.
pub(crate) fn is_associated(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else {
        return false;
    };
    match peel(ty) {
        Type::Path(path) => {
            let first = path.path.segments.first();
            path.qself.is_some() || first.is_some_and(|part| part.ident == "Self")
        }
        _ => false,
    }
}

/// Whether a body makes a boxed future itself. One that it only hands on may have an output of any lifetime.
pub(crate) fn makes_box(body: &Group) -> bool {
    let makers = ["pin", "boxed", "boxed_local"];
    any(&collect(body.stream()), &|tokens, at| {
        makers.iter().any(|maker| is_ident(tokens.get(at), maker))
    })
}

/// Whether the declared type comes out of a macro.
pub(crate) fn is_macro(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(peel(ty), Type::Macro(_)))
}

/// The output that an `impl Future<Output = T>` in a return type declares.
pub(crate) fn output_of_future(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    let opaque = opaque_in(ty)?;
    let mut arguments = traits(&opaque).flat_map(|bound| &bound.path.segments);
    let output = arguments.find_map(|part| match &part.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().find_map(|arg| match arg {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
            _ => None,
        }),
        _ => None,
    })?;
    let output = ReturnType::Type(Default::default(), Box::new(output));
    inferred(&output).or_else(|| Some(infer()))
}

/// `_`
fn infer() -> Type {
    Type::Infer(TypeInfer {
        attrs: Vec::new(),
        underscore_token: Default::default(),
    })
}

/// Macros that give a value or nothing: no `return` hides in them.
const VALUE_MACROS: [&str; 32] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "concat",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "error",
    "file",
    "format",
    "format_args",
    "include_bytes",
    "include_str",
    "info",
    "line",
    "log",
    "matches",
    "panic",
    "print",
    "println",
    "stringify",
    "todo",
    "trace",
    "vec",
    "warn",
];

/// Whether a body can be left elsewhere than at its end: by `return`, by `?`, or by a macro that may expand to one.
pub(crate) fn has_exits(tokens: &[TokenTree]) -> bool {
    any(tokens, &|tokens, at| {
        let is_macro = || {
            is_punct(tokens.get(at + 1), '!')
                && matches!(tokens.get(at + 2), Some(TokenTree::Group(_)))
        };
        match &tokens[at] {
            TokenTree::Punct(punct) => punct.as_char() == '?',
            TokenTree::Ident(word) if *word == "return" => true,
            TokenTree::Ident(word) => is_macro() && !VALUE_MACROS.iter().any(|name| word == name),
            _ => false,
        }
    })
}

/// Whether a body ends with a closure, which is no future and whose arguments the return type tells.
pub(crate) fn ends_with_closure(body: &Group) -> bool {
    let tokens = collect(body.stream());
    let start = tokens.iter().rposition(|token| is_punct(Some(token), ';'));
    let tail = &tokens[start.map_or(0, |semicolon| semicolon + 1)..];
    let opens_closure = |at: usize| {
        let is_statement = match at.checked_sub(1).map(|before| &tail[before]) {
            None => true,
            Some(TokenTree::Group(group)) => group.delimiter() != Delimiter::Parenthesis,
            Some(_) => false,
        };
        let modifiers = tail[at..].iter().take_while(
            |token| matches!(token, TokenTree::Ident(word) if *word == "move" || *word == "async"),
        );
        is_statement && is_punct(tail.get(at + modifiers.count()), '|')
    };
    // A block in the block, perhaps with an attribute or a label.
    let inner = matches!(tail.last(), Some(TokenTree::Group(inner))
        if inner.delimiter() == Delimiter::Brace && ends_with_closure(inner));
    inner || (0..tail.len()).any(opens_closure)
}

/// A body that ends with `Box::pin(…)` and cannot be left elsewhere.
pub(crate) struct BoxedTail {
    /// Up to the parentheses.
    pub(crate) before: Vec<TokenTree>,
    pub(crate) parentheses: Group,
    /// `as Type`, or nothing.
    pub(crate) after: Vec<TokenTree>,
    /// What is pinned.
    pub(crate) inner: TokenStream,
    /// Whether that is an `async` block.
    pub(crate) is_async: bool,
}

impl BoxedTail {
    /// Finds such an end. The future is wrapped before it is boxed, which saves a box, and if its output is
    /// generic asks nothing of the output's lifetime.
    pub(crate) fn of(body: &Group) -> Option<Self> {
        let mut tokens = collect(body.stream());
        let cast = tokens.iter().rposition(|token| is_ident(Some(token), "as"));
        let cast = cast.filter(|&at| !tokens[at..].iter().any(|token| is_punct(Some(token), ';')));
        let after = cast.map_or_else(Vec::new, |at| tokens.split_off(at));
        let Some(TokenTree::Group(parentheses)) = tokens.pop() else {
            return None;
        };
        let is_path =
            |token: &&TokenTree| is_punct(Some(token), ':') || matches!(token, TokenTree::Ident(_));
        let path = tokens.iter().rev().take_while(is_path).count();
        let (rest, path) = tokens.split_at(tokens.len() - path);
        let path: String = path.iter().map(ToString::to_string).collect();
        let is_statement = match rest.last() {
            None => true,
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
            Some(token) => is_punct(Some(token), ';'),
        };
        let is_pin = matches!(
            path.trim_start_matches("::"),
            "Box::pin" | "std::boxed::Box::pin" | "alloc::boxed::Box::pin"
        );
        let inner = collect(parentheses.stream());
        let is_async = is_async_block(&inner);
        // A trailing comma is one of the call.
        let inner = match inner.split_last() {
            Some((last, before)) if is_punct(Some(last), ',') => before,
            _ => &inner[..],
        };
        let has_exits = has_exits(rest) || (!is_async && has_exits(inner));
        (is_pin && is_statement && !inner.is_empty() && !has_exits).then(|| BoxedTail {
            inner: inner.iter().cloned().collect(),
            before: tokens,
            parentheses,
            after,
            is_async,
        })
    }
}

/// `async { … }` or `async move { … }`
fn is_async_block(tokens: &[TokenTree]) -> bool {
    match tokens {
        [word, TokenTree::Group(_)] => is_ident(Some(word), "async"),
        [word, modifier, TokenTree::Group(_)] => {
            is_ident(Some(word), "async") && is_ident(Some(modifier), "move")
        }
        _ => false,
    }
}
