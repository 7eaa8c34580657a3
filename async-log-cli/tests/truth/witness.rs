//! A second logger: it gets the same records as the first through the API of `log`, and writes them down.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

use log::kv::{self, Key, Value, VisitSource};
use log::{Log, Metadata, Record};

use crate::loggers::Setup;
use async_log_tests::told::{Kind, Told};

/// Writes a JSON line a record: its thread and what it tells.
pub(crate) struct Witness<W> {
    pub(crate) out: Mutex<W>,
    /// Where the other logger says that a record is from.
    pub(crate) setup: Setup,
}

impl<W: Write + Send> Log for Witness<W> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut pairs = Pairs::default();
        record
            .key_values()
            .visit(&mut pairs)
            .expect("they are visited");
        let line = serde_json::to_string(&told(record, pairs.0, self.setup)).expect("JSON");
        let mut out = self.out.lock().expect("no panic while it writes");
        writeln!(out, "{line}").expect("it is written");
    }

    fn flush(&self) {
        let mut out = self.out.lock().expect("no panic while it writes");
        out.flush().expect("it is written");
    }
}

#[derive(Default)]
struct Pairs(BTreeMap<String, String>);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        self.0.insert(key.to_string(), value.to_string());
        Ok(())
    }
}

fn told(record: &Record<'_>, mut pairs: BTreeMap<String, String>, setup: Setup) -> (u64, Told) {
    let mut take = |key: &str| pairs.remove(key);
    let number = |text: String| text.parse::<u64>().expect("a number");
    let kind = match take("span_mark").as_deref() {
        None => Kind::Event,
        Some("start") => Kind::Start,
        Some("end") => Kind::End,
        Some(other) => panic!("no such mark: {other}"),
    };
    let thread = take("thread_id").map_or(0, number);
    take("process_id");
    let told = Told {
        kind,
        message: record.args().to_string(),
        span: take("span_id").map_or(0, number),
        parent: take("span_parent").map_or(0, number),
        task: take("task_id").map_or(0, number),
        task_parent: take("task_parent_id").map(number),
        spawn_line: take("spawn_line"),
        at: take("span_at").map(nanos),
        duration: take("span_elapsed").map(nanos),
        outcome: take("span_outcome"),
        level: setup.level(record),
        target: setup.origin(record).map(str::to_owned),
        pairs,
    };
    (thread, told)
}

fn nanos(seconds: String) -> u64 {
    let (whole, nanos) = seconds.split_once('.').expect("seconds");
    assert_eq!(nanos.len(), 9, "{seconds}");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    number(whole) * 1_000_000_000 + number(nanos)
}
