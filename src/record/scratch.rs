//! Buffers that a thread uses again, so that a record in flight touches no heap.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// One of a thread's buffers, empty, given back when dropped.
///
/// Whoever comes while it is away (a value that logs while it is formatted) gets a new one.
/// After a panic it is not given back, and after the thread's locals are destroyed there is
/// none to keep: then it costs an allocation again, nothing else.
pub(crate) struct Scratch<const PURPOSE: usize>(String);

/// For what is being written.
pub(crate) const LINE: usize = 0;
/// For something in it that is being quoted, so that both are in use at once.
pub(crate) const RAW: usize = 1;
/// For a message that is formatted before anybody asks for it.
pub(crate) const MESSAGE: usize = 2;
/// For pairs that are.
pub(crate) const TAIL: usize = 3;

/// More than this is not kept after an unusually long line.
const KEPT: usize = 64 * 1024;

thread_local! {
    static SPARE: [Cell<String>; 4] = const {
        // Each is a cell of its own.
        #[allow(clippy::declare_interior_mutable_const)]
        const EMPTY: Cell<String> = Cell::new(String::new());
        [EMPTY; 4]
    };
}

impl<const PURPOSE: usize> Scratch<PURPOSE> {
    #[inline]
    pub(crate) fn take() -> Self {
        let text = SPARE.try_with(|spare| spare[PURPOSE].take());
        Scratch(text.unwrap_or_default())
    }

    fn give_back(mut text: String) {
        if std::thread::panicking() || text.capacity() > KEPT {
            return;
        }
        text.clear();
        let _ = SPARE.try_with(|spare| spare[PURPOSE].set(text));
    }
}

impl<const PURPOSE: usize> Drop for Scratch<PURPOSE> {
    #[inline]
    fn drop(&mut self) {
        Self::give_back(std::mem::take(&mut self.0));
    }
}

impl<const PURPOSE: usize> Deref for Scratch<PURPOSE> {
    type Target = String;

    #[inline]
    fn deref(&self) -> &String {
        &self.0
    }
}

impl<const PURPOSE: usize> DerefMut for Scratch<PURPOSE> {
    #[inline]
    fn deref_mut(&mut self) -> &mut String {
        &mut self.0
    }
}

impl<const PURPOSE: usize> fmt::Debug for Scratch<PURPOSE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
