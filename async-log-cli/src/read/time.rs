//! The times that loggers write.

/// A time as a logger wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Nanoseconds since 1970, as if a missing zone were UTC, a missing date 1970-01-01, and a
    /// missing year 1970.
    pub nanos: i64,
    /// It says the day, with its year.
    pub has_date: bool,
    /// It says its distance from UTC.
    pub has_zone: bool,
    /// How many nanoseconds its last digit stands for.
    pub resolution: u64,
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

impl Time {
    /// The time that `text` begins with, and how many bytes it has.
    ///
    /// Dates are as in ISO 8601 with `T`, a space or `_` before the hour, in brackets of their own
    /// (`2026-01-02][03:04:05`), as in mail (`Fri, 02 Jan 2026`), as in a journal (`Jan  2`), or not
    /// there; or it is a Unix time in any unit from seconds to nanoseconds.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<(Time, usize)> {
        match *text.first()? {
            b'0'..=b'9' if text.get(2) == Some(&b':') => Reader::new(text).clock_alone(),
            b'0'..=b'9' if matches!(text.get(4), Some(b'-' | b'/')) => Reader::new(text).iso(),
            b'0'..=b'9' if matches!(text.get(2), Some(b'/' | b'.')) => {
                Reader::new(text).day_first()
            }
            b'0'..=b'9' if matches!(text.get(8), Some(b'T' | b' ' | b'-' | b'_')) => {
                Reader::new(text).compact().or_else(|| unix(text))
            }
            b'0'..=b'9' => unix(text).or_else(|| Reader::new(text).mail()),
            b'A'..=b'Z' => Reader::new(text).words(),
            b'@' => tai64n(text),
            _ => None,
        }
    }
}

/// `@400000006b07010426f68a6c`, as multilog, s6-log, svlogd and tai64n write it: seconds since 1970
/// and ten more, as there are no leap seconds for those programs, and nanoseconds.
fn tai64n(text: &[u8]) -> Option<(Time, usize)> {
    const LEN: usize = 25;
    let digits = std::str::from_utf8(text.get(1..LEN)?).ok()?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let behind = text.get(LEN).is_some_and(u8::is_ascii_alphanumeric);
    if !is_hex || behind {
        return None;
    }
    let label = u64::from_str_radix(&digits[..16], 16).ok()?;
    let nanos = u32::from_str_radix(&digits[16..], 16).ok()?;
    let seconds = i64::try_from(label.checked_sub((1 << 62) + 10)?).ok()?;
    let is_fraction = nanos < 1_000_000_000;
    let time = Time {
        nanos: seconds.checked_mul(SECOND)?.checked_add(nanos.into())?,
        has_date: true,
        has_zone: true,
        resolution: 1,
    };
    is_fraction.then_some((time, LEN))
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their digits.
fn unix(text: &[u8]) -> Option<(Time, usize)> {
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unit = match len {
        9 | 10 => SECOND,
        12 | 13 => 1_000_000,
        15 | 16 => 1_000,
        18 | 19 => 1,
        _ => return None,
    };
    let digits = text[..len].iter();
    let number = digits.fold(0u64, |n, digit| n * 10 + u64::from(digit - b'0'));
    let nanos = i64::try_from(number).ok()?.checked_mul(unit)?;
    let mut reader = Reader { text, at: len };
    let (fraction, resolution) = match unit {
        SECOND => reader.fraction(),
        unit => (0, unit),
    };
    let time = Time {
        nanos: nanos.checked_add(fraction)?,
        has_date: true,
        has_zone: true,
        resolution: resolution as u64,
    };
    Some((time, reader.at))
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        Reader { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, word: &[u8]) -> bool {
        let is_next = self.rest().starts_with(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    fn two(&mut self) -> Option<i64> {
        let [tens, ones, ..] = *self.rest() else {
            return None;
        };
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        if tens > 9 || ones > 9 {
            return None;
        }
        self.at += 2;
        Some(i64::from(tens * 10 + ones))
    }

    /// `03:04:05` without a day.
    fn clock_alone(mut self) -> Option<(Time, usize)> {
        let seconds = self.clock()?;
        let (fraction, resolution) = self.fraction();
        self.done(0, seconds, fraction, resolution, false)
    }

    /// `2026-01-02T03:04:05` and what is like it.
    #[inline]
    fn iso(mut self) -> Option<(Time, usize)> {
        let year = self.two()? * 100 + self.two()?;
        let separator = [self.rest().first().copied()?];
        self.at += 1;
        let month = self.two()?;
        if !self.take(&separator) {
            return None;
        }
        let day = days(year, month, self.two()?)?;
        match *self.rest() {
            [b'T' | b't' | b' ' | b'_' | b'-' | b'/', ..] => self.at += 1,
            [b']', b'[', ..] | [b',', b' ', ..] => self.at += 2,
            [b']', b' ', b'[', ..] => self.at += 3,
            _ => return None,
        }
        let seconds = self.clock()?;
        let (fraction, resolution) = self.fraction();
        self.done(day, seconds, fraction, resolution, true)
    }

    /// `02/Jan/2026:03:04:05 +0000` and `02.01.2026 03:04:05`; where both numbers could be the month,
    /// the day is not known.
    fn day_first(mut self) -> Option<(Time, usize)> {
        let first = self.two()?;
        let separator = [self.rest().first().copied()?];
        self.at += 1;
        let named = self.month();
        let second = named.map_or_else(|| self.two(), Some)?;
        if !self.take(&separator) {
            return None;
        }
        let year = self.two()? * 100 + self.two()?;
        if !self.take(b":") && !self.take(b", ") && !self.take(b" ") {
            return None;
        }
        let (month, day) = match first {
            _ if named.is_some() || separator == *b"." => (second, first),
            13.. => (second, first),
            _ => (first, second),
        };
        let is_sure = named.is_some() || separator == *b"." || first > 12 || second > 12;
        let day = days(year, month, day)?;
        let seconds = self.clock()?;
        let (fraction, resolution) = self.fraction();
        let day = if is_sure { day } else { 0 };
        self.done(day, seconds, fraction, resolution, is_sure)
    }

    /// `20260102T030405` and `20260102 03:04:05`.
    fn compact(mut self) -> Option<(Time, usize)> {
        let year = self.two()? * 100 + self.two()?;
        let month = self.two()?;
        let day = days(year, month, self.two()?)?;
        self.at += 1;
        let seconds = match self.rest().get(2) {
            Some(b':') => self.clock()?,
            _ => {
                let (hour, minute, second) = (self.two()?, self.two()?, self.two()?);
                if hour > 23 || minute > 59 || second > 60 {
                    return None;
                }
                hour * 3600 + minute * 60 + second
            }
        };
        let (fraction, resolution) = self.fraction();
        self.done(day, seconds, fraction, resolution, true)
    }

    /// `02 Jan 2026 03:04:05`
    fn mail(mut self) -> Option<(Time, usize)> {
        let day = self.two()?;
        self.take(b" ");
        let month = self.month()?;
        self.take(b" ");
        let day = days(self.two()? * 100 + self.two()?, month, day)?;
        self.take(b" ");
        let seconds = self.clock()?;
        let (fraction, resolution) = self.fraction();
        self.done(day, seconds, fraction, resolution, true)
    }

    /// What begins with the name of a month or of a day.
    fn words(mut self) -> Option<(Time, usize)> {
        const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
        if DAYS.iter().any(|day| self.take(*day)) {
            self.take(b",");
            if !self.take(b" ") {
                return None;
            }
            let start = self.at;
            let (time, len) = match self.rest() {
                [_, _, _, _, b'-', ..] => Reader::new(self.rest()).iso()?,
                [b'0'..=b'9', ..] => Reader::new(self.rest()).mail()?,
                _ => Reader::new(self.rest()).month_first()?,
            };
            return Some((time, start + len));
        }
        self.month_first()
    }

    /// `Jan  2 03:04:05`, with a year behind it or none.
    fn month_first(mut self) -> Option<(Time, usize)> {
        let month = self.month()?;
        if !self.take(b" ") {
            return None;
        }
        let day = match *self.rest() {
            [b' ', digit @ b'1'..=b'9', ..] => {
                self.at += 2;
                i64::from(digit - b'0')
            }
            [digit @ b'1'..=b'9', b' ', ..] => {
                self.at += 1;
                i64::from(digit - b'0')
            }
            _ => self.two()?,
        };
        if !self.take(b" ") {
            return None;
        }
        let seconds = self.clock()?;
        let (fraction, resolution) = self.fraction();
        if let [b' ', year @ ..] = self.rest()
            && let [b'1' | b'2', _, _, _, ..] = year
        {
            let mut reader = Reader::new(year);
            let read = |reader: &mut Reader<'_>| Some(reader.two()? * 100 + reader.two()?);
            if let Some(year) = read(&mut reader)
                && !matches!(
                    reader.rest().first(),
                    Some(b'0'..=b'9' | b'-' | b'/' | b'T')
                )
            {
                self.at += 5;
                let day = days(year, month, day)?;
                return self.done(day, seconds, fraction, resolution, true);
            }
        }
        // In 1970 the day after February 28th is March 1st.
        let leap_day = (month == 2 && day == 29).then_some(59);
        let day = days(1970, month, day).or(leap_day)?;
        self.done(day, seconds, fraction, resolution, false)
    }

    fn month(&mut self) -> Option<i64> {
        const MONTHS: [&[u8; 3]; 12] = [
            b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
            b"Dec",
        ];
        let month = MONTHS.iter().position(|month| self.take(*month))?;
        Some(month as i64 + 1)
    }

    /// `03:04:05` as seconds.
    #[inline]
    fn clock(&mut self) -> Option<i64> {
        let [h, h1, b':', m, m1, b':', s, s1, ..] = *self.rest() else {
            return None;
        };
        let two = |tens: u8, ones: u8| {
            let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
            (tens <= 9 && ones <= 9).then(|| i64::from(tens * 10 + ones))
        };
        let (hour, minute, second) = (two(h, h1)?, two(m, m1)?, two(s, s1)?);
        self.at += 8;
        // There are leap seconds.
        let is_time = hour < 24 && minute < 60 && second <= 60;
        is_time.then_some(hour * 3600 + minute * 60 + second)
    }

    /// Nanoseconds behind a point or a comma, and how many the last digit stands for.
    #[inline]
    fn fraction(&mut self) -> (i64, i64) {
        let [b'.' | b',', digits @ ..] = self.rest() else {
            return (0, SECOND);
        };
        let len = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if len == 0 {
            return (0, SECOND);
        }
        let (mut nanos, mut unit) = (0, SECOND);
        for digit in &digits[..len.min(9)] {
            unit /= 10;
            nanos += i64::from(digit - b'0') * unit;
        }
        self.at += 1 + len;
        (nanos, unit)
    }

    #[inline]
    fn done(
        mut self,
        day: i64,
        seconds: i64,
        fraction: i64,
        resolution: i64,
        has_date: bool,
    ) -> Option<(Time, usize)> {
        let zone = self.zone();
        let seconds = day * DAY + seconds - zone.unwrap_or(0);
        let time = Time {
            nanos: seconds.checked_mul(SECOND)?.checked_add(fraction)?,
            has_date,
            has_zone: zone.is_some(),
            resolution: resolution as u64,
        };
        Some((time, self.at))
    }

    /// The distance from UTC in seconds.
    #[inline]
    fn zone(&mut self) -> Option<i64> {
        let rest = self.rest();
        let offset = match rest {
            [b'Z' | b'z', ..] => {
                self.at += 1;
                Some(0)
            }
            [b'+' | b'-', ..] => self.offset(0),
            [b' ', b'+' | b'-', ..] => self.offset(1),
            [b' ', b'A'..=b'Z', ..] => self.zone_name(),
            _ => None,
        };
        let named = self.named_zone();
        offset.or(named)
    }

    /// ` UTC`, or the name of another zone: names are not unique, so those say nothing.
    fn zone_name(&mut self) -> Option<i64> {
        const UTC: [&[u8]; 3] = [b" UTC", b" GMT", b" Z"];
        const OTHERS: [&[u8]; 39] = [
            b" EST", b" EDT", b" CST", b" CDT", b" MST", b" MDT", b" PST", b" PDT", b" AKST",
            b" AKDT", b" HST", b" AST", b" ADT", b" NST", b" NDT", b" BST", b" WET", b" WEST",
            b" CET", b" CEST", b" EET", b" EEST", b" MSK", b" SAST", b" WAT", b" CAT", b" EAT",
            b" IST", b" PKT", b" HKT", b" SGT", b" JST", b" KST", b" AEST", b" AEDT", b" NZST",
            b" NZDT", b" ACST", b" AWST",
        ];
        let rest = self.rest();
        let is_next = |name: &&&[u8]| ends_word(rest, name);
        if let Some(name) = UTC.iter().find(is_next) {
            self.at += name.len();
            return Some(0);
        }

        if let Some(name) = OTHERS.iter().find(is_next) {
            self.at += name.len();
        }
        None
    }

    /// `+01:00`, `+0100` or `+01`, behind so many spaces.
    fn offset(&mut self, spaces: usize) -> Option<i64> {
        let start = self.at;
        let mut read = || {
            self.at += spaces;
            let sign = if self.take(b"-") { -1 } else { 1 };
            self.take(b"+");
            let hours = self.two()?;
            let minutes = match *self.rest() {
                [b':', b'0'..=b'9', b'0'..=b'9', ..] => {
                    self.at += 1;
                    self.two()?
                }
                [b'0'..=b'9', b'0'..=b'9', ..] => self.two()?,
                _ => 0,
            };
            let is_offset = hours < 24 && minutes < 60;
            let is_over = !matches!(self.rest().first(), Some(b'0'..=b'9'));
            (is_offset && is_over).then_some(sign * (hours * 3600 + minutes * 60))
        };
        let offset = read();
        if offset.is_none() {
            self.at = start;
        }
        offset
    }

    /// `[UTC]` or `[Europe/Paris]`, which alone says nothing.
    fn named_zone(&mut self) -> Option<i64> {
        if self.take(b"[UTC]") || self.take(b"[GMT]") || self.take(b"[Etc/UTC]") {
            return Some(0);
        }
        let name = self.rest().strip_prefix(b"[")?;
        let len = name.iter().take(64).position(|byte| *byte == b']')?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_-+".contains(byte);
        if name[..len].contains(&b'/') && name[..len].iter().all(is_name) {
            self.at += len + 2;
        }
        None
    }
}

fn ends_word(text: &[u8], word: &[u8]) -> bool {
    text.starts_with(word) && !text.get(word.len()).is_some_and(u8::is_ascii_alphanumeric)
}

/// The days from 1970-01-01 to a date of the Gregorian calendar.
#[inline]
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *LENGTHS.get(usize::try_from(month - 1).ok()?)?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = length + i64::from(is_leap && month == 2);
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}
