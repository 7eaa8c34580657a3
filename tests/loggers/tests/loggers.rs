//! What comes out of other people's loggers when they are wrapped.

use std::process::Command;

use serde_json::{Map, Value};

/// What the program prints through a logger.
fn lines(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_loggers"))
        .args(arguments)
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("it is UTF-8");
    text.lines().map(str::to_owned).collect()
}

/// The five records in the text form; the spans have the ids 1 and 2.
const TEXT: [&str; 5] = [
    r#"load 1, span_mark=start, user=7, path="/x, y", span_id=1, span_at=#, process_id=#, task_id=0, thread_id=1"#,
    r#"loaded, rows=3, user=7, path="/x, y", span_id=1, task_id=0, thread_id=1"#,
    r#"check, arg_0=boop, span_mark=start, user=7, path="/x, y", span_id=2, span_parent=1, span_at=#, task_id=0, thread_id=1"#,
    r#"check, span_mark=end, user=7, path="/x, y", span_id=2, span_elapsed=#, task_id=0, thread_id=1"#,
    r#"load 1, span_mark=end, user=7, path="/x, y", span_id=1, span_elapsed=#, task_id=0, thread_id=1"#,
];

/// A line with `#` for what differs from run to run.
fn masked(line: &str) -> String {
    let mask = |part: &str| match part.split_once('=') {
        Some((key @ ("span_at" | "span_elapsed" | "process_id"), value)) => {
            let end = value.find(|c: char| !matches!(c, '0'..='9' | '.' | '-'));
            let end = end.unwrap_or(value.len());
            assert!(end > 2, "{key} has a value in {line}");
            format!("{key}=#{}", &value[end..])
        }
        _ => part.to_owned(),
    };
    line.split(", ").map(mask).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn assert_text(lines: &[String]) {
    assert_eq!(lines.len(), TEXT.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(TEXT) {
        // Before it stands whatever the logger puts there.
        let line = masked(line);
        assert!(line.ends_with(expected), "{line}\nis not\n{expected}");
    }
}

#[test]
fn fern_text() {
    assert_text(&lines(&["fern"]));
}

#[test]
fn simplelog_text() {
    assert_text(&lines(&["simplelog"]));
}

#[test]
fn stderrlog_text() {
    assert_text(&lines(&["stderrlog"]));
}

#[test]
fn flexi_logger_text() {
    assert_text(&lines(&["flexi_logger"]));
}

#[test]
fn log4rs_text() {
    assert_text(&messages(&json(&["log4rs"]), "message"));
}

#[test]
fn structured_logger_text() {
    assert_text(&messages(&json(&["structured-logger"]), "message"));
}

/// In the key-value form flexi_logger writes the pairs before the message.
#[test]
fn flexi_logger_key_values() {
    let expected = [
        r#"{span_mark="start", user=7, path="/x, y", span_id=1, span_at=#, process_id=#, task_id=0, thread_id=1} load 1"#,
        r#"{rows=3, user=7, path="/x, y", span_id=1, task_id=0, thread_id=1} loaded"#,
        r#"{arg_0="boop", span_mark="start", user=7, path="/x, y", span_id=2, span_parent=1, span_at=#, task_id=0, thread_id=1} check"#,
        r#"{span_mark="end", user=7, path="/x, y", span_id=2, span_elapsed=#, task_id=0, thread_id=1} check"#,
        r#"{span_mark="end", user=7, path="/x, y", span_id=1, span_elapsed=#, task_id=0, thread_id=1} load 1"#,
    ];
    let lines = lines(&["flexi_logger", "kv"]);
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        let line = masked(line);
        assert!(line.ends_with(expected), "{line}\nis not\n{expected}");
    }
}

#[test]
fn log4rs_key_values() {
    let records = json(&["log4rs", "kv"]);
    let messages = messages(&records, "message");
    assert_eq!(messages, ["load 1", "loaded", "check", "check", "load 1"]);
    let attributes = |record: &Map<String, Value>| record["attributes"].as_object().cloned();
    let pairs: Option<Vec<_>> = records.iter().map(attributes).collect();
    // log4rs makes strings of all values.
    assert_pairs(&pairs.expect("each has attributes"), |value| match value {
        Value::Number(number) => Value::String(number.to_string()),
        value => value,
    });
}

#[test]
fn structured_logger_key_values() {
    let records = json(&["structured-logger", "kv"]);
    let messages = messages(&records, "message");
    assert_eq!(messages, ["load 1", "loaded", "check", "check", "load 1"]);
    assert_pairs(&records, |value| value);
}

/// The pairs of the five records, with their types as far as the logger keeps them.
#[track_caller]
fn assert_pairs(records: &[Map<String, Value>], kept: impl Fn(Value) -> Value) {
    const EACH: [&str; 5] = ["user", "path", "span_id", "task_id", "thread_id"];
    const OURS: [&str; 5] = ["arg_0", "span_mark", "span_parent", "rows", "span_outcome"];
    let only: [&[(&str, Value)]; 5] = [
        &[("span_mark", "start".into())],
        &[("rows", 3.into())],
        &[
            ("arg_0", "boop".into()),
            ("span_mark", "start".into()),
            ("span_parent", 1.into()),
        ],
        &[("span_mark", "end".into())],
        &[("span_mark", "end".into())],
    ];
    for ((record, only), id) in records.iter().zip(only).zip([1, 1, 2, 2, 1]) {
        let each = [7.into(), "/x, y".into(), id.into(), 0.into(), 1.into()];
        for (key, value) in EACH.iter().zip::<[Value; 5]>(each) {
            let expected = kept(value);
            assert_eq!(record.get(*key), Some(&expected), "{key} in {record:?}");
        }
        for key in OURS {
            let expected = only.iter().find(|(of, _)| *of == key);
            let expected = expected.map(|(_, value)| kept(value.clone()));
            assert_eq!(record.get(key), expected.as_ref(), "{key} in {record:?}");
        }
        let mark = record.get("span_mark").and_then(Value::as_str);
        assert_eq!(record.contains_key("span_at"), mark == Some("start"));
        assert_eq!(record.contains_key("span_elapsed"), mark == Some("end"));
    }
}

fn json(arguments: &[&str]) -> Vec<Map<String, Value>> {
    let lines = lines(arguments);
    let records = lines.iter().map(|line| serde_json::from_str(line));
    records.collect::<Result<_, _>>().expect("JSON lines")
}

fn messages(records: &[Map<String, Value>], key: &str) -> Vec<String> {
    let message = |record: &Map<String, Value>| record[key].as_str().unwrap_or("").to_owned();
    records.iter().map(message).collect()
}
