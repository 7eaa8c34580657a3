//! The values of our own keys.

use std::fmt;
use std::panic::Location;

use log::kv::Value;

use crate::process;
use crate::record::reserved_key::ReservedKey;
use crate::record::text;

/// Nanoseconds, shown as seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:09}",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

/// Shown as `src/main.rs:12`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpawnLine(pub(crate) &'static Location<'static>);

impl fmt::Display for SpawnLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

/// This process, shown as `PID-STARTNANOS`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process;

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pid, start) = process::process();
        write!(f, "{pid}-{start}")
    }
}

/// A value of one of our own keys.
#[derive(Clone, Copy)]
pub(crate) enum ReservedValue<'a> {
    Number(u64),
    Word(&'static str),
    Seconds(&'a Seconds),
    Line(&'a SpawnLine),
    Process,
}

impl<'a> ReservedValue<'a> {
    pub(crate) fn to_value(self) -> Value<'a> {
        match self {
            ReservedValue::Number(number) => Value::from(number),
            ReservedValue::Word(word) => Value::from(word),
            ReservedValue::Seconds(seconds) => Value::from_display(seconds),
            ReservedValue::Line(line) => Value::from_display(line),
            ReservedValue::Process => Value::from_display(&Process),
        }
    }

    /// Writes `, KEY=VALUE`.
    #[inline(always)] // most often it is known which value it is
    pub(crate) fn push(self, line: &mut String, key: ReservedKey) {
        line.push_str(key.0);
        match self {
            ReservedValue::Number(number) => text::push_u64(line, number),
            ReservedValue::Word(word) => line.push_str(word),
            ReservedValue::Seconds(seconds) => text::push_seconds(line, seconds.0),
            // A path is the one value of ours that may need quotes.
            ReservedValue::Line(spawned) => text::push_text(line, &spawned.to_string(), false),
            ReservedValue::Process => push_process(line),
        }
    }
}

fn push_process(line: &mut String) {
    let (pid, start) = process::process();
    text::push_u64(line, pid.into());
    line.push('-');
    text::push_u64(line, start);
}
