//! An annotated function: its body in a span.
//!
//! ```text
//! fn f(a: A, (b, c): (B, C)) -> u32 { body }
//!
//! fn f(a: A, __arg_1: (B, C)) -> u32 {
//!     let mut guard = InlineSpan::none();
//!     if is_enabled(Level::Trace) {
//!         guard.async_log_enter(Span::of_function(&Site { … }, Level::Trace, &[("arg_0", …(&a)), ("arg_1", …(&__arg_1))]));
//!     }
//!     let (b, c) = __arg_1;
//!     { body }
//! }
//!
//! fn f(a: A) -> Named { body }
//!
//! fn f(a: A) -> Named {
//!     …
//!     let value: Named = { body };                       // or `call(move || -> Named { body })`
//!     Returned::new(&value).kind().go_on(value, guard)   // the compiler chooses the kind
//! }
//!
//! async fn f(a: A) -> R { body }
//!
//! async fn f(a: A) -> R {
//!     let guard = if …;
//!     InSpan::new(guard, async move { if false { return never::<R>(); } { body } }).await
//! }
//! ```
//!
//! The body of an `async fn` is a future of its own: its span is smaller there than between awaits, sees awaits that
//! hide in any macro, and leaves the body's tokens as they are. The call of `never` gives the body its expected type.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{quote_spanned, ToTokens};
use syn::spanned::Spanned;
use syn::{Error, Result, ReturnType, Signature, Type};

use crate::arguments::{Arguments, Variable};
use crate::options::{Event, Level, Options};
use crate::returned::{self, Bounds, BoxedTail, Returned};
use crate::signature::Function;
use crate::tokens::{any, collect, is_ident, regroup};

/// The variable of the span's guard, by which an expansion is told from other code.
pub(crate) const GUARD: &str = "__async_log_guard";

/// All that an expansion is made of.
pub(crate) struct Expansion<'a> {
    pub(crate) private: TokenStream,
    pub(crate) options: &'a Options,
    pub(crate) arguments: Arguments,
    pub(crate) name: TokenStream,
    guard: Ident,
    is_async: bool,
    output: ReturnType,
}

pub(crate) fn expand(
    options: &Options,
    mut function: Function,
    body: &Group,
    type_name: Option<&str>,
) -> Result<TokenStream> {
    let name = match &options.name {
        Some(name) => name.to_token_stream(),
        None => {
            let name = function.name(type_name);
            ours!(::core::concat!(::core::file!(), "#", #name))
        }
    };
    let private = match &options.krate {
        Some(krate) => ours!(#krate::__private),
        None => ours!(::async_log::__private),
    };
    let expansion = Expansion {
        private,
        options,
        arguments: Arguments::take(&mut function.sig, options),
        name,
        guard: Ident::new(GUARD, Span::mixed_site()),
        is_async: function.sig.asyncness.is_some(),
        output: function.sig.output.clone(),
    };
    let expanded = if expansion.is_async {
        expansion.of_async(&mut function.sig, body)
    } else {
        expansion.of_sync(&mut function, body)?
    };
    // An empty body is what a lint takes for a check of the generic arguments, and this one is not empty any more.
    let allowed = body.stream().is_empty();
    let allowed = allowed.then(|| ours!(#[allow(clippy::extra_unused_type_parameters)]));
    let function = function.with_body(expanded);
    Ok(ours!(#allowed #function))
}

impl Expansion<'_> {
    fn of_sync(&self, function: &mut Function, body: &Group) -> Result<TokenStream> {
        let (returned, in_place) = self.returned(function, body)?;
        let first_pattern = self.arguments.first_pattern();
        self.arguments.take_mut(&mut function.sig, first_pattern);
        let boxed =
            BoxedTail::of(body).filter(|tail| returned.may_be_boxed() && self.can_wrap(tail));
        let is_left_alone = matches!(returned, Returned::Plain | Returned::Unwrappable);
        let inside = match boxed {
            Some(tail) => self.of_boxed_tail(&tail, body),
            None if is_left_alone && !self.is_watched() => {
                let check = self.check_plain();
                let body = self.bound_late(lint_free(body.to_token_stream()));
                ours!(#check #body)
            }
            None => {
                let value = self.body_value(&function.sig, body, in_place);
                let end = match returned {
                    Returned::Plain => self.end_of_plain(),
                    returned => self.end_by_kind(&returned),
                };
                ours!(#value #end)
            }
        };
        let enter = self.enter();
        Ok(self.bound_early(ours!(#enter #inside)))
    }

    /// The body's value in a variable.
    fn body_value(&self, sig: &Signature, body: &Group, in_place: bool) -> TokenStream {
        let (annotation, value) = if in_place {
            let body = self.bound_late(body.to_token_stream());
            (self.annotation(), self.typed(body))
        } else {
            (ours!(), self.typed(self.closure(sig, body)))
        };
        ours! {
            #[allow(unused_braces, clippy::diverging_sub_expression, clippy::let_unit_value)]
            let __value #annotation = #value;
        }
    }

    /// That a type such as `Result` is that of the standard library, and no future under its name.
    fn check_plain(&self) -> TokenStream {
        let private = &self.private;
        match returned::well_known(&self.output) {
            None => ours!(),
            Some(ty) => quote_spanned! {Span::mixed_site().located_at(ty.span())=>
                if false {
                    #private::assert_no_future(#private::ReturnedType::<#ty>::new().async_log_kind());
                }
            },
        }
    }

    /// What the function may return, and whether its body stays where it is.
    fn returned(&self, function: &Function, body: &Group) -> Result<(Returned, bool)> {
        let mut returned = Returned::of(&function.sig);
        if matches!(returned, Returned::Opaque(_)) && returned::ends_with_closure(body) {
            returned = Returned::Plain;
        }
        if returned::is_associated(&self.output) && !returned::makes_box(body) {
            returned = Returned::Unwrappable;
        }
        let has_exits = returned::has_exits(&collect(body.stream()));
        let is_track_caller = |attr: &syn::Attribute| {
            any(&collect(attr.to_token_stream()), &|tokens, at| {
                is_ident(tokens.get(at), "track_caller")
            })
        };
        if !has_exits || !function.attrs.iter().any(is_track_caller) {
            return Ok((returned, !has_exits));
        }
        // A closure around the body would be the caller that the function sees.
        match self.events().next() {
            None => Ok((Returned::Plain, true)),
            Some(event) => {
                let message = format!(
                    "`{}` on a `#[track_caller]` function needs a closure around `return`, `?` and macros in its body, \
                     which hides the caller's location; move the body into another function, or remove one of the two",
                    event.option
                );
                Err(Error::new(event.option.span(), message))
            }
        }
    }

    /// The start of the span in a guard, and code in it.
    fn enter(&self) -> TokenStream {
        let (private, guard) = (&self.private, &self.guard);
        let (start, has_span) = (self.start_in(guard), self.has_span());
        ours! {
            let mut #guard = #private::InlineSpan::none();
            #start
            #has_span
        }
    }

    /// Whether there is a span that an error can mark as failed.
    fn has_span(&self) -> Option<TokenStream> {
        let (private, guard) = (&self.private, &self.guard);
        let fails = self.options.err.is_some();
        fails.then(|| ours!(let __has_span = #private::HasSpan::has_span(&#guard);))
    }

    /// The body in a closure, out of which `return` and `?` lead to the code behind it.
    fn closure(&self, sig: &Signature, body: &Group) -> TokenStream {
        let private = &self.private;
        let output = returned::inferred(&sig.output).map(|ty| ours!(-> #ty));
        let moved = self.moved();
        let body = self.bound_late(lint_free(body.to_token_stream()));
        ours!(#private::call(move || #output { #moved #body }))
    }

    /// The declared type for the body's value.
    fn annotation(&self) -> TokenStream {
        match (returned::inferred(&self.output), &self.output) {
            (Some(ty), _) => ours!(: #ty),
            (None, ReturnType::Default) => ours!(: ()),
            (None, _) => ours!(),
        }
    }

    /// A value of the declared type where that is a macro, which may give an `impl Trait` and so cannot be written.
    fn typed(&self, value: TokenStream) -> TokenStream {
        let private = &self.private;
        if returned::is_macro(&self.output) {
            ours!({
                let __typed = #private::Typed::new();
                if false {
                    return __typed.type_hint();
                }
                __typed.value(#value)
            })
        } else {
            value
        }
    }

    fn end_of_plain(&self) -> TokenStream {
        let events = self.watch();
        ours! {
            #[allow(unreachable_code, clippy::implicit_return)]
            {
                {
                    let __result = &__value;
                    #events
                }
                __value
            }
        }
    }

    /// Hands the value on to the kind that the compiler chooses by the value's type.
    fn end_by_kind(&self, returned: &Returned) -> TokenStream {
        let private = &self.private;
        let kind = match returned {
            Returned::Opaque(Bounds::Unknown(_)) => ours!(__kind(__returned)),
            Returned::Opaque(Bounds::RewrittenBlock) => {
                ours!(#private::ReturnedOpaque::new(__returned))
            }
            Returned::NestedOpaque => ours!(#private::ReturnedNested::new(__returned)),
            Returned::Unwrappable => ours!(#private::AnyFuture::new(__returned)),
            _ => ours!(#private::Returned::new(__returned)),
        };
        let question = match returned {
            Returned::Opaque(Bounds::Unknown(bounds)) => self.question(bounds),
            _ => ours!(),
        };
        let look = self.look(returned);
        let end = self.go_on();
        ours! {
            #[allow(unreachable_code, clippy::implicit_return, clippy::needless_late_init)]
            {
                #question
                #look
                let __kind = #kind.async_log_kind();
                #end
            }
        }
    }

    /// The call of the kind, which decides how the value goes on.
    fn go_on(&self) -> TokenStream {
        let guard = &self.guard;
        match self.events().next() {
            None => ours!(__kind.go_on(__value, #guard)),
            Some(event) => {
                let watcher = self.watcher();
                let method = if event.is_inherited {
                    "watch_if_seen"
                } else {
                    "watch"
                };
                // At the option, which is what is wrong where the output is never seen.
                let span = Span::mixed_site().located_at(event.option.span());
                let method = Ident::new(method, span);
                quote_spanned!(span=> __kind.#method(__value, #guard, #watcher))
            }
        }
    }

    /// The value in a variable by which its kind is chosen. Where the body is an error the value is of every type, and
    /// would be taken for a future. So that variable is of the declared type, which no error in a first value can change.
    fn look(&self, returned: &Returned) -> TokenStream {
        let is_named = matches!(returned, Returned::Named | Returned::Unwrappable);
        match returned::inferred(&self.output) {
            Some(ty) if is_named && returned::can_be_named(&self.output) => ours! {
                let __returned: &#ty;
                __returned = &__value;
            },
            _ => ours!(let __returned = &__value;),
        }
    }

    /// Items that ask whether the wrapper of a future has the bounds of the declared type.
    fn question(&self, bounds: &[TokenStream]) -> TokenStream {
        let private = &self.private;
        ours! {
            struct __Kind<__F>(::core::marker::PhantomData<__F>);
            impl<__F: ::core::future::Future> __Kind<__F>
            where
                #private::InSpan<__F>: #(#bounds)+*,
            {
                fn async_log_kind(&self) -> #private::KindOpaque {
                    #private::KindOpaque
                }
            }
            impl<__F> ::core::ops::Deref for __Kind<__F> {
                type Target = #private::NotCovered;
                fn deref(&self) -> &#private::NotCovered {
                    &#private::NotCovered
                }
            }
            fn __kind<__F>(_: &__F) -> __Kind<__F> {
                __Kind(::core::marker::PhantomData)
            }
        }
    }

    /// Whether the value in the box can be wrapped. If it is no future, `ret` and `err` log the box, not that value.
    fn can_wrap(&self, tail: &BoxedTail) -> bool {
        tail.is_async || (returned::can_be_named(&self.output) && !self.is_watched())
    }

    /// The future of a body that ends with `Box::pin(…)` goes on in the span inside that box, if the declared type is
    /// that of any boxed future.
    fn of_boxed_tail(&self, tail: &BoxedTail, body: &Group) -> TokenStream {
        let (private, guard) = (&self.private, &self.guard);
        let ty = returned::inferred(&self.output);
        let kind = if tail.is_async {
            // Its type has no name, so no declared type can want it as it is.
            ours!(let __kind = #private::KindBoxed;)
        } else {
            quote_spanned! {Span::mixed_site().located_at(ty.span())=>
                let __kind = #private::ReturnedType::<#ty>::new().async_log_kind();
            }
        };
        let inner = &tail.inner;
        let future = if self.is_watched() {
            let watcher = self.watcher();
            ours!(__kind.watched_inside(#inner, &mut #guard, #watcher))
        } else {
            ours!(__kind.inside(#inner, &mut #guard))
        };
        let boxed = regroup(&tail.parentheses, future);
        let (before, after) = (&tail.before, &tail.after);
        let body = regroup(body, ours!(#(#before)* #boxed #(#after)*));
        let body = self.bound_late(lint_free(body.to_token_stream()));
        ours!(#kind #body)
    }

    fn of_async(&self, sig: &mut Signature, body: &Group) -> TokenStream {
        let lends = !self.options.use_bindings() && !self.arguments.logged.is_empty();
        let moved = if lends {
            0
        } else {
            self.arguments.first_pattern()
        };
        self.arguments.take_mut(sig, moved);
        let (private, guard) = (&self.private, &self.guard);
        let (future, has_span) = (self.future(body), self.has_span());
        // Apart, so that lints of our last expression are not those of the body.
        let end = ours! {
            #has_span
            let __future = #future;
            #[allow(clippy::implicit_return)]
            {
                #private::InSpan::new(#guard, __future).await
            }
        };
        if !lends {
            let start = self.if_enabled(self.start());
            return self.bound_early(ours! {
                let #guard = #start;
                #end
            });
        }
        let (levels, lent) = (self.levels(), self.lent());
        ours! {
            #levels
            #lent
            #end
        }
    }

    /// The start of an `async fn`'s span, to which the arguments are lent: what the function itself had borrowed
    /// would have room in its future as long as that awaits.
    fn lent(&self) -> TokenStream {
        let (private, guard) = (&self.private, &self.guard);
        let start = self.if_enabled(self.direct_start(true));
        let variables = &self.arguments.variables;
        let lent = variables.iter().map(|variable| &variable.ident);
        let is_logged = |nth| {
            self.arguments
                .logged
                .iter()
                .any(|logged| logged.variable == nth)
        };
        // What is not logged is lent with the others and not looked at.
        let seen = variables.iter().enumerate().map(|(nth, variable)| {
            if is_logged(nth) {
                variable.ident.to_token_stream()
            } else {
                ours!(_)
            }
        });
        let first_pattern = self.arguments.first_pattern();
        let back = variables.iter().enumerate().map(|(nth, variable)| {
            let is_last_binding = nth < first_pattern;
            let mutability = (variable.is_mut && is_last_binding).then(|| ours!(mut));
            let ident = &variable.ident;
            ours!(#mutability #ident)
        });
        ours! {
            #[allow(clippy::shadow_reuse, clippy::used_underscore_binding)]
            let (#guard, (#(#back,)*)) = #private::lend_arguments((#(#lent,)*), |(#(#seen,)*)| #start);
        }
    }

    /// The body of an `async fn` as a future of its declared type.
    fn future(&self, body: &Group) -> TokenStream {
        let (private, moved) = (&self.private, self.moved());
        let expected = match (returned::inferred(&self.output), &self.output) {
            (None, ReturnType::Type(..)) | (Some(Type::Never(_)), _) => ours!(),
            (None, ReturnType::Default) => ours!(if false {
                return;
            }),
            // At the type, which is what an error that it gives rise to is about.
            (Some(ty), _) => quote_spanned! {Span::mixed_site().located_at(ty.span())=>
                #[allow(clippy::all, clippy::pedantic)]
                if false {
                    return #private::type_hint::<#ty>();
                }
            },
        };
        let body = lint_free(body.to_token_stream());
        let body = self.bound_late(ours!({ #expected #body }));
        let future = ours!(async move { #moved #body });
        if self.is_watched() {
            let watcher = self.watcher();
            ours! {
                {
                    let __body = #future;
                    #private::Watched::new(__body, #watcher)
                }
            }
        } else {
            future
        }
    }

    /// Code behind the patterns of the arguments. `match` lets temporaries of the code's last expression end
    /// before the arguments, as a function does and a block with `let` would not. From the first pattern on all
    /// arguments are bound again, in their order, so that they are dropped in the order in which a function drops them.
    fn bound(&self, code: TokenStream) -> TokenStream {
        let first = self.arguments.first_pattern();
        let variables = self.arguments.variables[first..].iter().rev();
        variables.fold(code, |code, variable| {
            let Variable { ident, attrs, .. } = variable;
            let mutability = variable.is_mut.then(|| ours!(mut));
            let code = match &variable.pattern {
                None => code,
                Some(pattern) => ours! {
                    match #ident {
                        #(#attrs)*
                        #pattern => { #code }
                    }
                },
            };
            ours! {
                match #ident {
                    #(#attrs)*
                    #mutability #ident => { #code }
                }
            }
        })
    }

    fn bound_late(&self, code: TokenStream) -> TokenStream {
        if self.arguments.are_bound_early {
            code
        } else {
            self.bound(code)
        }
    }

    /// The levels, and if the span's start uses bindings the patterns, before the code.
    fn bound_early(&self, code: TokenStream) -> TokenStream {
        let levels = self.levels();
        if !self.arguments.are_bound_early {
            return ours!(#levels #code);
        }
        let (owned, code) = (self.owned(), self.bound(code));
        ours!(#levels #owned #code)
    }

    /// Names all arguments that a block captures: it drops them in the order in which they are named first, and
    /// would leave those that the body does not name to the function around.
    fn moved(&self) -> TokenStream {
        let first = if self.arguments.are_bound_early {
            self.arguments.first_pattern()
        } else {
            self.arguments.variables.len()
        };
        let named = self.arguments.variables[..first].iter().rev();
        let mut named: Vec<_> = named.map(|variable| &variable.ident).collect();
        named.extend(&self.arguments.receiver);
        if named.is_empty() {
            return ours!();
        }
        ours! {
            #[allow(clippy::used_underscore_binding)]
            let _ = (#(&#named,)*);
        }
    }

    /// The options `ret` and `err`; a function's own come first.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        let type_hint = returned::is_never(&self.output);
        let own = move |is_inherited: bool| {
            [&self.options.err, &self.options.ret]
                .into_iter()
                .flatten()
                .filter(move |_| !type_hint)
                .filter(move |event| event.is_inherited == is_inherited)
        };
        own(false).chain(own(true))
    }

    fn is_watched(&self) -> bool {
        self.events().next().is_some()
    }

    /// The events of `ret` and `err` as a closure, for a future whose output is not there yet.
    fn watcher(&self) -> TokenStream {
        let events = self.watch();
        let output = if self.is_async {
            returned::inferred(&self.output)
        } else {
            returned::output_of_future(&self.output)
        };
        let output = output.map_or_else(|| ours!(_), ToTokens::into_token_stream);
        ours!(move |__result: &#output| { #events })
    }

    pub(crate) fn level(&self, level: &Level) -> TokenStream {
        let private = &self.private;
        match level {
            Level::Word(word) => ours!(#private::log::Level::#word),
            Level::Expr(expr) => expr.to_token_stream(),
        }
    }
}

/// A block whose braces no lint calls unnecessary. They are the user's: their edition says how long
/// the tail's temporaries live.
fn lint_free(block: TokenStream) -> TokenStream {
    ours!(#[allow(unused_braces)] #block)
}
