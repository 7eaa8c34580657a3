//! The bytes of one log, whatever it is packed in.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::error::InputError;
use super::follow::Follow;
use super::gzip::Gzip;
use super::pipe::Pipe;
use super::raw::{Origin, Raw};
use super::reversed::Reversed;
use super::zstd::Zstd;
use crate::read::Dialect;

/// The bytes of one log. What is compressed with gzip or zstd comes out as it was before.
///
/// A source that may go on, but has nothing at the moment, gives [`io::ErrorKind::WouldBlock`].
#[derive(Debug)]
pub struct Source {
    name: String,
    total: Option<u64>,
    is_file: bool,
    read: Arc<AtomicU64>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// Nothing is known of what is in it.
    Packed(Raw),
    Plain(Raw),
    Gzip(Gzip),
    Zstd(Box<Zstd>),
    /// Lines that were turned round.
    Reversed(Reversed),
    /// A file that is opened when its turn comes.
    Shut(PathBuf),
    Over,
}

/// What there is to read.
pub(crate) enum Got {
    Bytes(usize),
    /// Nothing at the moment.
    Nothing,
    End,
}

/// What a log can be packed in, by its first bytes.
enum Packing {
    Plain,
    Gzip,
    Zstd,
    /// Text that begins with a mark of its encoding, so many bytes long.
    Marked(usize),
    /// None that is read here: what it is, and what makes a log of it.
    Foreign(&'static str, &'static str),
}

const LONGEST_MAGIC: usize = 6;

impl Packing {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
            [0xef, 0xbb, 0xbf, ..] => Packing::Marked(3),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Packing::Foreign("compressed with xz", "xz -dc"),
            [b'B', b'Z', b'h', _, 0x31, 0x41] => {
                Packing::Foreign("compressed with bzip2", "bzip2 -dc")
            }
            [0x04, 0x22, 0x4d, 0x18, ..] => Packing::Foreign("compressed with lz4", "lz4 -dc"),
            [b'P', b'K', 3, 4, ..] => Packing::Foreign("a zip archive", "unzip -p"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                Packing::Foreign("text in UTF-16", "iconv -f UTF-16 -t UTF-8")
            }
            _ => Packing::Plain,
        }
    }

    /// Whether more bytes behind `head` could make it anything but plain text.
    fn is_open(head: &[u8]) -> bool {
        const FIRST: [u8; 9] = [0x1f, 0x28, 0xef, 0xfd, b'B', 0x04, b'P', 0xff, 0xfe];
        let is_first = |byte: &u8| FIRST.contains(byte) || (0x50..=0x5f).contains(byte);
        head.len() < LONGEST_MAGIC && head.first().is_none_or(is_first)
    }
}

impl Source {
    /// A file; `-` is standard input. What can be said to be wrong before it is read is.
    pub fn open(path: &Path) -> Result<Source, InputError> {
        if path == Path::new("-") {
            return Ok(Source::stdin());
        }
        let name = path.display().to_string();
        let (file, total) = open(path, &name)?;
        let origin = match total {
            Some(_) => Origin::File(file),
            None => Origin::Pipe(Pipe::new(file, None)),
        };
        let mut source = Source::new(name, origin, total);
        if total.is_some() {
            source.look_inside()?;
        }
        Ok(source)
    }

    /// Standard input.
    pub fn stdin() -> Source {
        Source::stdin_until(None)
    }

    /// A file that grows, or will be replaced by another: read until `stop` is set. `-` is standard
    /// input, which is read so in any case.
    pub fn follow(path: &Path, stop: Arc<AtomicBool>) -> Result<Source, InputError> {
        if path == Path::new("-") {
            return Ok(Source::stdin_until(Some(stop)));
        }
        let name = path.display().to_string();
        let (file, total) = open(path, &name)?;
        if total.is_none() {
            let pipe = Pipe::new(file, Some(stop));
            return Ok(Source::new(name, Origin::Pipe(pipe), None));
        }
        let mut source = Source::new(name, Origin::File(file), total);
        source.look_inside()?;
        let Body::Plain(raw) = &mut source.body else {
            let advice = "leave --follow out: a compressed file does not grow";
            return Err(InputError::new(&source.name, "it is compressed", advice));
        };
        let (file, _) = open(path, &source.name)?;
        raw.origin = Origin::Follow(Follow::new(path, file, stop));
        raw.skip_peeked(LONGEST_MAGIC);
        source.total = None;
        source.is_file = false;
        Ok(source)
    }

    /// Any other bytes, under this name.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Source {
        Source::new(name.to_owned(), Origin::Other(Box::new(reader)), None)
    }

    fn stdin_until(stop: Option<Arc<AtomicBool>>) -> Source {
        let name = "standard input".to_owned();
        if let Some((file, total)) = stdin_file() {
            return Source::new(name, Origin::File(file), Some(total));
        }
        Source::new(name, Origin::Pipe(Pipe::new(io::stdin(), stop)), None)
    }

    fn new(name: String, origin: Origin, total: Option<u64>) -> Source {
        let raw = Raw::new(origin);
        Source {
            name,
            total,
            is_file: total.is_some(),
            read: Arc::clone(&raw.read),
            body: Body::Packed(raw),
        }
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes are stored, if that is known.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many of the stored bytes were read.
    pub fn consumed(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Whether it is a file that is there as a whole.
    pub fn is_file(&self) -> bool {
        self.is_file
    }

    /// Closes a file of which nothing was read, until its turn comes.
    pub(crate) fn shut(&mut self, path: &Path) {
        if self.is_file && self.name != "standard input" {
            self.body = Body::Shut(path.to_owned());
        }
    }

    /// Lets go of what was read to its end.
    pub(crate) fn close(&mut self) {
        self.body = Body::Over;
    }

    /// Behind an end: whether another file goes on under this name.
    pub(crate) fn begin_next(&mut self) -> bool {
        match &mut self.body {
            Body::Plain(Raw {
                origin: Origin::Follow(follow),
                ..
            }) => follow.begin_next(),
            _ => false,
        }
    }

    /// Turns its lines round, of which the first were read already. None of a source that goes on for
    /// ever: that cannot be turned.
    pub(crate) fn reverse(
        &mut self,
        begun: &[u8],
        dialect: Arc<Dialect>,
        max_line: usize,
    ) -> Option<Result<(), InputError>> {
        let file = match std::mem::replace(&mut self.body, Body::Over) {
            Body::Plain(Raw {
                origin: Origin::File(file),
                ..
            }) => Ok(file),
            body @ Body::Plain(Raw {
                origin: Origin::Follow(_),
                ..
            }) => {
                self.body = body;
                return None;
            }
            body => {
                self.body = body;
                Reversed::spool(&mut begun.chain(&mut *self))
            }
        };
        let reversed = file.and_then(|file| Reversed::new(file, dialect, max_line));
        Some(match reversed {
            Ok(reversed) => {
                self.body = Body::Reversed(reversed);
                Ok(())
            }
            Err(error) => Err(InputError::io(&self.name, &error)),
        })
    }

    /// Finds out what the bytes are packed in.
    fn look_inside(&mut self) -> Result<(), InputError> {
        if let Body::Shut(path) = &self.body {
            let path = path.clone();
            *self = Source::open(&path)?;
        }
        let Body::Packed(raw) = &mut self.body else {
            return Ok(());
        };
        match raw.peek(LONGEST_MAGIC) {
            Err(error) if is_pause(&error) && !Packing::is_open(raw.peeked()) => {}
            Err(error) if is_pause(&error) => return Ok(()),
            Err(error) => return Err(InputError::io(&self.name, &error)),
            Ok(_) => {}
        }
        let Body::Packed(mut raw) = std::mem::replace(&mut self.body, Body::Over) else {
            return Ok(());
        };
        self.body = match Packing::of(raw.peeked()) {
            Packing::Plain => Body::Plain(raw),
            Packing::Marked(len) => {
                raw.skip_peeked(len);
                Body::Plain(raw)
            }
            Packing::Gzip => Body::Gzip(Gzip::new(buffered(raw))),
            Packing::Zstd => Body::Zstd(Box::new(Zstd::new(buffered(raw)))),
            Packing::Foreign(what, command) => {
                let advice = format!("read it by `{command} {} | async-log …`", self.name);
                return Err(InputError::new(&self.name, format!("it is {what}"), advice));
            }
        };
        Ok(())
    }

    /// Reads on. After an error there is no more.
    pub(crate) fn get(&mut self, into: &mut [u8]) -> Result<Got, InputError> {
        if let Err(error) = self.look_inside() {
            self.body = Body::Over;
            return Err(error);
        }
        let got = match &mut self.body {
            Body::Packed(_) => return Ok(Got::Nothing),
            Body::Over | Body::Shut(_) => Ok(0),
            Body::Plain(raw) => match raw.read(into) {
                Err(error) if is_pause(&error) => return Ok(Got::Nothing),
                Err(error) => Err(InputError::io(&self.name, &error)),
                Ok(len) => Ok(len),
            },
            Body::Gzip(gzip) => gzip.read(into).map_err(|broken| broken.error(&self.name)),
            Body::Zstd(zstd) => zstd.read(into).map_err(|broken| broken.error(&self.name)),
            Body::Reversed(reversed) => {
                let read = reversed.read(into);
                read.map_err(|error| InputError::io(&self.name, &error))
            }
        };
        match got {
            Ok(0) => Ok(Got::End),
            Ok(len) => Ok(Got::Bytes(len)),
            Err(error) => {
                self.body = Body::Over;
                Err(error)
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.get(into) {
            Ok(Got::Bytes(len)) => Ok(len),
            Ok(Got::Nothing) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(Got::End) => Ok(0),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// A decoder cannot be interrupted: whoever feeds it waits.
fn buffered(mut raw: Raw) -> BufReader<Raw> {
    if let Origin::Pipe(pipe) = &mut raw.origin {
        pipe.tells_pauses = false;
    }
    BufReader::with_capacity(64 << 10, raw)
}

/// Opens a file, and says how long it is if it is a regular one.
fn open(path: &Path, name: &str) -> Result<(File, Option<u64>), InputError> {
    let file = File::open(path).map_err(|error| InputError::io(name, &error))?;
    let about = file
        .metadata()
        .map_err(|error| InputError::io(name, &error))?;
    if about.is_dir() {
        return Err(InputError::is_directory(name));
    }
    Ok((file, about.is_file().then_some(about.len())))
}

/// Standard input if that is a regular file, and how much of it is left.
#[cfg(unix)]
fn stdin_file() -> Option<(File, u64)> {
    use std::os::fd::AsFd;
    let mut file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let about = file.metadata().ok().filter(|about| about.is_file())?;
    let at = file.stream_position().ok()?;
    Some((file, about.len().saturating_sub(at)))
}

#[cfg(not(unix))]
fn stdin_file() -> Option<(File, u64)> {
    None
}
