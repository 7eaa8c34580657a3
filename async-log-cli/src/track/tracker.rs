//! From records to spans.

use std::io;

use hashbrown::HashMap;

use super::closed::Closed;
use super::open::{Open, OpenSpans};
use super::select::Selection;
use super::sink::{End, Event, Process, Sink, Start};
use crate::read::{Batch, Kind, ProcessId, Record, Time, View};

/// What the marks of a log say that cannot be so, and what is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problems {
    /// Ends of spans whose start is not in the log.
    pub ends_without_start: u64,
    /// Ends of spans that had ended.
    pub second_ends: u64,
    /// Starts of spans that had started.
    pub second_starts: u64,
    /// Spans in a span that is not in the log, or had ended.
    pub unknown_parents: u64,
    /// Spans that have no id, and are nested by their task.
    pub without_id: u64,
    /// Starts that do not say when.
    pub without_time: u64,
}

/// Follows the spans of a log and tells a [`Sink`] of them.
#[derive(Debug)]
pub struct Tracker<S: Sink> {
    sink: S,
    selection: Selection,
    takes_all: bool,
    join_tasks: bool,
    processes: Vec<Followed<S::Kept>>,
    current: usize,
    /// Every record so far names its process: several may be writing at once.
    all_named: bool,
    problems: Problems,
    records: u64,
    marks: u64,
    taken: Taken,
}

/// What a selection took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// Spans that have ended, or were left open.
    pub spans: u64,
    /// Records that are neither start nor end; 0 where nobody asks for them.
    pub records: u64,
}

/// What is known of one process.
#[derive(Debug)]
struct Followed<K> {
    process: Process,
    open: OpenSpans<K>,
    closed: Closed,
    /// Of a log without ids: the open spans of each task, the innermost last, with their names.
    stacks: HashMap<Stack, Vec<Unnamed>>,
    next_id: u64,
    /// What to add to the time of the logger's clock.
    clock_offset: i64,
    /// There was a start or an end.
    is_seen: bool,
    /// The earliest time that it said.
    first: u64,
    /// Another process began after it, and the sink knows what it left open.
    is_over: bool,
}

/// The first id of spans that have none in the log. Ids are counted from 1, so nobody is near.
const INVENTED: u64 = 1 << 63 | 0x5dee_ce66 << 32;

/// An open span without an id: the one that it was given, and its name.
type Unnamed = (u64, Box<[u8]>);

/// Where spans without ids nest: a task, or a thread where there is none.
type Stack = (u64, u64);

impl<K> Followed<K> {
    fn new(index: usize, id: Option<ProcessId>) -> Self {
        Followed {
            process: Process { index, id, last: 0 },
            open: OpenSpans::default(),
            closed: Closed::default(),
            stacks: HashMap::new(),
            next_id: INVENTED,
            clock_offset: 0,
            is_seen: false,
            first: u64::MAX,
            is_over: false,
        }
    }

    /// A start or an end says that time.
    fn see(&mut self, at: u64) {
        self.is_seen = true;
        // An end may be all that was said, and then it does not say when.
        if at > 0 {
            self.first = self.first.min(at);
        }
        self.process.last = self.process.last.max(at);
    }
}

impl<S: Sink> Tracker<S> {
    /// A tracker that tells `sink` of all that `selection` takes.
    pub fn new(sink: S, selection: Selection) -> Self {
        Tracker {
            sink,
            takes_all: selection.is_all(),
            selection,
            join_tasks: false,
            processes: vec![Followed::new(0, None)],
            current: 0,
            all_named: true,
            problems: Problems::default(),
            records: 0,
            marks: 0,
            taken: Taken::default(),
        }
    }

    /// Counts the time of a task for the span that spawned it.
    pub fn join_tasks(mut self, join: bool) -> Self {
        self.join_tasks = join;
        self
    }

    /// How many records there were, and how many starts and ends among them.
    pub fn counts(&self) -> (u64, u64) {
        (self.records, self.marks)
    }

    /// What the selection took.
    pub fn taken(&self) -> Taken {
        self.taken
    }

    /// What it tells.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// What was wrong.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// What the sink has become.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Takes the records of a batch, in the order of the log.
    pub fn take(&mut self, batch: &Batch) -> io::Result<()> {
        self.records += batch.records.len() as u64;
        let wants_events = self.sink.wants_events();
        if wants_events {
            self.set_clock(batch);
        }
        for (index, record) in batch.records.iter().enumerate() {
            self.follow(record)?;
            let view = View { batch, record };
            match record.kind {
                Kind::Start => self.start(view)?,
                Kind::End => self.end(view)?,
                Kind::Event if wants_events => self.event(view, &batch.records[index + 1..])?,
                Kind::Event => {}
            }
        }
        self.sink.pause()
    }

    /// Finds out how far the logger's clock is from that of the spans, by a start that says both.
    fn set_clock(&mut self, batch: &Batch) {
        let mut starts = batch.records.iter().filter(|record| record.at.is_some());
        let Some(record) = starts.next() else {
            return;
        };
        let view = View { batch, record };
        if let (Some(time), Some(at)) = (view.time(), record.at) {
            self.processes[self.current].clock_offset = clock_offset(time, at);
        }
    }

    /// The log is over.
    pub fn finish(&mut self) -> io::Result<()> {
        for index in 0..self.processes.len() {
            self.leave(index)?;
        }
        self.sink.finish()
    }

    fn leave(&mut self, index: usize) -> io::Result<()> {
        let followed = &mut self.processes[index];
        let mut open = std::mem::take(&mut followed.open);
        followed.stacks.clear();
        if !followed.is_seen || std::mem::replace(&mut followed.is_over, true) {
            return Ok(());
        }
        let last = followed.process.last;
        for (_, span) in open.iter_mut() {
            let duration = last.saturating_sub(span.start);
            span.selected &= self.takes_all || self.selection.takes_end(last, duration);
            self.taken.spans += u64::from(span.selected);
        }
        self.sink.left_open(followed.process, open)
    }

    /// Finds the process that a record is of.
    fn follow(&mut self, record: &Record) -> io::Result<()> {
        let Some(id) = record.process else {
            self.all_named = false;
            return Ok(());
        };
        if self.processes[self.current].process.id == Some(id) {
            return Ok(());
        }
        self.change_process(id)
    }

    #[cold]
    fn change_process(&mut self, id: ProcessId) -> io::Result<()> {
        // A log that was cut at the front has no name for its first process, which was there then.
        let current = &mut self.processes[self.current];
        if current.process.id.is_none() && id.start <= current.first {
            current.process.id = Some(id);
            return Ok(());
        }
        // Where a process is only named when it starts a root span, the one before is over.
        if !self.all_named {
            self.leave(self.current)?;
        }
        let known = self
            .processes
            .iter()
            .position(|of| of.process.id == Some(id));
        self.current = known.unwrap_or(self.processes.len());
        match known {
            Some(known) => self.processes[known].is_over = false,
            None => self.processes.push(Followed::new(self.current, Some(id))),
        }
        Ok(())
    }

    fn start(&mut self, view: View<'_>) -> io::Result<()> {
        self.marks += 1;
        let record = view.record;
        let followed = &mut self.processes[self.current];
        let at = match record.at {
            Some(at) => at,
            None => {
                self.problems.without_time += 1;
                followed.time_of(view)
            }
        };
        let (id, parent) = match record.span_id {
            0 => {
                self.problems.without_id += 1;
                followed.push_unnamed(view)
            }
            id => (id, record.span_parent),
        };
        if followed.open.get(id).is_some() || followed.closed.contains(id) {
            self.problems.second_starts += 1;
            return Ok(());
        }
        let joined = record.task_parent_id.is_none() || self.join_tasks;
        let mut inside = false;
        if parent != 0 {
            match followed.open.get_mut(parent) {
                Some(parent) => {
                    inside = parent.selected;
                    if joined {
                        parent.enter(at);
                    }
                }
                None if followed.closed.contains(parent) => {}
                None => self.problems.unknown_parents += 1,
            }
        }
        if self.marks == 1 {
            self.selection.settle(at);
        }
        followed.see(at);
        let selected = self.takes_all || self.selection.takes_start(view, at, inside);
        let start = Start {
            process: followed.process,
            id,
            parent,
            at,
            joined,
            selected,
            early: self.selection.is_early(at),
            view,
        };
        let kept = self.sink.start(start, &mut followed.open)?;
        let span = Open {
            parent,
            task_id: record.task_id,
            thread_id: record.thread_id,
            task_parent_id: record.task_parent_id,
            joined,
            selected,
            ..Open::new(kept, at)
        };
        followed.open.insert(id, span);
        Ok(())
    }

    fn end(&mut self, view: View<'_>) -> io::Result<()> {
        self.marks += 1;
        let record = view.record;
        let followed = &mut self.processes[self.current];
        let id = match record.span_id {
            0 => followed.pop_unnamed(view),
            id => id,
        };
        let span = followed.open.remove(id);
        if record.span_id != 0 && !followed.closed.insert(id) {
            self.problems.second_ends += 1;
            return Ok(());
        }
        let at = match (&span, record.elapsed) {
            (Some(span), Some(elapsed)) => span.start.saturating_add(elapsed),
            (None, Some(_)) => followed.process.last,
            (_, None) => followed.time_of(view),
        };
        let start = span.as_ref().map_or(at, |span| span.start);
        let duration = record.elapsed.unwrap_or(at.saturating_sub(start));
        followed.see(at);
        let selected = match &span {
            _ if self.takes_all => true,
            Some(span) => span.selected && self.selection.takes_end(at, duration),
            None => self.selection.takes_end_alone(view) && self.selection.takes_end(at, duration),
        };
        match &span {
            None => self.problems.ends_without_start += 1,
            Some(span) if span.parent != 0 && span.joined => {
                if let Some(parent) = followed.open.get_mut(span.parent) {
                    parent.leave(at);
                }
            }
            Some(_) => {}
        }
        self.taken.spans += u64::from(selected);
        let process = followed.process;
        let outcome = record.outcome;
        let end = End {
            process,
            id,
            span,
            at,
            duration,
            outcome,
            selected,
            view,
        };
        self.sink.end(end, &mut followed.open)
    }

    fn event(&mut self, view: View<'_>, next: &[Record]) -> io::Result<()> {
        let followed = &mut self.processes[self.current];
        let span = match view.record.span_id {
            0 => followed.innermost_unnamed(view.record),
            id => id,
        };
        let at = followed.event_time(view, span, next);
        let inside = followed.open.get(span).is_some_and(|span| span.selected);
        if !self.takes_all && !self.selection.takes_event(view, at, inside) {
            return Ok(());
        }
        self.taken.records += 1;
        let event = Event {
            process: followed.process,
            span,
            at,
            view,
        };
        self.sink.event(event, &mut followed.open)
    }
}

const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

/// What to add to a logger's time, which it wrote for something that happened at `at`. Zones are a
/// number of quarters of an hour; where the day is missing, so are days.
fn clock_offset(time: Time, at: u64) -> i64 {
    const QUARTER: i64 = 15 * 60 * 1_000_000_000;
    if time.has_date && time.has_zone {
        return 0;
    }
    let distance = i64::try_from(at)
        .unwrap_or(i64::MAX)
        .saturating_sub(time.nanos);
    let quarters = distance.saturating_add(QUARTER / 2).div_euclid(QUARTER);
    quarters.saturating_mul(QUARTER)
}

/// How far ahead of a record a mark is looked for that it cannot be behind.
const AHEAD: usize = 64;

impl<K> Followed<K> {
    /// The time of the logger's clock, on the axis of the spans.
    fn time_of(&mut self, view: View<'_>) -> u64 {
        let Some(time) = view.time() else {
            return self.process.last;
        };
        let written = |offset: i64| time.nanos.saturating_add(offset).max(0).unsigned_abs();
        // Where the day is not written, midnight is where the clock runs backwards.
        if !time.has_date && written(self.clock_offset).saturating_add(DAY / 2) < self.process.last
        {
            self.clock_offset = self.clock_offset.saturating_add(DAY as i64);
        }
        written(self.clock_offset)
    }

    /// The time of a record that is no mark: what its logger says, but not before what its span said
    /// before it, nor behind what its task says next.
    fn event_time(&mut self, view: View<'_>, span: u64, next: &[Record]) -> u64 {
        let after = self.open.get(span).map_or(0, |span| span.last);
        let mut at = self.time_of(view).max(after);
        // What any span said before is nearer than a time that was cut to seconds.
        if view.time().is_none_or(|time| time.resolution > 1_000_000) {
            at = at.max(self.process.last);
        }
        let is_next = |next: &&Record| {
            next.kind != Kind::Event
                && next.task_id == view.record.task_id
                && next.process.is_none_or(|of| self.process.id == Some(of))
        };
        let next = next.iter().take(AHEAD).find(is_next);
        let before = next.and_then(|next| match next.at {
            Some(at) => Some(at),
            None => {
                let start = self.open.get(next.span_id)?.start;
                Some(start.saturating_add(next.elapsed?))
            }
        });
        // Other threads may be in that task, and their lines late: the span itself counts more.
        before.map_or(at, |before| at.min(before)).max(after)
    }

    fn stack(record: &Record) -> Stack {
        match record.task_id {
            0 => (0, record.thread_id),
            task => (task, 0),
        }
    }

    /// Opens a span without an id; gives one, and the span around it.
    fn push_unnamed(&mut self, view: View<'_>) -> (u64, u64) {
        let id = self.next_id;
        self.next_id += 1;
        let stack = self.stacks.entry(Self::stack(view.record)).or_default();
        let parent = stack.last().map_or(0, |(id, _)| *id);
        stack.push((id, view.raw_message().into()));
        (id, parent)
    }

    /// Closes the innermost span of that name, and gives its id, 0 if there is none.
    fn pop_unnamed(&mut self, view: View<'_>) -> u64 {
        let Some(stack) = self.stacks.get_mut(&Self::stack(view.record)) else {
            return 0;
        };
        let name = view.raw_message();
        let Some(at) = stack.iter().rposition(|(_, of)| **of == *name) else {
            return 0;
        };
        let id = stack[at].0;
        stack.truncate(at);
        if stack.is_empty() {
            self.stacks.remove(&Self::stack(view.record));
        }
        id
    }

    fn innermost_unnamed(&self, record: &Record) -> u64 {
        let stack = self.stacks.get(&Self::stack(record));
        stack
            .and_then(|stack| stack.last())
            .map_or(0, |(id, _)| *id)
    }
}
