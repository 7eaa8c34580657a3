//! The log of a program, as it would be if the library wrote spans when they have ended, or some time
//! later, or not at all: `AtEnd`, `Tail` and `None` of `docs/format.md`, section 12.

use std::collections::HashMap;

/// When spans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    AtEnd,
    /// A trace is written once it has so many records, and one in so many, if not all, never.
    Tail {
        after: usize,
        drop_one_in: u64,
    },
    None,
}

type Pairs = Vec<(String, String)>;

/// A record in the text form: its text before the pairs, and the pairs as written.
#[derive(Clone, Debug)]
struct Line {
    head: String,
    pairs: Pairs,
}

impl Line {
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.pairs.iter().rfind(|(of, _)| of == key);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, key: &str) -> u64 {
        self.get(key).map_or(0, |digits| digits.parse().expect(key))
    }

    fn set(&mut self, key: &str, value: &str) {
        match self.pairs.iter_mut().rfind(|(of, _)| of == key) {
            Some((_, old)) => *old = value.to_owned(),
            None => {
                let behind = self.pairs.len().saturating_sub(2);
                self.pairs
                    .insert(behind, (key.to_owned(), value.to_owned()));
            }
        }
    }

    fn write(&self, log: &mut String) {
        log.push_str(&self.head);
        for (key, value) in &self.pairs {
            log.push_str(&format!(", {key}={value}"));
        }
        log.push('\n');
    }
}

/// The pairs that all of `text` is.
fn pairs(mut text: &str) -> Option<Pairs> {
    let mut pairs = Pairs::new();
    while !text.is_empty() {
        let pair = text.strip_prefix(", ")?;
        let (key, rest) = pair.split_once('=')?;
        let is_key = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        if key.is_empty() || !key.chars().all(is_key) {
            return None;
        }
        let len = match rest.strip_prefix('"') {
            Some(string) => 1 + string_len(string)?,
            None => rest.find(", ").unwrap_or(rest.len()),
        };
        let (value, rest) = rest.split_at(len);
        if !value.starts_with('"') && value.contains(['"', '=', '\\', '\t']) {
            return None;
        }
        pairs.push((key.to_owned(), value.to_owned()));
        text = rest;
    }
    Some(pairs)
}

/// How long a string is behind its first quote, with the `…` of one that was cut.
fn string_len(string: &str) -> Option<usize> {
    let mut chars = string.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => {
                let end = at + 1;
                let is_cut = string[end..].starts_with('…');
                return Some(if is_cut { end + '…'.len_utf8() } else { end });
            }
            _ => {}
        }
    }
    None
}

fn lines(log: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut before = String::new();
    for line in log.lines() {
        let commas = line.match_indices(", ").map(|(at, _)| at);
        let found = commas
            .filter_map(|at| Some((at, pairs(&line[at..])?)))
            .next();
        match found.filter(|(_, pairs)| {
            pairs
                .iter()
                .rev()
                .nth(1)
                .is_some_and(|(key, _)| key == "task_id")
        }) {
            Some((at, pairs)) => {
                let head = std::mem::take(&mut before) + &line[..at];
                lines.push(Line { head, pairs });
            }
            None => before += &format!("{line}\n"),
        }
    }
    lines
}

/// A trace that is not decided yet.
#[derive(Default)]
struct Trace {
    records: usize,
    is_written: bool,
    ended: Vec<Line>,
    open: Vec<u64>,
}

struct Writer {
    mode: Mode,
    log: String,
    starts: HashMap<u64, Line>,
    roots: HashMap<u64, u64>,
    traces: HashMap<u64, Trace>,
}

/// The log in that mode. It begins with the name of its process.
pub fn convert(log: &str, mode: Mode) -> String {
    let mut writer = Writer {
        mode,
        log: String::new(),
        starts: HashMap::new(),
        roots: HashMap::new(),
        traces: HashMap::new(),
    };
    let mut lines = lines(log);
    let process = lines.iter().find_map(|line| line.get("process_id"));
    let process = process.map(str::to_owned);
    if let (Some(first), Some(process)) = (lines.first_mut(), process) {
        first.set("process_id", &process);
    }
    for line in lines {
        match line.get("span_mark") {
            Some("start") => writer.start(line),
            Some("end") => writer.end(line),
            _ => writer.event(line),
        }
    }
    let mut undecided: Vec<_> = writer.traces.keys().copied().collect();
    undecided.sort_unstable();
    for root in undecided {
        writer.decide(root);
    }
    writer.log
}

/// Where the records of spans are in a log.
#[allow(dead_code, reason = "not all suites that have this file ask")]
#[derive(Debug, Default)]
pub struct SpanLines(HashMap<u64, SpanLine>);

#[derive(Debug)]
struct SpanLine {
    parent: u64,
    first: usize,
    last: usize,
}

#[allow(dead_code, reason = "not all suites that have this file ask")]
impl SpanLines {
    pub fn of(log: &str) -> Self {
        let mut found = HashMap::new();
        for (index, line) in lines(log).into_iter().enumerate() {
            if line.get("span_mark").is_some() {
                let new = || SpanLine {
                    parent: line.number("span_parent"),
                    first: index,
                    last: index,
                };
                let span = found.entry(line.number("span_id"));
                span.or_insert_with(new).last = index;
            }
        }
        SpanLines(found)
    }

    /// Whether the first and the last record of a child are in the log by the time that its parent has ended
    /// and all that is around has begun.
    pub fn are_in_time(&self, parent: u64, child: u64) -> (bool, bool) {
        let end = self.0.get(&parent).map_or(0, |span| span.last);
        let end = end.max(self.known(parent));
        let child = &self.0[&child];
        (child.first < end, child.last < end)
    }

    /// Where the log says in what a span is.
    fn known(&self, id: u64) -> usize {
        let span = self.0.get(&id);
        span.map_or(0, |span| span.first.max(self.known(span.parent)))
    }
}

impl Writer {
    fn start(&mut self, mut line: Line) {
        let (id, parent) = (line.number("span_id"), line.number("span_parent"));
        let root = self.roots.get(&parent).copied().unwrap_or(id);
        self.roots.insert(id, root);
        if root != id {
            line.set("span_root", &root.to_string());
        }
        self.starts.insert(id, line.clone());
        let trace = self.traces.entry(root).or_default();
        trace.open.push(id);
        if trace.is_written {
            line.write(&mut self.log);
        }
        self.count(root);
    }

    fn end(&mut self, line: Line) {
        let id = line.number("span_id");
        let root = self.roots[&id];
        let whole = self.whole(&line);
        let trace = self.traces.entry(root).or_default();
        trace.open.retain(|open| *open != id);
        match self.mode {
            Mode::AtEnd => whole.write(&mut self.log),
            Mode::Tail { .. } if trace.is_written => line.write(&mut self.log),
            Mode::Tail { .. } => trace.ended.push(whole),
            Mode::None => {}
        }
        self.count(root);
    }

    /// A start and its end in one.
    fn whole(&self, end: &Line) -> Line {
        let mut whole = self.starts[&end.number("span_id")].clone();
        whole.set("span_mark", "whole");
        for key in [
            "span_elapsed",
            "span_busy",
            "span_polls",
            "span_poll_max",
            "span_outcome",
        ] {
            if let Some(value) = end.get(key) {
                whole.set(key, value);
            }
        }
        whole.set(
            "thread_id",
            end.get("thread_id").expect("it is on every record"),
        );
        whole
    }

    fn event(&mut self, mut line: Line) {
        let id = line.number("span_id");
        let root = self.roots.get(&id).copied().unwrap_or(0);
        if root != id {
            line.set("span_root", &root.to_string());
        }
        line.write(&mut self.log);
        if root != 0 {
            self.count(root);
        }
    }

    fn count(&mut self, root: u64) {
        let trace = self.traces.entry(root).or_default();
        trace.records += 1;
        if matches!(self.mode, Mode::Tail { after, .. } if trace.records == after) {
            self.decide(root);
        }
    }

    /// Writes what is kept of a trace: the spans that have ended, in the order in which they did, and
    /// the starts of those that have not.
    fn decide(&mut self, root: u64) {
        let Mode::Tail { drop_one_in, .. } = self.mode else {
            return;
        };
        let Some(trace) = self.traces.get_mut(&root).filter(|trace| !trace.is_written) else {
            return;
        };
        if drop_one_in > 0 && root % drop_one_in == 0 {
            return;
        }
        trace.is_written = true;
        let starts = trace.open.iter().map(|id| self.starts[id].clone());
        let lines: Vec<_> = std::mem::take(&mut trace.ended)
            .into_iter()
            .chain(starts)
            .collect();
        for mut line in lines {
            if line.number("span_id") == root {
                line.set("trace_kept", if root % 5 == 0 { "failed" } else { "slow" });
            }
            line.write(&mut self.log);
        }
    }
}
