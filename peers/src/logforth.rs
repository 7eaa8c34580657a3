//! logforth: by hand as with `log`, or with its diagnostics as the context of what is inside.

use std::hint::black_box;

use ::logforth::diagnostic::ThreadLocalDiagnostic;
use ::logforth::kv::{KeyView, ValueView, Visitor};
use ::logforth::record::Record;
use ::logforth::{Append, Diagnostic, Error};
use log::{info, trace};

use std::fmt::Write;

use crate::sink;
use crate::work::{Stalled, Work};

/// Diagnostics are the fields.
pub struct Logforth;

pub fn text(level: log::LevelFilter) {
    start(level, Text);
}

pub fn silent(level: log::LevelFilter) {
    start(level, Silent);
}

fn start(level: log::LevelFilter, append: impl Append) {
    logforth::starter_log::builder()
        .dispatch(|dispatch| {
            dispatch
                .diagnostic(ThreadLocalDiagnostic::default())
                .append(append)
        })
        .apply();
    log::set_max_level(level);
}

#[derive(Debug)]
struct Text;

impl Append for Text {
    fn append(
        &self,
        record: &Record<'_>,
        diagnostics: &[Box<dyn Diagnostic>],
    ) -> Result<(), Error> {
        sink::write(|line| {
            sink::head(line, record.level().name(), record.target());
            let _ = line.write_fmt(record.payload());
            let mut pairs = Pairs(line);
            let _ = record.key_values().visit(&mut pairs);
            for diagnostic in diagnostics {
                let _ = diagnostic.visit(&mut pairs);
            }
        });
        Ok(())
    }

    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct Pairs<'a>(&'a mut String);

impl Visitor for Pairs<'_> {
    fn visit(&mut self, key: KeyView<'_>, value: ValueView<'_>) -> Result<(), Error> {
        let _ = write!(self.0, ", {key}={value}");
        Ok(())
    }
}

#[derive(Debug)]
struct Silent;

impl Append for Silent {
    fn append(&self, record: &Record<'_>, _: &[Box<dyn Diagnostic>]) -> Result<(), Error> {
        black_box(record);
        sink::count();
        Ok(())
    }

    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl Work for Logforth {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        ThreadLocalDiagnostic::insert("user", user.to_string());
        ThreadLocalDiagnostic::insert("path", path);
        trace!(span_mark = "start"; "load");
        let result = body(&());
        trace!(span_mark = "end"; "load");
        ThreadLocalDiagnostic::remove("user");
        ThreadLocalDiagnostic::remove("path");
        result
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, _: u64, _: &'static str) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn function(user: u64, path: &'static str) -> u64 {
        function(user, path)
    }

    async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
        Self::kept(user, path, stalls).await
    }

    // Its diagnostics do not follow a future: they are of the thread.
    async fn kept(user: u64, path: &'static str, stalls: u64) -> u64 {
        Self::span(user, path, |()| ());
        Stalled(stalls).await
    }
}

#[inline(never)]
fn function(user: u64, path: &'static str) -> u64 {
    Logforth::span(user, path, |()| black_box(path));
    user
}
