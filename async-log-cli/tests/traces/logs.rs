//! Logs by hand, and those beside the expected outputs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use async_log_cli::write::chrome::Chrome;
use async_log_cli::write::perfetto::Perfetto;
use async_log_cli::write::trace::Options;
use serde_json::{Value, json};

use crate::drawing::{Drawing, Drawn};
use crate::{chrome, perfetto, run, write_chrome, write_perfetto};

/// Both traces of a log; they show the same.
fn both(log: impl AsRef<[u8]>) -> [Drawing; 2] {
    let chrome = chrome::read(&write_chrome(log.as_ref()));
    let perfetto = perfetto::read(&write_perfetto(log.as_ref()));
    chrome.check_same(&perfetto);
    [chrome, perfetto]
}

fn slice(drawing: &Drawing, id: u64) -> &Drawn {
    let mut slices = drawing.slices.iter();
    slices.find(|slice| slice.id() == id).expect("it is drawn")
}

/// The track, and what it is drawn in.
fn lane(drawing: &Drawing, id: u64) -> (&str, Option<u64>) {
    let slice = slice(drawing, id);
    let place = slice.place;
    (&drawing.tracks[&(place.pid, place.track)].0, slice.inside)
}

/// The beginning and the end, in nanoseconds since the process began.
fn times(drawing: &Drawing, id: u64) -> (u64, Option<u64>) {
    let slice = slice(drawing, id);
    let since = |at: u64| at - 1_700_000_000_000_000_000;
    (since(slice.place.at), slice.end.map(since))
}

/// A start, so many nanoseconds after the process began.
fn start(id: u64, parent: u64, at: u64) -> String {
    let around = match parent {
        0 => "process_id=7-1700000000000000000".into(),
        parent => format!("span_parent={parent}"),
    };
    format!(
        "s, span_mark=start, span_id={id}, {around}, span_at=1700000000.{at:09}, task_id=0, thread_id=1\n"
    )
}

fn end(id: u64, elapsed: u64) -> String {
    format!("s, span_mark=end, span_id={id}, span_elapsed=0.{elapsed:09}, task_id=0, thread_id=1\n")
}

#[test]
fn names_and_values_are_what_the_program_said() {
    let names: [(&[u8], &str); 10] = [
        (b"", ""),
        (b"plain", "plain"),
        (br#"say "hi" \"#, r#"say "hi" \"#),
        (
            br"bell \u{7} nul \u{0} esc \u{1b}",
            "bell \u{7} nul \u{0} esc \u{1b}",
        ),
        (b"raw \x01\x07\x7f", "raw \u{1}\u{7}\u{7f}"),
        ("lines\n\ttwo \\u{2028}".as_bytes(), "lines\ntwo \u{2028}"),
        (
            "raw \u{2028}\u{2029}\u{85}\u{feff}".as_bytes(),
            "raw \u{2028}\u{2029}\u{85}\u{feff}",
        ),
        (b"torn \xff\xfe \xe2\x82", "torn \u{fffd}\u{fffd} \u{fffd}"),
        (
            "\u{1f980} e\u{301} \u{202e}".as_bytes(),
            "\u{1f980} e\u{301} \u{202e}",
        ),
        (br#"","ts":0,"dur":1"#, r#"","ts":0,"dur":1"#),
    ];
    let values: [(&[u8], Value); 14] = [
        (br#""""#, json!("")),
        (
            br#""say \"hi\" \\ \n \t \u0007 \u2028""#,
            json!("say \"hi\" \\ \n \t \u{7} \u{2028}"),
        ),
        (br#"", \"ts\":1.000,""#, json!(", \"ts\":1.000,")),
        (b"torn \xff", json!("torn \u{fffd}")),
        (b"7", json!(7)),
        (b"-7", json!(-7)),
        (b"007", json!("007")),
        (b"1.5", json!(1.5)),
        (b"1.50", json!("1.50")),
        (b"true", json!(true)),
        (b"null", json!("null")),
        (b"NaN", json!("NaN")),
        (b"9007199254740992", json!(9_007_199_254_740_992_u64)),
        (b"9007199254740993", json!("9007199254740993")),
    ];
    let mut log = Vec::new();
    let prefix = b"[2026-01-02T03:04:05Z INFO  shop] ";
    for (at, (name, _)) in names.iter().enumerate() {
        let id = at as u64 + 1;
        let end_of = end(id, 5);
        log.extend([prefix, *name, &start(id, 0, id * 10).as_bytes()[1..]].concat());
        log.extend([prefix, *name, &end_of.as_bytes()[1..]].concat());
    }
    for (value, _) in &values {
        let tail = b", task_id=0, thread_id=1\n";
        log.extend([prefix, b"value, k.e-y=".as_slice(), value, tail].concat());
    }
    for drawing in both(&log) {
        for (at, (_, name)) in names.iter().enumerate() {
            assert_eq!(slice(&drawing, at as u64 + 1).name, *name);
        }
        assert_eq!(drawing.instants.len(), values.len());
        for (instant, (_, value)) in drawing.instants.iter().zip(&values) {
            assert_eq!(instant.args["k.e-y"], *value);
        }
    }
}

#[test]
fn a_record_is_an_instant_of_its_level() {
    let log = "\
[2023-11-14T22:13:20Z TRACE shop] load, span_mark=start, span_id=1, span_at=1700000000.000000000, process_id=7-1700000000000000000, task_id=0, thread_id=1
[2023-11-14T22:13:20Z WARN  shop] first
\tsecond, level=9, target=x, message=y, span_id=1, task_id=0, thread_id=1
[2023-11-14T22:13:20Z ERROR shop] alone, task_id=0, thread_id=2
[2023-11-14T22:13:20Z TRACE shop] load, span_mark=end, span_id=1, span_elapsed=1.000000000, task_id=0, thread_id=1
";
    for drawing in both(log) {
        let mut instants = drawing.instants.clone();
        instants.sort_by_key(|instant| instant.category.clone());
        let [error, warning] = &instants[..] else {
            panic!("{instants:?}");
        };
        assert_eq!((&*warning.name, &*warning.category), ("first", "WARN"));
        let args = json!({
            "level": "WARN", "target": "shop", "message": "first\nsecond",
            "level_": 9, "target_": "x", "message_": "y",
            "span_id": 1, "task_id": 0, "thread_id": 1,
        });
        assert_eq!(json!(warning.args), args);
        assert_eq!(warning.place.track, slice(&drawing, 1).place.track);
        assert_eq!((&*error.name, &*error.category), ("alone", "ERROR"));
        let names: Vec<_> = drawing.tracks.values().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["main", "thread 2"]);
    }
    let options = || {
        let mut options = Options::default();
        options.events = false;
        options
    };
    let chrome = run(log.as_bytes(), Chrome::new(options(), Vec::new()));
    assert_eq!(chrome::read(&chrome.into_out()).instants, []);
    let perfetto = run(log.as_bytes(), Perfetto::new(options(), Vec::new()));
    assert_eq!(perfetto::read(&perfetto.into_out()).instants, []);
}

#[test]
fn large_ids_keep_all_digits() {
    let id = u64::MAX - 1;
    let log = [start(id, 0, 0), start(3, id, 1), end(3, 1), end(id, 3)].concat();
    for drawing in both(log) {
        assert_eq!(slice(&drawing, id).args["span_id"], json!(id.to_string()));
        assert_eq!(
            slice(&drawing, 3).args["span_parent"],
            json!(id.to_string())
        );
        assert_eq!(slice(&drawing, 3).inside, Some(id));
    }
}

#[test]
fn an_end_alone_is_a_span_whose_start_is_missing() {
    let log = [
        start(1, 0, 0),
        start(2, 1, 50),
        end(9, 30),
        end(2, 10),
        end(1, 80),
    ]
    .concat();
    for drawing in both(log) {
        assert_eq!(slice(&drawing, 9).args["start_missing"], json!(true));
        assert_eq!(times(&drawing, 9), (20, Some(50)));
        assert_eq!(lane(&drawing, 9), ("main (2)", None));
    }
}

#[test]
fn a_span_that_outlives_its_parent_goes_to_another_track() {
    let log = [start(1, 0, 0), start(2, 1, 5), end(1, 10), end(2, 20)].concat();
    for drawing in both(log) {
        assert_eq!(lane(&drawing, 1), ("main", None));
        assert_eq!(lane(&drawing, 2), ("main (2)", None));
        assert_eq!(times(&drawing, 2), (5, Some(25)));
    }
}

#[test]
fn what_is_left_of_an_ended_span_goes_to_another_track() {
    let log = [start(1, 0, 0), start(2, 1, 5), start(3, 2, 5), end(1, 10)].concat();
    for drawing in both(log) {
        assert_eq!(lane(&drawing, 1), ("main", None));
        assert_eq!(lane(&drawing, 2), ("main (2)", None));
        assert_eq!(lane(&drawing, 3), ("main (2)", Some(2)));
        assert_eq!(slice(&drawing, 3).end, None);
    }
}

/// In JSON it begins a nanosecond earlier, so that it is around what began together with it.
#[test]
fn what_never_ends_does_not_begin_in_what_was_before() {
    let log = [
        start(1, 0, 0),
        end(1, 10),
        start(2, 0, 10),
        start(3, 2, 10),
        end(3, 5),
    ]
    .concat();
    let [chrome, perfetto] = both(log);
    assert_eq!(times(&chrome, 2), (9, None));
    assert_eq!(lane(&chrome, 2), ("main (2)", None));
    assert_eq!(times(&perfetto, 2), (10, None));
    assert_eq!(lane(&perfetto, 2), ("main", None));
    assert_eq!(lane(&perfetto, 3), ("main", Some(2)));
}

/// Span 3 is held for span 2, which goes to another track when 1 ends. Both begin with 1.
#[test]
fn what_a_moved_span_held_stays_behind_the_span_of_its_track() {
    let mut log: Vec<_> = [(4, 0), (1, 4), (2, 1), (3, 2)]
        .map(|(id, parent)| start(id, parent, 0))
        .into();
    log.extend([(3, 2), (1, 4), (2, 5), (4, 6)].map(|(id, elapsed)| end(id, elapsed)));
    for drawing in both(log.concat()) {
        let ends = [1, 2, 3, 4].map(|id| times(&drawing, id).1);
        assert_eq!(ends, [Some(4), Some(5), Some(2), Some(6)]);
    }
}

#[test]
fn a_log_without_spans_is_a_trace() {
    let log = "[2026-01-02T03:04:05Z INFO  shop] alone, task_id=0, thread_id=1\n";
    for drawing in both(log) {
        assert_eq!(drawing.slices, []);
        assert_eq!(drawing.instants.len(), 1);
    }
    for drawing in both([start(1, 0, 0)].concat()) {
        assert_eq!(times(&drawing, 1), (0, None));
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// Compares an output with the one of that name.
#[track_caller]
fn check(name: &str, output: &str) {
    async_log_tests::golden::check(&golden(name), output);
}

#[test]
fn the_traces_of_a_server_are_as_expected() {
    let log = fs::read(golden("server.log")).unwrap();
    both(&log);
    let json = String::from_utf8(write_chrome(&log)).unwrap();
    check("server.chrome.json", &json);
    check(
        "server.perfetto.txt",
        &perfetto::text(&write_perfetto(&log)),
    );
}

#[test]
fn the_command_writes_the_same() {
    let log = fs::read(golden("server.log")).unwrap();
    for (command, expected) in [
        ("chrome", write_chrome(&log)),
        ("perfetto", write_perfetto(&log)),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_async-log"))
            .arg(command)
            .arg(golden("server.log"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout == expected, "{command}");
    }
}
