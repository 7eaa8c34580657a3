//! The bytes of an input as they are stored.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::follow::Follow;
use super::pipe::Pipe;

/// Where bytes come from.
pub(crate) enum Origin {
    File(File),
    Pipe(Pipe),
    Follow(Follow),
    Other(Box<dyn Read + Send>),
}

/// Stored bytes, of which the first can be looked at before they are read, and which are counted.
pub(crate) struct Raw {
    pub(crate) origin: Origin,
    head: Vec<u8>,
    pub(crate) read: Arc<AtomicU64>,
}

impl Raw {
    pub(crate) fn new(origin: Origin) -> Self {
        Raw {
            origin,
            head: Vec::new(),
            read: Arc::default(),
        }
    }

    /// Looks at the first `len` bytes, fewer where there are no more.
    pub(crate) fn peek(&mut self, len: usize) -> io::Result<()> {
        while self.head.len() < len {
            let mut more = [0; 16];
            let wanted = (len - self.head.len()).min(more.len());
            match read(&mut self.origin, &mut more[..wanted]) {
                Ok(0) => break,
                Ok(read) => self.head.extend_from_slice(&more[..read]),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What was looked at so far.
    pub(crate) fn peeked(&self) -> &[u8] {
        &self.head
    }

    pub(crate) fn skip_peeked(&mut self, len: usize) {
        self.head.drain(..len.min(self.head.len()));
    }
}

fn read(origin: &mut Origin, into: &mut [u8]) -> io::Result<usize> {
    loop {
        let result = match origin {
            Origin::File(file) => file.read(into),
            Origin::Pipe(pipe) => pipe.read(into),
            Origin::Follow(follow) => follow.read(into),
            Origin::Other(other) => other.read(into),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = if self.head.is_empty() {
            read(&mut self.origin, into)?
        } else {
            let len = self.head.len().min(into.len());
            into[..len].copy_from_slice(&self.head[..len]);
            self.head.drain(..len);
            len
        };
        self.read.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw")
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}
