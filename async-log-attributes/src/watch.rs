//! `ret` and `err`: records in the span that say what a function returned.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};

use crate::expand::Expansion;
use crate::options::{Event, Level};

impl Expansion<'_> {
    /// Logs what `__result` refers to, as `ret` and `err` say.
    pub(crate) fn watch(&self) -> TokenStream {
        let private = &self.private;
        let ret = self.options.ret.as_ref();
        let ret = ret.map(|event| self.event(event, &self.ret_level(event)));
        let Some(event) = &self.options.err else {
            return ours! { let __value = __result; #ret };
        };
        let err = self.event(event, &self.err_level(event));
        // At the option, which is what is wrong where there is no `Result`.
        let assert = (!event.is_inherited).then(|| {
            quote_spanned! {Span::mixed_site().located_at(event.option.span())=>
                #private::assert_fallible(__result);
            }
        });
        ours! {
            #assert
            #[allow(unused_variables)]
            match #private::Tried::new(__result).async_log_result() {
                ::core::result::Result::Ok(__value) => { #ret }
                ::core::result::Result::Err(__value) => { if __has_span { #private::mark_failed(); } #err }
            }
        }
    }

    fn ret_level(&self, event: &Event) -> TokenStream {
        match &event.level {
            Some(level) => self.event_level_of("__ret_level", level),
            None => self.span_level(),
        }
    }

    fn err_level(&self, event: &Event) -> TokenStream {
        let private = &self.private;
        match &event.level {
            Some(level) => self.event_level_of("__err_level", level),
            None => ours!(#private::log::Level::Error),
        }
    }

    fn event_level_of(&self, variable: &str, level: &Level) -> TokenStream {
        let variable = Ident::new(variable, Span::mixed_site());
        match level {
            Level::Expr(_) => ours!(#variable),
            level => self.level(level),
        }
    }

    /// A record in the span with `__value` under the option's name.
    fn event(&self, event: &Event, level: &TokenStream) -> TokenStream {
        let (private, name) = (&self.private, &self.name);
        let key = format_ident!("{}", event.option.to_string());
        let capture = if event.option == "err" {
            ours!(CaptureError)
        } else {
            ours!(Capture)
        };
        let target = self.options.target.as_ref();
        let target = target.map(|target| ours!(target: #target,));
        let pair = match event.form.as_ref().map(Ident::to_string).as_deref() {
            Some("Debug") => ours!(#key:? = __value),
            Some("Display") => ours!(#key:% = __value),
            _ => ours!(#key = #private::#capture::new(__value).async_log_value()),
        };
        ours!({
            #private::log::log!(#target #level, #pair; "{}", #name);
        })
    }
}
