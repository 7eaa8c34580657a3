//! What a piece of code logs, line by line, on the thread that runs it.

use std::cell::RefCell;
use std::sync::Once;

use async_log::Logger;
use log::{LevelFilter, Metadata, Record};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Lines;

impl log::Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {} {}", record.level(), record.target(), record.args());
        LINES.with(|lines| lines.borrow_mut().push(line));
    }

    fn flush(&self) {}
}

/// What `f` logs, in the minimal form and without ids. `test` is the test's file without `.rs`: it is left out of
/// names, and with the level where a line is at `TRACE` and under a target of the test.
pub fn logged<R>(test: &str, f: impl FnOnce() -> R) -> (R, Vec<String>) {
    static START: Once = Once::new();
    START.call_once(|| {
        Logger::wrap(Lines, async_log::task_id)
            .with_minimal_keys()
            .start(LevelFilter::Trace)
            .unwrap();
    });
    LINES.with(|lines| lines.borrow_mut().clear());
    let result = f();
    let lines = LINES.with(RefCell::take);
    let short = |line: &String| {
        let line = line.split(", task_id=").next().unwrap().to_owned();
        let line = line.replace(&format!("tests/{test}.rs#"), "#");
        match line.strip_prefix(&format!("TRACE {test}")) {
            Some(line) => line.split_once(' ').unwrap().1.to_owned(),
            None => line,
        }
    };
    (result, lines.iter().map(short).collect())
}

/// A start with these arguments, and an end.
pub fn call(name: &str, arguments: &str) -> Vec<String> {
    vec![
        format!("{name}{arguments}, span_mark=start"),
        format!("{name}, span_mark=end"),
    ]
}
