//! Where every peer's output goes: a string that is used again, or a counter.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;

use log::kv::{self, Key, Value, VisitSource};
use log::{Log, Metadata, Record};

thread_local! {
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Whether lines are kept, to look at what a peer emitted.
static KEEPS: AtomicBool = AtomicBool::new(false);
static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Writes a line over the one before.
#[inline]
pub fn write(write: impl FnOnce(&mut String)) {
    LINE.with_borrow_mut(|line| {
        line.clear();
        write(line);
        if KEEPS.load(Ordering::Relaxed) {
            keep(line);
        }
    });
}

/// Takes note of something that is not formatted.
#[inline]
pub fn count() {
    COUNT.set(COUNT.get() + 1);
    if KEEPS.load(Ordering::Relaxed) {
        keep("");
    }
}

#[cold]
fn keep(line: &str) {
    KEPT.lock().unwrap().push(line.trim_end().to_owned());
}

/// What is emitted while `f` runs, of all threads; where nothing is formatted an empty line for each.
pub fn kept_during(f: impl FnOnce()) -> Vec<String> {
    KEEPS.store(true, Ordering::Relaxed);
    f();
    KEEPS.store(false, Ordering::Relaxed);
    std::mem::take(&mut KEPT.lock().unwrap())
}

/// A logger that formats: level, target, message, key-values.
pub struct Text;

impl Log for Text {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        write(|line| {
            head(line, record.level().as_str(), record.target());
            let _ = line.write_fmt(*record.args());
            let _ = record.key_values().visit(&mut Pairs(line));
        });
    }

    fn flush(&self) {}
}

/// What stands before a message.
pub fn head(line: &mut String, level: &str, target: &str) {
    line.push_str(level);
    line.push(' ');
    line.push_str(target);
    line.push_str(": ");
}

struct Pairs<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        write!(self.0, ", {key}={value}")?;
        Ok(())
    }
}

/// A logger that formats nothing.
pub struct Silent;

impl Log for Silent {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        std::hint::black_box(record);
        count();
    }

    fn flush(&self) {}
}

/// For those who format into a buffer of their own and write that: one `write` a line.
pub struct Writer;

impl io::Write for Writer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        write(|line| line.push_str(text));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
