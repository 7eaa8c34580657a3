//! From what was said on the command line to what is written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use async_log_cli::input::InputError;
use async_log_cli::write::Look;

use crate::args::{self, Cli, Command, Common};
use crate::compare;
use crate::inputs;
use crate::output::Output;
use crate::pages;
use crate::reading::Input;
use crate::signals;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Nothing = 1,
    Usage = 2,
    Failed = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// What stops it.
#[derive(Debug)]
pub(crate) enum Failure {
    Input(InputError),
    Output {
        name: String,
        error: io::Error,
    },
    /// What the options say cannot be done here.
    Usage(String),
    /// There is nothing to show, and why.
    Nothing(String),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Nothing(_) => Exit::Nothing,
            Failure::Usage(_) => Exit::Usage,
            Failure::Input(_) | Failure::Output { .. } => Exit::Failed,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Input(error) => error.fmt(f),
            Failure::Output { name, error } => write!(f, "{name}: cannot be written: {error}"),
            Failure::Usage(what) | Failure::Nothing(what) => f.write_str(what),
        }
    }
}

pub(crate) fn run(cli: Cli) -> Result<Exit, Failure> {
    let mut command = cli.command;
    command.take_count();
    match &command {
        Command::Completions { shell } => print(|out| pages::completions(*shell, out)),
        Command::Manual {
            into: None,
            of: None,
        } => print(pages::whole_manual),
        Command::Manual {
            into: None,
            of: Some(name),
        } => {
            let page = pages::Page::of(name).ok_or_else(|| {
                Failure::Usage(format!(
                    "{name}: it is no command; `async-log help` names them"
                ))
            })?;
            print(|out| page.render(out))
        }
        Command::Manual {
            into: Some(folder), ..
        } => {
            let name = folder.display().to_string();
            conclude_output(pages::write_manuals(folder), &name)
        }
        Command::Diff(diff) => compare::compare(&command, diff),
        _ => match command.common() {
            Some(common) => draw(&command, common),
            None => Ok(Exit::Done),
        },
    }
}

/// Writes to standard output what reads no log.
fn print(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let written = write(&mut text).and_then(|()| io::Write::write_all(&mut io::stdout(), &text));
    conclude_output(written, "standard output")
}

/// Reads the logs and writes what the command makes of them.
fn draw(command: &Command, common: &Common) -> Result<Exit, Failure> {
    let path = common.output.output.as_deref();
    check_output(&common.files.files, path)?;
    let mut input = Input::open(command, common)?;
    let mut output = open_output(&common.output)?;
    if command.is_drawing() && output.is_terminal() {
        return Err(Failure::Usage(
            "standard output: it is a terminal, which shows no trace and no picture; name a file \
             with -o, or pipe it to a program"
                .to_owned(),
        ));
    }
    if let Some(temporary) = output.temporary().filter(|_| !common.reading.follow) {
        signals::remove_when_ended(temporary);
    }
    let look = Look::new(output.has_color(command.color()), output.width());
    let read = input.draw(command, look, &mut output);
    let name = output_name(&common.output);
    if read.is_err() || input.nothing.is_none() {
        let hint = std::mem::take(&mut input.hint);
        let read = read.and_then(|()| hint.write(look, &mut output, common));
        conclude_output(read.and_then(|()| output.commit()), &name)?;
    } else {
        // A program that reads standard output gets an empty result; a file stays what it was.
        conclude_output(output.abandon(), &name)?;
    }
    if !common.output.quiet {
        input.report();
    }
    input.conclude(command, common)
}

/// Refuses to write over a log that is read.
pub(crate) fn check_output(logs: &[PathBuf], output: Option<&Path>) -> Result<(), Failure> {
    inputs::check_output(logs, output).map_err(|name| {
        Failure::Usage(format!(
            "{name}: it is a log that is read, and would be lost; name another file with -o"
        ))
    })
}

/// Whoever does not read on has what was wanted.
pub(crate) fn conclude_output(written: io::Result<()>, name: &str) -> Result<Exit, Failure> {
    match written {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(Failure::Output {
            name: name.to_owned(),
            error,
        }),
    }
}

pub(crate) fn open_output(output: &args::Output) -> Result<Output, Failure> {
    Output::open(output.output.as_deref()).map_err(|error| Failure::Output {
        name: output_name(output),
        error,
    })
}

pub(crate) fn output_name(output: &args::Output) -> String {
    match &output.output {
        Some(path) => path.display().to_string(),
        None => "standard output".to_owned(),
    }
}
