//! A log whose newest lines are first, turned round.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use crate::read::{Dialect, trim_end};

/// How much is read at once.
const BLOCK: u64 = 256 << 10;

/// The lines of a file from the last to the first; those of one record stay in their order.
#[derive(Debug)]
pub(crate) struct Reversed {
    file: File,
    /// How much of the file, from its beginning, was not read.
    left: u64,
    /// What was read behind that, and not given: the first of its lines may lack its beginning.
    block: Vec<u8>,
    /// Lines that belong below the one that comes next.
    below: Vec<u8>,
    /// What is to be given, and how much of it was.
    out: Vec<u8>,
    given: usize,
    dialect: Arc<Dialect>,
    max_line: usize,
}

impl Reversed {
    /// Reads from the end of a file on. A last line without a line break is no line.
    pub(crate) fn new(mut file: File, dialect: Arc<Dialect>, max_line: usize) -> io::Result<Self> {
        let left = file.seek(SeekFrom::End(0))?;
        let mut reversed = Reversed {
            file,
            left,
            block: Vec::new(),
            below: Vec::new(),
            out: Vec::new(),
            given: 0,
            dialect,
            max_line,
        };
        reversed.read_block()?;
        let end = memchr::memrchr(b'\n', &reversed.block).map_or(0, |at| at + 1);
        reversed.block.truncate(end);
        Ok(reversed)
    }

    /// Keeps all that can be read in a file of its own, to begin at its end.
    pub(crate) fn spool(read: &mut dyn Read) -> io::Result<File> {
        let mut file = tempfile::tempfile()?;
        let mut block = vec![0; BLOCK as usize];
        loop {
            match read.read(&mut block) {
                Ok(0) => return Ok(file),
                Ok(len) => file.write_all(&block[..len])?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the block before those that were read. False at the beginning of the file.
    fn read_block(&mut self) -> io::Result<bool> {
        let len = self.left.min(BLOCK);
        self.left -= len;
        self.file.seek(SeekFrom::Start(self.left))?;
        let mut block = vec![0; len as usize];
        self.file.read_exact(&mut block)?;
        block.append(&mut self.block);
        self.block = block;
        Ok(len > 0)
    }

    /// Puts the lines of what was read into what is given, the last first.
    fn turn(&mut self) {
        while let Some((_, before)) = self.block.split_last() {
            let begin = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            // Its beginning may stand in the block before.
            let is_whole = begin > 0 || self.left == 0 || self.block.len() > self.max_line;
            if !is_whole {
                return;
            }
            let line = self.block.split_off(begin);
            let is_below = !self.dialect.continues_upwards
                && self.dialect.may_continue(trim_end(&line[..line.len() - 1]))
                && self.below.len() < self.max_line;
            if is_below {
                self.below.splice(0..0, line);
                continue;
            }
            self.out.extend_from_slice(&line);
            self.out.append(&mut self.below);
        }
        if self.left == 0 {
            self.out.append(&mut self.below);
        }
    }
}

impl Read for Reversed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.out.len() {
            self.out.clear();
            self.given = 0;
            self.turn();
            if self.out.is_empty() && !self.read_block()? {
                return Ok(0);
            }
        }
        let rest = &self.out[self.given..];
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        self.given += len;
        Ok(len)
    }
}
