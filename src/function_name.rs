//! The function whose future a type is, by the name that the compiler gives to the type.
//!
//! ```text
//! server::handle::{{closure}}                          the future of an `async fn`
//! server::Session<u8>::run::{{closure}}                of a method
//! <server::Session as tower::Service>::call::{{closure}}   of a trait's method
//! server::handle::{{closure}}::{{closure}}             an `async` block in a function
//! tokio::time::timeout::Timeout<server::handle::{{closure}}>   a future around one
//! ```

use std::any::type_name;
use std::borrow::Cow;

const CLOSURE: &str = "::{{closure}}";

/// Crates that have no functions of a program.
const NOT_A_PROGRAM: [&str; 4] = ["core", "alloc", "std", "async_log"];

/// What the future of this type is called: the path of its `async fn`; `None` for any other future.
pub(crate) fn name<F>() -> Option<Cow<'static, str>> {
    name_of(type_name::<F>())
}

/// The module of the function that the type names, or that the first type in it names; `None` if there is none.
pub(crate) fn module<F>() -> Option<&'static str> {
    module_in(type_name::<F>())
}

fn name_of(future: &'static str) -> Option<Cow<'static, str>> {
    let path = future.strip_suffix(CLOSURE)?;
    if let Some((of_type, function)) = split_method(path) {
        return is_path(function).then(|| format!("{}::{function}", nominal(of_type)).into());
    }
    is_path(path).then(|| path.into())
}

fn module_in(type_name: &'static str) -> Option<&'static str> {
    let name = type_name.trim_start_matches(['&', '*', '(', '[']);
    let name = ["mut ", "const "]
        .iter()
        .fold(name, |name, word| name.strip_prefix(word).unwrap_or(name));
    match name.strip_suffix(CLOSURE) {
        Some(path) => module_of(path),
        None if name.starts_with("dyn ") => None,
        None => arguments(name).find_map(module_in),
    }
}

/// The module of a function, of which this is the path, with or without closures behind it.
fn module_of(path: &'static str) -> Option<&'static str> {
    let of_type = split_method(path).map(|(of_type, _)| nominal(of_type));
    let item = of_type.unwrap_or(path.split(['<', '{']).next().unwrap_or(path));
    let (module, _) = item.trim_end_matches(':').rsplit_once("::")?;
    is_program(module).then_some(module)
}

/// The type and the function of `<Type as Trait>::function`. A type of the standard library stands for its trait, which is
/// then of the program.
fn split_method(path: &'static str) -> Option<(&'static str, &'static str)> {
    let inside = path.strip_prefix('<')?;
    let end = closing(inside)?;
    let (of_type, of_trait) = split_as(&inside[..end])?;
    let function = inside[end + 1..].strip_prefix("::")?;
    if is_item(nominal(of_type)) {
        Some((of_type, function))
    } else {
        Some((of_trait, function))
    }
}

/// Splits at the ` as ` that stands in no brackets.
fn split_as(text: &'static str) -> Option<(&'static str, &'static str)> {
    let at = text
        .match_indices(" as ")
        .find(|(at, _)| depth(&text[..*at]) == 0)?
        .0;
    Some((&text[..at], &text[at + 4..]))
}

/// A type's path without references, arguments, and what the standard library puts around it.
fn nominal(of_type: &'static str) -> &'static str {
    let bare = of_type.trim_start_matches('&');
    let bare = bare.strip_prefix("mut ").unwrap_or(bare);
    let head = bare.split('<').next().unwrap_or(bare);
    if is_item(head) {
        return head;
    }
    let mut inside = arguments(bare).map(nominal);
    inside.find(|inside| is_item(inside)).unwrap_or(head)
}

/// The arguments of a generic type.
fn arguments(name: &'static str) -> impl Iterator<Item = &'static str> {
    let inside = name.split_once('<').map_or("", |(_, inside)| inside);
    let inside = closing(inside).map_or("", |end| &inside[..end]);
    let mut rest = inside;
    std::iter::from_fn(move || {
        let mut commas = rest.match_indices(", ");
        let at = commas
            .find(|(at, _)| depth(&rest[..*at]) == 0)
            .map(|(at, _)| at);
        let argument = &rest[..at.unwrap_or(rest.len())];
        rest = at.map_or("", |at| &rest[at + 2..]);
        (!argument.is_empty()).then_some(argument)
    })
}

/// Where the bracket is closed that was opened before this.
fn closing(inside: &str) -> Option<usize> {
    inside
        .match_indices('>')
        .map(|(at, _)| at)
        .find(|&at| !is_arrow(inside, at) && depth(&inside[..at]) == 0)
}

/// How many brackets are open behind this.
fn depth(text: &str) -> isize {
    text.char_indices().fold(0, |depth, (at, c)| match c {
        '<' | '(' | '[' => depth + 1,
        '>' if is_arrow(text, at) => depth,
        '>' | ')' | ']' => depth - 1,
        _ => depth,
    })
}

/// Whether this is the end of `->`.
fn is_arrow(text: &str, at: usize) -> bool {
    text[..at].ends_with('-')
}

/// Whether this is the path of an item in some other crate than those that have no functions of a program.
fn is_item(path: &str) -> bool {
    path.contains("::") && is_program(path)
}

/// Whether this is a path in such a crate.
fn is_program(path: &str) -> bool {
    let krate = path.split("::").next().unwrap_or_default();
    !krate.is_empty() && is_path(krate) && !NOT_A_PROGRAM.contains(&krate)
}

fn is_path(text: &str) -> bool {
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    text.bytes().all(is_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_names() {
        let cases = [
            ("a::net::run::{{closure}}", Some("a::net"), Some("a::net::run")),
            ("a::run::{{closure}}", Some("a"), Some("a::run")),
            ("a::net::S::run::{{closure}}", Some("a::net::S"), Some("a::net::S::run")),
            ("a::net::G<u8>::run::{{closure}}", Some("a::net"), None),
            ("a::run<fn(u8) -> u8>::{{closure}}", Some("a"), None),
            ("lib::retry<a::run::{{closure}}>::{{closure}}", Some("lib"), None),
            ("a::main::{{closure}}::{{closure}}", Some("a"), None),
            ("<a::net::S as a::T>::f::{{closure}}", Some("a::net"), Some("a::net::S::f")),
            ("<a::net::G<u8> as b::T<u8>>::f::{{closure}}", Some("a::net"), Some("a::net::G::f")),
            ("<&mut a::net::S as b::T>::f::{{closure}}", Some("a::net"), Some("a::net::S::f")),
            (
                "<alloc::sync::Arc<a::net::S> as b::T>::f::{{closure}}",
                Some("a::net"),
                Some("a::net::S::f"),
            ),
            (
                "<alloc::vec::Vec<u8> as a::net::T>::f::{{closure}}",
                Some("a::net"),
                Some("a::net::T::f"),
            ),
            ("<u32 as a::T>::f::{{closure}}", Some("a"), Some("a::T::f")),
            ("<a::S as a::T>::f::{{closure}}::{{closure}}", Some("a"), None),
            ("<<u8 as a::X>::Y as a::T>::f::{{closure}}", Some("a"), Some("a::T::f")),
            ("tokio::time::Timeout<a::net::run::{{closure}}>", Some("a::net"), None),
            ("t::Timeout<<a::S as a::T>::f::{{closure}}>", Some("a"), None),
            (
                "f::Map<core::pin::Pin<alloc::boxed::Box<dyn core::future::Future<Output = ()>>>, a::f::{{closure}}>",
                Some("a"),
                None,
            ),
            ("core::pin::Pin<&mut a::run::{{closure}}>", Some("a"), None),
            ("core::future::poll_fn::PollFn<a::main::{{closure}}>", Some("a"), None),
            ("async_log::future::InSpan<a::run::{{closure}}>", Some("a"), None),
            ("core::pin::Pin<alloc::boxed::Box<dyn core::future::Future<Output = ()> + core::marker::Send>>", None, None),
            ("a::MyFuture", None, None),
            ("core::future::ready::Ready<i32>", None, None),
            ("async_log::x::{{closure}}", None, Some("async_log::x")),
            ("", None, None),
            (">>::{{closure}}", None, None),
            ("<::{{closure}}", None, None),
        ];
        for (type_name, module, name) in cases {
            assert_eq!(module_in(type_name), module, "{type_name}");
            assert_eq!(name_of(type_name).as_deref(), name, "{type_name}");
        }
    }
}
