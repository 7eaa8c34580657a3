//! `chrome`: the JSON of chrome://tracing, which Perfetto and speedscope read too.
//!
//! Times are microseconds with three decimals since the midnight (UTC) before the day of the first
//! record: readers keep them as doubles, which have no room for nanoseconds since 1970.

use std::io::{self, Write};

use super::json::EXACT;
use super::trace::{Described, Format, Options, Place, Slice, Trace, first_line};
use super::tracks::Track;
use super::value::Value;
use crate::read::View;

/// Writes a Chrome trace.
///
/// A span is an `X` event, one without an end a `B`; a record is an `i`, a spawn an arrow (`s` and
/// `f`). One event stands on a line.
pub type Chrome<W> = Trace<Json<W>>;

impl<W: Write> Chrome<W> {
    /// A trace that is written to `out`.
    pub fn new(options: Options, out: W) -> Self {
        let json = Json {
            out,
            since: 0,
            is_first: true,
            tids: vec![0],
        };
        Trace::over(json, options)
    }

    /// What was written to.
    pub fn into_out(self) -> W {
        self.into_format().out
    }
}

/// How a Chrome trace is written.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    /// What times are counted from.
    since: u64,
    is_first: bool,
    /// The threads that tracks are for readers. They order them by that number.
    tids: Vec<u32>,
}

const DAY: u64 = 86_400_000_000_000;

impl<W> Json<W> {
    fn tid(&self, track: u32) -> u64 {
        u64::from(self.tids[track as usize])
    }

    fn nanos(&self, at: u64) -> u64 {
        at.saturating_sub(self.since)
    }

    /// Writes the key `ts` and a time.
    fn at(&self, at: u64, to: &mut Vec<u8>) {
        to.extend_from_slice(b",\"ts\":");
        push_micros(to, self.nanos(at));
    }

    fn metadata(&mut self, what: &str, pid: u64, tid: u64, to: &mut Vec<u8>) {
        if !std::mem::take(&mut self.is_first) {
            to.extend_from_slice(b",\n");
        }
        to.extend_from_slice(b"{\"ph\":\"M\",\"name\":\"");
        to.extend_from_slice(what.as_bytes());
        push_ids(to, b"\",\"pid\":", pid, tid);
        to.extend_from_slice(b",\"args\":{");
    }
}

impl<W: Write> Format for Json<W> {
    const OPEN_EARLIER: u64 = 1;

    fn begin(&mut self, at: u64, to: &mut Vec<u8>) {
        self.since = (at - at % DAY).saturating_sub(DAY);
        to.extend_from_slice(b"{\"displayTimeUnit\":\"ns\",\"otherData\":{\"times_count_from\":");
        push_string(
            to,
            &format!(
                "{} s since 1970-01-01T00:00:00Z",
                self.since / 1_000_000_000
            ),
        );
        to.extend_from_slice(b"},\"traceEvents\":[\n");
    }

    fn end(&mut self, to: &mut Vec<u8>) {
        to.extend_from_slice(b"\n]}\n");
    }

    fn process(&mut self, index: usize, pid: u64, name: &str, to: &mut Vec<u8>) {
        self.metadata("process_name", pid, 0, to);
        to.extend_from_slice(b"\"name\":");
        push_string(to, name);
        to.extend_from_slice(b"}}");
        self.metadata("process_sort_index", pid, 0, to);
        to.extend_from_slice(b"\"sort_index\":");
        push_number(to, index as u64);
        to.extend_from_slice(b"}}");
    }

    fn track(&mut self, track: u32, order: u32) {
        // Groups have numbers, but no threads.
        self.tids.resize(track as usize, 0);
        self.tids.push(order);
    }

    /// The format has no groups.
    fn name(&mut self, pid: u64, track: &Track<'_>, to: &mut Vec<u8>) {
        if track.is_group {
            return;
        }
        let tid = self.tid(track.number);
        self.metadata("thread_name", pid, tid, to);
        to.extend_from_slice(b"\"name\":");
        push_string(to, track.flat_name);
        to.extend_from_slice(b"}}");
        self.metadata("thread_sort_index", pid, tid, to);
        to.extend_from_slice(b"\"sort_index\":");
        push_number(to, u64::from(track.order));
        to.extend_from_slice(b"}}");
    }

    fn describe(&mut self, span: Described<'_>, text: &mut Vec<u8>, _: &mut Vec<u8>) {
        let record = span.view.record;
        text.extend_from_slice(b"\"name\":");
        push_string(text, &span.view.message());
        text.extend_from_slice(b",\"args\":{");
        span.view.pairs(|key, value| {
            push_string(text, key);
            text.push(b':');
            push_value(text, &value);
            text.push(b',');
        });
        text.extend_from_slice(b"\"span_id\":");
        push_id(text, span.id);
        let mut id = |key: &str, id: u64| {
            text.extend_from_slice(key.as_bytes());
            push_id(text, id);
        };
        if span.parent != 0 {
            id(",\"span_parent\":", span.parent);
        }
        if let Some(parent) = record.task_parent_id {
            id(",\"task_parent_id\":", parent);
        }
        id(",\"task_id\":", record.task_id);
        id(",\"thread_id\":", record.thread_id);
        if let Some(line) = span.view.spawn_line() {
            text.extend_from_slice(b",\"spawn_line\":");
            push_string(text, &line);
        }
        if span.end_alone {
            text.extend_from_slice(b",\"start_missing\":true");
        }
    }

    fn slice(&mut self, slice: &Slice<'_>, to: &mut Vec<u8>) -> usize {
        let offset = to.len();
        to.extend_from_slice(match slice.end {
            Some(_) => b",\n{\"ph\":\"X\",",
            None => b",\n{\"ph\":\"B\",",
        });
        to.extend_from_slice(slice.text);
        if let Some(word) = slice.outcome.word() {
            to.extend_from_slice(b",\"span_outcome\":");
            push_string(to, word);
        }
        push_ids(
            to,
            b"},\"cat\":\"span\",\"pid\":",
            slice.pid,
            self.tid(slice.place.track),
        );
        self.at(slice.place.at, to);
        if let Some(end) = slice.end {
            to.extend_from_slice(b",\"dur\":");
            push_duration(to, self.nanos(slice.place.at), self.nanos(end));
        }
        to.push(b'}');
        offset
    }

    fn close(&mut self, _: &Slice<'_>, _: &mut Vec<u8>) {}

    fn instant(&mut self, pid: u64, place: Place, view: View<'_>, to: &mut Vec<u8>) {
        let level = view.level().map(|level| level.word());
        let message = view.message();
        let name = first_line(&message);
        to.extend_from_slice(b",\n{\"ph\":\"i\",\"s\":\"t\",\"name\":");
        push_string(to, name);
        to.extend_from_slice(b",\"cat\":");
        push_string(to, level.unwrap_or("record"));
        push_ids(to, b",\"pid\":", pid, self.tid(place.track));
        self.at(place.at, to);
        to.extend_from_slice(b",\"args\":{");
        let mut text = |key: &[u8], value: &str| {
            to.extend_from_slice(key);
            push_string(to, value);
            to.push(b',');
        };
        if let Some(level) = level {
            text(b"\"level\":", level);
        }
        if let Some(target) = view.target() {
            text(b"\"target\":", &target);
        }
        if name.len() < message.len() {
            text(b"\"message\":", &message);
        }
        view.pairs(|key, value| {
            push_string(to, key);
            if let "level" | "target" | "message" = key {
                to.pop();
                to.extend_from_slice(b"_\"");
            }
            to.push(b':');
            push_value(to, &value);
            to.push(b',');
        });
        if view.record.span_id != 0 {
            to.extend_from_slice(b"\"span_id\":");
            push_id(to, view.record.span_id);
            to.push(b',');
        }
        to.extend_from_slice(b"\"task_id\":");
        push_id(to, view.record.task_id);
        to.extend_from_slice(b",\"thread_id\":");
        push_id(to, view.record.thread_id);
        to.extend_from_slice(b"}}");
    }

    fn flow(&mut self, flow: u64, from: (u64, Place), into: (u64, Place), to: &mut Vec<u8>) {
        for (ph, (pid, place)) in [("s\"", from), ("f\",\"bp\":\"e\"", into)] {
            to.extend_from_slice(b",\n{\"ph\":\"");
            to.extend_from_slice(ph.as_bytes());
            to.extend_from_slice(b",\"name\":\"spawn\",\"cat\":\"spawn\",\"id\":\"");
            push_number(to, flow);
            push_ids(to, b"\",\"pid\":", pid, self.tid(place.track));
            self.at(place.at, to);
            to.push(b'}');
        }
    }

    fn spawned(&mut self, _: u64, _: u64) -> bool {
        true
    }

    fn write(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        self.out.write_all(bytes)?;
        bytes.clear();
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn push_ids(to: &mut Vec<u8>, key: &[u8], pid: u64, tid: u64) {
    to.extend_from_slice(key);
    push_number(to, pid);
    to.extend_from_slice(b",\"tid\":");
    push_number(to, tid);
}

fn push_number(to: &mut Vec<u8>, number: u64) {
    to.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// An id is a number where every reader keeps all of its digits.
fn push_id(to: &mut Vec<u8>, id: u64) {
    if id <= EXACT {
        return push_number(to, id);
    }
    to.push(b'"');
    push_number(to, id);
    to.push(b'"');
}

fn push_micros(to: &mut Vec<u8>, nanos: u64) {
    push_number(to, nanos / 1000);
    let rest = nanos % 1000;
    let digit = |of: u64| b'0' + (of % 10) as u8;
    to.extend_from_slice(&[b'.', digit(rest / 100), digit(rest / 10), digit(rest)]);
}

/// Readers add this to the start, as doubles. Two spans that end at once have to end at once for
/// them too, so it has more decimals where three do not give the double that the end is.
fn push_duration(to: &mut Vec<u8>, start: u64, end: u64) {
    let duration = end.saturating_sub(start);
    let micros = |nanos: u64| nanos as f64 / 1000.0;
    if micros(start) + micros(duration) == micros(end) {
        return push_micros(to, duration);
    }
    let exact = micros(end) - micros(start);
    let _ = write!(to, "{exact}");
}

fn push_value(to: &mut Vec<u8>, text: &str) {
    match Value::of(text) {
        Value::Text(_) => push_string(to, text),
        Value::Integer(number) if number.unsigned_abs() > EXACT => push_string(to, text),
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
            to.extend_from_slice(text.as_bytes())
        }
    }
}

fn push_string(to: &mut Vec<u8>, text: &str) {
    to.push(b'"');
    let mut rest = text.as_bytes();
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    while let Some(at) = rest.iter().position(is_special) {
        let (plain, special) = rest.split_at(at);
        to.extend_from_slice(plain);
        push_escape(to, special[0]);
        rest = &special[1..];
    }
    to.extend_from_slice(rest);
    to.push(b'"');
}

fn push_escape(to: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' | b'\\' => to.extend_from_slice(&[b'\\', byte]),
        b'\n' => to.extend_from_slice(b"\\n"),
        b'\t' => to.extend_from_slice(b"\\t"),
        _ => {
            let _ = write!(to, "\\u{byte:04x}");
        }
    }
}
