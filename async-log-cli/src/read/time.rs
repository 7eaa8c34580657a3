//! The times that loggers write.

/// A time as a logger wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Nanoseconds since 1970, as if a missing zone were UTC and a missing date 1970-01-01.
    pub nanos: i64,
    /// It says the day.
    pub has_date: bool,
    /// It says its distance from UTC.
    pub has_zone: bool,
    /// How many nanoseconds its last digit stands for.
    pub resolution: u64,
}
