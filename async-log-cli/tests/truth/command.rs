//! What the command itself says of a log, in JSON: see `docs/json.md`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use crate::rebuilt::Unfinished;
use async_log_tests::told::{Kind, Told};

/// Runs `async-log` on a log.
fn run(arguments: &[&str], log: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_async-log"))
        .args(arguments)
        .args(["--json", "--quiet"])
        .arg(log)
        .output()
        .expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).expect("it is UTF-8")
}

fn object(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// Digits in a string.
fn moment(value: &Value) -> u64 {
    let digits = value.as_str().expect("a time");
    digits.parse().expect("a time")
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn rows<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().expect("rows")
}

/// What never ended, by the names of the processes.
pub(crate) fn unfinished(log: &Path) -> Vec<(String, Vec<Unfinished>)> {
    let said = object(&run(&["unfinished"], log));
    let processes = rows(&said, "processes").iter().map(|process| {
        let tasks = rows(process, "tasks").iter();
        let spans = tasks.flat_map(|task| {
            rows(task, "spans").iter().map(|span| Unfinished {
                id: number(&span["span_id"]),
                parent: number(&span["span_parent"]),
                task: number(&task["task_id"]),
                start: moment(&span["start_time"]),
                name: text(&span["name"]).expect("a name"),
            })
        });
        let mut spans: Vec<_> = spans.collect();
        spans.sort();
        (text(&process["process_id"]).unwrap_or_default(), spans)
    });
    processes.collect()
}

/// A log that has records and no span says so.
pub(crate) fn assert_no_span(log: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_async-log"))
        .arg("stats")
        .arg(log)
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no span"));
}

/// The log as a second logger was told it.
pub(crate) struct Log<'a> {
    records: Vec<(u64, &'a Told)>,
    starts: HashMap<u64, &'a Told>,
    ends: HashMap<u64, &'a Told>,
    events: HashMap<u64, &'a Told>,
}

impl<'a> Log<'a> {
    pub(crate) fn of(threads: &'a HashMap<u64, Vec<Told>>) -> Self {
        let mut log = Log {
            records: Vec::new(),
            starts: HashMap::new(),
            ends: HashMap::new(),
            events: HashMap::new(),
        };
        for (thread, told) in threads {
            for told in told {
                log.records.push((*thread, told));
                match told.kind {
                    Kind::Start => log.starts.insert(told.span, told),
                    Kind::End => log.ends.insert(told.span, told),
                    Kind::Event if told.pairs.contains_key("event") => {
                        log.events.insert(told.number("event"), told)
                    }
                    Kind::Event => None,
                };
            }
        }
        log
    }

    fn outcome(&self, span: u64) -> &str {
        let end = self.ends[&span];
        end.outcome.as_deref().unwrap_or("finished")
    }

    fn duration(&self, span: u64) -> u64 {
        self.ends[&span].duration.expect("an end says it")
    }

    /// `tree`: each span inside of its parent, with all that is known of it; each record inside of its
    /// span.
    pub(crate) fn assert_tree(&self, path: &Path) {
        let mut trees = Trees {
            log: self,
            spans: HashMap::new(),
            records: Vec::new(),
        };
        for line in run(&["tree", "--spawned", "--outside", "--limit", "0"], path).lines() {
            trees.node(&object(line), &Around::default());
        }
        assert_eq!(trees.spans.len(), self.starts.len(), "each span once");
        assert!(trees.spans.values().all(|count| *count == 1));
        let events = self
            .records
            .iter()
            .filter(|(_, told)| told.kind == Kind::Event);
        let mut expected: Vec<_> = events.map(|(thread, told)| said(*thread, told)).collect();
        expected.sort();
        trees.records.sort();
        assert_eq!(trees.records, expected);
    }

    /// `tasks`: what was made where, how much it said, and how it ended.
    pub(crate) fn assert_tasks(&self, path: &Path) {
        self.assert_tasks_with(path, |_| Some(1));
    }

    /// The same where `counts` says of how many records one is written, if that is known.
    pub(crate) fn assert_tasks_with(&self, path: &Path, counts: impl Fn(Kind) -> Option<u64>) {
        #[derive(Debug, Default, PartialEq)]
        struct Task {
            spans: u64,
            records: u64,
            own: Option<(String, u64, String, u64, String)>,
        }
        let mut expected: BTreeMap<u64, Task> = BTreeMap::new();
        for (_, told) in &self.records {
            let task = expected.entry(told.task).or_default();
            task.records += counts(told.kind).unwrap_or(0);
            task.spans += u64::from(told.kind == Kind::Start);
            if let (Some(parent), Some(line)) = (told.task_parent, &told.spawn_line) {
                let (id, name) = (told.span, told.message.clone());
                let ended = (self.duration(id), self.outcome(id).to_owned());
                task.own = Some((name, parent, line.clone(), ended.0, ended.1));
            }
        }
        let mut found: BTreeMap<u64, Task> = BTreeMap::new();
        // A task that says something behind its end has another row.
        for row in rows(&object(&run(&["tasks"], path)), "tasks") {
            let task = found.entry(number(&row["task_id"])).or_default();
            task.spans += number(&row["spans"]);
            if counts(Kind::End).is_some() {
                task.records += number(&row["records"]);
            }
            if let (Some(name), Some(line)) = (text(&row["name"]), text(&row["spawn_line"])) {
                let parent = row["task_parent_id"].as_u64().expect("a task");
                let duration = number(&row["duration_ns"]);
                let state = text(&row["state"]).expect("a state");
                assert_eq!(task.own, None);
                task.own = Some((name, parent, line, duration, state));
            }
        }
        assert_eq!(found, expected);
    }

    /// `stats`: sums over the spans of a name in a target.
    pub(crate) fn assert_stats(&self, path: &Path, self_times: &HashMap<u64, u64>) {
        let mut expected: BTreeMap<(String, Option<String>), [u64; 7]> = BTreeMap::new();
        for (id, start) in &self.starts {
            let name = (start.message.clone(), start.target.clone());
            let row = expected.entry(name).or_default();
            row[0] += 1;
            row[1] += self.duration(*id);
            row[2] += self_times[id];
            row[3] = row[3].max(self.duration(*id));
            let outcomes = ["error", "cancelled", "panicked"];
            let of = outcomes.iter().position(|word| *word == self.outcome(*id));
            if let Some(of) = of {
                row[4 + of] += 1;
            }
        }
        let mut found = BTreeMap::new();
        for row in rows(&object(&run(&["stats", "--exact"], path)), "names") {
            let columns = [
                "count",
                "total_ns",
                "self_ns",
                "max_ns",
                "errors",
                "cancelled",
                "panicked",
            ];
            let numbers = columns.map(|column| number(&row[column]));
            assert_eq!(number(&row["unfinished"]), 0);
            let name = (text(&row["name"]).expect("a name"), text(&row["target"]));
            assert_eq!(found.insert(name, numbers), None, "a name is in one row");
        }
        assert_eq!(found, expected);
    }
}

type Said = (u64, u64, u64, Option<String>, String);

/// What a tree says of a record.
fn said(thread: u64, told: &Told) -> Said {
    let level = told.level.as_deref().map(str::to_uppercase);
    (thread, told.task, told.span, level, told.message.clone())
}

/// What the spans around have said.
#[derive(Clone, Default)]
struct Around {
    span: u64,
    fields: BTreeMap<String, String>,
}

struct Trees<'a> {
    log: &'a Log<'a>,
    /// How often each was seen.
    spans: HashMap<u64, u64>,
    records: Vec<Said>,
}

impl Trees<'_> {
    fn node(&mut self, node: &Value, around: &Around) {
        let fields = node["fields"].as_object().expect("fields");
        let id = number(&node["span_id"]);
        if node["kind"] == "record" {
            self.record(node, id, around, fields);
            return;
        }
        let start = self.log.starts[&id];
        *self.spans.entry(id).or_default() += 1;
        assert_eq!(text(&node["name"]).as_ref(), Some(&start.message));
        assert_eq!(number(&node["task_id"]), start.task, "{node}");
        assert_eq!(node["task_parent_id"].as_u64(), start.task_parent, "{node}");
        assert_eq!(text(&node["spawn_line"]), start.spawn_line, "{node}");
        assert_eq!(Some(moment(&node["start_time"])), start.at, "{node}");
        assert_eq!(
            number(&node["duration_ns"]),
            self.log.duration(id),
            "{node}"
        );
        assert_eq!(node["state"], self.log.outcome(id), "{node}");
        self.place(node, start.parent, around);
        assert_fields(fields, &start.pairs, around);
        let mut inside = around.clone();
        inside.span = id;
        for (key, value) in fields {
            let value = value.as_str().expect("a string").to_owned();
            inside.fields.insert(key.clone(), value);
        }
        for node in rows(node, "inside") {
            self.node(node, &inside);
        }
    }

    fn record(&mut self, node: &Value, span: u64, around: &Around, fields: &Map<String, Value>) {
        self.place(node, span, around);
        if let Some(event) = fields.get("event").and_then(Value::as_str) {
            let event = event.parse().expect("a number");
            assert_fields(fields, &self.log.events[&event].pairs, around);
        }
        self.records.push((
            number(&node["thread_id"]),
            number(&node["task_id"]),
            span,
            text(&node["level"]),
            text(&node["message"]).expect("a message"),
        ));
    }

    /// A node is inside of what it says, unless that was over: then it says so.
    fn place(&self, node: &Value, parent: u64, around: &Around) {
        match node["note"].as_str() {
            None => assert_eq!(around.span, parent, "{node}"),
            Some("deep") => {}
            // It had ended. Another thread's line may have been late, so times do not tell.
            Some("parent_unknown") => {
                assert!(self.log.ends.contains_key(&parent), "{node}");
                assert_eq!(around.span, 0);
            }
            Some(_) => panic!("nothing is lost: {node}"),
        }
    }
}

/// The fields of a node and those that are said around it are those of the record.
fn assert_fields(
    fields: &Map<String, Value>,
    expected: &BTreeMap<String, String>,
    around: &Around,
) {
    // Why the trace was kept is shown beside what the program said.
    for (key, value) in fields.iter().filter(|(key, _)| *key != "trace_kept") {
        assert_eq!(
            value.as_str(),
            expected.get(key).map(String::as_str),
            "{key}"
        );
    }
    for (key, value) in expected {
        if !fields.contains_key(key) {
            assert_eq!(around.fields.get(key), Some(value), "{key}");
        }
    }
}
