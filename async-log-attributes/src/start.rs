//! The start of an annotated function's span.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote_spanned, ToTokens};
use syn::spanned::Spanned;

use crate::arguments::Logged;
use crate::expand::Expansion;
use crate::options::{Level, Parent};

impl Expansion<'_> {
    /// The levels that are expressions, each evaluated once.
    pub(crate) fn levels(&self) -> TokenStream {
        let private = &self.private;
        let levels = [
            ("__level", self.options.level.as_ref()),
            ("__ret_level", self.event_level("ret")),
            ("__err_level", self.event_level("err")),
        ];
        let levels = levels.iter().filter_map(|(name, level)| match level {
            Some(Level::Expr(expr)) => {
                let name = Ident::new(name, Span::mixed_site());
                Some(ours!(let #name: #private::log::Level = #expr;))
            }
            _ => None,
        });
        levels.collect()
    }

    /// The arguments that have to be read before their patterns take them apart.
    pub(crate) fn owned(&self) -> TokenStream {
        let (private, level, target) = (&self.private, self.span_level(), self.target());
        let owned = self.arguments.logged.iter().filter_map(|logged| {
            let owned = logged.owned.as_ref()?;
            let variable = &self.arguments.variables[logged.variable].ident;
            Some(ours! {
                let #owned = if #private::are_arguments_wanted(#level, #target) {
                    #private::OwnedValue::new(&#private::Capture::new(&#variable).async_log_value())
                } else {
                    #private::OwnedValue::none()
                };
            })
        });
        owned.collect()
    }

    fn event_level(&self, option: &str) -> Option<&Level> {
        let event = match option {
            "ret" => &self.options.ret,
            _ => &self.options.err,
        };
        event.as_ref()?.level.as_ref()
    }

    /// The span, which starts if its level is enabled. Else it is nothing, or stands for the parent's context.
    pub(crate) fn if_enabled(&self, start: TokenStream) -> TokenStream {
        let (private, level) = (&self.private, self.span_level());
        let filtered = match &self.options.parent {
            None => ours!(none),
            Some(_) => ours!(here),
        };
        self.within_parent(ours! {
            if #private::is_enabled(#level) { #start } else { #private::Span::#filtered() }
        })
    }

    /// Puts the span into the guard, if its level is enabled or it has a parent.
    pub(crate) fn start_in(&self, guard: &Ident) -> TokenStream {
        let (private, level, start) = (&self.private, self.span_level(), self.start());
        match &self.options.parent {
            None => ours! {
                if #private::is_enabled(#level) {
                    #guard.async_log_enter(#start);
                }
            },
            Some(_) => {
                let span = self.if_enabled(start);
                ours!(#guard.async_log_enter(#span);)
            }
        }
    }

    /// The expression that starts the span, inside of its parent.
    pub(crate) fn start(&self) -> TokenStream {
        match &self.options.fields {
            None => self.direct_start(false),
            Some(_) => self.start_with_fields(),
        }
    }

    /// `is_lent` where the variables are references.
    pub(crate) fn direct_start(&self, is_lent: bool) -> TokenStream {
        let (private, site, level) = (&self.private, self.site(), self.span_level());
        let pairs = self.arguments.logged.iter().map(|logged| {
            let key = Literal::string(&logged.key.to_string());
            let value = self.value(logged, is_lent);
            ours!((#key, #value))
        });
        let pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() {
            ours!(#private::Span::of_function(#site, #level, &[]))
        } else {
            ours!({
                #[allow(clippy::used_underscore_binding)]
                let __span = #private::Span::of_function(#site, #level, &[#(#pairs),*]);
                __span
            })
        }
    }

    /// Fields have the syntax of `log`'s own macros, so one of those has to read them.
    fn start_with_fields(&self) -> TokenStream {
        let (private, site, level) = (&self.private, self.site(), self.span_level());
        let count = self.arguments.logged.len();
        let arguments = self.arguments.logged.iter().map(|logged| {
            let key = Literal::string(&logged.key.to_string());
            let value = self.value(logged, false);
            ours!(#key = #value)
        });
        let fields = self.options.fields.iter().flatten();
        let pairs: Vec<_> = arguments
            .chain(fields.map(ToTokens::to_token_stream))
            .collect();
        let semicolon = (!pairs.is_empty()).then(|| ours!(;));
        let target = self.target();
        ours!({
            let mut __started = #private::InlineSpan::none();
            let __start = #private::Start::of_function(#site, #count, &mut __started);
            #[allow(clippy::used_underscore_binding)]
            {
                #private::log::log!(logger: __start, target: #target, #level, #(#pairs),* #semicolon "");
            }
            #private::InlineSpan::into_span(__started)
        })
    }

    fn value(&self, logged: &Logged, is_lent: bool) -> TokenStream {
        let private = &self.private;
        let variable = &self.arguments.variables[logged.variable].ident;
        match &logged.owned {
            Some(owned) => ours!(#private::OwnedValue::value(&#owned)),
            None if is_lent => ours!(#private::Capture::new(#variable).async_log_value()),
            None => ours!(#private::Capture::new(&#variable).async_log_value()),
        }
    }

    fn site(&self) -> TokenStream {
        let (private, name, target) = (&self.private, &self.name, self.target());
        ours! {
            &#private::CallSite {
                name: ::core::option::Option::Some(#name),
                target: #target,
                module_path: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
            }
        }
    }

    fn target(&self) -> TokenStream {
        match &self.options.target {
            Some(target) => target.to_token_stream(),
            None => ours!(::core::module_path!()),
        }
    }

    pub(crate) fn span_level(&self) -> TokenStream {
        let private = &self.private;
        match &self.options.level {
            Some(Level::Expr(_)) => ours!(__level),
            Some(level) => self.level(level),
            None => ours!(#private::log::Level::Trace),
        }
    }

    fn within_parent(&self, start: TokenStream) -> TokenStream {
        let private = &self.private;
        let (span, parent) = match &self.options.parent {
            None => return start,
            Some(Parent::Root(span)) => (*span, ours!(&#private::Root)),
            Some(Parent::Expr(parent)) => (parent.span(), ours!(&#parent)),
        };
        quote_spanned! {Span::mixed_site().located_at(span)=>
            #private::Parent::within(#parent, || #start)
        }
    }
}
