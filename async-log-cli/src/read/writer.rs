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

/// Who writes a log.
#[derive(Clone, Debug, Default)]
pub struct Writers {
    /// The members of JSON records that tell them apart.
    pub(super) members: Members,
    /// There are several, and their lines tell them apart.
    pub(crate) are_told_apart: bool,
    /// There are several, and nothing tells them apart.
    pub(crate) are_mixed: bool,
}

/// The members that tell writers apart, by their paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Members(Vec<u64>);

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
        let everywhere = members_of_all(batch.records.iter().map(&json));
        if everywhere.is_empty() {
            return Members::default();
        }
        let row = |record: &'a Record| {
            let mut values = Vec::new();
            each(json(record), &mut |member| {
                if everywhere.contains_key(&member.path) {
                    values.push((member.path, member.raw.to_vec()));
                }
            });
            Row::new(record, values)
        };
        let rows: Vec<Row<u64>> = batch.records.iter().map(row).collect();
        let mut members: Vec<u64> = identity::columns(&rows)
            .into_iter()
            .filter(|path| everywhere[path] || differs_by_process(&rows, *path))
            .collect();
        members.sort_unstable();
        members.truncate(NAMES);
        Members(members)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number for who wrote an object; 0 if nothing tells.
    pub(super) fn writer(&self, object: &[u8]) -> u32 {
        if self.is_empty() {
            return 0;
        }
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

/// The members that all objects have, and whether they are called as names of writers are. Seldom are
/// there any, which the first objects show.
fn members_of_all<'a>(objects: impl Iterator<Item = &'a [u8]>) -> HashMap<u64, bool> {
    let mut all: Option<HashMap<u64, bool>> = None;
    for object in objects {
        let mut here = HashMap::new();
        each(object, &mut |member| {
            let is_candidate = all
                .as_ref()
                .is_none_or(|all| all.contains_key(&member.path));
            if is_candidate && json::is_programs(member.key) && member.raw.len() <= LONG {
                here.insert(member.path, names_writer(member.key));
            }
        });
        let is_none = here.is_empty();
        all = Some(here);
        if is_none {
            break;
        }
    }
    all.unwrap_or_default()
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
