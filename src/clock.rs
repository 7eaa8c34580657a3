//! When: nanoseconds since this process first asked, from a clock that never goes back.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The one moment at which both clocks were read.
struct Anchor {
    monotonic: Instant,
    /// Unix time in nanoseconds; good until the year 2554.
    wall: u64,
}

fn anchor() -> &'static Anchor {
    static ANCHOR: OnceLock<Anchor> = OnceLock::new();
    ANCHOR.get_or_init(|| Anchor {
        monotonic: Instant::now(),
        wall: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos() as u64),
    })
}

/// Nanoseconds since the anchor.
///
/// `Instant` is read without a call into the kernel where the system can do that, never goes back, and is the same
/// clock on all threads. What would be cheaper is not right here: coarse clocks stand still for milliseconds, and a counter of
/// the processor need not be the same on another core.
pub(crate) fn now() -> u64 {
    anchor().monotonic.elapsed().as_nanos() as u64
}

/// The Unix time in nanoseconds of a moment that [`now`] gave: the wall clock is read once in a
/// process, so that a clock that is set does not make spans start before those around them.
pub(crate) fn unix_time(moment: u64) -> u64 {
    anchor().wall + moment
}

/// What tells this process from every other that writes to the same stream: a restarted container
/// has the same pid. The pid is asked for each time, since a fork has another.
pub(crate) fn process() -> (u32, u64) {
    (std::process::id(), anchor().wall)
}
