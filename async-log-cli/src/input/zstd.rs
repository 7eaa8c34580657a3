//! `.zst`: one frame after another.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::raw::Raw;
use super::unpack::{Broken, guarded};

/// How far back a frame may refer: what the command `zstd` takes unless it is told otherwise.
const MAX_WINDOW: u64 = 128 << 20;

/// The frames of a zstd file.
pub(crate) struct Zstd {
    raw: BufReader<Raw>,
    decoder: FrameDecoder,
    state: State,
}

#[derive(Debug)]
enum State {
    Between,
    Inside,
    /// Nothing more can be decoded, for this reason; what was is given first.
    Broken(Broken),
    Over,
}

impl Zstd {
    pub(crate) fn new(raw: BufReader<Raw>) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Zstd {
            raw,
            decoder,
            state: State::Between,
        }
    }

    /// Unpacks into `into`; 0 at the end.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Broken> {
        loop {
            if !matches!(self.state, State::Over)
                && self.decoder.can_collect() > 0
                && let Ok(len @ 1..) = self.decoder.read(into)
            {
                return Ok(len);
            }
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Broken(broken) => return Err(broken),
                State::Between => self.state = self.enter()?,
                State::Inside if self.decoder.is_finished() => self.state = self.leave()?,
                State::Inside => self.state = self.block()?,
            }
        }
    }

    /// At the end of a frame: is there another one?
    fn enter(&mut self) -> Result<State, Broken> {
        let begin = self.raw.fill_buf().map_err(Broken::Read)?;
        if begin.is_empty() {
            return Ok(State::Over);
        }
        let (decoder, raw) = (&mut self.decoder, &mut self.raw);
        match guarded(|| decoder.reset(raw))? {
            Ok(()) => Ok(State::Inside),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => self.skip(length.into()),
            Err(error) => Err(broken(error)),
        }
    }

    fn skip(&mut self, len: u64) -> Result<State, Broken> {
        let skipped = io::copy(&mut (&mut self.raw).take(len), &mut io::sink());
        if skipped.map_err(Broken::Read)? < len {
            return Err(Broken::Cut("zstd frame"));
        }
        Ok(State::Between)
    }

    fn block(&mut self) -> Result<State, Broken> {
        let (decoder, raw) = (&mut self.decoder, &mut self.raw);
        let one = BlockDecodingStrategy::UptoBlocks(1);
        match guarded(|| decoder.decode_blocks(raw, one))? {
            Ok(_) => Ok(State::Inside),
            Err(error) => {
                self.release()?;
                Ok(State::Broken(broken(error)))
            }
        }
    }

    /// Lets go of what the decoder keeps for blocks to come: the frame ends with an empty block here.
    fn release(&mut self) -> Result<(), Broken> {
        const LAST_BLOCK: [u8; 3] = [1, 0, 0];
        const CHECKSUM: [u8; 4] = [0; 4];
        let last = LAST_BLOCK.chain(&CHECKSUM[..]);
        let decoder = &mut self.decoder;
        let _ = guarded(|| decoder.decode_blocks(last, BlockDecodingStrategy::All))?;
        Ok(())
    }

    fn leave(&self) -> Result<State, Broken> {
        let written = self.decoder.get_checksum_from_data();
        if written.is_some() && written != self.decoder.get_calculated_checksum() {
            let why = "its checksum is another one";
            return Err(Broken::Corrupt("zstd frame", why.to_owned()));
        }
        Ok(State::Between)
    }
}

fn broken(error: FrameDecoderError) -> Broken {
    match &error {
        FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => {
            return Broken::Behind("zstd");
        }
        FrameDecoderError::DictNotProvided { .. } => {
            return Broken::Needs("it is compressed with a zstd dictionary".to_owned());
        }
        FrameDecoderError::WindowSizeTooBig { requested, .. } => {
            let what = format!("it takes {} MiB of memory to unpack", requested >> 20);
            return Broken::Needs(what);
        }
        _ => {}
    }
    match io_cause(&error) {
        Some(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Broken::Cut("zstd frame"),
        Some(cause) if cause.raw_os_error().is_some() => {
            Broken::Read(io::Error::new(cause.kind(), cause.to_string()))
        }
        _ => Broken::Corrupt("zstd frame", error.to_string()),
    }
}

/// The error of reading that an error of decoding comes from.
fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        cause = error.source();
    }
    None
}

impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
