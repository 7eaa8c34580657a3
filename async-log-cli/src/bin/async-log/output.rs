//! Where the output goes: standard output, or a file that is there when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};

use crate::args;
use crate::temporary::Temporary;

/// Enough for a page of a terminal and for a disk's liking.
const BUFFER: usize = 128 << 10;

#[derive(Debug)]
pub(crate) enum Output {
    Stdout(BufWriter<Stdout>),
    /// What is no ordinary file is written as it is: `/dev/null`, a pipe.
    Device(BufWriter<File>),
    File {
        temporary: BufWriter<Temporary>,
        path: PathBuf,
    },
}

impl Output {
    /// Opens a file, or standard output where none is named.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Output> {
        let Some(path) = path else {
            return Ok(Output::Stdout(BufWriter::with_capacity(
                BUFFER,
                io::stdout(),
            )));
        };
        // A link's target is replaced, not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                return Err(io::Error::new(
                    io::ErrorKind::IsADirectory,
                    "it is a directory; name a file",
                ));
            }
            Ok(metadata) if !metadata.is_file() => {
                let device = File::options().write(true).open(&path)?;
                return Ok(Output::Device(BufWriter::with_capacity(BUFFER, device)));
            }
            _ => {}
        }
        let temporary = BufWriter::with_capacity(BUFFER, Temporary::beside(&path)?);
        Ok(Output::File { temporary, path })
    }

    /// Makes the file be there.
    pub(crate) fn commit(self) -> io::Result<()> {
        match self {
            Output::Stdout(mut out) => out.flush(),
            Output::Device(mut out) => out.flush(),
            Output::File { temporary, path } => temporary
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?
                .put(&path),
        }
    }

    /// There is nothing to show: a file that was there stays what it was.
    pub(crate) fn abandon(self) -> io::Result<()> {
        match self {
            Output::Stdout(mut out) => out.flush(),
            Output::Device(_) | Output::File { .. } => Ok(()),
        }
    }

    /// The file that has to go where this process is ended from outside.
    pub(crate) fn temporary(&self) -> Option<PathBuf> {
        match self {
            Output::File { temporary, .. } => temporary.get_ref().path(),
            _ => None,
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        match self {
            Output::Stdout(_) => io::stdout().is_terminal(),
            Output::Device(out) => out.get_ref().is_terminal(),
            Output::File { .. } => false,
        }
    }

    /// Whether it takes colours.
    pub(crate) fn has_color(&self, color: args::Color) -> bool {
        match color {
            args::Color::Always => true,
            args::Color::Never => false,
            args::Color::Auto => {
                let choice = anstream::AutoStream::choice(&io::stdout());
                matches!(self, Output::Stdout(_)) && choice != anstream::ColorChoice::Never
            }
        }
    }

    /// The columns of the terminal, if it is one.
    pub(crate) fn width(&self) -> Option<usize> {
        if !matches!(self, Output::Stdout(_)) || !self.is_terminal() {
            return None;
        }
        let (width, _) = terminal_size::terminal_size()?;
        Some(width.0.into())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Stdout(out) => out.write(bytes),
            Output::Device(out) => out.write(bytes),
            Output::File { temporary, .. } => temporary.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Stdout(out) => out.flush(),
            Output::Device(out) => out.flush(),
            Output::File { temporary, .. } => temporary.flush(),
        }
    }
}
