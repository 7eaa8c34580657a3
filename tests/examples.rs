//! Runs the examples and reads their logs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A record of the text form behind env_logger's prefix.
#[derive(Clone, Debug, Default)]
struct Record {
    level: String,
    message: String,
    pairs: HashMap<String, String>,
}

impl Record {
    fn read(text: &str) -> Self {
        let (prefix, rest) = text.split_once("] ").expect("a prefix");
        let level = prefix.split_whitespace().nth(1).expect("a level");
        // No message of the examples looks like a pair before its first pair.
        let mut parts = split(rest).into_iter();
        let mut record = Record {
            level: level.to_owned(),
            message: parts.next().expect("a message").to_owned(),
            pairs: HashMap::new(),
        };
        for part in parts {
            let (key, value) = part.split_once('=').expect("a pair");
            let before = record.pairs.insert(key.to_owned(), value.to_owned());
            assert_eq!(before, None, "{key} stands twice: {text}");
        }
        record
    }

    fn get(&self, key: &str) -> &str {
        self.pairs.get(key).map_or("", String::as_str)
    }

    fn is_mark(&self) -> bool {
        self.pairs.contains_key("span_mark")
    }

    fn is_start(&self) -> bool {
        self.get("span_mark") == "start"
    }
}

/// Splits at `, ` outside of quotes.
fn split(line: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if quoted || line[..at].ends_with('=') => quoted = !quoted,
            ',' if !quoted && line[at..].starts_with(", ") => {
                parts.push(&line[start..at]);
                start = at + 2;
            }
            _ => {}
        }
    }
    parts.push(&line[start..]);
    parts
}

/// What an example wrote.
struct Log {
    text: String,
    records: Vec<Record>,
}

impl Log {
    /// Runs an example, which has to succeed and to print nothing but its log.
    fn of(example: &str) -> Self {
        Log::with(example, &[])
    }

    fn with(example: &str, arguments: &[&Path]) -> Self {
        let output = Command::new(binary(example))
            .args(arguments)
            .env_remove("RUST_LOG")
            .env_remove("RUST_LOG_STYLE")
            .output()
            .expect("it starts");
        let text = String::from_utf8(output.stderr).expect("it is UTF-8");
        assert!(output.status.success(), "{}\n{text}", output.status);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        Log::read(text)
    }

    fn read(text: String) -> Self {
        let mut records: Vec<String> = Vec::new();
        for line in text.lines() {
            match records.last_mut() {
                Some(last) if !line.starts_with('[') => last.push_str(line.trim()),
                _ => records.push(line.to_owned()),
            }
        }
        let records = records.iter().map(|record| Record::read(record)).collect();
        Log { text, records }
    }

    /// The record of this message that is no span's.
    fn event(&self, message: &str) -> &Record {
        let found = self.find(|record| record.message == message && !record.is_mark());
        found.unwrap_or_else(|| panic!("no record `{message}` in\n{}", self.text))
    }

    /// The start of the span of this name, and with these pairs.
    fn start(&self, name: &str, pairs: &[(&str, &str)]) -> &Record {
        let found = self.find(|record| {
            let has = |(key, value): &(&str, &str)| record.get(key) == *value;
            record.message == name && record.is_start() && pairs.iter().all(has)
        });
        found.unwrap_or_else(|| panic!("no span `{name}` {pairs:?} in\n{}", self.text))
    }

    fn find(&self, wanted: impl Fn(&Record) -> bool) -> Option<&Record> {
        let mut found = self.records.iter().filter(|record| wanted(record));
        let first = found.next();
        assert!(found.next().is_none(), "more than one in\n{}", self.text);
        first
    }

    fn by_id(&self, id: &str) -> &Record {
        let found = self.find(|record| record.is_start() && record.get("span_id") == id);
        found.unwrap_or_else(|| panic!("no span {id} in\n{}", self.text))
    }

    /// The names of the spans that a record is in, innermost first; a start is in its own span.
    fn spans(&self, record: &Record) -> Vec<&str> {
        let mut spans = Vec::new();
        let mut id = record.get("span_id");
        while !id.is_empty() {
            let start = self.by_id(id);
            spans.push(start.message.as_str());
            id = start.get("span_parent");
        }
        spans
    }

    /// How a span ended: empty where it just did.
    fn outcome(&self, start: &Record) -> &str {
        let end = self.find(|record| {
            record.get("span_mark") == "end" && record.get("span_id") == start.get("span_id")
        });
        end.expect("every span ends").get("span_outcome")
    }

    /// Every start has one end, behind it, of the same name and in the same task; what is in a span comes
    /// while it is open; every record says its task and its thread.
    fn check(&self) {
        let mut open: HashMap<&str, &Record> = HashMap::new();
        let mut seen = HashSet::new();
        for record in &self.records {
            assert_ne!(record.get("task_id"), "", "{record:?}");
            assert_ne!(record.get("thread_id"), "", "{record:?}");
            let id = record.get("span_id");
            match record.get("span_mark") {
                "start" => {
                    assert!(seen.insert(id), "span {id} starts twice\n{}", self.text);
                    let parent = record.get("span_parent");
                    assert!(parent.is_empty() || open.contains_key(parent), "{record:?}");
                    open.insert(id, record);
                }
                "end" => {
                    let start = open.remove(id).expect("an end has a start");
                    assert_eq!(record.message, start.message);
                    assert_eq!(record.get("task_id"), start.get("task_id"));
                    assert_ne!(record.get("span_elapsed"), "");
                }
                _ => assert!(id.is_empty() || open.contains_key(id), "{record:?}"),
            }
        }
        assert!(open.is_empty(), "never ended: {open:?}\n{}", self.text);
    }
}

/// Cargo puts examples beside the directory of the tests. `cargo test` builds them; it does not
/// when it is told to run this test alone.
fn binary(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    let profile = test.parent().and_then(|deps| deps.parent());
    let name = format!("{example}{}", std::env::consts::EXE_SUFFIX);
    let binary = profile.expect("in target/debug/deps").join("examples");
    let binary = binary.join(name);
    let modified = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    let source = Path::new("examples").join(example).with_extension("rs");
    assert!(
        modified(&binary) >= modified(&source),
        "{} is not up to date: run `cargo build --examples`",
        binary.display()
    );
    binary
}

#[test]
fn trace() {
    let log = Log::of("trace");
    log.check();

    let looks: Vec<_> = log
        .records
        .iter()
        .filter(|record| record.message == "look at this value")
        .map(|record| (log.spans(record), record.get("x"), record.get("task_id")))
        .collect();
    let wait = ["level I", "trace::wait"];
    assert_eq!(
        looks,
        [(vec!["level 1"], "beep", "0"), (wait.to_vec(), "beep", "1")]
    );

    let inner = log.start("examples/trace.rs#inner", &[]);
    let around = ["examples/trace.rs#inner", "level 2", "level 1"];
    assert_eq!(log.spans(inner), around);
    assert_eq!(inner.get("arg_0"), "boop");

    let task = log.start("trace::wait", &[]);
    assert_eq!(
        (task.get("task_id"), task.get("task_parent_id")),
        ("1", "0")
    );
    assert!(task.get("spawn_line").starts_with("examples/trace.rs:"));

    let end = log.find(|record| record.message == "level II" && !record.is_start());
    let elapsed: f64 = end.unwrap().get("span_elapsed").parse().unwrap();
    assert!((3.0..10.0).contains(&elapsed), "{elapsed}");
}

/// What `README.md` shows is what the example prints, but for the numbers.
#[test]
fn readme_shows_what_trace_prints() {
    let readme = include_str!("../README.md");
    let (_, shown) = readme.split_once("<!-- trace -->").expect("its start");
    let (shown, _) = shown.split_once("<!-- /trace -->").expect("its end");
    let shown: Vec<_> = shown.lines().filter(|line| line.starts_with('[')).collect();
    let log = Log::of("trace");
    let printed: Vec<_> = log.text.lines().collect();
    let shape = |lines: &[&str]| -> Vec<String> { lines.iter().map(|line| shape(line)).collect() };
    assert_eq!(
        shape(&shown),
        shape(&printed),
        "run .ci/readme to bring README.md up to date"
    );
}

/// A line with 0 for every number.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for c in line.chars() {
        match c {
            '0'..='9' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            c => shape.push(c),
        }
    }
    shape
}

#[test]
fn threads() {
    let log = Log::of("threads");
    log.check();

    let with = log.event("with a context");
    assert_eq!(log.spans(with), ["import"]);
    assert_eq!(with.get("file"), "cats.csv");
    let without = log.event("without a context");
    assert_eq!((without.get("span_id"), without.get("file")), ("", ""));

    let main = log.event("all columns checked");
    assert_eq!(main.get("letters"), "16");
    assert_ne!(main.get("thread_id"), with.get("thread_id"));
    for column in ["name", "colour", "snacks"] {
        let check = log.start("examples/threads.rs#check", &[("arg_0", column)]);
        assert_eq!(log.spans(check), ["examples/threads.rs#check", "import"]);
        assert_ne!(main.get("thread_id"), check.get("thread_id"));
    }
    assert_eq!(log.spans(log.event("written")), ["write", "import"]);
}

#[test]
fn smol() {
    let log = Log::of("smol");
    log.check();

    let feed = log.start("smol::feed", &[]);
    assert_eq!(feed.get("task_parent_id"), "0");
    for name in ["nori", "miso"] {
        let hungry = log.event(&format!("{name} is hungry"));
        let eaten = log.event(&format!("{name} has eaten"));
        assert_eq!(hungry.get("span_id"), eaten.get("span_id"));
        assert_eq!(hungry.get("bowl"), "blue");
        assert_eq!(log.spans(hungry), ["smol::cat", "both cats", "smol::feed"]);
        let cat = log.by_id(hungry.get("span_id"));
        assert_eq!(cat.get("task_parent_id"), feed.get("task_id"));
        assert_ne!(cat.get("task_id"), feed.get("task_id"));
        assert_eq!(log.outcome(cat), "");
    }

    let run = "examples/smol.rs#run";
    assert_eq!(log.outcome(log.start(run, &[("arg_0", "miso")])), "");
    let loser = log.start(run, &[("arg_0", "nori")]);
    assert_eq!(log.outcome(loser), "cancelled");
    assert_eq!(log.spans(loser), [run, "race", "smol::feed"]);
    assert_eq!(log.outcome(log.start("purr", &[])), "cancelled");
}

#[test]
fn killed() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("killed.log");
    let log = Log::with("killed", &[&path]);

    log.event(&format!(
        "the child writes to {}; killing it",
        path.display()
    ));
    let warnings = log.records.iter().filter(|record| record.level == "WARN");
    let names: Vec<_> = warnings
        .map(|warning| {
            let (name, said) = warning.message.split_once(" (number ").unwrap();
            assert!(said.ends_with(" never ended"), "{said}");
            name
        })
        .collect();
    assert_eq!(names, ["backup", "copy", "examples/killed.rs#write"]);

    let left = Log::read(fs::read_to_string(path).unwrap());
    left.event("writing now");
    let marks = |mark| {
        left.records
            .iter()
            .filter(move |record| record.get("span_mark") == mark)
    };
    assert_eq!((marks("start").count(), marks("end").count()), (4, 1));
}

#[test]
fn server() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("server.log");
    assert_eq!(Log::with("server", &[&path]).text, "");
    let log = Log::read(fs::read_to_string(path).unwrap());
    log.check();

    let serve = log.start("server::serve", &[]);
    let load = |what| log.start("examples/server.rs#load", &[("arg_0", what)]);
    let request = |what| log.start("request", &[("request", what)]);
    let in_request = ["request", "server::connection", "accept", "server::serve"];
    for what in ["page", "fastest", "slow", "broken", "tea"] {
        assert_eq!(log.spans(request(what)), in_request);
        let connection = log.by_id(request(what).get("span_parent"));
        assert_eq!(connection.get("task_parent_id"), serve.get("task_id"));
        assert_eq!(connection.get("task_id"), request(what).get("task_id"));
        assert_ne!(connection.get("task_id"), serve.get("task_id"));
    }

    // join! and select!: two spans side by side.
    for (function, arms) in [("page", ["user", "cart"]), ("fastest", ["near", "far"])] {
        let function = log.start(&format!("examples/server.rs#{function}"), &[]);
        for arm in arms {
            assert_eq!(load(arm).get("span_parent"), function.get("span_id"));
            assert_eq!(load(arm).get("task_id"), function.get("task_id"));
        }
    }
    for (what, outcome) in [("near", ""), ("far", "cancelled"), ("archive", "cancelled")] {
        assert_eq!(log.outcome(load(what)), outcome, "{what}");
    }
    assert_eq!(log.spans(log.event("this takes too long")), in_request);
    assert_eq!(log.outcome(request("slow")), "");

    // A panic ends its task alone.
    let panicked = |record: &Record| record.message.starts_with("panicked at ");
    let panic = log.find(panicked).expect("the hook logs it");
    assert_eq!(panic.get("span_id"), request("broken").get("span_id"));
    assert_eq!(log.outcome(request("broken")), "panicked");
    let connection = log.by_id(request("broken").get("span_parent"));
    assert_eq!(log.outcome(connection), "panicked");
    assert_eq!(
        log.spans(log.event("a connection panicked"))[1..],
        ["server::serve"]
    );

    // The connection without a request is cut off.
    let cut_off: Vec<_> = log
        .records
        .iter()
        .filter(|record| record.message == "server::connection")
        .filter(|record| record.get("span_outcome") == "cancelled")
        .collect();
    assert_eq!(cut_off.len(), 1);
    let asked = |record: &Record| record.get("span_parent") == cut_off[0].get("span_id");
    assert!(!log.records.iter().any(asked));
    assert_eq!(log.outcome(serve), "");
}
