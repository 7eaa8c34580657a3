//! The command `async-log`: arguments in, an exit code out.

#![forbid(unsafe_code)]

mod args;
mod compare;
mod hint;
mod inputs;
mod output;
mod pages;
mod reading;
mod report;
mod run;
mod show;
mod signals;
mod temporary;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    match run::run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("async-log: {failure}");
            failure.exit().into()
        }
    }
}
