//! tracing-attributes' `ret.rs`: the record of what a function returns. Ours is named after the function.

use std::num::TryFromIntError;

use async_log::instrument;
use futures::executor::block_on;
use log::Level;

use crate::capture::{filtered_lines, lines};

fn returned(name: &str, level: &str, value: &str) -> [String; 3] {
    [
        format!("+ {name}"),
        format!("  {level} {name} ret={value}"),
        format!("- {name}"),
    ]
}

/// Alike.
#[test]
fn test() {
    #[instrument(ret)]
    fn answer() -> i32 {
        42
    }

    assert_eq!(lines(answer), returned("#answer", "TRACE", "42"));
}

/// Alike, written with `level = info`, since this logger takes no `TRACE`.
#[test]
fn test_custom_target() {
    #[instrument(target = "db", level = info, ret)]
    fn answer_to_db() -> i32 {
        42
    }

    let lines = filtered_lines(
        |record| record.target() == "db" && record.level() <= Level::Info,
        answer_to_db,
    );
    assert_eq!(
        lines,
        [
            "+ #answer_to_db at INFO under db",
            "  INFO #answer_to_db ret=42 under db",
            "- #answer_to_db",
        ]
    );
}

/// Alike.
#[test]
fn test_warn() {
    #[instrument(level = "warn", ret)]
    fn loud_answer() -> i32 {
        42
    }

    assert_eq!(
        lines(loud_answer),
        [
            "+ #loud_answer at WARN",
            "  WARN #loud_answer ret=42",
            "- #loud_answer",
        ]
    );
}

/// Alike.
#[test]
fn test_mut() {
    #[instrument(names, ret)]
    fn double(a: &mut i32) -> i32 {
        *a *= 2;
        log::info!(a:?; "doubled");
        *a
    }

    assert_eq!(
        lines(|| double(&mut 1)),
        [
            "+ #double a=\"1\"",
            "  INFO doubled a=2",
            "  TRACE #double ret=2",
            "- #double",
        ]
    );
}

/// Alike.
#[test]
fn test_async() {
    #[instrument(ret)]
    async fn later_answer() -> i32 {
        42
    }

    assert_eq!(
        lines(|| block_on(later_answer())),
        returned("#later_answer", "TRACE", "42")
    );
}

/// Alike.
#[test]
fn test_impl_type() {
    #[instrument(ret)]
    fn opaque_answer() -> impl Copy {
        42
    }

    assert_eq!(
        lines(opaque_answer),
        returned("#opaque_answer", "TRACE", "42")
    );
}

/// Alike.
#[test]
fn test_dbg() {
    #[instrument(ret(Display))]
    fn shown_answer() -> i32 {
        42
    }

    assert_eq!(
        lines(shown_answer),
        returned("#shown_answer", "TRACE", "42")
    );
}

/// Alike.
#[test]
fn test_ret_and_err() {
    #[instrument(err, ret)]
    fn bad_byte() -> Result<u8, TryFromIntError> {
        u8::try_from(1234)
    }

    let error = u8::try_from(1234).unwrap_err();
    assert_eq!(
        lines(bad_byte),
        [
            "+ #bad_byte".to_owned(),
            format!("  ERROR #bad_byte err={error}"),
            "- #bad_byte error".to_owned(),
        ]
    );
}

/// Alike.
#[test]
fn test_ret_and_ok() {
    #[instrument(err, ret)]
    fn byte() -> Result<u8, TryFromIntError> {
        u8::try_from(123)
    }

    assert_eq!(lines(byte), returned("#byte", "TRACE", "123"));
}

/// Alike.
#[test]
fn test_warn_info() {
    #[instrument(level = "warn", ret(level = "info"))]
    fn loud_answer() -> i32 {
        42
    }

    assert_eq!(
        lines(loud_answer),
        [
            "+ #loud_answer at WARN",
            "  INFO #loud_answer ret=42",
            "- #loud_answer",
        ]
    );
}

/// Alike.
#[test]
fn test_dbg_warn() {
    #[instrument(ret(level = "warn", Debug))]
    fn debugged_answer() -> i32 {
        42
    }

    assert_eq!(
        lines(debugged_answer),
        returned("#debugged_answer", "WARN", "42")
    );
}
