//! The records that a piece of code logs on its thread, indented by the span that each of them names.
//!
//! ```text
//! + #outer a=1                          a start; `#outer` is `FILE#outer`
//!   INFO message user="ada"             a record inside: the level, and text in quotes
//!   + #inner at DEBUG under my_target   at another level than `TRACE`, under another target than the module
//!   - #inner error                      an end and its outcome
//! - #outer a=1
//! ```
//!
//! Other keys of ours are left out: ids, times, tasks.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write;
use std::future::poll_fn;
use std::sync::Once;
use std::task::Poll;

use async_log::Logger;
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, LevelFilter, Metadata, Record};

type Filter = fn(&Metadata<'_>) -> bool;

thread_local! {
    static RECORDS: RefCell<Records> = RefCell::default();
    static FILTER: Cell<Filter> = const { Cell::new(|_| true) };
}

#[derive(Default)]
struct Records {
    lines: Vec<String>,
    spans: HashMap<u64, Span>,
}

/// What the end of a span has to agree with.
struct Span {
    depth: usize,
    site: (String, Level, String),
}

/// Our own keys of a record, and the rest as it is shown.
#[derive(Default)]
struct Pairs {
    mark: Option<String>,
    id: Option<u64>,
    parent: Option<u64>,
    outcome: Option<String>,
    shown: String,
}

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        match key.as_str() {
            "span_mark" => self.mark = Some(value.to_string()),
            "span_id" => self.id = value.to_u64(),
            "span_parent" => self.parent = value.to_u64(),
            "span_outcome" => self.outcome = Some(value.to_string()),
            "span_at" | "span_elapsed" | "task_parent_id" | "spawn_line" => {}
            "process_id" | "task_id" | "thread_id" => {}
            key => match value.to_borrowed_str() {
                Some(text) => write!(self.shown, " {key}={text:?}")?,
                None => write!(self.shown, " {key}={value}")?,
            },
        }
        Ok(())
    }
}

impl Records {
    fn push(&mut self, record: &Record<'_>) {
        let mut pairs = Pairs::default();
        record.key_values().visit(&mut pairs).unwrap();
        let message = record.args().to_string();
        let site = (message, record.level(), record.target().to_owned());
        let depth = |id: Option<u64>| id.map_or(0, |id| self.spans[&id].depth + 1);
        let (depth, line) = match pairs.mark.as_deref() {
            Some("start") => {
                let depth = depth(pairs.parent);
                let name = short(&site.0);
                let line = format!(
                    "+ {name}{}{}",
                    pairs.shown,
                    level_and_target(record, &[Level::Trace])
                );
                self.spans.insert(pairs.id.unwrap(), Span { depth, site });
                (depth, line)
            }
            Some(_) => {
                let span = &self.spans[&pairs.id.unwrap()];
                assert_eq!(
                    span.site, site,
                    "an end has the name, level and target of its start"
                );
                let outcome = pairs
                    .outcome
                    .map_or_else(String::new, |outcome| format!(" {outcome}"));
                (
                    span.depth,
                    format!("- {}{}{outcome}", short(&site.0), pairs.shown),
                )
            }
            None => {
                let target = level_and_target(record, &[record.level()]);
                let line = format!("{} {}{}{target}", site.1, short(&site.0), pairs.shown);
                (depth(pairs.id), line)
            }
        };
        self.lines
            .push(format!("{:indent$}{line}", "", indent = 2 * depth));
    }
}

fn short(name: &str) -> &str {
    match name.strip_prefix("tests/coming_from_tracing/") {
        Some(rest) => &rest[rest.find('#').unwrap()..],
        None => name,
    }
}

fn level_and_target(record: &Record<'_>, expected: &[Level]) -> String {
    let mut shown = String::new();
    if !expected.contains(&record.level()) {
        write!(shown, " at {}", record.level()).unwrap();
    }
    let file = record.file().unwrap();
    let module = file
        .trim_start_matches("tests/")
        .trim_end_matches(".rs")
        .replace('/', "::");
    if record.target() != module {
        write!(shown, " under {}", record.target()).unwrap();
    }
    shown
}

struct Capture;

impl log::Log for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        FILTER.get()(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            RECORDS.with(|records| records.borrow_mut().push(record));
        }
    }

    fn flush(&self) {}
}

/// What `f` gives, and what it logs.
pub(crate) fn logged<R>(f: impl FnOnce() -> R) -> (R, Vec<String>) {
    static START: Once = Once::new();
    START.call_once(|| {
        Logger::wrap(Capture, async_log::task_id)
            .with_key_values()
            .start(LevelFilter::Trace)
            .unwrap();
    });
    RECORDS.with(RefCell::take);
    let result = f();
    (result, RECORDS.with(RefCell::take).lines)
}

/// What `f` logs.
pub(crate) fn lines<R>(f: impl FnOnce() -> R) -> Vec<String> {
    logged(f).1
}

/// What `f` logs through a logger that takes these records alone.
pub(crate) fn filtered_lines<R>(filter: Filter, f: impl FnOnce() -> R) -> Vec<String> {
    FILTER.set(filter);
    let lines = lines(f);
    FILTER.set(|_| true);
    lines
}

/// A span with nothing in it.
pub(crate) fn empty(span: &str) -> [String; 2] {
    [format!("+ {span}"), format!("- {span}")]
}

/// Is ready at the poll of this number.
pub(crate) async fn polls(mut polls: usize) {
    poll_fn(|cx| {
        polls -= 1;
        if polls == 0 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
