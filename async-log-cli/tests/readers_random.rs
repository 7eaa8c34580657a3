//! Whatever the library writes under whatever layout is read back as it was, and nothing that is read
//! makes a reader panic.

use std::sync::{Arc, Mutex};

use async_log_cli::read::{Batch, Dialect, Form, Layout, Level, Time, View};
use log::kv::{self, VisitSource};
use log::{Log, Metadata};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What could be taken for something else.
const NASTY: &[&str] = &[
    "",
    ", ",
    ",",
    "=",
    "\"",
    "\\",
    "'",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "\n\t",
    "\u{0}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{3000}",
    "\u{1f980}",
    "e\u{301}",
    "…",
    "\"…",
    "\\u{3d}",
    "\\\\u{3d}",
    "\\u{110000}",
    "\\u{",
    "}",
    "\\u003d",
    "\\\"",
    "a=1",
    ", a=1",
    ", a=\"",
    "\", a=\"",
    ", k=",
    ", task_id=9, thread_id=9",
    " task_id=9 thread_id=9",
    "\n, task_id=9, thread_id=9",
    ", span_mark=end, span_id=1",
    "task_id=",
    ", span_id\u{3d}1",
    "[2026-01-02T03:04:05Z INFO  x] ",
    "INFO ",
    "[x] ",
    "word: ",
    "] ",
    ") ",
    " - ",
    " > ",
    " | ",
    "(1) ",
    "{",
    "\"}",
    "12:00:00 ",
    "word",
];

/// Pieces of lines.
const PIECES: &[&[u8]] = &[
    b"{\"log\":\"a",
    b"\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:05Z\"}\n",
    b", task_id=1, thread_id=1\n",
    b" task_id=1 thread_id=1\n",
    b"\"task_id\":1,\"thread_id\":1",
    b"{\"message\":\"",
    b"\\u12",
    b"\\ud83e\\udd80",
    b"\\",
    b"}\n",
    b"\x1b[",
    b"\x1b]",
    b"\x1b",
    b"Jan  2 03:04:05 box app[1]: ",
    b"2026-01-02T03:04:05.123456789Z ",
    b", span_mark=start",
    b"\n    \t",
    b"\n",
    b"[[[[[[[[[[{{{{{{{{{{{{{{",
    b"\"MESSAGE\":[27,91],\"__REALTIME_TIMESTAMP\":\"1\"",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => select(NASTY).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[ -~]{0,6}",
    ];
    vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

/// A record of a program.
#[derive(Clone, Debug)]
struct Written {
    level: log::Level,
    target: &'static str,
    message: String,
    pairs: Vec<(String, String)>,
}

fn written() -> impl Strategy<Value = Written> {
    let levels = &[
        log::Level::Error,
        log::Level::Info,
        log::Level::Debug,
        log::Level::Trace,
    ];
    let target = select(&["shop", "shop::till", "db::query::plan"][..]);
    let pairs = vec(("[a-z]{1,2}", text()), 0..3);
    (select(&levels[..]), target, text(), pairs).prop_map(|(level, target, message, pairs)| {
        let mut pairs: Vec<(String, String)> = pairs;
        pairs.sort();
        pairs.dedup_by(|a, b| a.0 == b.0);
        Written {
            level,
            target,
            message,
            pairs,
        }
    })
}

/// A few records that nothing can be taken for a prefix of, and random ones.
fn log_of_any() -> impl Strategy<Value = Vec<Written>> {
    let plain = |message: &str| Written {
        level: log::Level::Info,
        target: "shop",
        message: message.to_owned(),
        pairs: Vec::new(),
    };
    // Texts are lines of other loggers, too: a log that is little else is one of theirs.
    let known = [["one", "[two] x", "three: x"]; 4].concat();
    let known: Vec<_> = known.into_iter().map(plain).collect();
    vec(written(), 1..12).prop_map(move |random| [&known[..], &random].concat())
}

/// A logger that writes into memory, as one of those in `LAYOUTS` does.
struct Memory {
    layout: usize,
    log: Arc<Mutex<String>>,
}

type Format = fn(&log::Record<'_>) -> String;

fn indented(record: &log::Record<'_>) -> String {
    record.args().to_string().replace('\n', "\n    ")
}

/// The layout's prefix, whether it says target and level, and the log.
const LAYOUTS: &[(Format, bool, bool)] = &[
    (
        |r| {
            format!(
                "[2026-01-02T03:04:05Z {:<5} {}] {}\n",
                r.level(),
                r.target(),
                indented(r)
            )
        },
        true,
        true,
    ),
    (
        |r| {
            format!(
                "[2026-01-02T03:04:05.123Z {} {}] {}\r\n",
                r.level(),
                r.target(),
                r.args()
            )
        },
        true,
        true,
    ),
    (|r| format!("{}\n", r.args()), false, false),
    (
        |r| {
            format!(
                "[2026-01-02][03:04:05][{}][{}] {}\n",
                r.target(),
                r.level(),
                r.args()
            )
        },
        true,
        true,
    ),
    (
        |r| format!("03:04:05 [{}] {}\n", r.level(), r.args()),
        false,
        true,
    ),
    (
        |r| {
            format!(
                "2026-01-02T03:04:05+00:00 {} {} - {}\n",
                r.level(),
                r.target(),
                r.args()
            )
        },
        true,
        true,
    ),
    (
        |r| format!("{} [{}] {}\n", r.level(), r.target(), r.args()),
        true,
        true,
    ),
    (
        |r| format!(" {:<5} {:<16} > {}\n", r.level(), r.target(), r.args()),
        true,
        true,
    ),
    (|r| format!("{} {}\n", r.level(), r.args()), false, true),
    (
        |r| {
            let text = format!("{} {}", r.level(), r.args());
            let lines = text.split('\n');
            lines
                .map(|line| format!("2026-01-02T03:04:05.123456789Z {line}\n"))
                .collect()
        },
        false,
        true,
    ),
    (
        |r| {
            format!(
                "\u{1b}[32m2026-01-02 03:04:05 | {} |\u{1b}[0m {}\n",
                r.level(),
                r.args()
            )
        },
        false,
        true,
    ),
    (json, true, true),
    (json_nested, true, true),
];

/// The layouts whose lines are JSON.
const JSON: std::ops::Range<usize> = 11..13;

fn json(record: &log::Record<'_>) -> String {
    let mut members = Members::default();
    members
        .0
        .insert("level".into(), record.level().as_str().into());
    members
        .0
        .insert("message".into(), record.args().to_string().into());
    members.0.insert("target".into(), record.target().into());
    members
        .0
        .insert("timestamp".into(), 1_767_323_045_000u64.into());
    record.key_values().visit(&mut members).unwrap();
    format!("{}\n", serde_json::Value::Object(members.0))
}

fn json_nested(record: &log::Record<'_>) -> String {
    let mut members = Members::default();
    record.key_values().visit(&mut members).unwrap();
    let line = serde_json::json!({
        "time": "2026-01-02T03:04:05Z",
        "level": record.level().as_str(),
        "text": record.args().to_string(),
        "thread_id": 99,
        "mdc": {},
        "attributes": members.0,
        "target": record.target(),
    });
    format!("{line}\n")
}

#[derive(Default)]
struct Members(serde_json::Map<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Members {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let value = match value.to_u64() {
            Some(number) => number.into(),
            None => value.to_string().into(),
        };
        self.0.insert(key.to_string(), value);
        Ok(())
    }
}

impl Log for Memory {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = LAYOUTS[self.layout].0(record);
        self.log.lock().unwrap().push_str(&line);
    }

    fn flush(&self) {}
}

/// What the library makes of records, through a logger of this layout.
fn write(records: &[Written], layout: usize, key_values: bool) -> String {
    let log = Arc::new(Mutex::new(String::new()));
    let memory = Memory {
        layout,
        log: Arc::clone(&log),
    };
    let mut logger = async_log::Logger::wrap(memory, || 5);
    if key_values {
        logger = logger.with_key_values();
    }
    for record in records {
        logger.log(
            &log::Record::builder()
                .level(record.level)
                .target(record.target)
                .key_values(&record.pairs)
                .args(format_args!("{}", record.message))
                .build(),
        );
    }
    let log = log.lock().unwrap();
    log.clone()
}

fn parse(bytes: &[u8], dialect: Dialect) -> Batch {
    let mut batch = Batch {
        lines_len: bytes.len(),
        bytes: bytes.to_vec(),
        dialect: dialect.into(),
        ..Batch::default()
    };
    batch.parse();
    batch
}

fn pairs(view: View<'_>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    view.pairs(|key, value| pairs.push((key.to_owned(), value.into_owned())));
    pairs
}

fn assert_read(records: &[Written], layout: usize, key_values: bool) {
    let log = write(records, layout, key_values);
    let dialect = Dialect::detect(log.as_bytes(), None).expect("there are records");
    let (_, has_target, has_level) = LAYOUTS[layout];
    let batch = parse(log.as_bytes(), dialect);
    assert_eq!(
        batch.records.len(),
        records.len(),
        "{log}\n{:?}",
        batch.unreadable
    );
    for (record, written) in batch.records.iter().zip(records) {
        let view = View {
            batch: &batch,
            record,
        };
        let message = view.message();
        let read = pairs(view);
        assert!(read.ends_with(&written.pairs), "{read:?} in\n{log}");
        // The end of a message may read as pairs.
        let more = read.len() - written.pairs.len();
        match more {
            0 => assert_eq!(message, written.message, "{log}"),
            _ => {
                assert!(!key_values, "{log}");
                let rest = written.message.strip_prefix(&*message);
                assert!(
                    rest.is_some_and(|rest| rest.starts_with(", ")),
                    "{message:?} in\n{log}"
                );
            }
        }
        assert_eq!((record.task_id, record.span_id), (5, 0));
        let level = Level::from_word(written.level.as_str().as_bytes());
        assert_eq!(view.level(), level.filter(|_| has_level), "{log}");
        assert_eq!(
            view.target().as_deref(),
            Some(written.target).filter(|_| has_target),
            "{log}"
        );
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(records in log_of_any(), layout in 0..LAYOUTS.len()) {
        assert_read(&records, layout, false);
    }

    #[test]
    fn what_is_written_as_json_is_read_back(records in log_of_any(), layout in JSON) {
        assert_read(&records, layout, true);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        pieces in vec(prop_oneof![
            3 => select(NASTY).prop_map(|text| text.as_bytes().to_vec()),
            2 => vec(any::<u8>(), 0..6),
            2 => select(PIECES).prop_map(<[u8]>::to_vec),
        ], 0..40),
        form in select(&[None, Some(Form::Text), Some(Form::KeyValue), Some(Form::Json)][..]),
        cut in 0usize..400,
    ) {
        let bytes = pieces.concat();
        let sample = &bytes[..cut.min(bytes.len())];
        let dialects = [Dialect::detect(sample, form), Dialect::detect(&bytes, form)];
        let mut legacy = Dialect { form: form.unwrap_or_default(), ..Dialect::default() };
        legacy.legacy = true;
        for dialect in dialects.into_iter().flatten().chain([legacy]) {
            let batch = parse(&bytes, dialect);
            for record in &batch.records {
                let view = View { batch: &batch, record };
                view.message();
                view.time();
                view.target();
                view.level();
                view.spawn_line();
                pairs(view);
            }
        }
        for at in 0..bytes.len() {
            Time::parse(&bytes[at..]);
        }
    }

    #[test]
    fn no_template_makes_a_layout_panic(template in "[\\[\\]{}: a-z]{0,12}|(\\{(time|level|target|skip)(:[0-9]{1,3})?\\}[ \\[\\]:-]{0,2}){0,4}", line in "[ -~]{0,40}") {
        if let Ok(layout) = Layout::from_template(&template) {
            let prefix = layout.cut(line.as_bytes());
            assert!(prefix.len <= line.len());
        }
    }

    #[test]
    fn times_are_read_as_a_calendar_has_them(
        seconds in -30_000_000_000i64..60_000_000_000,
        nanos in 0..1_000_000_000i32,
        digits in 0usize..10,
        separator in select(&["T", " ", "_", "][", " t"][..4]),
        zone in select(&[("Z", 0), ("", 0), ("+00:00", 0), ("+0130", 90), ("-08", -480), (" +05:30", 330), (" UTC", 0), ("[UTC]", 0)][..]),
        point in select(&[".", ","][..]),
    ) {
        let unit = 10i32.pow(9 - digits as u32);
        let Ok(timestamp) = jiff::Timestamp::new(seconds, nanos / unit * unit) else {
            return Ok(());
        };
        let Ok(of_time) = i64::try_from(timestamp.as_nanosecond()) else {
            return Ok(());
        };
        let offset = jiff::tz::Offset::from_seconds(zone.1 * 60).unwrap();
        let local = offset.to_datetime(timestamp);
        if !(0..=9999).contains(&local.year()) {
            return Ok(());
        }
        let fraction = match digits {
            0 => String::new(),
            digits => format!("{point}{}", &format!("{:09}", local.subsec_nanosecond())[..digits]),
        };
        let text = format!(
            "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}{fraction}{}",
            local.year(), local.month(), local.day(), local.hour(), local.minute(), local.second(), zone.0,
        );
        let expected = Time {
            nanos: of_time,
            has_date: true,
            has_zone: !zone.0.is_empty(),
            resolution: unit as u64,
        };
        for behind in ["", " INFO", "] x"] {
            let read = Time::parse(format!("{text}{behind}").as_bytes());
            prop_assert_eq!(read, Some((expected, text.len())), "{}", text);
        }
    }
}

fn time(text: &str) -> Option<(i64, usize)> {
    Time::parse(text.as_bytes()).map(|(time, len)| (time.nanos, len))
}

const SECOND: i64 = 1_000_000_000;

#[test]
fn times_without_a_date() {
    let at = (3 * 3600 + 4 * 60 + 5) * SECOND;
    assert_eq!(time("03:04:05 x"), Some((at, 8)));
    assert_eq!(time("03:04:05.250] x"), Some((at + SECOND / 4, 12)));
    // Without a year it is as if in 1970.
    let day = 86_400 * SECOND;
    assert_eq!(time("Jan  2 03:04:05 box"), Some((at + day, 15)));
    assert_eq!(time("Feb 29 03:04:05 box"), Some((at + 59 * day, 15)));
    assert_eq!(time("Mar  1 03:04:05 box"), Some((at + 59 * day, 15)));
    let read = Time::parse(b"Dec 31 03:04:05.000001 box").unwrap();
    assert!(!read.0.has_date && read.0.resolution == 1000);
}

#[test]
fn times_of_other_forms() {
    let at = 1_767_323_045 * SECOND;
    for text in [
        "2026-01-02T03:04:05Z",
        "2026/01/02 03:04:05",
        "Fri 2026-01-02 03:04:05 UTC",
        "Fri, 02 Jan 2026 03:04:05 +0000",
        "02 Jan 2026 03:04:05 GMT",
        "Jan 02 03:04:05 2026",
        "1767323045",
        "1767323045.000",
        "1767323045000",
        "1767323045000000",
        "1767323045000000000",
        "2026-01-02T04:04:05+01:00[Europe/Paris]",
    ] {
        assert_eq!(time(text), Some((at, text.len())), "{text}");
        let line = format!("{text} INFO x");
        assert_eq!(time(&line), Some((at, text.len())), "{line}");
    }
}

#[test]
fn what_is_no_time() {
    for text in [
        "",
        "1",
        "42",
        "hello",
        "Mayor",
        "2026-13-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "24:00:00",
        "2026-01-02",
        "2026-01-02T",
        "Jan 32 03:04:05",
        "123456",
        "9999-12-31T23:59:59Z",
        "Fri",
    ] {
        assert_eq!(time(text), None, "{text}");
    }
}

#[test]
fn templates_say_what_is_wrong_with_them() {
    let error = |template: &str| Layout::from_template(template).unwrap_err().to_string();
    assert_eq!(error(""), "the template is empty");
    assert_eq!(
        error("{tme} "),
        "`{tme}` is no field; there are time, nanos, level, target, file, line, thread, host, skip"
    );
    assert_eq!(error("[{time"), "`{time` is not closed with `}`");
    assert_eq!(
        error("{time} {target}"),
        "`{target}`: there must be text behind it, to tell where it ends"
    );
    assert_eq!(
        error("{time:5} "),
        "`{time:5}`: a width is for levels, `{level:5}`"
    );
}

#[test]
fn a_template_of_the_users_cuts() {
    let layout = Layout::from_template("{{{time}}} <{level}> {target} -- ").unwrap();
    let line = b"{03:04:05} <warn> shop::till -- hello";
    let prefix = layout.cut(line);
    assert_eq!(prefix.rest(line), b"hello");
    assert_eq!(prefix.level, Some(Level::Warn));
    assert_eq!(&line[prefix.time.unwrap()], b"03:04:05");
    assert_eq!(&line[prefix.target.unwrap()], b"shop::till");
    assert_eq!(layout.cut(b"hello").len, 0);
}
