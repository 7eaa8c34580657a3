//! tracing-attributes' `levels.rs`.

use async_log::instrument;
use log::Level;

use crate::capture::lines;

const EXPECTED: [&str; 10] = [
    "+ #at_trace",
    "- #at_trace",
    "+ #at_debug at DEBUG",
    "- #at_debug",
    "+ #at_info at INFO",
    "- #at_info",
    "+ #at_warn at WARN",
    "- #at_warn",
    "+ #at_error at ERROR",
    "- #at_error",
];

/// Alike.
#[test]
fn named_levels() {
    #[instrument(level = "trace")]
    fn at_trace() {}

    #[instrument(level = "Debug")]
    fn at_debug() {}

    #[instrument(level = "INFO")]
    fn at_info() {}

    #[instrument(level = "WARn")]
    fn at_warn() {}

    #[instrument(level = "eRrOr")]
    fn at_error() {}

    let all = lines(|| {
        at_trace();
        at_debug();
        at_info();
        at_warn();
        at_error();
    });
    assert_eq!(all, EXPECTED);
}

/// Different: numbers are refused, since 1 is tracing's most verbose level and `log`'s most severe. A bare word works.
#[test]
fn numeric_levels() {
    #[instrument(level = trace)]
    fn at_trace() {}

    #[instrument(level = Debug)]
    fn at_debug() {}

    #[instrument(level = INFO)]
    fn at_info() {}

    #[instrument(level = warn)]
    fn at_warn() {}

    #[instrument(level = error)]
    fn at_error() {}

    let all = lines(|| {
        at_trace();
        at_debug();
        at_info();
        at_warn();
        at_error();
    });
    assert_eq!(all, EXPECTED);
}

/// Alike, written `Level::Trace`, which is `log`'s, instead of `Level::TRACE`.
#[test]
fn enum_levels() {
    #[instrument(level = Level::Trace)]
    fn at_trace() {}

    #[instrument(level = Level::Debug)]
    fn at_debug() {}

    #[instrument(level = log::Level::Info)]
    fn at_info() {}

    #[instrument(level = Level::Warn)]
    fn at_warn() {}

    #[instrument(level = Level::Error)]
    fn at_error() {}

    let all = lines(|| {
        at_trace();
        at_debug();
        at_info();
        at_warn();
        at_error();
    });
    assert_eq!(all, EXPECTED);
}
