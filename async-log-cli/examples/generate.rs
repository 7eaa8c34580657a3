//! Writes a log as large as you like, as a busy server would: what the benchmarks of the command read.
//!
//! ```sh
//! cargo run --release -p async-log-cli --example generate -- 300MB [text|json] [OPEN] [EVENTS] [MODE] >big.log
//! ```
//!
//! `OPEN` tasks are there at a time (200 unless said), each with up to five spans, and of a hundred
//! records `EVENTS` are neither start nor end (0 unless said). The same arguments give the same log.
//!
//! `MODE` is when spans are written: `start-and-end` unless said, `at-end`, `tail` or `none`, as `SpanRecords`
//! has them. All but the first want text, and keep it in memory. Of `tail` one trace in three is never kept.

use std::env;
use std::io::{self, BufWriter, Write};

use async_log_tests::modes::{self, Mode};

const PROCESS: &str = "720-1795355154557458080";
const NAMES: [&str; 8] = [
    "read_frame",
    "decode",
    "db::query",
    "render",
    "write_frame",
    "src/cache.rs#Cache::load",
    "cache lookup",
    "auth 7",
];
const OUTCOMES: [&str; 10] = ["", "", "", "", "", "", "", "", "cancelled", "error"];

fn main() {
    let mut arguments = env::args().skip(1);
    let size = arguments.next().map_or(1_000_000, |size| bytes(&size));
    let form = match arguments.next().as_deref() {
        None | Some("text") => Form::Text,
        Some("json") => Form::Json,
        Some(other) => panic!("the form is text or json, not {other}"),
    };
    let mut number = |default| {
        arguments
            .next()
            .map_or(default, |n| n.parse().expect("a number"))
    };
    let (open, events) = (number(200), number(0));
    let mode = arguments.next().and_then(|mode| mode_of(&mode));
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let Some(mode) = mode else {
        return write(out, form, size, (open, events));
    };
    assert!(matches!(form, Form::Text), "only text has another mode");
    let mut log = Vec::new();
    write(&mut log, form, size, (open, events));
    let log = modes::convert(str::from_utf8(&log).expect("it is text"), mode);
    // Whoever reads no further has enough.
    let _ = out.write_all(log.as_bytes());
}

fn write(out: impl Write, form: Form, size: u64, (open, events): (u64, u64)) {
    let mut server = Server::new(out, form, open as usize, events);
    while server.written < size && server.step().is_ok() {}
}

/// None for starts and ends as they happen.
fn mode_of(text: &str) -> Option<Mode> {
    match text {
        "start-and-end" => None,
        "at-end" => Some(Mode::AtEnd),
        "tail" => Some(Mode::Tail {
            after: 8,
            drop_one_in: 3,
        }),
        "none" => Some(Mode::None),
        other => panic!("the mode is start-and-end, at-end, tail or none, not {other}"),
    }
}

fn bytes(text: &str) -> u64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        other => panic!("the unit is kB, MB or GB, not {other}"),
    };
    digits.parse::<u64>().expect("a number") * unit
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
}

struct Server<W> {
    out: W,
    form: Form,
    written: u64,
    random: u64,
    now: u64,
    spans: u64,
    tasks: u64,
    open: usize,
    events: u64,
    running: Vec<Task>,
    line: Vec<u8>,
}

struct Task {
    id: u64,
    spans: Vec<Span>,
}

#[derive(Clone, Copy)]
struct Span {
    id: u64,
    name: &'static str,
    start: u64,
    user: Option<u64>,
}

impl<W: Write> Server<W> {
    fn new(out: W, form: Form, open: usize, events: u64) -> Self {
        Server {
            out,
            form,
            written: 0,
            random: 0x2545_f491_4f6c_dd1d,
            now: 1_795_355_154_557_459_142,
            spans: 0,
            tasks: 0,
            open: open.max(1),
            events,
            running: Vec::new(),
            line: Vec::new(),
        }
    }

    /// Marsaglia's xorshift.
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % bound
    }

    /// Something happens.
    fn step(&mut self) -> io::Result<()> {
        self.now += 200 + self.below(2800);
        if self.running.len() < self.open && (self.running.is_empty() || self.below(10) < 3) {
            self.tasks += 1;
            self.running.push(Task {
                id: self.tasks,
                spans: Vec::new(),
            });
            let last = self.running.len() - 1;
            return self.start(last, "server::connection");
        }
        let task = self.below(self.running.len() as u64) as usize;
        if self.below(100) < self.events {
            return self.event(task);
        }
        if self.running[task].spans.len() < 5 && self.below(100) < 52 {
            let name = NAMES[self.below(NAMES.len() as u64) as usize];
            return self.start(task, name);
        }
        self.end(task)
    }

    fn start(&mut self, index: usize, name: &'static str) -> io::Result<()> {
        self.spans += 1;
        let parent = self.running[index].spans.last().copied();
        let mut span = Span {
            id: self.spans,
            name,
            start: self.now,
            user: None,
        };
        span.user = parent.and_then(|parent| parent.user);
        if parent.is_some() && span.user.is_none() && self.below(5) == 0 {
            span.user = Some(1 + self.below(9999));
        }
        let task = self.running[index].id;
        self.running[index].spans.push(span);
        let mut pairs = Pairs::new(self.form, &mut self.line, self.now, "TRACE", name);
        if name.contains('#') {
            pairs.text("arg_0", "archive");
            pairs.number("arg_1", 20);
        }
        pairs.text("span_mark", "start");
        pairs.user(span.user);
        pairs.number("span_id", span.id);
        if let Some(parent) = parent {
            pairs.number("span_parent", parent.id);
        }
        pairs.seconds("span_at", self.now);
        if parent.is_none() {
            pairs.number("task_parent_id", 0);
            pairs.text("spawn_line", "src/server.rs:92");
            pairs.text("process_id", PROCESS);
        }
        self.finish(task)
    }

    fn end(&mut self, index: usize) -> io::Result<()> {
        let task = self.running[index].id;
        let Some(span) = self.running[index].spans.pop() else {
            return Ok(());
        };
        if self.running[index].spans.is_empty() {
            self.running.swap_remove(index);
        }
        let outcome = OUTCOMES[self.below(OUTCOMES.len() as u64) as usize];
        let mut pairs = Pairs::new(self.form, &mut self.line, self.now, "TRACE", span.name);
        pairs.text("span_mark", "end");
        pairs.user(span.user);
        pairs.number("span_id", span.id);
        pairs.seconds("span_elapsed", self.now - span.start);
        if !outcome.is_empty() {
            pairs.text("span_outcome", outcome);
        }
        self.finish(task)
    }

    fn event(&mut self, index: usize) -> io::Result<()> {
        let task = self.running[index].id;
        let Some(span) = self.running[index].spans.last().copied() else {
            return Ok(());
        };
        let bytes = self.below(100_000);
        let mut pairs = Pairs::new(
            self.form,
            &mut self.line,
            self.now,
            "INFO",
            "frame is there",
        );
        pairs.number("bytes", bytes);
        pairs.user(span.user);
        pairs.number("span_id", span.id);
        self.finish(task)
    }

    fn finish(&mut self, task: u64) -> io::Result<()> {
        let thread = 2 + self.below(4);
        let mut pairs = Pairs {
            form: self.form,
            line: &mut self.line,
        };
        pairs.number("task_id", task);
        pairs.number("thread_id", thread);
        pairs.close();
        self.written += self.line.len() as u64;
        self.out.write_all(&self.line)
    }
}

/// A record as it is written.
struct Pairs<'a> {
    form: Form,
    line: &'a mut Vec<u8>,
}

impl<'a> Pairs<'a> {
    fn new(form: Form, line: &'a mut Vec<u8>, now: u64, level: &str, message: &str) -> Self {
        line.clear();
        let (seconds, nanos) = (now / 1_000_000_000, now % 1_000_000_000);
        let time = jiff::Timestamp::new(seconds as i64, 0).expect("a time of our days");
        match form {
            Form::Text => write!(line, "[{time} {level:<5} server] {message}"),
            Form::Json => write!(
                line,
                "{{\"timestamp\":{},\"level\":\"{level}\",\"target\":\"server\",\"message\":\"{message}\"",
                seconds * 1000 + nanos / 1_000_000
            ),
        }
        .expect("memory takes all");
        Pairs { form, line }
    }

    fn text(&mut self, key: &str, value: &str) {
        match self.form {
            Form::Text => write!(self.line, ", {key}={value}"),
            Form::Json => write!(self.line, ",\"{key}\":\"{value}\""),
        }
        .expect("memory takes all");
    }

    fn number(&mut self, key: &str, value: u64) {
        match self.form {
            Form::Text => write!(self.line, ", {key}={value}"),
            Form::Json => write!(self.line, ",\"{key}\":{value}"),
        }
        .expect("memory takes all");
    }

    fn user(&mut self, user: Option<u64>) {
        if let Some(user) = user {
            self.number("user", user);
        }
    }

    fn seconds(&mut self, key: &str, nanos: u64) {
        let seconds = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
        self.text(key, &seconds);
    }

    fn close(&mut self) {
        let end: &[u8] = match self.form {
            Form::Text => b"\n",
            Form::Json => b"}\n",
        };
        self.line.extend_from_slice(end);
    }
}
