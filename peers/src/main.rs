//! The same work through other libraries. `peers TABLE [PROGRAM]` prints a table; PROGRAM has rows that this one has
//! not. All that is measured runs in a process of its own, since most of these libraries are set up once a process.

#[cfg(feature = "value-bag")]
mod async_log_2;
mod by_hand;
mod check;
mod child;
#[cfg(feature = "value-bag")]
mod context_logger;
mod emit;
mod entry;
#[cfg(feature = "fastrace")]
mod fastrace;
mod logforth;
mod ours;
mod plain;
mod sink;
mod slog;
mod table;
mod tracing;
mod work;

use std::error::Error;
use std::process::ExitCode;

const USAGE: &str =
    "usage: peers check | instructions | readme | nanoseconds | allocations | threads [PROGRAM]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match command(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    match arguments {
        ["child", arguments @ ..] => child::command(arguments),
        ["check", others @ ..] => check::check(&table::rows(others)?),
        ["instructions", others @ ..] => table::instructions(&table::rows(others)?),
        ["readme", others @ ..] => table::readme(&table::rows(others)?),
        ["nanoseconds", others @ ..] => table::nanoseconds(&table::rows(others)?),
        ["allocations", others @ ..] => table::allocations(&table::rows(others)?),
        ["threads", others @ ..] => table::threads(&table::rows(others)?),
        _ => Err(USAGE.into()),
    }
}
