//! The arguments of a function: which of them are logged, under which keys, and how they reach the body.
//!
//! ```text
//! fn f(a: A, (b, c): (B, C))
//!
//! default        a, __arg_1        arg_0 = a, arg_1 = __arg_1; then `let (b, c) = __arg_1;`
//! names          a, (b, c)         a = a, b = b, c = c; the pattern stays in the signature
//! fields(n = b)  a, __arg_1        arg_0 = a, arg_1 = the value of __arg_1 before `let (b, c) = __arg_1;`
//! ```

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Error, FnArg, Member, Pat, PatIdent, PatOr, Result, Signature, Type};

use crate::key::written;
use crate::options::Options;
use crate::tokens::mentions;

/// A binding of a pattern with all names by which it can be skipped: its own, those of what it is a part of (types,
/// struct fields, bindings with `@`), and those of the bindings that are parts of it.
struct Binding {
    ident: Ident,
    is_mut: bool,
    names: Vec<String>,
}

/// A local that holds an argument or a part of one.
pub(crate) struct Variable {
    pub(crate) ident: Ident,
    pub(crate) is_mut: bool,
    pub(crate) attrs: Vec<Attribute>,
    /// The pattern that takes it apart.
    pub(crate) pattern: Option<Pat>,
}

/// An argument that is logged.
pub(crate) struct Logged {
    pub(crate) key: Ident,
    /// Its variable's index.
    pub(crate) variable: usize,
    /// The value is read before the pattern takes it apart, into a variable of this name.
    pub(crate) owned: Option<Ident>,
}

pub(crate) struct Arguments {
    pub(crate) variables: Vec<Variable>,
    pub(crate) logged: Vec<Logged>,
    /// Whether the patterns that are not in the signature are taken apart before the span starts.
    pub(crate) are_bound_early: bool,
    /// `self`, where the function owns it.
    pub(crate) receiver: Option<Ident>,
}

impl Arguments {
    /// Finds the arguments to log, and gives patterns a name in the signature where they are logged as a whole.
    pub(crate) fn take(sig: &mut Signature, options: &Options) -> Self {
        let mut arguments = Arguments {
            variables: Vec::new(),
            logged: Vec::new(),
            are_bound_early: options.use_bindings(),
            receiver: None,
        };
        let mut nth = 0;
        for input in &mut sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    let is_owned = match &receiver.kind {
                        syn::ReceiverKind::Value => true,
                        syn::ReceiverKind::Typed(_, ty) => !matches!(**ty, Type::Reference(_)),
                        _ => false,
                    };
                    arguments.receiver =
                        is_owned.then(|| Ident::new("self", receiver.self_token.span));
                }
                // An argument under `cfg` may not be there.
                FnArg::Typed(typed) if typed.attrs.iter().any(may_remove) => {}
                FnArg::Typed(typed) => {
                    arguments.take_one(&mut typed.pat, &typed.attrs, nth, options);
                    nth += 1;
                }
            }
        }
        arguments
    }

    fn take_one(&mut self, pat: &mut Pat, attrs: &[Attribute], nth: usize, options: &Options) {
        if let Some(name) = plain(pat) {
            let (ident, is_mut) = (name.ident.clone(), name.mutability.is_some());
            let key = if options.names {
                ident.unraw()
            } else {
                arg_n(nth)
            };
            let is_hidden = options.hides(&[ident.unraw().to_string(), key.to_string()]);
            self.push(ident, is_mut, attrs, None);
            self.log(key, is_hidden, None);
            return;
        }
        let bindings = bindings(pat);
        let (all, whole) = (idents(pat), arg_n(nth));
        let is_hidden = options.names || options.hides(&all) || options.hides(&[whole.to_string()]);
        let stays = options.names && !bindings.is_empty();
        if stays || (self.are_bound_early && is_hidden) {
            for binding in bindings {
                let (key, is_hidden) = (binding.ident.unraw(), options.hides(&binding.names));
                self.push(binding.ident, binding.is_mut, attrs, None);
                self.log(key, is_hidden || !options.names, None);
            }
            return;
        }
        self.take_whole(pat, attrs, nth);
        let owned = Ident::new(&format!("__value_{nth}"), Span::mixed_site());
        self.log(whole, is_hidden, self.are_bound_early.then_some(owned));
    }

    /// Gives an argument a name in place of its pattern.
    fn take_whole(&mut self, pat: &mut Pat, attrs: &[Attribute], nth: usize) {
        let variable = Ident::new(&format!("__arg_{nth}"), Span::mixed_site());
        let name = PatIdent {
            attrs: Vec::new(),
            by_ref: None,
            mutability: None,
            ident: variable.clone(),
            subpat: None,
        };
        let mut pattern = std::mem::replace(pat, Pat::Ident(name));
        let mut is_mut = false;
        visit_bindings(&mut pattern, &mut |binding| {
            is_mut |= binding.by_ref.is_some() && binding.mutability.is_some();
        });
        let is_wild = matches!(pattern, Pat::Wild(_));
        self.push(variable, is_mut, attrs, (!is_wild).then_some(pattern));
    }

    fn push(&mut self, ident: Ident, is_mut: bool, attrs: &[Attribute], pattern: Option<Pat>) {
        self.variables.push(Variable {
            ident,
            is_mut,
            attrs: attrs.to_vec(),
            pattern,
        });
    }

    /// Logs the last variable, unless it is kept out of the log.
    fn log(&mut self, key: Ident, is_hidden: bool, owned: Option<Ident>) {
        if !is_hidden {
            self.logged.push(Logged {
                key,
                variable: self.variables.len() - 1,
                owned,
            });
        }
    }

    /// The index of the first variable that a pattern takes apart.
    pub(crate) fn first_pattern(&self) -> usize {
        let is_pattern = |variable: &Variable| variable.pattern.is_some();
        let first = self.variables.iter().position(is_pattern);
        first.unwrap_or(self.variables.len())
    }

    /// Makes variables immutable in the signature that are moved before anything changes them.
    pub(crate) fn take_mut(&self, sig: &mut Signature, from: usize) {
        for input in &mut sig.inputs {
            if let FnArg::Typed(typed) = input {
                visit_bindings(&mut typed.pat, &mut |binding| {
                    let is_moved = |variable: &Variable| variable.ident == binding.ident;
                    if binding.by_ref.is_none() && self.variables[from..].iter().any(is_moved) {
                        binding.mutability = None;
                    }
                });
            }
        }
    }
}

impl Options {
    /// Whether a variable with these names stays out of the log, or a field replaces it.
    fn hides(&self, names: &[String]) -> bool {
        let is_skipped = |name: &String| self.skip.iter().any(|skip| skip.unraw() == *name);
        let fields = || self.fields.iter().flatten();
        let is_replaced =
            |name: &String| fields().any(|field| written(&field.key) == written(name));
        self.skip_all
            || names
                .iter()
                .any(|name| is_skipped(name) || is_replaced(name))
    }
}

/// Whether an attribute may take its argument away.
fn may_remove(attr: &Attribute) -> bool {
    let name = Ident::new("cfg", Span::call_site());
    mentions(&attr.meta, &name)
}

/// All names in a pattern: of bindings, struct fields and types, and what a macro in it is given.
fn idents(pat: &Pat) -> Vec<String> {
    fn collect(tokens: TokenStream, names: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Ident(name) => names.push(name.unraw().to_string()),
                TokenTree::Group(group) => collect(group.stream(), names),
                _ => {}
            }
        }
    }
    let mut names = Vec::new();
    collect(pat.to_token_stream(), &mut names);
    names
}

/// A name in `skip` that is no argument would leave in the log what it was to keep out.
pub(crate) fn check_skipped(skip: &[Ident], sig: &Signature) -> Result<()> {
    for name in skip {
        if !has_argument(sig, name) {
            let message = format!("`{}` has no argument `{name}`", sig.ident);
            return Err(Error::new(name.span(), message));
        }
    }
    Ok(())
}

/// Whether a name is that of an argument, of a binding in one, or of a struct field in its pattern.
pub(crate) fn has_argument(sig: &Signature, name: &Ident) -> bool {
    sig.inputs.iter().any(|input| match input {
        FnArg::Receiver(_) => name == "self",
        FnArg::Typed(typed) => mentions(&typed.pat, name),
    })
}

fn arg_n(nth: usize) -> Ident {
    Ident::new(&format!("arg_{nth}"), Span::mixed_site())
}

/// The name that a whole pattern is. One with a capital may be a unit struct, which is a pattern.
fn plain(pat: &Pat) -> Option<&PatIdent> {
    match pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
            Some(name).filter(|name| !is_capital(&name.ident))
        }
        Pat::Paren(paren) => plain(&paren.pat),
        _ => None,
    }
}

fn is_capital(name: &Ident) -> bool {
    let name = name.unraw().to_string();
    name.starts_with(|first: char| first.is_uppercase())
}

/// The bindings of a pattern, in order.
fn bindings(pat: &mut Pat) -> Vec<Binding> {
    let mut bindings = Vec::new();
    collect(pat, &mut Vec::new(), &mut bindings);
    bindings
}

fn collect(pat: &mut Pat, path: &mut Vec<String>, bindings: &mut Vec<Binding>) {
    let depth = path.len();
    match pat {
        Pat::Ident(binding) if binding.subpat.is_none() && is_capital(&binding.ident) => {}
        Pat::Ident(binding) => collect_ident(binding, path, bindings),
        Pat::Or(pat) => collect_cases(pat, path, bindings),
        Pat::Struct(pat) => {
            path.extend(pat.path.segments.iter().map(|part| part.ident.to_string()));
            for field in &mut pat.fields {
                let inner = path.len();
                if let Member::Named(name) = &field.member {
                    path.push(name.unraw().to_string());
                }
                collect(&mut field.pat, path, bindings);
                path.truncate(inner);
            }
        }
        pat => {
            if let Pat::TupleStruct(pat) = pat {
                path.extend(pat.path.segments.iter().map(|part| part.ident.to_string()));
            }
            parts(pat).for_each(|part| collect(part, path, bindings));
        }
    }
    path.truncate(depth);
}

fn collect_ident(binding: &mut PatIdent, path: &mut Vec<String>, bindings: &mut Vec<Binding>) {
    path.push(binding.ident.unraw().to_string());
    let mut names = path.clone();
    if let Some((_, inner)) = &binding.subpat {
        names.extend(idents(inner));
    }
    bindings.push(Binding {
        ident: binding.ident.clone(),
        is_mut: binding.by_ref.is_none() && binding.mutability.is_some(),
        names,
    });
    if let Some((_, inner)) = &mut binding.subpat {
        collect(inner, path, bindings);
    }
    path.pop();
}

/// Each case has the same bindings, which may be parts of something else in each.
fn collect_cases(pat: &mut PatOr, path: &mut Vec<String>, bindings: &mut Vec<Binding>) {
    let first = bindings.len();
    for case in &mut pat.cases {
        let mut others = Vec::new();
        collect(case, path, &mut others);
        for other in others {
            match bindings[first..]
                .iter_mut()
                .find(|b| b.ident == other.ident)
            {
                Some(binding) => binding.names.extend(other.names),
                None => bindings.push(other),
            }
        }
    }
}

/// The patterns that a pattern other than a binding and a struct consists of.
fn parts(pat: &mut Pat) -> Box<dyn Iterator<Item = &mut Pat> + '_> {
    match pat {
        Pat::Or(pat) => Box::new(pat.cases.iter_mut()),
        Pat::Paren(pat) => Box::new(std::iter::once(&mut *pat.pat)),
        Pat::Reference(pat) => Box::new(std::iter::once(&mut *pat.pat)),
        Pat::Type(pat) => Box::new(std::iter::once(&mut *pat.pat)),
        Pat::Slice(pat) => Box::new(pat.elems.iter_mut()),
        Pat::Tuple(pat) => Box::new(pat.elems.iter_mut()),
        Pat::TupleStruct(pat) => Box::new(pat.elems.iter_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

fn visit_bindings(pat: &mut Pat, visit: &mut dyn FnMut(&mut PatIdent)) {
    match pat {
        Pat::Ident(binding) => {
            visit(binding);
            if let Some((_, inner)) = &mut binding.subpat {
                visit_bindings(inner, visit);
            }
        }
        Pat::Struct(pat) => {
            let fields = pat.fields.iter_mut();
            fields.for_each(|field| visit_bindings(&mut field.pat, visit));
        }
        pat => parts(pat).for_each(|part| visit_bindings(part, visit)),
    }
}
