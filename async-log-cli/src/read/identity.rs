//! Which of the words in front of lines tell the writers of one log apart.
//!
//! A word is the name of a writer unless the log itself refutes that: one process has one name, and all
//! records of a span have that of its start.

use hashbrown::{HashMap, HashSet};

use super::record::{Kind, ProcessId, Record};

/// What is in front of one record, a value a column.
#[derive(Debug)]
pub(super) struct Row<C> {
    kind: Kind,
    span_id: u64,
    span_parent: u64,
    process: Option<ProcessId>,
    pub(super) values: Vec<(C, Vec<u8>)>,
}

impl<C> Row<C> {
    pub(super) fn new(record: &Record, values: Vec<(C, Vec<u8>)>) -> Row<C> {
        Row {
            kind: record.kind,
            span_id: record.span_id,
            span_parent: record.span_parent,
            process: record.process,
            values,
        }
    }
}

impl<C> Row<C> {
    /// The process that the record names.
    pub(super) fn process(&self) -> Option<ProcessId> {
        self.process
    }
}

/// Whether spans of one id start at different times: then several processes write.
pub(super) fn are_mixed(records: &[Record]) -> bool {
    let mut starts: HashMap<u64, u64> = HashMap::new();
    let mut process = None;
    records.iter().any(|record| {
        // One that follows another, or says on each record which it is, has ids of its own.
        if record.process.is_some() && process.replace(record.process) != Some(record.process) {
            starts.clear();
        }
        let start = record.at.filter(|_| record.span_id != 0);
        start.is_some_and(|at| *starts.entry(record.span_id).or_insert(at) != at)
    })
}

/// Whether there are several writers, each with a number: two that start spans of one id, or two
/// processes. 0 is nobody.
pub(super) fn tells_several(records: &[Record], writer: impl Fn(&Record) -> u32) -> bool {
    let mut of_start: HashMap<u64, u32> = HashMap::new();
    let mut of_process: Option<(ProcessId, u32)> = None;
    records.iter().any(|record| {
        let writer = writer(record);
        if writer == 0 {
            return false;
        }
        let is_start = record.kind == Kind::Start && record.span_id != 0;
        let other_start = is_start && *of_start.entry(record.span_id).or_insert(writer) != writer;
        let other_process = record.process.is_some_and(|process| {
            let (first, of_first) = *of_process.get_or_insert((process, writer));
            process != first && of_first != writer
        });
        other_start || other_process
    })
}

/// The columns that are names of writers.
pub(super) fn columns<C: Copy + Eq + std::hash::Hash>(rows: &[Row<C>]) -> HashSet<C> {
    let mut all: HashSet<C> = HashSet::new();
    let mut refuted: HashSet<C> = HashSet::new();
    let mut of_process: HashMap<(C, ProcessId), &[u8]> = HashMap::new();
    let mut of_start: HashMap<(C, u64), Vec<&[u8]>> = HashMap::new();
    for row in rows {
        for (column, value) in &row.values {
            all.insert(*column);
            if let Some(process) = row.process
                && *of_process.entry((*column, process)).or_insert(value) != value
            {
                refuted.insert(*column);
            }
            if row.kind == Kind::Start && row.span_id != 0 {
                of_start
                    .entry((*column, row.span_id))
                    .or_default()
                    .push(value);
            }
        }
    }
    for row in rows {
        for (column, value) in &row.values {
            let is_other = |id: u64| {
                let starts = of_start.get(&(*column, id));
                starts.is_some_and(|starts| !starts.contains(&&value[..]))
            };
            if is_other(row.span_id) || row.span_parent != 0 && is_other(row.span_parent) {
                refuted.insert(*column);
            }
        }
    }
    all.retain(|column| !refuted.contains(column));
    all
}

/// Whether a word is a date or a counter: what changes by itself is no name.
pub(super) fn is_number_with_marks(word: &[u8]) -> bool {
    let is_mark = |byte: &u8| b"/.-+_".contains(byte);
    word.iter().any(u8::is_ascii_digit)
        && word.iter().any(is_mark)
        && word
            .iter()
            .all(|byte| byte.is_ascii_digit() || is_mark(byte))
}
