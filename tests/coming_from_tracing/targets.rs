//! tracing-attributes' `targets.rs`.

use async_log::instrument;

use crate::capture::{empty, lines};

#[instrument]
fn find() {}

#[instrument(target = "db")]
fn find_in() {}

mod nested {
    use async_log::instrument;

    pub(super) const PATH: &str = module_path!();

    #[instrument]
    pub(super) fn find() {}

    #[instrument(target = "cache")]
    pub(super) fn find_in() {}
}

/// Alike.
#[test]
fn finds() {
    assert_eq!(lines(find), empty("#find"));
    assert_eq!(
        lines(nested::find),
        [
            format!("+ #find under {}", nested::PATH),
            "- #find".to_owned(),
        ]
    );
}

/// Alike.
#[test]
fn custom_targets() {
    let both = lines(|| {
        find_in();
        nested::find_in();
    });
    assert_eq!(
        both,
        [
            "+ #find_in under db",
            "- #find_in",
            "+ #find_in under cache",
            "- #find_in",
        ]
    );
}
