//! What is written reads back as it was, and nothing that a program logs can pass for something
//! else. The reader knows `docs/format.md` alone.

use std::fmt;

use async_log::{instrument, span, Logger, TaskExt};
use futures::FutureExt;
use log::kv::{ToValue, Value};
use log::Log;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use async_log_tests::memory::{with_global, Lines, Shared};
use async_log_tests::reader::{self, is_control, read, Record};

const RESERVED: [&str; 11] = [
    "span_mark",
    "span_id",
    "span_parent",
    "span_at",
    "span_elapsed",
    "span_outcome",
    "task_parent_id",
    "spawn_line",
    "process_id",
    "task_id",
    "thread_id",
];

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
    "\u{7}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "\u{9b}31m",
    "\u{9f}",
    "\u{a0}",
    "\u{ad}",
    "\u{61c}",
    "\u{200b}",
    "\u{200e}",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}",
    "\u{2066}",
    "\u{3000}",
    "\u{feff}",
    "\u{fffd}",
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
    ", task_id=9, thread_id=9\n",
    "\n, task_id=9, thread_id=9",
    "\ntask_id=9, thread_id=9",
    ", span_mark=end, span_id=1",
    "span_mark=start",
    "task_id=",
    ", task_id",
    " span_mark=",
    ", span_id\u{3d}1",
    ", process_id=1-1",
    "[2026-01-02T03:04:05Z INFO  x] ",
    "{",
    "word",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => select(NASTY).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => any::<u8>().prop_map(|byte| char::from(byte).to_string()),
        1 => "[ -~]{0,6}",
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        select(&RESERVED[..]).prop_map(str::to_owned),
        select(&RESERVED[..]).prop_map(|key| key.replace('_', " ")),
        select(&RESERVED[..]).prop_map(|key| format!("{key}_")),
        "[a-z]{1,3}",
        text(),
    ]
}

/// A value, of every kind and captured in every way that `log` has.
#[derive(Clone, Debug)]
enum Any {
    Text(String),
    Display(Pieces),
    Debug(String),
    U64(u64),
    I64(i64),
    F64(f64),
    Bool(bool),
    Char(char),
    U128(u128),
    I128(i128),
    Optional(Option<i32>),
}

/// A text that formats itself character by character.
#[derive(Clone, Debug)]
struct Pieces(String);

impl fmt::Display for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| write!(f, "{c}"))
    }
}

impl ToValue for Any {
    fn to_value(&self) -> Value<'_> {
        match self {
            Any::Text(text) => text.as_str().to_value(),
            Any::Display(text) => Value::from_display(text),
            Any::Debug(text) => Value::from_debug(text),
            Any::U64(n) => n.to_value(),
            Any::I64(n) => n.to_value(),
            Any::F64(n) => n.to_value(),
            Any::Bool(b) => b.to_value(),
            Any::Char(c) => c.to_value(),
            Any::U128(n) => n.to_value(),
            Any::I128(n) => n.to_value(),
            Any::Optional(n) => n.to_value(),
        }
    }
}

impl Any {
    fn text(&self) -> String {
        match self {
            Any::Text(text) => text.clone(),
            Any::Display(text) => text.0.clone(),
            Any::Debug(text) => format!("{text:?}"),
            Any::U64(n) => n.to_string(),
            Any::I64(n) => n.to_string(),
            Any::F64(n) => n.to_string(),
            Any::Bool(b) => b.to_string(),
            Any::Char(c) => c.to_string(),
            Any::U128(n) => n.to_string(),
            Any::I128(n) => n.to_string(),
            Any::Optional(None) => "null".to_owned(),
            Any::Optional(Some(n)) => n.to_string(),
        }
    }
}

fn value() -> impl Strategy<Value = Any> {
    prop_oneof![
        4 => text().prop_map(Any::Text),
        2 => text().prop_map(|text| Any::Display(Pieces(text))),
        2 => text().prop_map(Any::Debug),
        1 => prop_oneof![any::<u64>(), Just(u64::MAX), 0..20u64].prop_map(Any::U64),
        1 => prop_oneof![any::<i64>(), Just(i64::MIN), -20..20i64].prop_map(Any::I64),
        1 => any::<u64>().prop_map(|bits| Any::F64(f64::from_bits(bits))),
        1 => select(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.0, 1e300][..])
            .prop_map(Any::F64),
        1 => any::<bool>().prop_map(Any::Bool),
        1 => any::<char>().prop_map(Any::Char),
        1 => any::<u128>().prop_map(Any::U128),
        1 => any::<i128>().prop_map(Any::I128),
        1 => any::<Option<i32>>().prop_map(Any::Optional),
    ]
}

/// A key as the document says that it is written.
fn written_key(key: &str) -> String {
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let mut key: String = key
        .chars()
        .map(|c| if is_key(c) { c } else { '_' })
        .collect();
    if key.is_empty() || RESERVED.contains(&&*key) {
        key.push('_');
    }
    key
}

fn logger(lines: &Lines) -> Logger<Lines, fn() -> u64> {
    let source: fn() -> u64 = || 5;
    Logger::wrap(lines.clone(), source).with_max_value_len(usize::MAX)
}

fn log(logger: &dyn Log, message: &str, pairs: &[(String, Any)]) {
    let pairs: Vec<(&str, Value<'_>)> = (pairs.iter())
        .map(|(key, value)| (key.as_str(), value.to_value()))
        .collect();
    logger.log(
        &log::Record::builder()
            .args(format_args!("{message}"))
            .key_values(&&pairs[..])
            .build(),
    );
}

/// Reads the only record of a line, and checks the invariants of every record.
fn read_one(line: &str, message: &str) -> Record {
    let lines = message.matches('\n').count() + 1;
    assert_eq!(line.matches('\n').count() + 1, lines, "{line:?}");
    for (at, c) in line.char_indices() {
        match c {
            '\n' => assert!(line[at + 1..].starts_with('\t'), "{line:?}"),
            '\t' => assert!(line[..at].ends_with('\n'), "{line:?}"),
            c => assert!(!is_control(c), "{c:?} in {line:?}"),
        }
    }
    for continuation in line.split('\n').skip(1) {
        assert!(read(&format!("{continuation}\n")).0.is_empty(), "{line:?}");
    }
    let (mut records, others) = read(&format!("{line}\n"));
    assert_eq!((records.len(), others), (1, 0), "{line:?}");
    let record = records.remove(0);
    assert_eq!(record.lines, lines, "{line:?}");
    record
}

/// Checks that a record is this message with these pairs (a value of `None` is checked elsewhere).
/// What the message itself ends with may be read as pairs, but not as pairs of ours.
fn check(record: &Record, message: &str, pairs: &[(String, Option<String>)]) {
    let extra = (record.pairs.len().checked_sub(pairs.len()))
        .unwrap_or_else(|| panic!("{record:?} lacks some of {pairs:?}"));
    assert_eq!(record.message_with(extra), message, "{record:?}");
    if !message.contains('=') {
        assert_eq!(extra, 0, "{record:?}");
    }
    for pair in &record.pairs[..extra] {
        assert!(!RESERVED.contains(&&*pair.key), "{record:?}");
    }
    for (read, (key, value)) in record.pairs[extra..].iter().zip(pairs) {
        assert_eq!(&read.key, key, "{record:?}");
        assert!(!read.cut, "{record:?}");
        if let Some(value) = value {
            assert_eq!(&read.value, value, "{record:?}");
        }
    }
}

/// Pairs as they should be read.
fn expected<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a Any)>,
) -> Vec<(String, Option<String>)> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(key, value)| (written_key(key), Some(value.text())))
        .collect()
}

fn ours(keys: &[&str]) -> Vec<(String, Option<String>)> {
    let value = |key: &str| match key {
        "task_id" => Some("5".to_owned()),
        _ => None,
    };
    keys.iter()
        .map(|key| ((*key).to_owned(), value(key)))
        .collect()
}

const START: &[&str] = &["span_id", "span_at", "process_id", "task_id", "thread_id"];
const INNER_START: &[&str] = &["span_id", "span_parent", "span_at", "task_id", "thread_id"];
const END: &[&str] = &["span_id", "span_elapsed", "task_id", "thread_id"];
const INSIDE: &[&str] = &["span_id", "task_id", "thread_id"];

fn mark(word: &str) -> Vec<(String, Option<String>)> {
    vec![("span_mark".to_owned(), Some(word.to_owned()))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_reads_back(message in text(), pairs in vec((key(), value()), 0..4)) {
        let lines = Lines::default();
        log(&logger(&lines), &message, &pairs);
        let line = lines.take().remove(0);
        let mut all = expected(pairs.iter().map(|(key, value)| (&**key, value)));
        all.extend(ours(&["task_id", "thread_id"]));
        check(&read_one(&line, &message), &message, &all);
        // Any prefix of a logger.
        for prefix in [",", "x, ", "[INFO] ", ", a=\"", ", a="] {
            let (records, others) = read(&format!("{prefix}{line}\n"));
            prop_assert_eq!((records.len(), others), (1, 0), "{}", line);
            check(&records[0], &format!("{prefix}{message}"), &all);
        }
    }

    #[test]
    fn a_field_on_every_record_reads_back(message in text(), key in key(), value in value()) {
        let lines = Lines::default();
        log(&logger(&lines).with_field(&key, &value), &message, &[]);
        let line = lines.take().remove(0);
        let mut all = expected([(&*key, &value)]);
        all.extend(ours(&["task_id", "thread_id"]));
        check(&read_one(&line, &message), &message, &all);
    }

    #[test]
    fn spans_read_back(
        names in (text(), text()),
        message in text(),
        fields in (value(), value(), value(), value(), value()),
        constant in value(),
    ) {
        let lines = Lines::default();
        let (a, b, c, d, e) = &fields;
        with_global(logger(&lines).with_field("constant", &constant), || {
            span!(a, "task id" = b, "…" = c; "{}", names.0, {
                span!(d, a = e; "{}", names.1, {
                    log::info!(c; "{message}");
                });
            });
        });
        let lines = lines.take();
        prop_assert_eq!(lines.len(), 5);

        let outer = expected([("a", a), ("task_id", b), ("_", c), ("constant", &constant)]);
        let inner = expected([("d", d), ("a", e), ("task_id", b), ("_", c), ("constant", &constant)]);
        let own = expected([("c", c)]);
        let all = [
            (&names.0, [mark("start"), outer.clone(), ours(START)].concat()),
            (&names.1, [mark("start"), inner.clone(), ours(INNER_START)].concat()),
            (&message, [own, inner.clone(), ours(INSIDE)].concat()),
            (&names.1, [mark("end"), inner, ours(END)].concat()),
            (&names.0, [mark("end"), outer, ours(END)].concat()),
        ];
        let mut records = Vec::new();
        for (line, (message, pairs)) in lines.iter().zip(&all) {
            let record = read_one(line, message);
            check(&record, message, pairs);
            records.push(record);
        }
        let ids: Vec<_> = records.iter().map(|record| record.number("span_id")).collect();
        prop_assert_ne!(ids[0], ids[1]);
        prop_assert_eq!(&ids, &[ids[0], ids[1], ids[1], ids[1], ids[0]]);
        prop_assert_eq!(records[1].number("span_parent"), ids[0]);
    }

    #[test]
    fn names_of_tasks_read_back(name in text()) {
        let lines = Lines::default();
        with_global(logger(&lines), || {
            assert_eq!(async { 7 }.in_named_task(name.clone()).now_or_never(), Some(7));
        });
        let spawned = ours(&["span_id", "span_at", "task_parent_id", "spawn_line", "process_id"]);
        let start = [mark("start"), spawned, ours(&["task_id", "thread_id"])].concat();
        let lines = lines.take();
        check(&read_one(&lines[0], &name), &name, &start);
        check(&read_one(&lines[1], &name), &name, &[mark("end"), ours(END)].concat());
    }

    #[test]
    fn arguments_read_back(a in text(), b in value(), c in any::<char>(), d in vec(text(), 0..3), e in any::<f32>()) {
        #[instrument(name = "function")]
        fn function(a: &str, b: Any, c: char, d: Vec<String>, e: Option<f32>) {}

        let lines = Lines::default();
        with_global(logger(&lines), || function(&a, b.clone(), c, d.clone(), Some(e)));
        let lines = lines.take();
        let arguments = [a, b.text(), c.to_string(), format!("{d:?}"), f64::from(e).to_string()];
        let arguments = arguments.into_iter().enumerate();
        let arguments: Vec<_> = arguments
            .map(|(nth, value)| (format!("arg_{nth}"), Some(value)))
            .collect();
        let start = [arguments, mark("start"), ours(START)].concat();
        check(&read_one(&lines[0], "function"), "function", &start);
        check(&read_one(&lines[1], "function"), "function", &[mark("end"), ours(END)].concat());
    }

    /// A cut value is the longest beginning of whole characters within the limit.
    #[test]
    fn a_cut_value_reads_back(text in text(), limit in 0..24usize) {
        let lines = Lines::default();
        let values = [Any::Text(text.clone()), Any::Display(Pieces(text.clone()))];
        for value in values {
            let source: fn() -> u64 = || 5;
            let logger = Logger::wrap(lines.clone(), source).with_max_value_len(limit);
            with_global(logger, || span!(value; "s", { log::info!(own = value; "m") }));
            for line in lines.take() {
                let record = read_one(&line, "");
                let pairs = record.pairs.iter();
                for pair in pairs.filter(|pair| matches!(&*pair.key, "value" | "own")) {
                    prop_assert!(text.starts_with(&pair.value));
                    prop_assert_eq!(pair.cut, text.len() > limit);
                    prop_assert!(pair.value.len() <= limit || !pair.cut);
                    let next = text[pair.value.len()..].chars().next();
                    prop_assert!(next.map_or(true, |next| pair.value.len() + next.len_utf8() > limit));
                }
            }
        }
    }

    /// Through env_logger, with its prefix and indentation, as one log.
    #[test]
    fn a_log_of_env_logger_reads_back(
        all in vec((text(), vec((key(), value()), 0..3)), 1..5),
        indent in prop_oneof![Just(None), (0..9usize).prop_map(Some)],
    ) {
        let out = Shared::default();
        let mut inner = env_logger::Builder::new();
        inner
            .filter_level(log::LevelFilter::Trace)
            .format_indent(indent)
            .target(env_logger::Target::Pipe(Box::new(out.clone())));
        let source: fn() -> u64 = || 5;
        let logger = Logger::wrap(inner.build(), source);
        for (message, pairs) in &all {
            log(&logger, message, pairs);
        }
        let written = out.text();
        let (records, others) = read(&written);
        prop_assert_eq!((records.len(), others), (all.len(), 0), "{}", written);
        for (mut record, (message, pairs)) in records.into_iter().zip(&all) {
            // `[2026-01-02T03:04:05Z INFO ] `
            let prefix = record.message.find("] ").unwrap() + 2;
            prop_assert!(prefix < 40);
            record.message.drain(..prefix);
            let mut all = expected(pairs.iter().map(|(key, value)| (&**key, value)));
            all.extend(ours(&["task_id", "thread_id"]));
            check(&record, message, &all);
        }
    }
}

#[test]
fn every_character_reads_back_alone() {
    let lines = Lines::default();
    let logger = logger(&lines);
    for c in '\0'..=char::MAX {
        // All of the planes beyond the first two are alike.
        if u32::from(c) > 0x2_ffff && u32::from(c) % 0x101 != 0 {
            continue;
        }
        let text = c.to_string();
        log(&logger, &text, &[("k".to_owned(), Any::Char(c))]);
        let line = lines.take().remove(0);
        let mut all = expected([("k", &Any::Char(c))]);
        all.extend(ours(&["task_id", "thread_id"]));
        check(&read_one(&line, &text), &text, &all);
    }
}

#[test]
fn a_megabyte_reads_back() {
    let lines = Lines::default();
    let logger = logger(&lines);
    for piece in ["x", "\n", ", a=\"", ", task_id=9"] {
        let text = piece.repeat((1 << 20) / piece.len());
        log(&logger, &text, &[("k".to_owned(), Any::Text(text.clone()))]);
        let line = lines.take().remove(0);
        let mut all = expected([("k", &Any::Text(text.clone()))]);
        all.extend(ours(&["task_id", "thread_id"]));
        check(&read_one(&line, &text), &text, &all);
    }
}

#[test]
fn all_that_is_empty_reads_back() {
    let lines = Lines::default();
    let empty = || (String::new(), Any::Text(String::new()));
    log(&logger(&lines).with_field("", ""), "", &[empty()]);
    let line = lines.take().remove(0);
    let record = read_one(&line, "");
    assert_eq!(record.message, "");
    assert_eq!(record.keys(), ["_", "task_id", "thread_id"]);
    assert_eq!(record.get("_"), Some(""));
}

/// The reader itself: what the document says that it must do with lines that nobody should write.
#[test]
fn the_reader_is_as_the_document_says() {
    let (records, others) = read(concat!(
        "no record\n",
        "\tnor this, thread_id=1, task_id=1\n",
        "m, task_id=01, thread_id=1\n",
        "m, x=1, task_id=3, y=2, task_id=4, thread_id=5\r\n",
        "\tat main, task_id=1, thread_id=1\n",
        "m \\u{zz} \\u{110000} \\u{+3d} \\, k=\"\\u00e9\\/\", task_id=1, thread_id=1\n",
        "first, x=1\n",
        "  \tsecond, task_id=1, thread_id=1\n",
        "torn, task_id=1, thread_id=1",
    ));
    assert_eq!((records.len(), others), (3, 5), "{records:?}");
    assert_eq!(records[0].message, "m");
    assert_eq!(records[0].number("task_id"), Some(4));
    assert_eq!(records[1].message, "m \\u{zz} \\u{110000} \\u{+3d} \\");
    assert_eq!(records[1].get("k"), Some("é/"));
    assert_eq!(records[2].message, "first, x=1\nsecond");
}

/// Without its proof: nothing before the pairs can change how they are read.
#[test]
fn no_message_moves_a_pair() {
    let pieces = [", a=\"", "\"", ", b=", "\\", ", c=1", "=", "…", ", "];
    let pairs = ", k=\", y=\", l=\"z, \\\"\", task_id=1, thread_id=2";
    let (_, alone) = reader::split(pairs);
    for nth in 0..pieces.len().pow(4) {
        let nth_piece = |place: u32| pieces[nth / pieces.len().pow(place) % pieces.len()];
        let message: String = (0..4).map(nth_piece).collect();
        let (_, all) = reader::split(&format!("{message}{pairs}"));
        assert!(all.ends_with(&alone), "{message}");
    }
}
