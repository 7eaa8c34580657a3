//! The options of `#[instrument(…)]`.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{quote, ToTokens};

use crate::error::{Error, Result};
use crate::tokens::{collect, is_assignment, is_ident, is_punct, split_commas};

#[derive(Clone, Default)]
pub(crate) struct Options {
    /// What the span is called instead of `FILE#METHOD`.
    pub(crate) name: Option<TokenStream>,
    pub(crate) target: Option<TokenStream>,
    pub(crate) level: Option<TokenStream>,
    /// The arguments' own names instead of `arg_N`.
    pub(crate) names: bool,
    pub(crate) skip: Vec<Ident>,
    pub(crate) skip_all: bool,
    /// `k = v, k:? = v`
    pub(crate) fields: Option<TokenStream>,
    pub(crate) ret: Option<Event>,
    pub(crate) err: Option<Event>,
    pub(crate) parent: Option<TokenStream>,
    /// Where `async_log` is found.
    pub(crate) krate: Option<TokenStream>,
    /// Leaves a method of an annotated `impl` block out.
    pub(crate) off: bool,
}

/// What is logged when a function returns.
#[derive(Clone, Default)]
pub(crate) struct Event {
    /// `Debug` or `Display`; whatever fits if it is `None`.
    pub(crate) form: Option<Ident>,
    pub(crate) level: Option<TokenStream>,
}

const ACCEPTED: &str = "accepted are `name = \"…\"`, `target = \"…\"`, `level = …`, `names`, \
    `skip(…)`, `skip_all`, `fields(…)`, `ret`, `err`, `parent = …`, `crate = path`, and `off` on a \
    method of an annotated `impl`";

impl Options {
    pub(crate) fn parse(tokens: &[TokenTree]) -> Result<Self> {
        let mut options = Options::default();
        let mut seen: Vec<String> = Vec::new();
        for option in split_commas(tokens) {
            let Some(TokenTree::Ident(key)) = option.first() else {
                let message = format!("an option is expected here; {ACCEPTED}");
                return Err(Error::at(option.first().or(tokens.first()), message));
            };
            let name = key.to_string();
            options.set(key, &option[1..])?;
            if seen.contains(&name) {
                return Err(Error::new(
                    key.span(),
                    format!("`{name}` stands here twice"),
                ));
            }
            seen.push(name);
        }
        Ok(options)
    }

    fn set(&mut self, key: &Ident, rest: &[TokenTree]) -> Result<()> {
        match key.to_string().as_str() {
            "name" => {
                let value = value(key, rest, "name = \"…\"")?;
                match value {
                    [TokenTree::Literal(literal)] if literal.to_string().ends_with(['"', '#']) => {}
                    [TokenTree::Literal(_), next, ..] => {
                        return Err(Error::at(Some(next), "a comma stands between two options"));
                    }
                    _ => {
                        let message = "the name is a string: `name = \"…\"`";
                        return Err(Error::at(value.first(), message));
                    }
                }
                self.name = Some(tokens(value));
            }
            "target" => self.target = Some(tokens(value(key, rest, "target = \"…\"")?)),
            "level" => self.level = Some(level(value(key, rest, LEVEL_FORM)?)?),
            "names" => self.names = flag(key, rest)?,
            "skip" => self.skip = names(key, rest)?,
            "skip_all" => self.skip_all = flag(key, rest)?,
            "fields" => self.fields = Some(list(key, rest, "fields(key = value, …)")?),
            "ret" => self.ret = Some(event(key, rest)?),
            "err" => self.err = Some(event(key, rest)?),
            "parent" => self.parent = Some(tokens(value(key, rest, "parent = &span")?)),
            "crate" => self.krate = Some(tokens(value(key, rest, "crate = path")?)),
            "off" => self.off = flag(key, rest)?,
            name => {
                let message = format!("no such option `{name}`; {ACCEPTED}");
                return Err(Error::new(key.span(), message));
            }
        }
        Ok(())
    }

    /// A method's own options with those of the `impl` block that it is in: its own come first, and
    /// what either leaves out of the log stays out.
    pub(crate) fn or(self, outer: &Options) -> Options {
        let outer = outer.clone();
        Options {
            name: self.name,
            target: self.target.or(outer.target),
            level: self.level.or(outer.level),
            names: self.names || outer.names,
            skip: [outer.skip, self.skip].concat(),
            skip_all: self.skip_all || outer.skip_all,
            fields: self.fields.or(outer.fields),
            ret: self.ret.or(outer.ret),
            err: self.err.or(outer.err),
            parent: self.parent.or(outer.parent),
            krate: self.krate.or(outer.krate),
            off: self.off,
        }
    }
}

/// The options in an attribute's brackets: `instrument`, `async_log::instrument(…)`.
pub(crate) fn of_attribute(attribute: &TokenTree) -> Option<Vec<TokenTree>> {
    let TokenTree::Group(brackets) = attribute else {
        return None;
    };
    let tokens = collect(brackets.stream());
    let (path, options) = match tokens.split_last()? {
        (TokenTree::Group(options), path) if options.delimiter() == Delimiter::Parenthesis => {
            (path, collect(options.stream()))
        }
        _ => (&tokens[..], Vec::new()),
    };
    let is_path = path
        .iter()
        .all(|token| matches!(token, TokenTree::Ident(_)) || is_punct(Some(token), ':'));
    let is_ours = match path.len() {
        1 => true,
        // Another crate's attribute of this name is none of ours.
        _ => is_ident(
            path.iter().find(|t| matches!(t, TokenTree::Ident(_))),
            "async_log",
        ),
    };
    (is_path && is_ours && is_ident(path.last(), "instrument")).then_some(options)
}

fn tokens(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

fn malformed(key: &Ident, form: &str) -> Error {
    Error::new(key.span(), format!("`{key}` is written `{form}`"))
}

/// What is behind `=`.
fn value<'a>(key: &Ident, rest: &'a [TokenTree], form: &str) -> Result<&'a [TokenTree]> {
    match rest.split_first() {
        Some((_, value)) if is_assignment(rest, 0) && !value.is_empty() => Ok(value),
        _ => Err(malformed(key, form)),
    }
}

fn flag(key: &Ident, rest: &[TokenTree]) -> Result<bool> {
    match rest.first() {
        None => Ok(true),
        Some(_) => Err(Error::new(key.span(), format!("`{key}` takes no value"))),
    }
}

/// What is in parentheses.
fn list(key: &Ident, rest: &[TokenTree], form: &str) -> Result<TokenStream> {
    match rest {
        [TokenTree::Group(list)] if list.delimiter() == Delimiter::Parenthesis => Ok(list.stream()),
        _ => Err(malformed(key, form)),
    }
}

fn names(key: &Ident, rest: &[TokenTree]) -> Result<Vec<Ident>> {
    let form = "skip(argument, …)";
    let list = collect(list(key, rest, form)?);
    let name = |part: &[TokenTree]| match part {
        [TokenTree::Ident(name)] => Ok(name.clone()),
        _ => Err(Error::at(
            part.first(),
            format!("the names of arguments are expected here: `{form}`"),
        )),
    };
    split_commas(&list).into_iter().map(name).collect()
}

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
const LEVEL_FORM: &str = "level = debug";

/// `debug`, `"debug"`, or an expression such as `Level::Debug`; gives a path below `log`'s or the expression.
fn level(value: &[TokenTree]) -> Result<TokenStream> {
    let word = match value {
        [TokenTree::Ident(word)] => word.to_string(),
        [TokenTree::Literal(word)] => word.to_string().trim_matches('"').to_owned(),
        _ => return Ok(quote!({ #(#value)* })),
    };
    match LEVELS.iter().find(|level| **level == word.to_lowercase()) {
        Some(level) => {
            let mut name = (*level).to_owned();
            name[..1].make_ascii_uppercase();
            Ok(Ident::new(&name, value[0].span()).into_token_stream())
        }
        // A constant of the user's.
        None if matches!(value, [TokenTree::Ident(_)]) => Ok(quote!({ #(#value)* })),
        None => {
            let message = format!("no such level; accepted are {}", LEVELS.join(", "));
            Err(Error::at(value.first(), message))
        }
    }
}

/// `ret`, `ret(Debug)`, `err(Display, level = warn)`
fn event(key: &Ident, rest: &[TokenTree]) -> Result<Event> {
    let mut event = Event::default();
    if rest.is_empty() {
        return Ok(event);
    }
    let form = format!("{key}(Debug, level = debug)");
    let list = collect(list(key, rest, &form)?);
    for part in split_commas(&list) {
        match part {
            [TokenTree::Ident(form)] if *form == "Debug" || *form == "Display" => {
                event.form = Some(form.clone());
            }
            [TokenTree::Ident(level_key), rest @ ..] if *level_key == "level" => {
                event.level = Some(level(value(level_key, rest, LEVEL_FORM)?)?);
            }
            part => {
                let message = format!(
                    "no such option of `{key}`; accepted are `Debug` or `Display`, and `level = …`"
                );
                return Err(Error::at(part.first().or(rest.first()), message));
            }
        }
    }
    Ok(event)
}
