//! Files, standard input, compressed or growing, in; batches of whole lines out.
//!
//! A [`Source`] gives the bytes of one log, whatever it is packed in. A [`Cutter`] fills a
//! [`Batch`](crate::read::Batch) with as many whole records as it has room for.

mod cutter;
mod error;
mod follow;
mod gzip;
mod pipe;
mod progress;
mod raw;
mod reversed;
mod rotated;
mod source;
mod unpack;
mod zstd;

pub use cutter::{Cutter, Options};
pub use error::InputError;
pub use progress::Progress;
pub use rotated::ordered;
pub use source::Source;
