//! A logger's clock, on the axis of the spans.

use crate::read::Time;

const SECOND: i64 = 1_000_000_000;
const QUARTER: i64 = 15 * 60 * SECOND;
const DAY: i64 = 24 * 60 * 60 * SECOND;

/// Whether a time needs nothing else to be known.
pub(crate) fn is_absolute(time: Time) -> bool {
    time.has_date && time.has_zone
}

/// A mark that says when it happened, and what the logger's clock said then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) time: Time,
    pub(crate) at: u64,
}

impl Mark {
    /// A mark that was written at `at` or some minutes later. So it says what the zone is, and no more.
    pub(crate) fn about(time: Time, at: u64) -> Mark {
        let distance = i64::try_from(at)
            .unwrap_or(i64::MAX)
            .saturating_sub(time.nanos);
        let cut = i64::try_from(NEAR.saturating_add(time.resolution)).unwrap_or(QUARTER);
        let quarters = distance
            .saturating_sub(cut)
            .div_euclid(QUARTER)
            .saturating_add(1);
        let at = time.nanos.saturating_add(quarters.saturating_mul(QUARTER));
        Mark {
            time,
            at: at.max(0).unsigned_abs(),
        }
    }

    /// What to add to the logger's time. Zones are a number of quarters of an hour; a clock that counts
    /// from somewhere else may be anywhere.
    fn offset(self) -> i64 {
        let at = i64::try_from(self.at).unwrap_or(i64::MAX);
        let distance = at.saturating_sub(self.time.nanos);
        let quarters = distance.saturating_add(QUARTER / 2).div_euclid(QUARTER);
        let rounded = quarters.saturating_mul(QUARTER);
        // A line is written a little later than what it is about, and its time may be cut.
        let is_zone = distance.abs_diff(rounded) < NEAR.saturating_add(self.time.resolution);
        if is_zone { rounded } else { distance }
    }
}

/// How far a clock may be from a zone's.
const NEAR: u64 = 2_500_000_000;

/// When it was, for a time that does not say all: by what the clock said at one of these marks, so that
/// it is behind `after` and before `before`, as near to them as can be where it cannot be between.
pub(crate) fn between(
    time: Time,
    marks: [Option<Mark>; 2],
    after: u64,
    before: Option<u64>,
) -> Option<u64> {
    let mut best: Option<(u64, u64)> = None;
    for mark in marks
        .into_iter()
        .flatten()
        .filter(|mark| !is_absolute(mark.time))
    {
        for turn in turns(time) {
            let offset = mark.offset().saturating_add(*turn);
            let at = time.nanos.saturating_add(offset).max(0).unsigned_abs();
            let early = after.saturating_sub(at.saturating_add(time.resolution));
            let late = match before {
                Some(before) => at.saturating_sub(before),
                // A clock that went back a little has not turned.
                None if *turn != 0 => at.abs_diff(after),
                None => 0,
            };
            let outside = early.max(late);
            if best.is_none_or(|(least, _)| outside < least) {
                best = Some((outside, at));
            }
        }
    }
    best.map(|(_, at)| at)
}

/// How far the clock may have turned between two lines: midnight, where the day is not written; the
/// year's end, where a day is and the year is not, or a leap day.
fn turns(time: Time) -> &'static [i64] {
    const NONE: &[i64] = &[0];
    const TURNS: &[i64] = &[0, DAY, -DAY, 365 * DAY, 366 * DAY, -365 * DAY, -366 * DAY];
    if time.has_date { NONE } else { TURNS }
}
