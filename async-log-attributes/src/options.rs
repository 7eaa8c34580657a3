//! The options of `#[instrument(…)]`.

use proc_macro2::{Delimiter, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{quote, ToTokens};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{parenthesized, Error, Expr, ExprLit, Lit, LitStr, Member, Path, Result, Token};

use crate::key::written;

#[derive(Clone, Default)]
pub(crate) struct Options {
    /// The span's name instead of `FILE#METHOD`: a string or a constant.
    pub(crate) name: Option<Expr>,
    pub(crate) target: Option<Expr>,
    pub(crate) level: Option<Level>,
    /// The arguments' own names instead of `arg_N`.
    pub(crate) names: bool,
    pub(crate) skip: Vec<Ident>,
    pub(crate) skip_all: bool,
    pub(crate) fields: Option<Vec<Field>>,
    pub(crate) ret: Option<Event>,
    pub(crate) err: Option<Event>,
    pub(crate) parent: Option<Parent>,
    /// The path of `async_log`.
    pub(crate) krate: Option<Path>,
    /// Leaves a method of an annotated `impl` block out.
    pub(crate) off: Option<Ident>,
}

/// A record of what a function returns.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) option: Ident,
    /// `Debug` or `Display`; whichever fits if it is `None`.
    pub(crate) form: Option<Ident>,
    pub(crate) level: Option<Level>,
    /// From the `impl` block around: it holds for the methods that it fits.
    pub(crate) is_inherited: bool,
}

#[derive(Clone)]
pub(crate) enum Level {
    /// A variant of `log::Level`.
    Word(Ident),
    Expr(Box<Expr>),
}

#[derive(Clone)]
pub(crate) enum Parent {
    /// A `None`, whose type may not be known.
    Root(Span),
    Expr(Box<Expr>),
}

/// A field, in the syntax of `log`'s macros: `key`, `key = value`, `key:? = value`, `"key" = value`.
#[derive(Clone)]
pub(crate) struct Field {
    /// As it is logged.
    pub(crate) key: String,
    tokens: TokenStream,
}

impl Field {
    fn is_written_as(&self, other: &Field) -> bool {
        written(&self.key) == written(&other.key)
    }
}

impl ToTokens for Field {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}

const EXPECTED: &str = "expected one of `name = \"…\"`, `target = \"…\"`, `level = …`, `names`, `skip(…)`, \
    `skip_all`, `fields(…)`, `ret`, `err`, `parent = …`, `crate = path`, and `off` on a method of an annotated `impl`";

impl Options {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        Parser::parse2(Self::parse_all, tokens)
    }

    fn parse_all(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Options::default();
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            if !input.peek(Ident::peek_any) {
                return Err(input.error(format!("expected an option; {EXPECTED}")));
            }
            let key = Ident::parse_any(input)?;
            options.set(&key, input)?;
            if seen.contains(&key.to_string()) {
                return Err(Error::new(key.span(), format!("duplicate option `{key}`")));
            }
            seen.push(key.to_string());
            comma(input, "two options")?;
        }
        Ok(options)
    }

    fn set(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(name(key, input)?),
            "target" => self.target = Some(value(key, input, "target = \"…\"")?),
            "level" => self.level = Some(level(key, input)?),
            "names" => self.names = flag(key, input)?,
            "skip" => self.skip = skip(key, input)?,
            "skip_all" => self.skip_all = flag(key, input)?,
            "fields" => self.fields = Some(fields(key, input)?),
            "ret" => self.ret = Some(event(key, input)?),
            "err" => self.err = Some(event(key, input)?),
            "parent" => self.parent = Some(parent(key, input)?),
            "crate" => self.krate = Some(krate(key, input)?),
            "off" => {
                flag(key, input)?;
                self.off = Some(key.clone());
            }
            name => {
                let message = format!("no such option `{name}`; {EXPECTED}");
                return Err(Error::new(key.span(), message));
            }
        }
        Ok(())
    }

    /// A method's own options with those of the `impl` block around it. Its own win, and what
    /// either keeps out of the log stays out.
    pub(crate) fn within(self, outer: Options) -> Options {
        let inherit = |event: Event| Event {
            is_inherited: true,
            ..event
        };
        Options {
            name: self.name,
            target: self.target.or(outer.target),
            level: self.level.or(outer.level),
            names: self.names || outer.names,
            skip: [outer.skip, self.skip].concat(),
            skip_all: self.skip_all || outer.skip_all,
            fields: merge(self.fields, outer.fields),
            ret: self.ret.or(outer.ret.map(inherit)),
            err: self.err.or(outer.err.map(inherit)),
            parent: self.parent.or(outer.parent),
            krate: self.krate.or(outer.krate),
            off: self.off,
        }
    }

    /// Whether the attribute has expressions in which the function's bindings can be used.
    pub(crate) fn use_bindings(&self) -> bool {
        self.fields.is_some() || matches!(self.parent, Some(Parent::Expr(_)))
    }
}

/// A method's own fields and those of its `impl` block, unless its own have the same key.
fn merge(own: Option<Vec<Field>>, outer: Option<Vec<Field>>) -> Option<Vec<Field>> {
    let Some(own) = own else {
        return outer;
    };
    let outer = outer.into_iter().flatten();
    let outer = outer.filter(|outer| !own.iter().any(|own| own.is_written_as(outer)));
    Some(outer.chain(own.clone()).collect())
}

/// The comma behind one of several, or the end.
fn comma(input: ParseStream<'_>, between: &str) -> Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    if !input.peek(Token![,]) {
        return Err(input.error(format!("expected a comma between {between}")));
    }
    input.parse::<Token![,]>().map(drop)
}

fn malformed(key: &Ident, form: &str) -> Error {
    Error::new(key.span(), format!("`{key}` is written `{form}`"))
}

/// What comes behind `=`.
fn value<T: Parse>(key: &Ident, input: ParseStream<'_>, form: &str) -> Result<T> {
    if !input.peek(Token![=]) {
        return Err(malformed(key, form));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(malformed(key, form));
    }
    input.parse()
}

/// An expression without the groups of macro fragments around it.
fn ungrouped(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungrouped(*group.expr),
        expr => expr,
    }
}

fn flag(key: &Ident, input: ParseStream<'_>) -> Result<bool> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(true);
    }
    Err(Error::new(key.span(), format!("`{key}` takes no value")))
}

/// The items in parentheses.
fn list<T>(
    key: &Ident,
    input: ParseStream<'_>,
    form: &str,
    item: impl Fn(ParseStream<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    if !input.peek(syn::token::Paren) {
        return Err(malformed(key, form));
    }
    let content;
    parenthesized!(content in input);
    let mut items = Vec::new();
    while !content.is_empty() {
        items.push(item(&content)?);
        comma(&content, &format!("two items of `{key}`"))?;
    }
    Ok(items)
}

fn name(key: &Ident, input: ParseStream<'_>) -> Result<Expr> {
    match ungrouped(value(key, input, "name = \"…\"")?) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }) => literal_name(&name),
        name @ (Expr::Path(_) | Expr::Macro(_)) => Ok(name),
        other => {
            let message = "a name is a string or a constant: `name = \"…\"`, `name = NAME`";
            Err(Error::new(other.span(), message))
        }
    }
}

/// A name is fixed text. It looks like a format string, and people take it for one.
fn literal_name(name: &LitStr) -> Result<Expr> {
    let text = name.value();
    if text.is_empty() {
        return Err(Error::new(name.span(), "a span's name cannot be empty"));
    }
    let plain = text.replace("{{", "").replace("}}", "");
    if let Some(at) = plain.find(['{', '}']) {
        let inside = plain[at + 1..].split(['}', ':']).next().unwrap_or_default();
        let field = if inside.is_empty() { "value" } else { inside };
        let message = format!(
            "`name` is fixed text and fills nothing in; log the value as a field, `fields({field})`, or write a brace \
             as `{{{{` or `}}}}`"
        );
        return Err(Error::new(name.span(), message));
    }
    let text = text.replace("{{", "{").replace("}}", "}");
    let literal = LitStr::new(&text, name.span());
    Ok(Expr::Lit(ExprLit {
        attrs: Vec::new(),
        lit: Lit::Str(literal),
    }))
}

fn skip(key: &Ident, input: ParseStream<'_>) -> Result<Vec<Ident>> {
    let form = "skip(argument, …)";
    let names = list(key, input, form, |input| {
        let at = input.span();
        let name = if input.peek(Ident::peek_any) {
            Ident::parse_any(input)?
        } else {
            let message = format!("expected the name of an argument: `{form}`");
            return Err(Error::new(at, message));
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            let message = format!("expected the name of an argument: `{form}`");
            return Err(Error::new(at, message));
        }
        Ok(name)
    })?;
    for (nth, name) in names.iter().enumerate() {
        if names[..nth]
            .iter()
            .any(|other| other.unraw() == name.unraw())
        {
            let message = format!("duplicate argument `{name}` in `skip`");
            return Err(Error::new(name.span(), message));
        }
    }
    Ok(names)
}

const LEVELS: [&str; 5] = ["Error", "Warn", "Info", "Debug", "Trace"];

fn level(key: &Ident, input: ParseStream<'_>) -> Result<Level> {
    let expr = ungrouped(value(key, input, "level = debug")?);
    Level::of(&expr.to_token_stream()).unwrap_or_else(|| Ok(Level::Expr(Box::new(expr))))
}

impl Level {
    /// The level that a word such as `debug`, `Debug` or `"debug"` stands for; `None` if this is another expression.
    pub(crate) fn of(tokens: &TokenStream) -> Option<Result<Level>> {
        let mut tokens = tokens.clone().into_iter();
        let (Some(token), None) = (tokens.next(), tokens.next()) else {
            return None;
        };
        let (word, is_literal) = match &token {
            // A fragment of a `macro_rules` macro.
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                return Level::of(&group.stream());
            }
            TokenTree::Ident(word) => (word.to_string(), false),
            TokenTree::Literal(word) => (word.to_string().trim_matches('"').to_owned(), true),
            _ => return None,
        };
        let level = LEVELS
            .iter()
            .find(|level| level.eq_ignore_ascii_case(&word));
        match level {
            Some(level) => Some(Ok(Level::Word(Ident::new(level, token.span())))),
            None if is_literal => {
                let message = "no such level; expected one of error, warn, info, debug, trace";
                Some(Err(Error::new(token.span(), message)))
            }
            None => None,
        }
    }
}

/// `ret`, `ret(Debug)`, `err(Display, level = warn)`
fn event(key: &Ident, input: ParseStream<'_>) -> Result<Event> {
    let mut event = Event {
        option: key.clone(),
        form: None,
        level: None,
        is_inherited: false,
    };
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(event);
    }
    let form = format!("{key}(Debug, level = debug)");
    let parts = list(key, input, &form, |input| {
        let word = input.call(Ident::parse_any).map_err(|error| {
            let message = format!("expected one of `Debug`, `Display` and `level = …` in `{key}`");
            Error::new(error.span(), message)
        })?;
        match word.to_string().as_str() {
            "Debug" | "Display" => Ok((word, None)),
            "level" => level(&word, input).map(|level| (word, Some(level))),
            _ => {
                let message = format!(
                    "no such option of `{key}`; expected one of `Debug`, `Display` and `level = …`"
                );
                Err(Error::new(word.span(), message))
            }
        }
    })?;
    for (word, level) in parts {
        let is_duplicate = match level {
            Some(level) => event.level.replace(level).is_some(),
            None => event.form.replace(word.clone()).is_some(),
        };
        if is_duplicate {
            let message = format!("duplicate option `{word}` of `{key}`");
            return Err(Error::new(word.span(), message));
        }
    }
    Ok(event)
}

fn parent(key: &Ident, input: ParseStream<'_>) -> Result<Parent> {
    let expr: Expr = value(key, input, "parent = &span")?;
    Ok(if is_none(&expr) {
        Parent::Root(expr.span())
    } else {
        Parent::Expr(Box::new(expr))
    })
}

/// Whether this is `None`, of whatever type, by reference or not.
fn is_none(expr: &Expr) -> bool {
    match expr {
        Expr::Group(group) => is_none(&group.expr),
        Expr::Paren(paren) => is_none(&paren.expr),
        Expr::Reference(reference) => is_none(&reference.expr),
        Expr::Path(path) if path.qself.is_none() => {
            let last = path.path.segments.last();
            last.is_some_and(|part| part.ident == "None")
        }
        _ => false,
    }
}

fn krate(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    let form = "crate = path";
    if !input.peek(Token![=]) {
        return Err(malformed(key, form));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(malformed(key, form));
    }
    if input.peek(LitStr) {
        return input.parse::<LitStr>()?.parse_with(Path::parse_mod_style);
    }
    input.call(Path::parse_mod_style)
}

fn fields(key: &Ident, input: ParseStream<'_>) -> Result<Vec<Field>> {
    let mut fields: Vec<Field> = Vec::new();
    for (span, field) in list(key, input, "fields(key = value, …)", field)? {
        if fields.iter().any(|other| other.is_written_as(&field)) {
            let message = format!("duplicate field `{}`", field.key);
            return Err(Error::new(span, message));
        }
        fields.push(field);
    }
    Ok(fields)
}

fn field(input: ParseStream<'_>) -> Result<(Span, Field)> {
    if input.peek(Token![%]) || input.peek(Token![?]) {
        return Err(sigil(input, None));
    }
    let span = input.span();
    let key_is_string = input.peek(LitStr);
    let (key, key_tokens, place) = field_key(input)?;
    let mut tokens = key_tokens;
    if input.peek(Token![:]) {
        let colon: Token![:] = input.parse()?;
        let capture: TokenTree = input.parse()?;
        tokens = quote!(#tokens #colon #capture);
    }
    if input.peek(Token![=]) {
        let assign: Token![=] = input.parse()?;
        if input.peek(Token![%]) || input.peek(Token![?]) {
            return Err(sigil(input, Some(&key)));
        }
        let value: Expr = input.parse()?;
        tokens = quote!(#tokens #assign #value);
    } else if let Some(place) = place {
        // `user.id` alone is the value of that place.
        tokens = quote!(#tokens = #place);
    } else if key_is_string {
        let message = format!("a field with a string for its key has a value: `\"{key}\" = …`");
        return Err(Error::new(span, message));
    }
    Ok((span, Field { key, tokens }))
}

/// The key, its tokens for `log`, and the place that a dotted or raw key names.
fn field_key(input: ParseStream<'_>) -> Result<(String, TokenStream, Option<TokenStream>)> {
    if input.peek(LitStr) {
        let key: LitStr = input.parse()?;
        return Ok((key.value(), key.to_token_stream(), None));
    }
    if !input.peek(Ident::peek_any) {
        let message =
            "expected a field: `key`, `key = value`, `key:? = value` or `\"key\" = value`";
        return Err(input.error(message));
    }
    let parts = Punctuated::<Member, Token![.]>::parse_separated_nonempty_with(input, |input| {
        if input.peek(Ident::peek_any) {
            input.call(Ident::parse_any).map(Member::Named)
        } else {
            input.parse()
        }
    })?;
    let key: Vec<_> = parts.iter().map(unraw).collect();
    let key = key.join(".");
    // `log` would write the `r#` of a raw name.
    let is_plain = parts.len() == 1 && parts[0].to_token_stream().to_string() == key;
    if is_plain {
        return Ok((key, parts.to_token_stream(), None));
    }
    let mut literal = Literal::string(&key);
    literal.set_span(parts.span());
    Ok((
        key,
        literal.to_token_stream(),
        Some(parts.to_token_stream()),
    ))
}

fn unraw(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// `%id`, `id = %id`: the sigils of tracing.
fn sigil(input: ParseStream<'_>, key: Option<&str>) -> Error {
    let span = input.span();
    let rest = input.fork();
    let sigil: Result<TokenTree> = rest.parse();
    let sigil = sigil.map_or_else(|_| "%".to_owned(), |sigil| sigil.to_string());
    let place: Result<Expr> = rest.parse();
    let place = place.map_or_else(|_| "…".to_owned(), |place| compact(&place));
    let default = place.rsplit('.').next().unwrap_or("key");
    let is_name = default.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let default = if is_name { default } else { "key" };
    let key = key.unwrap_or(default);
    // Otherwise the rest of the list is a second error.
    let _ = input.parse::<TokenStream>();
    Error::new(
        span,
        format!("a field says how it is formatted behind its key: `{key}:{sigil} = {place}`"),
    )
}

/// The source of an expression, without the blanks that tokens are printed with.
fn compact(expr: &Expr) -> String {
    expr.to_token_stream()
        .to_string()
        .replace(" . ", ".")
        .replace(" (", "(")
        .replace("& ", "&")
}
