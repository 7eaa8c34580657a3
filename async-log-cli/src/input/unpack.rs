//! How unpacking fails.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::error::InputError;

/// Why nothing more can be unpacked.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The stored bytes cannot be read.
    Read(io::Error),
    /// They end inside of this.
    Cut(&'static str),
    /// This says what cannot be.
    Corrupt(&'static str, String),
    /// What follows is no more of this format.
    Behind(&'static str),
    /// It was packed with this, which is not at hand.
    Needs(String),
}

impl Broken {
    pub(crate) fn error(self, name: &str) -> InputError {
        let advice = "what stands before that was read; copy or rotate the file again";
        let what = match self {
            Broken::Read(error) => return InputError::io(name, &error),
            Broken::Cut(of) => format!("it ends in the middle of a {of}"),
            Broken::Corrupt(of, why) => format!("a {of} in it is corrupt ({why})"),
            Broken::Behind(of) => format!("behind the {of} data stands something else"),
            Broken::Needs(what) => {
                let advice = "unpack it first, and name what comes out of that";
                return InputError::new(name, what, advice);
            }
        };
        InputError::new(name, what, advice)
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder: a panic in it, which only a mistake in the decoder can cause, is a corrupt file.
pub(crate) fn guarded<T>(decode: impl FnOnce() -> T) -> Result<T, Broken> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                hook(info);
            }
        }));
    });
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.set(false);
    result.map_err(|_| Broken::Corrupt("part", "the decoder gave up".to_owned()))
}
