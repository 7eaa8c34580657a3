//! One form of a log each, whatever the bytes are.

use async_log_cli::read::{Batch, Dialect, Form, Kind, View};
use serde_json::Value;

use super::grammar::{self, Line};
use super::records::{self, Seen, check, views};

/// The text form.
pub fn text(log: &[u8]) {
    for dialect in dialects(log, Form::Text, false) {
        let batch = check(whole_lines(log), &dialect);
        let is_text = |view: &View<'_>| view.record.form == Form::Text;
        views(&batch)
            .filter(is_text)
            .for_each(agrees_with_the_grammar);
        all_records_are_found(&batch);
    }
}

/// The key-value form.
pub fn key_value(log: &[u8]) {
    for dialect in dialects(log, Form::KeyValue, false) {
        let batch = check(whole_lines(log), &dialect);
        for view in views(&batch) {
            let reserved = |(key, _): &(String, _)| grammar::RESERVED.contains(&&**key);
            assert!(!Seen::of(view).pairs.iter().any(reserved));
        }
    }
}

/// JSON lines, with the text form in their messages or without.
pub fn json(log: &[u8]) {
    for dialect in dialects(log, Form::Json, false) {
        let batch = check(whole_lines(log), &dialect);
        views(&batch).for_each(agrees_with_serde);
        all_json_is_found(&batch);
    }
    // Whatever is found out by itself.
    if let Some(dialect) = Dialect::detect(log, None) {
        check(whole_lines(log), &dialect);
    }
}

/// Logs without span ids.
pub fn legacy(log: &[u8]) {
    for form in [Form::Text, Form::KeyValue, Form::Json] {
        for dialect in dialects(log, form, true) {
            check(whole_lines(log), &dialect);
        }
    }
}

fn whole_lines(log: &[u8]) -> &[u8] {
    let newline = log.iter().rposition(|byte| *byte == b'\n');
    &log[..newline.map_or(0, |newline| newline + 1)]
}

/// The dialect of a log of this form, and one that knows nothing of its prefixes.
fn dialects(log: &[u8], form: Form, legacy: bool) -> impl Iterator<Item = Dialect> {
    let detected = Dialect::detect(log, Some(form));
    let plain = Dialect {
        form,
        ..Dialect::default()
    };
    let both = detected.into_iter().chain([plain]);
    both.map(move |dialect| Dialect { legacy, ..dialect })
}

fn agrees_with_the_grammar(view: View<'_>) {
    let View { batch, record } = view;
    let line = records::last_line(batch, record);
    let range = record.last_line as usize..record.last_line_end as usize;
    assert_eq!(&batch.bytes[range], line, "the last line");
    let Ok(line) = std::str::from_utf8(line) else {
        return;
    };
    let wanted = Line::read(line).expect("a record is one by the grammar");
    let seen = Seen::of(view);
    assert_eq!(seen.kind, wanted.kind());
    let number = |key| wanted.number(key).unwrap_or(0);
    assert_eq!(seen.span_id, wanted.span_id().unwrap_or(0));
    assert_eq!(seen.task, (number("task_id"), number("thread_id")));
    if wanted.is_in_order() {
        agrees_in_order(&seen, &wanted);
    }
    let pairs: Vec<_> = wanted
        .own()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    assert_eq!(seen.pairs, pairs);
    let message = String::from_utf8_lossy(&seen.raw_message);
    if message.contains('\n') {
        assert!(message.ends_with(wanted.message));
        return;
    }
    // Whoever knows the prefix cuts it off first; one that holds pairs of its own cannot be told apart.
    let at = view.raw_message().as_ptr().addr() - batch.bytes.as_ptr().addr();
    let at = at - record.last_line as usize;
    if at <= wanted.message.len() {
        let behind_prefix = Line::read(&line[at..]).expect("it ends as before");
        assert_eq!(message, behind_prefix.message);
    }
}

/// The keys that a writer puts behind all else, or a mark before it, where it does so.
fn agrees_in_order(seen: &Seen, wanted: &Line<'_>) {
    let process = seen.process.map(|id| (id.pid, id.start));
    assert_eq!(process, wanted.process());
    if seen.kind == Kind::Start {
        let parent = wanted.number("span_parent");
        assert_eq!(seen.span_parent, parent.unwrap_or(0));
        assert_eq!(seen.at, wanted.seconds("span_at"));
        assert_eq!(seen.task_parent_id, wanted.number("task_parent_id"));
    }
    if seen.kind == Kind::End {
        assert_eq!(seen.elapsed, wanted.seconds("span_elapsed"));
        assert_eq!(seen.outcome, wanted.outcome());
    }
}

/// No line that ends a record by the grammar is passed over, but for continuation lines.
fn all_records_are_found(batch: &Batch) {
    let mut found = batch.records.iter().map(|record| record.text.end);
    let mut next = found.next();
    let mut at = 0;
    for line in batch.bytes[..batch.lines_len].split_inclusive(|byte| *byte == b'\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        if next.is_some_and(|next| (start..end).contains(&(next as usize))) {
            next = found.next();
            continue;
        }
        let Some(line) = line.strip_suffix(b"\n") else {
            continue;
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = &line[batch.dialect.shapes.front_len(line)..];
        let is_continuation = line.starts_with(b" ") || line.starts_with(b"\t");
        if let Ok(line) = std::str::from_utf8(line) {
            assert!(
                is_continuation || Line::read(line).is_none(),
                "lost: {line}"
            );
        }
    }
    assert_eq!(next, None);
}

/// Where a line is JSON its strings mean what they mean to others.
fn agrees_with_serde(view: View<'_>) {
    let seen = Seen::of(view);
    let line = view.text();
    let line = &line[view.batch.dialect.shapes.front_len(line)..];
    let Ok(Value::Object(members)) = serde_json::from_slice(line) else {
        return;
    };
    if view.record.form != Form::Json || !is_record(&members) || holds_records(&members) {
        return;
    }
    for (index, (key, value)) in seen.pairs.iter().enumerate() {
        let is_last = seen.pairs[index + 1..]
            .iter()
            .all(|(other, _)| other != key);
        match members.get(key) {
            None => panic!("{key} is no member"),
            // What a logger writes of its own stands beside the pairs, of which one may have that name.
            Some(_) if BESIDE.contains(&&**key) => {}
            Some(Value::String(text)) if is_last => assert_eq!(value, text),
            Some(Value::Bool(_) | Value::Null) if is_last => {
                assert_eq!(*value, members[key].to_string());
            }
            Some(_) => {}
        }
    }
}

const BESIDE: [&str; 4] = ["level", "target", "time", "message"];

fn is_record(members: &serde_json::Map<String, Value>) -> bool {
    let has = |key: &str| members.get(key).is_some_and(Value::is_u64);
    has("task_id") && has("thread_id")
}

fn holds_records(members: &serde_json::Map<String, Value>) -> bool {
    let is_inside = |value: &Value| match value {
        Value::Object(inside) => is_record(inside) || holds_records(inside),
        _ => false,
    };
    members.values().any(is_inside)
}

/// No JSON object that has a task and a thread is passed over.
fn all_json_is_found(batch: &Batch) {
    let lines = &batch.bytes[..batch.lines_len];
    let found = |at: usize| {
        let starts = batch
            .records
            .iter()
            .map(|record| record.text.start as usize);
        starts.into_iter().any(|start| start == at)
    };
    let mut at = 0;
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let line = line.trim_ascii_end();
        let line = &line[batch.dialect.shapes.front_len(line)..];
        if let Ok(Value::Object(members)) = serde_json::from_slice(line) {
            assert!(!is_record(&members) || found(start), "lost");
        }
    }
}
