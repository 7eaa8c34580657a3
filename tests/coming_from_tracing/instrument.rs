//! tracing-attributes' `instrument.rs`: what is annotated, and with which options.

use std::fmt::Debug;

use async_log::instrument;
use log::Level;

use crate::capture::{empty, lines, logged};

/// Alike.
#[test]
fn repro_2294() {
    #[deny(unused_variables)]
    #[allow(clippy::mixed_attributes_style)]
    #[instrument]
    fn inner_attribute() {
        #![allow(unused_variables)]
        let unused = "allowed";
    }

    assert_eq!(lines(inner_attribute), empty("#inner_attribute"));
}

fn at_debug(name: &str, arguments: &str) -> [String; 2] {
    [
        format!("+ {name}{arguments} at DEBUG under db"),
        format!("- {name}"),
    ]
}

/// Alike, written `Level::Debug`, which is `log`'s, instead of `Level::DEBUG`.
#[test]
fn override_everything() {
    #[instrument(target = "db", level = "debug")]
    fn open() {}

    #[instrument(level = Level::Debug, target = "db")]
    fn close() {}

    assert_eq!(lines(open), at_debug("#open", ""));
    assert_eq!(lines(close), at_debug("#close", ""));
}

/// Alike.
#[test]
fn fields() {
    #[instrument(names, target = "db", level = "debug")]
    fn find(id: u64, exact: bool, table: String) -> u64 {
        id + u64::from(exact) + table.len() as u64
    }

    let one = at_debug("#find", " id=2 exact=false table=\"users\"");
    assert_eq!(lines(|| find(2, false, "users".to_owned())), one);
    let other = at_debug("#find", " id=3 exact=true table=\"all users\"");
    assert_eq!(lines(|| find(3, true, "all users".to_owned())), other);
}

/// Alike.
#[test]
fn skip() {
    struct Opaque;

    #[instrument(names, target = "db", level = "debug", skip(_pool, _cache))]
    fn find(id: u64, _pool: Opaque, _cache: Opaque) -> u64 {
        id
    }

    #[instrument(names, target = "db", level = "debug", skip_all)]
    fn find_all(_id: u64, _pool: Opaque, _cache: Opaque) {}

    assert_eq!(
        lines(|| find(2, Opaque, Opaque)),
        at_debug("#find", " id=2")
    );
    assert_eq!(
        lines(|| find(3, Opaque, Opaque)),
        at_debug("#find", " id=3")
    );
    assert_eq!(
        lines(|| find_all(2, Opaque, Opaque)),
        at_debug("#find_all", "")
    );
}

/// Alike.
#[test]
fn generics() {
    #[derive(Debug)]
    struct Table;

    #[instrument(names)]
    fn find<T, K: Debug>(table: T, key: K) -> (T, K)
    where
        T: Debug,
    {
        (table, key)
    }

    assert_eq!(
        lines(|| find(Table, false)),
        ["+ #find table=\"Table\" key=\"false\"", "- #find"]
    );
}

/// Different: `self` is no argument. `fields("self":? = self)` makes it a field.
#[test]
fn methods() {
    #[derive(Debug)]
    struct Table;

    impl Table {
        #[instrument(names)]
        fn find(&self, id: u64) -> u64 {
            id
        }

        #[instrument(names, fields("self":? = self))]
        fn find_with_self(&self, id: u64) -> u64 {
            id
        }
    }

    assert_eq!(lines(|| Table.find(42)), ["+ #find id=42", "- #find"]);
    assert_eq!(
        lines(|| Table.find_with_self(42)),
        [
            "+ #find_with_self id=42 self=\"Table\"",
            "- #find_with_self self=\"Table\"",
        ]
    );
}

/// Alike.
#[test]
fn impl_trait_return_type() {
    #[instrument(names)]
    fn ids(below: u64) -> impl Iterator<Item = u64> {
        0..below
    }

    let (ids, lines) = logged(|| ids(10));
    assert_eq!(ids.count(), 10);
    assert_eq!(lines, ["+ #ids below=10", "- #ids"]);
}

const NAME: &str = "find in table";
const TARGET: &str = "db";

/// Alike.
#[test]
fn name_ident() {
    #[instrument(name = NAME)]
    fn find() {}

    assert_eq!(lines(find), empty("find in table"));
}

/// Alike.
#[test]
fn target_ident() {
    #[instrument(target = TARGET)]
    fn find() {}

    assert_eq!(lines(find), ["+ #find under db", "- #find"]);
}

/// Alike.
#[test]
fn target_name_ident() {
    #[instrument(target = TARGET, name = NAME)]
    fn find() {}

    let expected = ["+ find in table under db", "- find in table"];
    assert_eq!(lines(find), expected);
}

/// Different: a field needs a value, so there is no `fields(id = Empty)`.
#[test]
fn user_tracing_module() {
    // Modules with the names that expansions use.
    mod user {
        use ::async_log::instrument;

        #[instrument(fields(id = 1))]
        pub(super) fn find() -> &'static str {
            async_log::found()
        }

        mod async_log {
            pub(super) fn found() -> &'static str {
                "found"
            }
        }

        #[allow(dead_code)]
        mod log {}
        #[allow(dead_code)]
        mod core {}
        #[allow(dead_code)]
        mod std {}
    }

    let (text, lines) = logged(user::find);
    assert_eq!(text, "found");
    assert_eq!(
        lines,
        [
            "+ #find id=1 under coming_from_tracing::instrument::user",
            "- #find id=1"
        ]
    );
}
