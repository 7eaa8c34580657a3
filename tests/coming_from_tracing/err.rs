//! tracing-attributes' `err.rs`: the record of an error. Ours is named after the function, and its span ends with the
//! outcome `error`.

use std::num::ParseIntError;

use async_log::{instrument, span};
use futures::executor::block_on;
use log::Level;

use crate::capture::{filtered_lines, lines, logged, polls};

/// The text of the error, since the standard library may change it.
fn text() -> String {
    fails().unwrap_err().to_string()
}

fn fails() -> Result<u8, ParseIntError> {
    "many".parse()
}

fn failed(name: &str, level: &str, error: &str) -> [String; 3] {
    [
        format!("+ {name}"),
        format!("  {level} {name} err={error}"),
        format!("- {name} error"),
    ]
}

/// Alike.
#[test]
fn err_suspicious_else() {
    #[instrument(err)]
    #[deny(clippy::suspicious_else_formatting)]
    fn block_first() -> Result<u8, ParseIntError> {
        {}
        "many".parse()
    }

    assert_eq!(lines(block_first), failed("#block_first", "ERROR", &text()));
}

/// Alike.
#[test]
fn test() {
    #[instrument(err)]
    fn parse() -> Result<u8, ParseIntError> {
        "many".parse()
    }

    let (result, lines) = logged(parse);
    assert!(result.is_err());
    assert_eq!(lines, failed("#parse", "ERROR", &text()));
}

/// Alike.
#[test]
fn test_early_return() {
    #[instrument(err)]
    fn parse_first() -> Result<u8, ParseIntError> {
        "many".parse::<u8>()?;
        Ok(5)
    }

    assert_eq!(lines(parse_first), failed("#parse_first", "ERROR", &text()));
}

fn failed_later(name: &str, arguments: &str) -> [String; 4] {
    [
        format!("+ {name} {arguments}"),
        "  TRACE polled started=true".to_owned(),
        format!("  ERROR {name} err={}", text()),
        format!("- {name} error"),
    ]
}

/// Alike.
#[test]
fn test_async() {
    #[instrument(names, err)]
    async fn parse_later(polled: usize) -> Result<u8, ParseIntError> {
        let future = polls(polled);
        log::trace!(started = true; "polled");
        future.await;
        "many".parse()
    }

    assert_eq!(
        lines(|| block_on(parse_later(2))),
        failed_later("#parse_later", "polled=2")
    );
}

/// Alike.
#[test]
fn test_mut() {
    #[instrument(names, err)]
    fn parse_into(into: &mut u8) -> Result<(), ParseIntError> {
        *into = "many".parse()?;
        Ok(())
    }

    let mut into = 0;
    let [_, record, end] = failed("#parse_into", "ERROR", &text());
    assert_eq!(
        lines(|| parse_into(&mut into)),
        ["+ #parse_into into=\"0\"".to_owned(), record, end]
    );
}

/// Alike.
#[test]
fn test_mut_async() {
    #[instrument(names, err)]
    async fn parse_into_later(polled: usize, into: &mut u8) -> Result<(), ParseIntError> {
        let future = polls(polled);
        log::trace!(started = true; "polled");
        future.await;
        *into = "many".parse()?;
        Ok(())
    }

    let mut into = 0;
    assert_eq!(
        lines(|| block_on(parse_into_later(2, &mut into))),
        failed_later("#parse_into_later", "polled=2 into=\"0\"")
    );
}

/// Alike.
#[test]
fn impl_trait_return_type() {
    #[instrument(names, err)]
    fn ids(x: usize) -> Result<impl Iterator<Item = usize>, String> {
        Ok(0..x)
    }

    let (numbers, lines) = logged(|| ids(10).unwrap());
    assert_eq!(numbers.count(), 10);
    assert_eq!(lines, ["+ #ids x=10", "- #ids"]);
}

/// Alike.
#[test]
fn test_err_dbg() {
    #[instrument(err(Debug))]
    fn parse_debugged() -> Result<u8, ParseIntError> {
        "many".parse()
    }

    let debug = format!("{:?}", fails().unwrap_err());
    assert_eq!(
        lines(parse_debugged),
        failed("#parse_debugged", "ERROR", &debug)
    );
}

/// Alike.
#[test]
fn test_err_display_default() {
    #[instrument(err)]
    fn parse() -> Result<u8, ParseIntError> {
        "many".parse()
    }

    let display = format!("{}", fails().unwrap_err());
    assert_eq!(lines(parse), failed("#parse", "ERROR", &display));
}

/// Alike, written with `span!`.
#[test]
fn test_err_custom_target() {
    let lines = filtered_lines(
        |record| record.target() == "db" && record.level() == Level::Error,
        || {
            span!(target: "db", level: Level::Error, "opening", {
                log::error!(target: "db", "no such file");
                log::error!("not this");
            });
        },
    );
    assert_eq!(
        lines,
        [
            "+ opening at ERROR under db",
            "  ERROR no such file under db",
            "- opening",
        ]
    );
}

/// Alike.
#[test]
fn test_err_info() {
    #[instrument(err(level = "info"))]
    fn parse_quietly() -> Result<u8, ParseIntError> {
        "many".parse()
    }

    assert_eq!(
        lines(parse_quietly),
        failed("#parse_quietly", "INFO", &text())
    );
}

/// Alike.
#[test]
fn test_err_dbg_info() {
    #[instrument(err(Debug, level = "info"))]
    fn parse_debugged() -> Result<u8, ParseIntError> {
        "many".parse()
    }

    let debug = format!("{:?}", fails().unwrap_err());
    assert_eq!(
        lines(parse_debugged),
        failed("#parse_debugged", "INFO", &debug)
    );
}

/// Alike.
#[test]
fn test_err_warn_info() {
    #[instrument(level = "warn", err(level = "info"))]
    fn parse_loudly() -> Result<u8, ParseIntError> {
        "many".parse()
    }

    let [_, record, end] = failed("#parse_loudly", "INFO", &text());
    assert_eq!(
        lines(parse_loudly),
        ["+ #parse_loudly at WARN".to_owned(), record, end]
    );
}
