//! What holds for the records of a batch, whatever form they have.

use std::sync::Arc;

use async_log_cli::read::{
    Batch, Dialect, Form, Kind, Level, Outcome, Part, ProcessId, Record, Time, View,
};

/// All that can be asked of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) outcome: Outcome,
    pub(crate) span_id: u64,
    pub(crate) span_parent: u64,
    pub(crate) at: Option<u64>,
    pub(crate) elapsed: Option<u64>,
    pub(crate) task: (u64, u64),
    pub(crate) task_parent_id: Option<u64>,
    pub(crate) process: Option<ProcessId>,
    pub(crate) text: Vec<u8>,
    pub(crate) raw_message: Vec<u8>,
    pub(crate) message: String,
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) time: Option<Time>,
    pub(crate) level: Option<Level>,
    pub(crate) target: Option<String>,
    pub(crate) spawn_line: Option<String>,
}

impl Seen {
    pub(crate) fn of(view: View<'_>) -> Seen {
        let record = view.record;
        let mut pairs = Vec::new();
        view.pairs(|key, value| pairs.push((key.to_owned(), value.into_owned())));
        Seen {
            kind: record.kind,
            outcome: record.outcome,
            span_id: record.span_id,
            span_parent: record.span_parent,
            at: record.at,
            elapsed: record.elapsed,
            task: (record.task_id, record.thread_id),
            task_parent_id: record.task_parent_id,
            process: record.process,
            text: view.text().to_vec(),
            raw_message: view.raw_message().to_vec(),
            message: view.message().into_owned(),
            pairs,
            time: view.time(),
            level: view.level(),
            target: view.target().map(|target| target.into_owned()),
            spawn_line: view.spawn_line().map(|line| line.into_owned()),
        }
    }
}

/// The lines of a log, parsed.
pub(crate) fn parsed(lines: &[u8], dialect: &Dialect) -> Batch {
    let mut batch = Batch {
        bytes: lines.to_vec(),
        lines_len: lines.len(),
        lines_before: 100,
        dialect: Arc::new(dialect.clone()),
        ..Batch::default()
    };
    batch.parse();
    batch
}

pub(crate) fn views(batch: &Batch) -> impl Iterator<Item = View<'_>> {
    let records = batch.records.iter();
    records.map(move |record| View { batch, record })
}

/// Checks all records of a log whose lines are these.
pub(crate) fn check(lines: &[u8], dialect: &Dialect) -> Batch {
    let batch = parsed(lines, dialect);
    // What is decoded is no longer than what it was decoded from.
    assert!(batch.bytes.len() <= 2 * lines.len());
    assert!(batch.lines_len <= lines.len());
    lines_are_counted(&batch);
    let mut end = 0;
    for view in views(&batch) {
        stands_in_lines(view, end);
        end = view.record.text.end;
        let seen = Seen::of(view);
        reads_the_same_alone(view, &seen);
    }
    batch
}

/// Every line is one of a record, or no record and counted.
fn lines_are_counted(batch: &Batch) {
    let lines = &batch.bytes[..batch.lines_len];
    let breaks = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let of_records: u64 = views(batch).map(|view| breaks(view.text()) + 1).sum();
    // Of JSON lines empty ones are no mistake.
    let is_empty = |line: &&[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line[batch.dialect.shapes.front_len(line)..].is_empty()
    };
    let is_whole = lines.last() == Some(&b'\n');
    let mut empty = 0;
    if batch.dialect.form == Form::Json && is_whole {
        let lines = lines[..lines.len() - 1].split(|byte| *byte == b'\n');
        empty = lines.filter(is_empty).count() as u64;
    }
    // What broke off in zeros was taken off the line behind it.
    let counted = of_records + batch.unreadable.lines - batch.torn.lines + empty;
    assert_eq!(counted, breaks(lines), "lines that were counted");
    assert_eq!(batch.unreadable.lines > 0, batch.unreadable.first.is_some());
    if let Some((first, why)) = batch.unreadable.first {
        assert!((101..=100 + breaks(lines)).contains(&first));
        assert!(!why.reason().is_empty());
    }
}

/// The parts of a record are parts of the batch.
fn stands_in_lines(view: View<'_>, before: u32) {
    let View { batch, record } = view;
    let (start, end) = (record.text.start as usize, record.text.end as usize);
    assert!(before <= record.text.start && start <= end && end <= batch.lines_len);
    assert!(start == 0 || batch.bytes[start - 1] == b'\n');
    let behind = &batch.bytes[end..batch.lines_len];
    assert!(behind.starts_with(b"\n") || behind.starts_with(b"\r\n"));
    let above = batch.bytes[..start].iter().filter(|byte| **byte == b'\n');
    if batch.numbers.is_empty() {
        assert_eq!(record.line, 101 + above.count() as u64);
    }
    let part = |part: Part| assert!(is_part(part, batch));
    part(record.spawn_line);
    part(record.message.unwrap_or_default());
    let last_line = Part {
        start: record.last_line,
        end: record.last_line_end,
    };
    part(last_line);
    if record.form != Form::Json {
        assert!(record.text.start <= last_line.start && last_line.end <= record.text.end);
        let message = view.raw_message();
        let at = message.as_ptr().addr() - batch.bytes.as_ptr().addr();
        assert!(
            start <= at && at + message.len() <= end,
            "the message is in its lines"
        );
    }
}

fn is_part(part: Part, batch: &Batch) -> bool {
    part.start <= part.end && part.end as usize <= batch.bytes.len()
}

/// A record does not depend on what stands around it.
fn reads_the_same_alone(view: View<'_>, seen: &Seen) {
    let View { batch, record } = view;
    // What is left of an escape sequence can be one.
    if view.text().contains(&0x1b) {
        return;
    }
    let behind = &batch.bytes[record.text.end as usize..batch.lines_len];
    let line_end = match behind {
        [b'\r', ..] => &b"\r\n"[..],
        _ => b"\n",
    };
    let alone = parsed(&[view.text(), line_end].concat(), &batch.dialect);
    let records: Vec<Seen> = views(&alone).map(Seen::of).collect();
    assert_eq!(records, std::slice::from_ref(seen), "read alone");
    assert_eq!(alone.unreadable.lines, 0);
}

/// The last line of a record, found without its reader: what stands behind the host's prefix and the
/// indentation of a continuation line.
pub(crate) fn last_line<'a>(batch: &'a Batch, record: &Record) -> &'a [u8] {
    let text = &batch.bytes[record.text.start as usize..record.text.end as usize];
    let mut lines = text.split(|byte| *byte == b'\n');
    let last = lines.next_back().unwrap_or_default();
    let last = &last[batch.dialect.shapes.front_len(last)..];
    match lines.next() {
        None => last,
        Some(_) => {
            let spaces = last.iter().take_while(|byte| **byte == b' ').count();
            let indented = &last[spaces..];
            match last.iter().position(|byte| *byte == b'\t') {
                Some(tab) if tab <= spaces => &last[tab + 1..],
                // As rsyslog writes a TAB, and as a journal does.
                _ if indented.starts_with(b"#011") => &indented[4..],
                _ => &last[if spaces < 12 { spaces.min(8) } else { 12 }..],
            }
        }
    }
}
