//! slog by hand: a record where a span starts and one where it ends, and a logger of its own inside, with the fields.

use std::fmt::{self, Write};
use std::hint::black_box;
use std::panic::UnwindSafe;
use std::sync::OnceLock;

use ::slog::{
    info, o, trace, Drain, Key, Logger, Never, OwnedKVList, Record, SendSyncRefUnwindSafeDrain,
    Serializer, KV,
};

use crate::sink;
use crate::work::{Stalled, Work};

pub struct Slog;

static ROOT: OnceLock<Logger> = OnceLock::new();

#[inline(always)]
fn root() -> &'static Logger {
    ROOT.get().expect("it is set at the start")
}

/// The sink that the others have.
pub fn text(level: log::LevelFilter) {
    start(level, Text);
}

/// slog-term's full format with its plain decorator, without time.
pub fn term(level: log::LevelFilter) {
    let decorator = slog_term::PlainSyncDecorator::new(sink::Writer);
    let drain = slog_term::FullFormat::new(decorator)
        .use_custom_timestamp(|_| Ok(()))
        .build()
        .fuse();
    start(level, drain);
}

/// Formats nothing.
pub fn silent(level: log::LevelFilter) {
    start(level, Silent);
}

fn start<D>(level: log::LevelFilter, drain: D)
where
    D: SendSyncRefUnwindSafeDrain<Ok = (), Err = Never> + UnwindSafe + 'static,
{
    let least = match level {
        log::LevelFilter::Trace => slog::Level::Trace,
        _ => slog::Level::Info,
    };
    let filter = slog::LevelFilter::new(drain, least).fuse();
    let _ = ROOT.set(Logger::root(filter, o!()));
}

struct Text;

impl Drain for Text {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        sink::write(|line| {
            sink::head(line, record.level().as_str(), record.module());
            let _ = line.write_fmt(*record.msg());
            let _ = record.kv().serialize(record, &mut Pairs(line));
            let _ = values.serialize(record, &mut Pairs(line));
        });
        Ok(())
    }
}

struct Pairs<'a>(&'a mut String);

impl Serializer for Pairs<'_> {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        write!(self.0, ", {key}={value}")?;
        Ok(())
    }

    fn emit_u64(&mut self, key: Key, value: u64) -> slog::Result {
        write!(self.0, ", {key}={value}")?;
        Ok(())
    }

    fn emit_str(&mut self, key: Key, value: &str) -> slog::Result {
        write!(self.0, ", {key}={value}")?;
        Ok(())
    }
}

struct Silent;

impl Drain for Silent {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, _: &OwnedKVList) -> Result<(), Never> {
        black_box(record);
        sink::count();
        Ok(())
    }
}

impl Work for Slog {
    type Inside = Logger;

    #[inline(always)]
    fn record(n: u64) {
        info!(root(), "hello {}", n);
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&Logger) -> R) -> R {
        let log = root().new(o!("user" => user, "path" => path));
        trace!(log, "load"; "span_mark" => "start");
        let result = body(&log);
        trace!(log, "load"; "span_mark" => "end");
        result
    }

    #[inline(always)]
    fn record_inside(log: &Logger, n: u64, _: u64, _: &'static str) {
        info!(log, "hello {}", n);
    }

    #[inline(always)]
    fn function(user: u64, path: &'static str) -> u64 {
        function(user, path)
    }

    async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
        Self::kept(user, path, stalls).await
    }

    async fn kept(user: u64, path: &'static str, stalls: u64) -> u64 {
        let log = root().new(o!("user" => user, "path" => path));
        trace!(log, "load"; "span_mark" => "start");
        let result = Stalled(stalls).await;
        trace!(log, "load"; "span_mark" => "end");
        result
    }
}

#[inline(never)]
fn function(user: u64, path: &'static str) -> u64 {
    Slog::span(user, path, |_| black_box(path));
    user
}
