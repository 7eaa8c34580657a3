//! `.gz`: one member after another.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::raw::Raw;
use super::unpack::{Broken, guarded};

/// The members of a gzip file.
#[derive(Debug)]
pub(crate) struct Gzip {
    state: State,
}

#[derive(Debug)]
enum State {
    Between(BufReader<Raw>),
    Inside(Box<GzDecoder<BufReader<Raw>>>),
    Over,
}

impl Gzip {
    pub(crate) fn new(raw: BufReader<Raw>) -> Self {
        Gzip {
            state: State::Between(raw),
        }
    }

    /// Unpacks into `into`; 0 at the end.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Broken> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(raw) => self.state = Self::enter(raw)?,
                State::Inside(mut member) => match guarded(|| member.read(into))? {
                    Ok(0) => self.state = State::Between(member.into_inner()),
                    Ok(len) => {
                        self.state = State::Inside(member);
                        return Ok(len);
                    }
                    Err(error) => return Err(broken(error)),
                },
            }
        }
    }

    /// At the end of a member: is there another one?
    fn enter(mut raw: BufReader<Raw>) -> Result<State, Broken> {
        let begin = fill(&mut raw)?;
        match begin.first() {
            None => Ok(State::Over),
            // Tapes are filled up with zeros.
            Some(0) => skip_zeros(&mut raw).map(|()| State::Over),
            Some(0x1f) => Ok(State::Inside(Box::new(guarded(|| GzDecoder::new(raw))?))),
            Some(_) => Err(Broken::Behind("gzip")),
        }
    }
}

fn fill(raw: &mut BufReader<Raw>) -> Result<&[u8], Broken> {
    raw.fill_buf().map_err(Broken::Read)
}

fn skip_zeros(raw: &mut BufReader<Raw>) -> Result<(), Broken> {
    loop {
        let bytes = fill(raw)?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(Broken::Behind("gzip"));
        }
        let len = bytes.len();
        raw.consume(len);
    }
}

fn broken(error: io::Error) -> Broken {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Broken::Cut("gzip member"),
        _ if error.raw_os_error().is_some() => Broken::Read(error),
        _ => Broken::Corrupt("gzip member", error.to_string()),
    }
}
