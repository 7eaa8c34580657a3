//! A file that grows, and is truncated or replaced.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::pipe::PAUSE;

/// A file that is read as it grows, as `tail -F` does it.
pub(crate) struct Follow {
    path: PathBuf,
    file: File,
    /// How much of this file was read.
    at: u64,
    /// The last bytes that were read: if others stand in their place, the file was written anew.
    tail: Vec<u8>,
    stop: Arc<AtomicBool>,
    next: Next,
}

/// What comes behind the end of what there is.
enum Next {
    More,
    /// Another file stands there now; what the old one still has comes first.
    Other(File),
    /// The file was read to its end; the other one begins.
    Begun,
}

impl Follow {
    pub(crate) fn new(path: &Path, file: File, stop: Arc<AtomicBool>) -> Self {
        Follow {
            path: path.to_owned(),
            file,
            at: 0,
            tail: Vec::new(),
            stop,
            next: Next::More,
        }
    }

    /// Whether the end that was met is that of a file only, and another one begins.
    pub(crate) fn begin_next(&mut self) -> bool {
        let begun = matches!(self.next, Next::Begun);
        self.next = Next::More;
        begun
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Behind the last byte: looks for what became of the file.
    fn look(&mut self) -> io::Result<()> {
        let here = self.file.metadata()?;
        if here.len() < self.at {
            self.begin_anew()?;
        } else if let Ok(there) = std::fs::metadata(&self.path)
            && !is_same(&here, &there)
            && let Ok(file) = File::open(&self.path)
        {
            self.next = Next::Other(file);
        } else {
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }
}

impl Follow {
    /// The file was truncated: it begins again.
    fn begin_anew(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.at = 0;
        self.tail.clear();
        self.next = Next::Begun;
        Ok(())
    }

    /// Whether the file still has what was read before the last `read` bytes. One that was truncated may have become longer than
    /// it was before anybody looked.
    fn has_tail(&mut self, read: usize) -> io::Result<bool> {
        let mut there = vec![0; self.tail.len()];
        self.file
            .seek(SeekFrom::Start(self.at - self.tail.len() as u64))?;
        let compared = self.file.read_exact(&mut there);
        self.file.seek(SeekFrom::Start(self.at + read as u64))?;
        Ok(compared.is_ok() && there == self.tail)
    }

    /// Keeps the end of what was read.
    fn keep_tail(&mut self, read: &[u8]) {
        self.at += read.len() as u64;
        self.tail
            .extend_from_slice(&read[read.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }
}

/// How much is compared: more than a line's time, which is another one in a file written anew.
const TAIL: usize = 1024;

impl Read for Follow {
    /// An end is that of one file: see [`Follow::begin_next`].
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_stopped() || matches!(self.next, Next::Begun) {
            return Ok(0);
        }
        let len = self.file.read(into)?;
        if len > 0 {
            if self.has_tail(len)? {
                self.keep_tail(&into[..len]);
                return Ok(len);
            }
            // What was read is from the middle of what the file has now.
            self.begin_anew()?;
            return Ok(0);
        }
        match std::mem::replace(&mut self.next, Next::More) {
            Next::Other(file) => {
                self.file = file;
                self.at = 0;
                self.tail.clear();
                self.next = Next::Begun;
                return Ok(0);
            }
            _ => self.look()?,
        }
        match self.next {
            Next::Begun => Ok(0),
            // What was written between the last reading and the replacement.
            Next::Other(_) => self.read(into),
            Next::More => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    a.created().ok() == b.created().ok()
}
