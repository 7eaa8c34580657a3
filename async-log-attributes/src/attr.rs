//! The options of `#[instrument(…)]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitStr, Path, Result, Token};

#[derive(Default)]
pub(crate) struct Options {
    /// What the span is called instead of `FILE#METHOD`.
    pub(crate) name: Option<LitStr>,
    /// Where `async_log` is found.
    pub(crate) krate: Option<Path>,
}

const ACCEPTED: &str = "accepted are `name = \"…\"` and `crate = path`";

impl Options {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        syn::parse2(tokens)
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Options::default();
        while !input.is_empty() {
            let key = Ident::parse_any(input)?;
            let is_known = key == "name" || key == "crate";
            if !is_known {
                let message = format!("no such option `{key}`; {ACCEPTED}");
                return Err(Error::new(key.span(), message));
            }
            let is_repeated = match key == "name" {
                true => options.name.is_some(),
                false => options.krate.is_some(),
            };
            if is_repeated {
                return Err(Error::new(key.span(), format!("`{key}` stands here twice")));
            }
            input.parse::<Token![=]>()?;
            match key == "name" {
                true => options.name = Some(input.parse()?),
                false => options.krate = Some(Path::parse_mod_style(input)?),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}
