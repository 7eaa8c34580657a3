//! A stream that is read by a thread of its own, so that a pause in it is noticed.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

const CHUNK: usize = 128 << 10;
const AHEAD: usize = 4;

/// After this long without a byte, what has come is handed over.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);

/// A stream, read ahead.
pub(crate) struct Pipe {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
    stop: Option<Arc<AtomicBool>>,
    /// Pauses are told of. Whoever unpacks the stream cannot be interrupted.
    pub(crate) tells_pauses: bool,
}

impl Pipe {
    pub(crate) fn new(mut from: impl Read + Send + 'static, stop: Option<Arc<AtomicBool>>) -> Self {
        let (sender, chunks) = sync_channel(AHEAD);
        std::thread::spawn(move || {
            loop {
                let chunk = read_chunk(&mut from);
                let is_last = !matches!(&chunk, Ok(chunk) if !chunk.is_empty());
                if sender.send(chunk).is_err() || is_last {
                    break;
                }
            }
        });
        Pipe {
            chunks,
            chunk: Vec::new(),
            at: 0,
            stop,
            tells_pauses: true,
        }
    }

    fn is_stopped(&self) -> bool {
        let stop = self.stop.as_ref();
        stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// The next chunk; an empty one at the end.
    fn next_chunk(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.chunks.recv_timeout(PAUSE) {
                Ok(chunk) => return chunk,
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
                Err(RecvTimeoutError::Timeout) if self.is_stopped() => return Ok(Vec::new()),
                Err(RecvTimeoutError::Timeout) if self.tells_pauses => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn read_chunk(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk) {
            Ok(len) => {
                chunk.truncate(len);
                return Ok(chunk);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            if self.is_stopped() {
                return Ok(0);
            }
            self.chunk = self.next_chunk()?;
            self.at = 0;
        }
        let rest = &self.chunk[self.at..];
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}
