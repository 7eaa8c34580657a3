//! Times, against a library that knows them.

use async_log_cli::read::Time;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// A time is read as others read it; the first eight bytes are one that was never written.
pub fn time(bytes: &[u8]) {
    any(bytes);
    if let Some((nanos, rest)) = bytes.split_first_chunk() {
        any(rest);
        written(
            i64::from_le_bytes(*nanos),
            rest.first().copied().unwrap_or(0),
        );
    }
}

fn any(text: &[u8]) {
    let Some((time, len)) = Time::parse(text) else {
        return;
    };
    assert!(len > 0 && len <= text.len());
    let powers = (0..10).map(|power| 10u64.pow(power));
    assert!(powers.into_iter().any(|power| power == time.resolution));
    let text = &text[..len];
    assert_eq!(Time::parse(text), Some((time, len)), "alone");
    // What others take for such a time is the same one. Leap seconds they take for others.
    let is_iso = text.get(4) == Some(&b'-') && text.get(10) == Some(&b'T') && time.has_zone;
    if is_iso
        && text.get(17) != Some(&b'6')
        && let Ok(text) = std::str::from_utf8(text)
        && let Ok(of_others) = text.parse::<Timestamp>()
    {
        assert_eq!(i128::from(time.nanos), of_others.as_nanosecond());
    }
}

/// Writes a time as loggers do, and reads it.
fn written(nanos: i64, how: u8) {
    let digits = usize::from(how % 10);
    let resolution = 10i64.pow(9 - digits as u32);
    // The last second of what can be said at all need not be read.
    let nanos = nanos % (i64::MAX - 2_000_000_000);
    let nanos = nanos.div_euclid(resolution).saturating_mul(resolution);
    let Ok(timestamp) = Timestamp::from_nanosecond(nanos.into()) else {
        return;
    };
    let hours = (how / 10) as i8 % 24 - 12;
    let offset = Offset::from_hours(hours).expect("there is such a zone");
    let zoned = timestamp.to_zoned_datetime(TimeZone::fixed(offset));
    let fraction = format!("%.{}f", digits.max(1));
    let fraction = if digits == 0 { "" } else { &*fraction };
    let formats = [
        format!("%Y-%m-%dT%H:%M:%S{fraction}%:z"),
        format!("%Y-%m-%d %H:%M:%S{fraction}%z"),
        format!("%Y/%m/%d %H:%M:%S{fraction} %:z"),
        format!("%a, %d %b %Y %H:%M:%S{fraction} %z"),
    ];
    for format in formats {
        let text = zoned.strftime(&format).to_string();
        let (time, len) =
            Time::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text} is a time"));
        assert_eq!(len, text.len(), "{text}");
        assert_eq!(
            (time.nanos, time.resolution),
            (nanos, resolution as u64),
            "{text}"
        );
        assert!(time.has_date && time.has_zone);
    }
}
