//! Buffers that a thread uses again, so that a record on its way touches no heap.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// One of a thread's buffers, empty, given back when dropped.
///
/// Whoever comes while it is away (a value that logs while it is formatted) gets a new one.
/// After a panic it is not given back, and after the thread's locals are destroyed there is
/// none to keep: then it costs an allocation again, nothing else.
pub(crate) struct Scratch {
    text: String,
    purpose: Purpose,
}

/// What a buffer is for: those that are in use at once are different ones.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// What is being written.
    Line,
    /// Something in it that is being quoted.
    Raw,
}

/// More than this is not kept after an unusually long line.
const KEPT: usize = 64 * 1024;

thread_local! {
    static SPARE: [Cell<String>; 2] =
        const { [Cell::new(String::new()), Cell::new(String::new())] };
}

impl Scratch {
    #[inline]
    pub(crate) fn take(purpose: Purpose) -> Self {
        let text = SPARE.try_with(|spare| spare[purpose as usize].take());
        Scratch {
            text: text.unwrap_or_default(),
            purpose,
        }
    }
}

impl Drop for Scratch {
    #[inline]
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.text), self.purpose);
    }
}

fn give_back(mut text: String, purpose: Purpose) {
    if std::thread::panicking() || text.capacity() > KEPT {
        return;
    }
    text.clear();
    let _ = SPARE.try_with(|spare| spare[purpose as usize].set(text));
}

impl Deref for Scratch {
    type Target = String;

    #[inline]
    fn deref(&self) -> &String {
        &self.text
    }
}

impl DerefMut for Scratch {
    #[inline]
    fn deref_mut(&mut self) -> &mut String {
        &mut self.text
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}
