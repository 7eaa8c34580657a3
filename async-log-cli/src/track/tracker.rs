//! From records to spans.

use std::io;

use hashbrown::HashMap;

use super::ahead::{Ahead, Late, Next};
use super::clock::{self, Mark};
use super::closed::Closed;
use super::open::{Open, OpenSpans, Tail};
use super::select::Selection;
use super::sink::{End, Event, Process, Sink, Start};
use crate::read::{Batch, Kind, ProcessId, Record, View};

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
    /// Starts that came behind a record that they are before, and were put in their place.
    pub late_starts: u64,
    /// Ends of a span that has another name: of a process that writes at the same time.
    pub other_names: u64,
    /// How often a process went on that was over, as another one had begun.
    pub interleaved: u64,
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
    /// The processes of those who wrote, by what is in front of their lines.
    writers: HashMap<u32, usize>,
    writer: u32,
    /// Every record so far names its process: several may be writing at once.
    all_named: bool,
    late: Late,
    /// The place in the log of the record that is taken.
    place: u64,
    problems: Problems,
    records: u64,
    marks: u64,
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
    /// What the logger's clock said at the last start or end that says when it was.
    mark: Option<Mark>,
    /// Its times say all, as far as they were looked at.
    is_absolute: bool,
    /// There was a start or an end.
    is_seen: bool,
    /// The earliest time that it said.
    first: u64,
    /// Another process began after it, and the sink knows what it left open.
    is_over: bool,
}

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
            next_id: 1 << 63,
            mark: None,
            is_absolute: true,
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
            writers: HashMap::new(),
            writer: 0,
            all_named: true,
            late: Late::default(),
            place: 0,
            problems: Problems::default(),
            records: 0,
            marks: 0,
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
        self.take_before(batch, &[])
    }

    /// The same, where more batches are at hand: a start may be in one of those.
    pub fn take_before(&mut self, batch: &Batch, more: &[Batch]) -> io::Result<()> {
        let before = self.records;
        self.records += batch.records.len() as u64;
        let ahead = Ahead {
            batch,
            more,
            before,
        };
        for (index, record) in batch.records.iter().enumerate() {
            self.place = before + index as u64;
            if self.late.is_taken(self.place) {
                continue;
            }
            let view = View { batch, record };
            self.follow(view)?;
            match record.kind {
                Kind::Start => self.start(view, ahead)?,
                Kind::End => self.end(view, ahead)?,
                Kind::Event if self.sink.wants_events() => self.event(view, ahead)?,
                Kind::Event => {}
            }
        }
        self.sink.pause()
    }

    /// Takes the start of a span that is not open before its turn, if it comes soon and began no later
    /// than `at`.
    #[cold]
    fn take_late(&mut self, id: u64, at: Option<u64>, ahead: Ahead<'_>) -> io::Result<()> {
        let current = &mut self.processes[self.current];
        let process = current.process.id;
        let found = self
            .late
            .find(ahead, self.place, (id, self.writer), process);
        let Some((place, view)) = found else {
            return Ok(());
        };
        let record = view.record;
        if record.at > at.or(record.at) {
            return Ok(());
        }
        if let (Some(id), None) = (record.process, process) {
            // As for a log that was cut at the front.
            if Some(id.start) > record.at || id.start > current.first {
                return Ok(());
            }
            current.process.id = Some(id);
        }
        self.late.take(place);
        self.problems.late_starts += 1;
        let here = std::mem::replace(&mut self.place, place);
        let taken = self.start(view, ahead);
        self.place = here;
        taken
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
        }
        self.sink.left_open(followed.process, open)
    }

    /// Finds the process that a record is of.
    fn follow(&mut self, view: View<'_>) -> io::Result<()> {
        let writer = view.writer();
        if writer != self.writer {
            self.change_writer(writer);
        }
        let Some(id) = view.record.process else {
            self.all_named = false;
            return Ok(());
        };
        if self.processes[self.current].process.id != Some(id) {
            self.change_process(id)?;
        }
        if writer != 0 {
            self.writers.insert(writer, self.current);
        }
        Ok(())
    }

    #[cold]
    fn change_writer(&mut self, writer: u32) {
        self.writer = writer;
        if let Some(known) = self.writers.get(&writer) {
            self.current = *known;
        } else if self.writers.len() > 1 {
            // It began before this log did.
            self.current = self.processes.len();
            self.processes.push(Followed::new(self.current, None));
            self.writers.insert(writer, self.current);
        }
    }

    #[cold]
    fn change_process(&mut self, id: ProcessId) -> io::Result<()> {
        let of_writer = self.writers.get(&self.writer).copied();
        let is_own = self.writer == 0 || of_writer == Some(self.current) || self.writers.is_empty();
        // A log that was cut at the front has no name for its first process, which was there then.
        let current = &mut self.processes[self.current];
        if is_own && current.process.id.is_none() && id.start <= current.first {
            current.process.id = Some(id);
            return Ok(());
        }
        // Where a process is only named when it starts a root span, the one before is over.
        if is_own && !self.all_named {
            self.leave(self.current)?;
        }
        let known = self
            .processes
            .iter()
            .position(|of| of.process.id == Some(id));
        self.current = known.unwrap_or(self.processes.len());
        match known {
            Some(known) => {
                let is_over = std::mem::take(&mut self.processes[known].is_over);
                self.problems.interleaved += u64::from(is_over && !self.all_named);
            }
            None => self.processes.push(Followed::new(self.current, Some(id))),
        }
        Ok(())
    }

    fn start(&mut self, view: View<'_>, ahead: Ahead<'_>) -> io::Result<()> {
        self.marks += 1;
        let record = view.record;
        let is_alone = self.processes.len() == 1;
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
        let inside = match parent {
            0 => false,
            parent => match followed.enter(parent, at, joined) {
                Some(inside) => inside,
                None => self.enter_late(view, parent, (at, joined), ahead)?,
            },
        };
        if self.marks == 1 {
            self.selection.settle(at);
        }
        let followed = &mut self.processes[self.current];
        followed.see(at);
        if record.at.is_some() && self.sink.wants_events() {
            followed.set_clock(view, at);
        }
        let selected = self.takes_all || self.selection.takes_start(view, at, inside);
        let start = Start {
            process: followed.process,
            id,
            parent,
            at,
            joined,
            selected,
            view,
        };
        let name = (!is_alone).then(|| Tail::of(view.raw_message()));
        let kept = self.sink.start(start, &mut followed.open)?;
        let span = Open {
            parent,
            task_id: record.task_id,
            thread_id: record.thread_id,
            task_parent_id: record.task_parent_id,
            joined,
            selected,
            name,
            ..Open::new(kept, at)
        };
        followed.open.insert(id, span);
        Ok(())
    }

    /// Enters a span that is not open, if its start comes soon; says whether it is selected.
    #[cold]
    fn enter_late(
        &mut self,
        view: View<'_>,
        parent: u64,
        (at, joined): (u64, bool),
        ahead: Ahead<'_>,
    ) -> io::Result<bool> {
        if self.processes[self.current].closed.contains(parent) {
            return Ok(false);
        }
        self.take_late(parent, view.record.at, ahead)?;
        let entered = self.processes[self.current].enter(parent, at, joined);
        self.problems.unknown_parents += u64::from(entered.is_none());
        Ok(entered.unwrap_or_default())
    }

    fn end(&mut self, view: View<'_>, ahead: Ahead<'_>) -> io::Result<()> {
        self.marks += 1;
        let record = view.record;
        let is_alone = self.processes.len() == 1;
        let followed = &mut self.processes[self.current];
        let id = match record.span_id {
            0 => followed.pop_unnamed(view),
            id => id,
        };
        // Of two processes that write at once a span of each may have this id.
        let is_other = |span: &Open<S::Kept>| {
            let name = span.name.as_deref();
            name.is_some_and(|name| !name.is_of(&Tail::of(view.raw_message())))
        };
        if !is_alone && followed.open.get(id).is_some_and(is_other) {
            self.problems.other_names += 1;
            return Ok(());
        }
        let mut span = followed.open.remove(id);
        if span.is_none() && !followed.closed.contains(id) {
            self.take_late(record.span_id, None, ahead)?;
            span = self.processes[self.current].open.remove(id);
        }
        let followed = &mut self.processes[self.current];
        if id != 0 && id < 1 << 63 && !followed.closed.insert(id) {
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
        if span.is_some() && record.elapsed.is_some() && self.sink.wants_events() {
            followed.set_clock(view, at);
        }
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

    fn event(&mut self, view: View<'_>, ahead: Ahead<'_>) -> io::Result<()> {
        let followed = &mut self.processes[self.current];
        let span = match view.record.span_id {
            0 => followed.innermost_unnamed(view.record),
            id => id,
        };
        let mut around = followed.around(span);
        if around.is_none() && !followed.closed.contains(span) {
            self.take_late(view.record.span_id, None, ahead)?;
            around = self.processes[self.current].around(span);
        }
        let (last, inside) = around.unwrap_or_default();
        let next = Next {
            ahead,
            place: self.place,
            writer: self.writer,
        };
        let followed = &mut self.processes[self.current];
        let at = followed.event_time(view, last, next);
        if !self.takes_all && !self.selection.takes_event(view, at, inside) {
            return Ok(());
        }
        let event = Event {
            process: followed.process,
            span,
            at,
            view,
        };
        self.sink.event(event, &mut followed.open)
    }
}

impl<K> Followed<K> {
    /// A span starts inside of one that is open; says whether that is selected.
    #[inline]
    fn enter(&mut self, parent: u64, at: u64, joined: bool) -> Option<bool> {
        let parent = self.open.get_mut(parent)?;
        if joined {
            parent.enter(at);
        }
        Some(parent.selected)
    }

    /// When the span around a record last said something, and whether it is selected.
    fn around(&self, span: u64) -> Option<(u64, bool)> {
        let span = self.open.get(span)?;
        Some((span.last, span.selected))
    }

    /// A start or an end says when it was: so much the logger's clock is off.
    fn set_clock(&mut self, view: View<'_>, at: u64) {
        if self.is_absolute && self.mark.is_some() {
            return;
        }
        if let Some(time) = view.time() {
            self.is_absolute = clock::is_absolute(time);
            self.mark = Some(Mark { time, at });
        }
    }

    /// The time of the logger's clock, on the axis of the spans.
    fn time_of(&mut self, view: View<'_>) -> u64 {
        let Some(time) = view.time() else {
            return self.process.last;
        };
        if clock::is_absolute(time) {
            return time.nanos.max(0).unsigned_abs();
        }
        let at = clock::between(time, [self.mark, None], self.process.last, None);
        let at = at.unwrap_or(time.nanos.max(0).unsigned_abs());
        // Where no mark says when it was, the clock itself goes on.
        self.is_absolute = false;
        self.mark = Some(Mark { time, at });
        at
    }

    /// The time of a record that is no mark: what its logger says, but not before `after`, when its span
    /// said something, nor behind what its task says next.
    fn event_time(&mut self, view: View<'_>, after: u64, next: Next<'_>) -> u64 {
        let id = self.process.id;
        let of_process = |next: &Record| next.process.is_none_or(|of| id == Some(of));
        let time = view.time();
        let mut at = match time {
            None => self.process.last,
            Some(time) if clock::is_absolute(time) => time.nanos.max(0).unsigned_abs(),
            Some(time) => {
                let mark = next.mark(|next| of_process(next) && self.says(next).is_some());
                let mark = mark.and_then(|mark| {
                    let (at, time) = (self.says(mark.record)?, mark.time()?);
                    Some(Mark { time, at })
                });
                let marks = [self.mark, mark];
                let at = clock::between(time, marks, self.process.last, mark.map(|mark| mark.at));
                at.unwrap_or(time.nanos.max(0).unsigned_abs())
            }
        };
        let is_clear = time.is_none_or(clock::is_absolute);
        // What any span said before is nearer than a time that was cut to seconds.
        if time.is_none_or(|time| time.resolution > 1_000_000) {
            at = at.max(self.process.last);
        }
        let task = view.record.task_id;
        let before = next.mark(|next| next.task_id == task && of_process(next));
        let before = before.and_then(|next| self.says(next.record));
        self.is_absolute &= is_clear;
        // Other threads may be in that task, and their lines late: the span itself counts more.
        before.map_or(at, |before| at.min(before)).max(after)
    }

    /// When a start or an end was, if it says so.
    fn says(&self, mark: &Record) -> Option<u64> {
        match mark.at {
            Some(at) => Some(at),
            None => {
                let start = self.open.get(mark.span_id)?.start;
                Some(start.saturating_add(mark.elapsed?))
            }
        }
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
