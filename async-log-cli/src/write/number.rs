//! Durations, counts and times for a person.

/// A duration of three digits: `3.00 s`, `12.3 ms`, `850 µs`, `42 ns`; from a minute on `2m 05s`.
pub(crate) fn duration(nanos: u64) -> String {
    let (number, unit) = parts(nanos);
    match unit {
        "" => number,
        unit => format!("{number} {unit}"),
    }
}

/// A duration for a column: points and units stand below each other.
pub(crate) fn duration_column(nanos: u64) -> String {
    let (number, unit) = parts(nanos);
    match unit {
        "" => format!("{number:>DURATION_WIDTH$}"),
        unit => format!("{number:>4} {unit:<2}"),
    }
}

/// How wide a duration is in a column.
pub(crate) const DURATION_WIDTH: usize = 7;

const UNITS: [(u64, &str); 3] = [(1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")];

fn parts(nanos: u64) -> (String, &'static str) {
    if nanos < 1000 {
        return (nanos.to_string(), "ns");
    }
    // What would be 60.0 s is a minute.
    if nanos >= 59_950_000_000 {
        return (long(nanos), "");
    }
    for (unit, name) in UNITS {
        for (decimals, steps) in [(2, 100), (1, 10), (0, 1)] {
            let rounded = (u128::from(nanos) * steps + u128::from(unit) / 2) / u128::from(unit);
            if rounded < 1000 {
                let number = rounded as f64 / steps as f64;
                return (format!("{number:.decimals$}"), name);
            }
        }
    }
    (long(nanos), "")
}

fn long(nanos: u64) -> String {
    let seconds = nanos.saturating_add(500_000_000) / 1_000_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h {:02}m", minutes % 60),
        (1..100, _, _) => format!("{days}d {:02}h", hours % 24),
        _ => format!("{days}d"),
    }
}

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How a moment is written; all in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// `2026-11-24 06:11:31.488`.
    Whole,
    /// `06:11:31.488`.
    Short,
    /// `06:11:31.488977`.
    OfDay,
}

/// A moment, given in nanoseconds since 1970.
pub(crate) fn moment(nanos: u64, how: Moment) -> String {
    let Ok(time) = jiff::Timestamp::from_nanosecond(i128::from(nanos)) else {
        return nanos.to_string();
    };
    let micros = nanos % 1_000_000_000 / 1000;
    match how {
        Moment::Whole => format!("{}.{:03}", time.strftime("%F %T"), micros / 1000),
        Moment::Short => format!("{}.{:03}", time.strftime("%T"), micros / 1000),
        Moment::OfDay => format!("{}.{micros:06}", time.strftime("%T")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        let cases = [
            (0, "0 ns"),
            (42, "42 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (9_994, "9.99 µs"),
            (9_995, "10.0 µs"),
            (850_000, "850 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (12_345_678, "12.3 ms"),
            (3_000_198_042, "3.00 s"),
            (59_949_999_999, "59.9 s"),
            (59_950_000_000, "1m 00s"),
            (754_000_000_000, "12m 34s"),
            (7_380_000_000_000, "2h 03m"),
            (273_600_000_000_000, "3d 04h"),
            (u64::MAX, "213503d"),
        ];
        for (nanos, text) in cases {
            assert_eq!(duration(nanos), text);
            let column = duration_column(nanos);
            assert_eq!(column.chars().count(), DURATION_WIDTH, "{column:?}");
        }
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(12_345), "12,345");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn moments_are_in_utc() {
        let at = 1_795_500_691_488_977_724;
        assert_eq!(moment(at, Moment::Whole), "2026-11-24 06:11:31.488");
        assert_eq!(moment(at, Moment::Short), "06:11:31.488");
        assert_eq!(moment(at, Moment::OfDay), "06:11:31.488977");
        assert_eq!(moment(u64::MAX, Moment::Whole), "2554-07-21 23:34:33.709");
    }
}
