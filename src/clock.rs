//! When: nanoseconds since this process first asked, from a clock that never goes back, and what the wall clock said.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The one moment at which both clocks were first read.
struct Anchor {
    monotonic: Instant,
    wall: u64,
}

fn anchor() -> &'static Anchor {
    static ANCHOR: OnceLock<Anchor> = OnceLock::new();
    ANCHOR.get_or_init(|| {
        let wall = wall_clock();
        ANCHORED_AT.store(wall, Ordering::Relaxed);
        Anchor {
            monotonic: Instant::now(),
            wall,
        }
    })
}

/// The Unix time of the anchor in nanoseconds, in the view of the wall clock now.
static ANCHORED_AT: AtomicU64 = AtomicU64::new(0);

/// When to look at the wall clock again.
static NEXT_LOOK: AtomicU64 = AtomicU64::new(LOOK_EVERY);

/// It is not looked at more often than that, in nanoseconds.
const LOOK_EVERY: u64 = 10_000_000;

/// By how much the clocks may differ, in nanoseconds, before the wall clock is believed to have been set. What a clock
/// is slewed by stays below.
const LARGE: u64 = 1_000_000_000;

/// Unix time in nanoseconds; good until the year 2554.
pub(crate) fn wall_clock() -> u64 {
    #[cfg(test)]
    if let Some(wall) = tests::WALL.with(std::cell::Cell::get) {
        return wall;
    }
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}

/// Nanoseconds since the anchor.
///
/// `Instant` is read without a call into the kernel where the system can do that, never goes back, and is the same
/// clock on all threads. What would be cheaper is not right here: coarse clocks stand still for milliseconds, and a counter of
/// the processor need not be the same on another core.
pub(crate) fn now() -> u64 {
    let elapsed = anchor().monotonic.elapsed();
    // Enough for 584 years, and cheaper than the 128 bits of `as_nanos`.
    elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
}

/// What the wall clock said at the anchor.
pub(crate) fn started() -> u64 {
    anchor().wall
}

/// The Unix time of the anchor, for a root span that starts at this moment, as [`now`] has it: a span inside another
/// takes that of the span around, so that within a root all times fit together, whatever happens to the wall clock.
#[inline]
pub(crate) fn anchored_at(moment: u64) -> u64 {
    if moment >= NEXT_LOOK.load(Ordering::Relaxed) {
        look(moment);
    }
    ANCHORED_AT.load(Ordering::Relaxed)
}

/// Believes the wall clock if it was set: started at 1970, it may be right later.
#[cold]
fn look(moment: u64) {
    NEXT_LOOK.store(moment.saturating_add(LOOK_EVERY), Ordering::Relaxed);
    let wall = wall_clock();
    let expected = ANCHORED_AT.load(Ordering::Relaxed).saturating_add(moment);
    if wall.abs_diff(expected) > LARGE {
        ANCHORED_AT.store(wall.saturating_sub(moment), Ordering::Relaxed);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    use std::cell::Cell;
    use std::sync::Mutex;

    thread_local! {
        /// What the wall clock says on this thread.
        pub(crate) static WALL: Cell<Option<u64>> = const { Cell::new(None) };
    }

    const YEAR: u64 = 365 * 24 * 3600 * 1_000_000_000;

    /// One test at a time sets the clock.
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    /// The Unix time of a root that starts once the clock is looked at again, with the clock set to `wall`.
    fn root_at(wall: u64) -> u64 {
        WALL.with(|clock| clock.set(Some(wall)));
        NEXT_LOOK.store(0, Ordering::Relaxed);
        let moment = now();
        anchored_at(moment) + moment
    }

    #[test]
    fn a_clock_that_was_set_is_believed_and_one_that_is_slewed_is_not() {
        let _alone = ALONE.lock();
        let started = started();
        for year in [0, 56, 30, 56] {
            let wall = year * YEAR + LARGE;
            let told = root_at(wall);
            assert!(told.abs_diff(wall) <= 1, "{year}");
            // Half a second is no reason.
            let slewed = wall + LARGE / 2;
            assert!(root_at(slewed).abs_diff(slewed) > LARGE / 4);
        }
        assert_eq!(super::started(), started);
        let process = crate::process::process();
        root_at(YEAR);
        assert_eq!(crate::process::process(), process);
    }

    static TIMES: Mutex<Vec<(String, f64)>> = Mutex::new(Vec::new());

    struct Times;

    impl log::Log for Times {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            let at = record.key_values().get(log::kv::Key::from("span_at"));
            if let Some(at) = at {
                let at = at.to_string().parse().unwrap();
                TIMES.lock().unwrap().push((record.args().to_string(), at));
            }
        }

        fn flush(&self) {}
    }

    /// Writes a span with one inside, and sets the clock in between.
    #[test]
    fn a_clock_that_is_set_breaks_no_order_inside_a_span() {
        let _alone = ALONE.lock();
        log::set_boxed_logger(Box::new(Times)).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let set = |year: u64| {
            WALL.with(|clock| clock.set(Some(year * YEAR)));
            NEXT_LOOK.store(0, Ordering::Relaxed);
        };
        set(0);
        crate::span!("outer", {
            set(56);
            crate::span!("inner", {});
            let context = crate::Context::current();
            std::thread::spawn(move || {
                WALL.with(|clock| clock.set(Some(56 * YEAR)));
                context.run(|| crate::span!("elsewhere", {}));
            })
            .join()
            .unwrap();
        });
        crate::span!("root", { set(10) });
        crate::span!("set back", {});
        let year = YEAR as f64 / 1e9;
        let years = [0.0, 0.0, 0.0, 56.0, 10.0].map(|years| years * year);
        let times = TIMES.lock().unwrap();
        assert_eq!(times.len(), 5);
        for ((name, at), expected) in times.iter().zip(years) {
            assert!((at - expected).abs() < 60.0, "{name}: {at}");
        }
        assert!(times[0].1 <= times[1].1 && times[1].1 <= times[2].1);
    }
}
