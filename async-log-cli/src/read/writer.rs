//! Which members of JSON records tell the writers of one log apart: `"pod":"web-1"`.
//!
//! Loggers and shippers put such a member into every record. The log says whether it is a name
//! (`identity.rs`). One that is called as names of hosts, pods and the like are is believed at once;
//! any other has to be different for each process of the beginning.

use hashbrown::{HashMap, HashSet};

use super::batch::Batch;
use super::identity::{self, Row};
use super::json::{self, Member, MemberValue};
use super::record::{ProcessId, Record};
use super::shape::Fnv;

/// The members that tell writers apart, by their paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(Vec<u64>);

/// So many are the name of a writer.
const NAMES: usize = 8;

/// A longer value is no name.
const LONG: usize = 200;

/// Words that keys of such members have: `k8s.pod.name`, `_HOSTNAME`, `container_id`.
const WORDS: [&str; 16] = [
    "host",
    "hostname",
    "pod",
    "podname",
    "container",
    "containerid",
    "instance",
    "replica",
    "node",
    "machine",
    "dyno",
    "alloc",
    "service",
    "unit",
    "pid",
    "vm",
];

impl Members {
    /// Finds them in the records of a sample; `json` gives the object of one.
    pub(super) fn learn<'a>(batch: &'a Batch, json: impl Fn(&Record) -> &'a [u8]) -> Members {
        let mut rows: Vec<Row<u64>> = Vec::new();
        let mut counts: HashMap<u64, usize> = HashMap::new();
        let mut named: HashSet<u64> = HashSet::new();
        for record in &batch.records {
            let mut values = Vec::new();
            each(json(record), &mut |member| {
                if json::is_programs(member.key) && member.raw.len() <= LONG {
                    values.push((member.path, member.raw.to_vec()));
                    *counts.entry(member.path).or_default() += 1;
                    if names_writer(member.key) {
                        named.insert(member.path);
                    }
                }
            });
            rows.push(Row::new(record, values));
        }
        let is_everywhere = |path: &u64| counts.get(path) == Some(&rows.len());
        let mut members: Vec<u64> = identity::columns(&rows)
            .into_iter()
            .filter(is_everywhere)
            .filter(|path| named.contains(path) || differs_by_process(&rows, *path))
            .collect();
        members.sort_unstable();
        members.truncate(NAMES);
        Members(members)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number for who wrote an object; 0 if nothing tells.
    pub(crate) fn writer(&self, object: &[u8]) -> u32 {
        let mut values: [&[u8]; NAMES] = [b""; NAMES];
        each(object, &mut |member| {
            if let Ok(at) = self.0.binary_search(&member.path) {
                values[at] = member.raw;
            }
        });
        let mut hash = Fnv::new();
        for value in values.iter().filter(|value| !value.is_empty()) {
            hash.add(value);
        }
        hash.finish32()
    }
}

fn each<'a>(object: &'a [u8], take: &mut dyn FnMut(Member<'a>)) {
    json::walk(object, &mut |member: Member<'a>| {
        if member.value != MemberValue::Nested {
            take(member);
        }
    });
}

fn names_writer(key: &[u8]) -> bool {
    let words = key.split(|byte| !byte.is_ascii_alphanumeric());
    let is_name = |word: &[u8]| {
        WORDS
            .iter()
            .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    words.into_iter().any(is_name)
}

/// Whether there are several processes, and the member is another for each.
fn differs_by_process(rows: &[Row<u64>], path: u64) -> bool {
    let mut of_value: HashMap<&[u8], ProcessId> = HashMap::new();
    let mut processes: HashSet<ProcessId> = HashSet::new();
    for row in rows {
        let value = row.values.iter().find(|(of, _)| *of == path);
        if let (Some(process), Some((_, value))) = (row.process(), value) {
            processes.insert(process);
            if *of_value.entry(value).or_insert(process) != process {
                return false;
            }
        }
    }
    processes.len() > 1
}
