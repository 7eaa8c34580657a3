//! tracing-attributes' `names.rs`.

use async_log::instrument;

use crate::capture::{empty, lines};

/// Different: the name has the file, `tests/coming_from_tracing/names.rs#find`, and in an annotated `impl` the
/// type.
#[test]
fn default_name_test() {
    #[instrument]
    fn find() {}

    assert_eq!(lines(find), empty("#find"));
}

/// Alike.
#[test]
fn custom_name_test() {
    #[instrument(name = "find a user")]
    fn find() {}

    assert_eq!(lines(find), empty("find a user"));
}

/// Alike, written `name = "find all users"` instead of `"find all users"`.
#[test]
fn custom_name_no_equals_test() {
    #[instrument(name = "find all users")]
    fn find_all() {}

    assert_eq!(lines(find_all), empty("find all users"));
}
