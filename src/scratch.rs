//! Buffers that a thread uses again, so that a record on its way touches no heap.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

#[derive(Default)]
pub(crate) struct Buffers {
    /// What is being written: a line, or the text of a span's fields.
    pub(crate) line: String,
    /// A value or message before it is quoted.
    pub(crate) raw: String,
    /// For [`crate::fields`] alone.
    pub(crate) index: String,
    pub(crate) quoted: String,
}

/// A thread's buffers, empty, given back when dropped.
///
/// Whoever comes while they are away (a value that logs while it is formatted) gets new ones.
/// After a panic they are not given back, and after the thread's locals are destroyed there are
/// none to keep: then they cost an allocation again, nothing else.
pub(crate) struct Scratch(Buffers);

/// More than this is not kept after an unusually long line.
const KEPT: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Option<Buffers>> = const { Cell::new(None) };
}

impl Scratch {
    pub(crate) fn take() -> Self {
        Scratch(
            SPARE
                .try_with(Cell::take)
                .ok()
                .flatten()
                .unwrap_or_default(),
        )
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut buffers = std::mem::take(&mut self.0);
        for buffer in [
            &mut buffers.line,
            &mut buffers.raw,
            &mut buffers.index,
            &mut buffers.quoted,
        ] {
            buffer.clear();
            if buffer.capacity() > KEPT {
                *buffer = String::new();
            }
        }
        let _ = SPARE.try_with(|spare| spare.set(Some(buffers)));
    }
}

impl Deref for Scratch {
    type Target = Buffers;

    fn deref(&self) -> &Buffers {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Buffers {
        &mut self.0
    }
}
