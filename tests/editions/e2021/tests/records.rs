//! The forms of a span's record in edition 2021.

#![deny(warnings)]
#![warn(clippy::pedantic)]

#[macro_use(span)]
extern crate tracer;

#[path = "../../shared/records.rs"]
mod records;

/// Names that say what they hold themselves.
#[test]
fn names_of_variables() {
    let (id, width) = (7, 3);
    assert_eq!(span!("load {id}", { 1 }), 1);
    assert_eq!(span!("load {id:>width$} {}", id + 1, { 2 },), 2);
    assert_eq!(span!(id; "load {id:?}", { 3 }), 3);
    assert_eq!(span!("load {id} {id:?} {new}", new = 1, { id }), 7);
    drop(span!(r"load {id}"));
    futures::executor::block_on(async {
        assert_eq!(span!("load {id}", { async { id }.await }), 7);
    });
}
