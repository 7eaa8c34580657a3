//! One test for each behaviour of a `Logger`.
//!
//! Each thread has a global logger of its own here (`async_log_tests::memory`). What concerns the whole process, such as
//! `log`'s maximum level or the panic hook, runs in a child process: see [`alone`].

mod cost;
mod failures;
mod hostile;
mod keys;
mod locks;
mod nested;
mod options;
mod others;
mod parents;
mod processes;
mod targets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{ready, Future};
use std::hint::black_box;
use std::panic::{self, catch_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

use async_log::{instrument, span, Logger, TaskExt};
use futures::task::noop_waker_ref;
use log::kv::{self, Key, Value, VisitSource, VisitValue};
use log::{info, Level, LevelFilter, Log, Metadata, Record};

use async_log_tests::memory::{with_global, Lines, Shared};
use async_log_tests::reader;

fn five() -> u64 {
    5
}

type Wrapped = Logger<Lines, fn() -> u64>;

/// The lines that a `Logger` with these options writes meanwhile; its task is 5.
fn lines(options: impl FnOnce(Wrapped) -> Wrapped, f: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let source: fn() -> u64 = five;
    with_global(options(Logger::wrap(lines.clone(), source)), f);
    lines.take()
}

fn plain(logger: Wrapped) -> Wrapped {
    logger
}

/// A line without the pairs that differ in each run: thread, time, ids and process.
fn stable(line: &str) -> String {
    let (end, pairs) = reader::split(line);
    let mut stable = line[..end].to_owned();
    for pair in pairs {
        match &*pair.key {
            "thread_id" | "span_id" | "span_parent" | "span_at" | "span_elapsed" | "process_id" => {
            }
            _ => stable += &pair.written,
        }
    }
    stable
}

fn keys(line: &str) -> Vec<String> {
    let (_, pairs) = reader::split(line);
    pairs.into_iter().map(|pair| pair.key).collect()
}

fn get(line: &str, key: &str) -> Option<String> {
    let (_, pairs) = reader::split(line);
    let mut pairs = pairs.into_iter().rev();
    pairs.find(|pair| pair.key == key).map(|pair| pair.value)
}

/// A record with everything in it, typed.
#[derive(Clone, Debug)]
struct Entry {
    level: Level,
    target: String,
    module: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    message: String,
    pairs: Vec<(String, String)>,
}

impl Entry {
    fn keys(&self) -> Vec<&str> {
        self.pairs.iter().map(|(key, _)| key.as_str()).collect()
    }

    /// The type and the value: `u64 7`.
    fn get(&self, key: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        pairs
            .find(|(of, _)| of == key)
            .map(|(_, value)| value.as_str())
    }
}

/// Keeps whole records of what it wants.
#[derive(Clone)]
struct Entries {
    entries: Arc<Mutex<Vec<Entry>>>,
    wants: fn(&Metadata<'_>) -> bool,
    flushed: Arc<AtomicUsize>,
}

impl Default for Entries {
    fn default() -> Self {
        Entries {
            entries: Arc::default(),
            wants: |_| true,
            flushed: Arc::default(),
        }
    }
}

impl Entries {
    fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut self.entries.lock().unwrap())
    }
}

impl Log for Entries {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.wants)(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut pairs = Pairs(Vec::new());
        record.key_values().visit(&mut pairs).unwrap();
        let entry = Entry {
            level: record.level(),
            target: record.target().to_owned(),
            module: record.module_path().map(str::to_owned),
            file: record.file().map(str::to_owned),
            line: record.line(),
            message: record.args().to_string(),
            pairs: pairs.0,
        };
        self.entries.lock().unwrap().push(entry);
    }

    fn flush(&self) {
        self.flushed.fetch_add(1, Ordering::Relaxed);
    }
}

struct Pairs(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let mut typed = Typed(String::new());
        value.visit(&mut typed)?;
        self.0.push((key.as_str().to_owned(), typed.0));
        Ok(())
    }
}

struct Typed(String);

impl VisitValue<'_> for &mut Typed {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        self.0 = format!("any {value}");
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.0 = "null".to_owned();
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.0 = format!("u64 {value}");
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.0 = format!("i64 {value}");
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.0 = format!("f64 {value}");
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.0 = format!("bool {value}");
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        self.0 = format!("str {value}");
        Ok(())
    }
}

/// What reaches the logger behind a `Logger` in key-value form.
fn entries(
    options: impl FnOnce(Logger<Entries, fn() -> u64>) -> Logger<Entries, fn() -> u64>,
    f: impl FnOnce(),
) -> Vec<Entry> {
    let entries = Entries::default();
    let source: fn() -> u64 = five;
    let logger = Logger::wrap(entries.clone(), source).with_key_values();
    with_global(options(logger), f);
    entries.take()
}

const ALONE: &str = "ASYNC_LOG_TEST_ALONE";

fn is_alone() -> bool {
    std::env::var_os(ALONE).is_some()
}

/// Runs the test of this name in a process of its own; says what it wrote on its standard output.
fn alone(name: &str, f: impl FnOnce()) -> String {
    if is_alone() {
        f();
        return String::new();
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ALONE, "")
        .output()
        .unwrap();
    let out = String::from_utf8(child.stdout).unwrap();
    let err = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{name}: {out}{err}");
    assert!(out.contains("1 passed"), "{name} is not a test: {out}");
    out
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(noop_waker_ref()))
}

fn finish(future: impl Future<Output = ()>) {
    assert!(poll_once(pin!(future)).is_ready());
}

fn panics(f: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
}

/// Panics when it is formatted.
#[derive(Debug)]
struct Bomb;

impl fmt::Display for Bomb {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("formatted");
    }
}

/// Fails half way.
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        Err(fmt::Error)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Logs when it is formatted.
struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(own = 1; "from within");
        f.write_str("chatty")
    }
}

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Counts how many bytes were formatted of it, one at a time.
#[derive(Default)]
struct Counting(Cell<usize>);

impl Counting {
    const LEN: usize = 100_000;
}

impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 0..Self::LEN {
            self.0.set(self.0.get() + 1);
            f.write_str("x")?;
        }
        Ok(())
    }
}

/// A fan-out.
struct Both<A, B>(A, B);

impl<A: Log, B: Log> Log for Both<A, B> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata) | self.1.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        self.0.log(record);
        self.1.log(record);
    }

    fn flush(&self) {
        self.0.flush();
        self.1.flush();
    }
}

#[instrument(name = "function")]
fn function(secret: &str, number: u32) {
    info!(own = true; "inside");
}
