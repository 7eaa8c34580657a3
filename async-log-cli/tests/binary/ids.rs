//! Ids keep all of their digits.

use serde_json::{Value, json};

use crate::program::{Ran, run_on};

/// A task with a span and a record in it, all of whose ids are this large.
fn log(id: u64) -> String {
    let (around, task) = (id - 1, format!("task_id={id}, thread_id={id}"));
    format!(
        "job, span_mark=start, span_id={around}, span_at=1700000000.000000000, process_id=7-1700000000000000000, task_parent_id={around}, spawn_line=a.rs:1, {task}\n\
         step, span_mark=start, span_id={id}, span_parent={around}, span_at=1700000000.000000001, {task}\n\
         hello, n=1, span_id={id}, {task}\n"
    )
}

fn ends(id: u64) -> String {
    let task = format!("task_id={id}, thread_id={id}");
    format!(
        "step, span_mark=end, span_id={id}, span_elapsed=0.000000001, {task}\n\
         job, span_mark=end, span_id={}, span_elapsed=0.000000009, {task}\n",
        id - 1
    )
}

fn json(ran: &Ran) -> Value {
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    serde_json::from_str(&ran.out).expect("JSON")
}

/// Numbers as far as every reader keeps them; behind that digits in a string.
fn id(id: u64) -> Value {
    match id {
        ..=9_007_199_254_740_992 => json!(id),
        _ => json!(id.to_string()),
    }
}

const LARGE: [u64; 9] = [
    7,
    (1 << 53) - 1,
    1 << 53,
    (1 << 53) + 1,
    (1 << 53) + 2,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX,
];

#[test]
fn ids_of_any_size_are_in_json() {
    for of in LARGE {
        let whole = [log(of), ends(of)].concat();
        let tree = json(&run_on(&whole, &["tree", "--json"]));
        assert_eq!(tree["span_id"], id(of - 1));
        assert_eq!(tree["task_parent_id"], id(of - 1));
        let step = &tree["inside"][0];
        assert_eq!(
            (&step["span_id"], &step["task_id"], &step["thread_id"]),
            (&id(of), &id(of), &id(of))
        );
        assert_eq!(step["duration_ns"], 1);
        assert_eq!(step["inside"][0]["span_id"], id(of), "{tree}");

        let tasks = json(&run_on(&whole, &["tasks", "--json"]));
        assert_eq!(tasks["tasks"][0]["task_id"], id(of));
        assert_eq!(tasks["tasks"][0]["task_parent_id"], id(of - 1));

        let unfinished = json(&run_on(&log(of), &["unfinished", "--json"]));
        let task = &unfinished["processes"][0]["tasks"][0];
        assert_eq!(task["task_id"], id(of));
        let step = &task["spans"][1];
        assert_eq!(
            (&step["span_id"], &step["span_parent"]),
            (&id(of), &id(of - 1))
        );
    }
}

/// A second end of a span with a large id is one, as of any other.
#[test]
fn large_ids_are_followed_like_others() {
    for of in LARGE {
        let log = [log(of), ends(of), ends(of)].concat();
        let ran = run_on(&log, &["stats", "--json"]);
        assert_eq!(
            ran.err,
            "async-log: 2 spans end twice; their first ends count\n"
        );
        assert_eq!(ran.out.matches("\"count\":1,").count(), 2, "{of}: {ran:?}");
    }
}

/// Spans that have no id in the log have none in what is made of it.
#[test]
fn spans_without_ids_have_none() {
    let log = "[2023-11-14T22:13:20Z TRACE app] job, span_mark=start, task_id=0, thread_id=1\n\
               [2023-11-14T22:13:20Z INFO  app] hello, n=1, task_id=0, thread_id=1\n";
    let tree = serde_json::from_str::<Value>(&run_on(log, &["tree", "--json"]).out).unwrap();
    assert_eq!(tree["span_id"], Value::Null);
    assert_eq!(tree["inside"][0]["span_id"], Value::Null);
    let unfinished = run_on(log, &["unfinished", "--json"]).out;
    let unfinished: Value = serde_json::from_str(&unfinished).unwrap();
    let span = &unfinished["processes"][0]["tasks"][0]["spans"][0];
    assert_eq!(
        (&span["span_id"], &span["span_parent"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(span["last_record"]["fields"], json!({"n": "1"}));
}

#[test]
fn the_last_record_has_its_fields() {
    let ran = run_on(&log(7), &["unfinished"]);
    assert!(ran.out.contains("last: hello  n=1\n"), "{ran:?}");
}
