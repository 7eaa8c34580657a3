//! Which process this is.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::clock;

static PID: AtomicU32 = AtomicU32::new(0);
static START: AtomicU64 = AtomicU64::new(0);

/// What tells this process from every other that writes to the same stream: a restarted container
/// has the same pid. The kernel is asked once, and again when somebody says that this is a child.
pub(crate) fn process() -> (u32, u64) {
    match PID.load(Ordering::Acquire) {
        0 => read(clock::started()),
        pid => (pid, START.load(Ordering::Relaxed)),
    }
}

#[cold]
fn read(start: u64) -> (u32, u64) {
    let pid = std::process::id();
    START.store(start, Ordering::Relaxed);
    PID.store(pid, Ordering::Release);
    (pid, start)
}

/// Reads it again, in a process that was forked just now.
pub(crate) fn renew() {
    read(clock::wall_clock());
}
