//! `failed`: what failed, in groups that are alike, and the newest of each whole.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::rc::Rc;

use hashbrown::HashMap;
use serde::Serialize;

use super::fields::Fields;
use super::json::{Id, Moment, process_id};
use super::number::{self, count, moment};
use super::state::State;
use super::terminal::{BOLD, DIM, Line, Look, PLAIN, TASK, level_style};
use super::timing::Timing;
use super::tree::Node;
use super::whole::{Manner, Whole, task_text};
use crate::collect::{self, Choice, Collector, Item, Taker, Trace, What, collects};
use crate::printable::shortened;
use crate::read::{Kind, Level, Outcome, View};
use crate::track::{Event, Outcomes, Selection, fold};

/// What counts as failed, and how it is shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What it looks like.
    pub look: Look,
    /// How spans end that have failed; records of level error count with those of `error`.
    pub outcomes: Outcomes,
    /// In which traces.
    pub selection: Selection,
    /// How many rows there are right inside of a span; 0 for all.
    pub limit: usize,
    /// A line of JSON for each group.
    pub json: bool,
}

impl Default for Options {
    fn default() -> Self {
        let errors = Outcomes::default().and(Some(Outcome::Error));
        Options {
            look: Look::default(),
            outcomes: errors.and(Some(Outcome::Panicked)),
            selection: Selection::default(),
            limit: 20,
            json: false,
        }
    }
}

/// Shows what failed.
#[derive(Debug)]
pub struct Failed<W> {
    collector: Collector<Failures<W>>,
}

impl<W: Write> Failed<W> {
    /// Writes to `out` when the log is over.
    pub fn new(options: Options, out: W) -> Self {
        let choice = Choice::new(options.selection.clone());
        let failures = Failures {
            options,
            out,
            groups: HashMap::new(),
            others: 0,
            traces: 0,
            failed: 0,
            several_processes: false,
        };
        Failed {
            collector: Collector::new(failures, choice, true),
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.collector.taker.out
    }

    /// How many traces there were, and how many of them failed.
    pub fn counts(&self) -> (u64, u64) {
        (self.collector.taker.traces, self.collector.taker.failed)
    }

    /// How many groups of failures there are.
    pub fn groups(&self) -> usize {
        self.collector.taker.groups.len()
    }

    /// Which traces it was about.
    pub fn selection(&self) -> &Selection {
        self.collector.choice().selection()
    }

    /// The number of the task of the newest failure of the largest group.
    pub fn task(&self) -> Option<u64> {
        let groups = self.collector.taker.sorted();
        let (_, group) = groups.first()?;
        group.tasks.last().copied()
    }
}

collects!(Failed);

/// How many groups are kept apart.
const MOST: usize = 200;

/// How many bytes the newest trace of one has.
const ROOM: usize = 32 << 10;

/// How many tasks of a group are named.
const TASKS: usize = 5;

/// What failures of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    /// The span that failed; none outside of spans.
    name: Option<String>,
    /// How it ended; none of a record of level error in a span that did not fail.
    outcome: Option<&'static str>,
    message: Option<String>,
}

#[derive(Debug)]
struct Group {
    count: u64,
    /// The message of the newest, as it was.
    message: Option<String>,
    path: Vec<String>,
    first: u64,
    last: u64,
    /// The tasks of the newest, the newest last.
    tasks: Vec<u64>,
    newest: Option<Rc<Trace>>,
    state: Option<State>,
}

/// A failure in a trace.
struct Failure {
    /// The item that it is: a span, or a record.
    at: usize,
    /// The record that says why.
    message: Option<usize>,
}

#[derive(Debug)]
struct Failures<W> {
    options: Options,
    out: W,
    groups: HashMap<Key, Group>,
    /// Failures in more groups than there is room for.
    others: u64,
    traces: u64,
    failed: u64,
    several_processes: bool,
}

/// Where a failure lies in its trace.
fn failures(trace: &Trace, outcomes: Outcomes) -> Vec<Failure> {
    let items = &trace.items;
    let is_failed = |item: &Item| match item.what {
        What::Span(state) => outcomes.takes(state.outcome()),
        What::Record(_) => false,
    };
    // Of each span: the innermost that failed, it or one inside, which began first.
    let mut origin: Vec<Option<usize>> = vec![None; items.len()];
    let mut is_origin = vec![false; items.len()];
    for at in (0..items.len()).rev() {
        if origin[at].is_none() && is_failed(&items[at]) {
            origin[at] = Some(at);
            is_origin[at] = true;
        }
        if let Some(around) = trace.position(items[at].around) {
            origin[around] = origin[at].or(origin[around]);
        }
    }
    let mut failures: Vec<_> = (0..items.len())
        .filter(|&at| is_origin[at])
        .map(|at| Failure { at, message: None })
        .collect();
    for (at, item) in items.iter().enumerate() {
        if item.what != What::Record(Some(Level::Error)) {
            continue;
        }
        let of = reported(trace, at, &origin, &is_failed);
        match failures.iter_mut().find(|failure| Some(failure.at) == of) {
            Some(failure) => failure.hear(trace, at),
            None => failures.push(Failure {
                at,
                message: Some(at),
            }),
        }
    }
    failures.sort_by_key(|failure| failure.at);
    failures
}

/// The span that failed that a record of level error tells of: the nearest one around it, or one in the
/// span that it is in that had ended.
fn reported(
    trace: &Trace,
    record: usize,
    origin: &[Option<usize>],
    is_failed: &impl Fn(&Item) -> bool,
) -> Option<usize> {
    let mut around = trace.position(trace.items[record].around);
    while let Some(at) = around {
        let ended = origin[at].filter(|&origin| {
            let end = trace.items[origin].end();
            is_failed(&trace.items[at]) || end <= trace.items[record].at
        });
        if ended.is_some() {
            return ended;
        }
        around = trace.position(trace.items[at].around);
    }
    None
}

fn is_inside(trace: &Trace, at: usize, span: usize) -> bool {
    let mut next = Some(at);
    while let Some(at) = next {
        if at == span {
            return true;
        }
        next = trace.position(trace.items[at].around);
    }
    false
}

/// What a record says, with the error that it has as a field.
fn said(message: &str, fields: &Fields) -> String {
    let mut error = fields
        .iter()
        .filter(|(key, _)| matches!(*key, "err" | "error"));
    match error.next() {
        Some((_, error)) if message.is_empty() => error.to_owned(),
        Some((_, error)) if !message.contains(error) => format!("{message}: {error}"),
        _ => message.to_owned(),
    }
}

fn folded(text: &str) -> String {
    let mut folded = Vec::new();
    fold(text.as_bytes(), &mut folded);
    String::from_utf8_lossy(&folded).into_owned()
}

impl Failure {
    /// A record tells of it. What it said itself is nearer than what was said of it.
    fn hear(&mut self, trace: &Trace, record: usize) {
        let is_own = |of: usize| is_inside(trace, of, self.at);
        if is_own(record) || !self.message.is_some_and(is_own) {
            self.message = Some(record);
        }
    }

    fn key(&self, trace: &Trace) -> (Key, Option<String>) {
        let item = &trace.items[self.at];
        let own = said("", &Fields::of(&trace.pairs(item)));
        let message = match self.message {
            Some(at) => {
                let record = &trace.items[at];
                Some(said(&trace.name(record), &Fields::of(&trace.pairs(record))))
            }
            None => (!own.is_empty()).then_some(own),
        };
        let span = match item.is_span() {
            true => Some(self.at),
            false => trace.position(item.around),
        };
        let key = Key {
            name: span.map(|at| trace.folded_name(&trace.items[at])),
            outcome: match item.what {
                What::Span(state) => Some(State::from(state).word()),
                What::Record(_) => None,
            },
            message: message.as_deref().map(folded),
        };
        (key, message)
    }

    fn path(&self, trace: &Trace) -> Vec<String> {
        let mut path = Vec::new();
        let mut next = Some(self.at);
        while let Some(at) = next {
            let item = &trace.items[at];
            if item.is_span() {
                path.push(trace.name(item).into_owned());
            }
            next = trace.position(item.around);
        }
        path.reverse();
        path
    }
}

impl<W: Write> Failures<W> {
    fn group(&mut self, key: Key) -> Option<&mut Group> {
        if self.groups.len() >= MOST && !self.groups.contains_key(&key) {
            self.others += 1;
            return None;
        }
        Some(self.groups.entry(key).or_insert_with(|| Group {
            count: 0,
            message: None,
            path: Vec::new(),
            first: u64::MAX,
            last: 0,
            tasks: Vec::new(),
            newest: None,
            state: None,
        }))
    }

    /// The largest group first, of equal ones the newest.
    fn sorted(&self) -> Vec<(&Key, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(key, group)| (Reverse((group.count, group.last)), (*key).clone()));
        groups
    }

    fn write(&mut self, key: &Key, group: &Group) -> io::Result<()> {
        let look = self.options.look;
        let mut line = Line::default();
        line.push(BOLD, &format!("{} × ", count(group.count)));
        if let Some(name) = &key.name {
            line.push(BOLD, &format!("{name}  "));
        }
        match group.state {
            Some(state) => line.push(state.style(), state.word()),
            None => line.push(level_style(Level::Error), "ERROR"),
        }
        if let Some(message) = &group.message {
            line.push(PLAIN, &format!(": {message}"));
        }
        line.write(look, &mut self.out)?;
        self.write_where(group, &mut line)?;
        let Some(newest) = &group.newest else {
            return Ok(());
        };
        let manner = Manner {
            look,
            timing: false,
            fold: true,
            limit: self.options.limit,
            only_marked: true,
            found: None,
        };
        Whole::new(&manner, newest, &Timing::new(newest), &mut self.out).draw()
    }

    /// In which spans, when, and in which tasks the failures of a group were.
    fn write_where(&mut self, group: &Group, line: &mut Line) -> io::Result<()> {
        let look = self.options.look;
        if group.path.len() > 1 {
            line.push(DIM, "    in ");
            line.push(PLAIN, &group.path.join(" › "));
            line.write(look, &mut self.out)?;
        }
        if group.count > 1 {
            let at = |at| moment(at, number::Moment::Whole);
            let times = format!("    from {} to {} UTC", at(group.first), at(group.last));
            line.push(DIM, &times);
            let tasks: Vec<_> = group.tasks.iter().rev().map(u64::to_string).collect();
            if !tasks.is_empty() {
                let word = if tasks.len() == 1 { "task" } else { "tasks" };
                line.push(TASK, &format!("  {word} {}", tasks.join(", ")));
            }
            line.write(look, &mut self.out)?;
        }
        line.push(DIM, "    the newest:");
        let process = group.newest.as_ref().and_then(|newest| newest.process.id);
        if let Some(id) = process.filter(|_| self.several_processes) {
            line.push(DIM, &format!("  process {}", id.pid));
        }
        let task = group.tasks.last().copied().unwrap_or(0);
        line.push(TASK, &task_text(task));
        let at = moment(group.last, number::Moment::Whole);
        line.push(PLAIN, &format!("  {at} UTC"));
        if group.newest.is_none() {
            line.push(DIM, "  in no span");
        }
        line.write(look, &mut self.out)
    }

    fn write_json(&mut self, key: &Key, group: &Group) -> io::Result<()> {
        let newest = group.newest.as_deref();
        let json = Json {
            count: group.count,
            name: key.name.as_deref(),
            outcome: key.outcome,
            message: group.message.as_deref(),
            path: &group.path,
            first_time: Moment(group.first),
            last_time: Moment(group.last),
            tasks: group.tasks.iter().rev().map(|id| Id(*id)).collect(),
            process_id: newest.and_then(|newest| process_id(newest.process)),
            newest: newest.map(|newest| Node::of(newest, self.options.limit)),
        };
        let mut text = serde_json::to_vec(&json)?;
        text.push(b'\n');
        self.out.write_all(&text)
    }
}

/// A line of JSON.
#[derive(Serialize)]
struct Json<'a> {
    count: u64,
    name: Option<&'a str>,
    outcome: Option<&'a str>,
    message: Option<&'a str>,
    path: &'a [String],
    first_time: Moment,
    last_time: Moment,
    tasks: Vec<Id>,
    process_id: Option<String>,
    newest: Option<Node>,
}

impl Group {
    fn add(&mut self, at: u64, task: u64, message: Option<String>) {
        self.count += 1;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        self.message = message;
        self.tasks.retain(|of| *of != task);
        self.tasks.push(task);
        if self.tasks.len() > TASKS {
            self.tasks.remove(0);
        }
    }
}

impl<W: Write> Taker for Failures<W> {
    fn marks(&mut self, view: View<'_>, what: What) -> bool {
        match what {
            What::Record(level) => {
                level == Some(Level::Error) && self.options.outcomes.takes(Some(Outcome::Error))
            }
            What::Span(collect::State::Ended(outcome)) => {
                view.record.kind != Kind::Event && self.options.outcomes.takes(Some(outcome))
            }
            What::Span(_) => false,
        }
    }

    fn trace(&mut self, trace: &mut Trace) -> io::Result<()> {
        self.traces += 1;
        self.several_processes |= trace.process.index > 0;
        let unfinished = self.options.outcomes.takes(None);
        if !trace.is_marked && !unfinished {
            return Ok(());
        }
        let mut failures = failures(trace, self.options.outcomes);
        if !self.options.outcomes.takes(Some(Outcome::Error)) {
            failures.retain(|failure| trace.items[failure.at].is_span());
        }
        if failures.is_empty() {
            return Ok(());
        }
        self.failed += 1;
        for failure in &failures {
            trace.items[failure.at].is_marked = true;
        }
        let keys: Vec<_> = failures
            .iter()
            .map(|failure| {
                let item = trace.items[failure.at];
                (failure.key(trace), failure.path(trace), item)
            })
            .collect();
        // What is left out changes the positions of all behind it.
        trace.compact(ROOM);
        let trace = Rc::new(trace.take());
        for ((key, message), path, item) in keys {
            let Some(group) = self.group(key) else {
                continue;
            };
            group.add(item.end(), item.task_id, message);
            group.path = path;
            group.state = match item.what {
                What::Span(state) => Some(state.into()),
                What::Record(_) => None,
            };
            group.newest = Some(Rc::clone(&trace));
        }
        Ok(())
    }

    fn outside(&mut self, event: &Event<'_>, _: bool) -> io::Result<()> {
        let level = event.view.level();
        if level != Some(Level::Error) || !self.options.outcomes.takes(Some(Outcome::Error)) {
            return Ok(());
        }
        let message = said(&event.view.message(), &Fields::new(event.view));
        let message = shortened(&message).into_owned();
        let key = Key {
            name: None,
            outcome: None,
            message: Some(folded(&message)),
        };
        let task = event.view.record.task_id;
        if let Some(group) = self.group(key) {
            group.add(event.at, task, Some(message));
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let groups = std::mem::take(&mut self.groups);
        let mut sorted: Vec<_> = groups.iter().collect();
        sorted.sort_by_key(|(key, group)| (Reverse((group.count, group.last)), (*key).clone()));
        for (key, group) in &sorted {
            match self.options.json {
                true => self.write_json(key, group)?,
                false => {
                    self.write(key, group)?;
                    Line::default().write(self.options.look, &mut self.out)?;
                }
            }
        }
        if !self.options.json && !sorted.is_empty() {
            let mut line = Line::default();
            let kinds = match sorted.len() {
                1 => "1 kind of failure".to_owned(),
                kinds => format!("{} kinds of failures", count(kinds as u64)),
            };
            let (failed, traces) = (count(self.failed), count(self.traces));
            line.push(DIM, &format!("{kinds} in {failed} of {traces} traces"));
            if self.others > 0 {
                let others = count(self.others);
                line.push(DIM, &format!("; {others} more failures of other kinds"));
            }
            line.write(self.options.look, &mut self.out)?;
        }
        self.groups = groups;
        self.out.flush()
    }
}
