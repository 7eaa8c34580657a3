//! From records to spans.

use std::io;

use hashbrown::HashMap;
use serde::Serialize;

use super::closed::Closed;
use super::late::{HELD, Held, Late, Moment, Step, Writes};
use super::open::{Open, OpenSpans};
use super::select::Selection;
use super::sink::{End, Event, Process, Sink, Start};
use crate::read::{Batch, Kind, ProcessId, Record, Time, TraceKept, View};

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
    /// Records in spans that are not in the log, of a program that writes spans when they have ended.
    pub lost_records: u64,
    /// Spans that the program had no room to keep.
    pub spans_dropped: u64,
}

/// How many traces are in the log because of what, where not all are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeptTraces {
    /// They took long.
    pub slow: u64,
    /// Something in them failed.
    pub failed: u64,
    /// They are one of so many.
    pub sample: u64,
    /// The program wanted them, or said why in a word that this version does not know.
    pub asked: u64,
}

impl KeptTraces {
    /// Counts the trace that a record is the first of, if it is.
    pub(crate) fn add(&mut self, kept: TraceKept) {
        match kept {
            TraceKept::Unsaid => {}
            TraceKept::Slow => self.slow += 1,
            TraceKept::Failed => self.failed += 1,
            TraceKept::Sample => self.sample += 1,
            TraceKept::Asked | TraceKept::Other => self.asked += 1,
        }
    }

    /// All of them.
    pub fn sum(&self) -> u64 {
        self.slow + self.failed + self.sample + self.asked
    }
}

impl std::fmt::Display for KeptTraces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            (self.slow, "slow"),
            (self.failed, "failed"),
            (self.sample, "as a sample"),
            (self.asked, "asked for"),
        ];
        let said = all.iter().filter(|(count, _)| *count > 0);
        let said: Vec<_> = said.map(|(count, why)| format!("{count} {why}")).collect();
        f.write_str(&said.join(", "))
    }
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
    /// The first span was seen.
    is_settled: bool,
    taken: Taken,
    kept_traces: KeptTraces,
    /// Records in spans.
    in_spans: u64,
    /// How the processes so far write their spans.
    writes: Writes,
    /// The records before that is known, in their order, and how many bytes they have.
    early: (Vec<Early>, usize),
    /// How many bytes may wait for their spans, in each process.
    held: usize,
    /// The first process has its name, or is not waited for.
    is_named: bool,
    /// What was read before that, if the sink wants names first, and how much it is.
    unnamed: Vec<Batch>,
    unnamed_bytes: usize,
    /// The earliest time that it says.
    first_time: u64,
}

/// How much of a log is read before the name of its first process is not waited for any longer.
const UNNAMED: usize = 16 << 20;

/// What a selection took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// Spans that have ended, or were left open.
    pub spans: u64,
    /// Records that are neither start nor end; 0 where nobody asks for them.
    pub records: u64,
}

/// A record that came before anything told when spans are written.
#[derive(Debug)]
struct Early {
    process: usize,
    held: Held,
    /// When it was if spans are written as they happen.
    at: u64,
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
    /// What came before its span.
    late: Late,
    /// Spans that were given up, with how much of their time is covered: they may come yet.
    given_up: HashMap<u64, Open<()>>,
}

/// How many spans are remembered that were given up.
const GIVEN_UP: usize = 10_000;

/// The first id of spans that have none in the log. Ids are counted from 1, so nobody is near.
const INVENTED: u64 = 1 << 63;

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
            late: Late::default(),
            given_up: HashMap::new(),
        }
    }

    /// A span is inside of one that is not known, and may come later.
    fn enter_unknown(&mut self, parent: u64, at: u64) {
        if self.late.writes == Writes::Late
            && (self.given_up.len() < GIVEN_UP || self.given_up.contains_key(&parent))
        {
            let new = || Open::new((), 0);
            self.given_up.entry(parent).or_insert_with(new).enter(at);
        }
    }

    /// Whether there is, or was, such a span.
    fn knows(&self, id: u64) -> bool {
        id == 0 || self.open.get(id).is_some() || self.closed.contains(id)
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
        let names_first = sink.wants_names();
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
            is_settled: false,
            taken: Taken::default(),
            kept_traces: KeptTraces::default(),
            in_spans: 0,
            writes: Writes::default(),
            early: (Vec::new(), 0),
            held: HELD,
            is_named: !names_first,
            unnamed: Vec::new(),
            unnamed_bytes: 0,
            first_time: u64::MAX,
        }
    }

    /// Keeps no more than so many bytes of records that come before their spans.
    pub fn hold_at_most(mut self, bytes: usize) -> Self {
        self.held = bytes;
        self
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

    /// How many records that are neither start nor end are in spans, as far as a sink wants them.
    pub fn in_spans(&self) -> u64 {
        self.in_spans
    }

    /// Why traces are in the log; none are counted where all are.
    pub fn kept_traces(&self) -> KeptTraces {
        self.kept_traces
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
        if self.is_named {
            return self.take_now(batch);
        }
        // What stands before the first name is of the process that has it.
        let named = batch
            .records
            .iter()
            .position(|record| record.process.is_some());
        let before = &batch.records[..named.unwrap_or(batch.records.len())];
        let times = before.iter().filter_map(|record| record.at);
        self.first_time = times.fold(self.first_time, u64::min);
        let id = named.and_then(|named| batch.records[named].process);
        if let Some(id) = id.filter(|id| id.start <= self.first_time) {
            self.processes[0].process.id = Some(id);
        }
        self.unnamed_bytes += batch.bytes.len();
        let is_over = named.is_some() || self.unnamed_bytes > UNNAMED;
        if !is_over {
            self.unnamed.push(batch.clone());
            return Ok(());
        }
        self.take_unnamed()?;
        self.is_named = named.is_some() || self.unnamed_bytes > UNNAMED;
        self.take_now(batch)
    }

    /// Takes what was kept until the process has a name: there is no more to come.
    pub fn take_unnamed(&mut self) -> io::Result<()> {
        let unnamed = std::mem::take(&mut self.unnamed);
        unnamed.iter().try_for_each(|batch| self.take_now(batch))
    }

    fn take_now(&mut self, batch: &Batch) -> io::Result<()> {
        self.records += batch.records.len() as u64;
        let wants_events = self.sink.wants_events();
        if wants_events {
            self.set_clock(batch);
        }
        for (index, record) in batch.records.iter().enumerate() {
            self.follow(record)?;
            let view = View { batch, record };
            self.marks += u64::from(record.kind != Kind::Event);
            match record.kind {
                Kind::Start if self.is_as_it_happens(record) => self.start(view)?,
                Kind::End if self.is_as_it_happens(record) => self.end(view)?,
                Kind::Start if record.is_whole => self.see_whole(view)?,
                Kind::Start => self.see_start(view)?,
                Kind::End => self.see_end(view)?,
                Kind::Event if wants_events => self.see_event(view, &batch.records[index + 1..])?,
                Kind::Event => {}
            }
        }
        self.sink.pause()
    }

    /// Whether a start or an end is one of a process that writes them as they happen.
    #[inline]
    fn is_as_it_happens(&self, record: &Record) -> bool {
        self.processes[self.current].late.writes == Writes::AsItHappens && !is_late(record)
    }

    /// Finds out how far the logger's clock is from that of the spans, by a start that says both. One
    /// that was written later, or a whole span, says it only about.
    fn set_clock(&mut self, batch: &Batch) {
        let mut starts = batch.records.iter().filter(|record| record.at.is_some());
        let exact = |of: &&Record| !is_late(of);
        let Some(record) = starts.clone().find(exact).or_else(|| starts.next()) else {
            return;
        };
        let view = View { batch, record };
        if let (Some(time), Some(at)) = (view.time(), record.at) {
            let written = at.saturating_add(record.elapsed.unwrap_or(0));
            self.processes[self.current].clock_offset = clock_offset(time, written);
        }
    }

    /// The log is over.
    pub fn finish(&mut self) -> io::Result<()> {
        self.take_unnamed()?;
        for index in 0..self.processes.len() {
            self.leave(index)?;
        }
        self.sink.finish()
    }

    fn leave(&mut self, index: usize) -> io::Result<()> {
        if self.writes == Writes::Unknown {
            self.settle(Writes::AsItHappens)?;
            self.writes = Writes::Unknown;
        }
        let spans = self.processes[index].late.roots();
        self.give_up(index, &spans)?;
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
            None => {
                let mut new = Followed::new(self.current, Some(id));
                new.late.writes = self.writes;
                self.processes.push(new);
            }
        }
        Ok(())
    }

    // What comes as it happens is nearly all there is; all else calls it out of line.
    #[inline(always)]
    fn start(&mut self, view: View<'_>) -> io::Result<()> {
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
                None => {
                    self.problems.unknown_parents += 1;
                    if joined {
                        followed.enter_unknown(parent, at);
                    }
                }
            }
        }
        if !std::mem::replace(&mut self.is_settled, true) {
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
        let mut span = Open {
            parent,
            task_id: record.task_id,
            thread_id: record.thread_id,
            task_parent_id: record.task_parent_id,
            joined,
            selected,
            ..Open::new(kept, at)
        };
        if !followed.given_up.is_empty()
            && let Some(before) = followed.given_up.remove(&id)
        {
            span.cover_as(&before);
        }
        followed.open.insert(id, span);
        Ok(())
    }

    #[inline(always)]
    fn end(&mut self, view: View<'_>) -> io::Result<()> {
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
                } else if let Some(parent) = followed.given_up.get_mut(&span.parent) {
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

    #[cold]
    #[inline(never)]
    fn start_late(&mut self, view: View<'_>) -> io::Result<()> {
        self.start(view)
    }

    #[cold]
    #[inline(never)]
    fn end_late(&mut self, view: View<'_>) -> io::Result<()> {
        self.end(view)
    }

    /// A record in a span, or in none, that was at that time.
    fn event(&mut self, view: View<'_>, (span, root): (u64, u64), at: u64) -> io::Result<()> {
        let followed = &mut self.processes[self.current];
        let inside = followed.open.get(span).is_some_and(|span| span.selected);
        if !self.takes_all && !self.selection.takes_event(view, at, inside) {
            return Ok(());
        }
        self.taken.records += 1;
        let event = Event {
            process: followed.process,
            span,
            root,
            at,
            view,
        };
        self.sink.event(event, &mut followed.open)
    }

    #[cold]
    fn see_start(&mut self, view: View<'_>) -> io::Result<()> {
        let record = view.record;
        self.kept_traces.add(record.trace_kept);
        self.learn_when(record)?;
        let followed = &mut self.processes[self.current];
        if followed.late.writes == Writes::Late && !followed.knows(record.span_parent) {
            let at = record.at.unwrap_or(followed.process.last);
            followed.late.hold(record.span_parent, Held::new(view, at));
            return self.bound();
        }
        self.start_late(view)?;
        let followed = &mut self.processes[self.current];
        if followed.late.is_awaited(record.span_id) {
            let from = followed
                .open
                .get(record.span_id)
                .map_or(0, |span| span.start);
            let moments = followed.late.inside(record.span_id, from);
            self.tell(&moments)?;
        }
        Ok(())
    }

    #[cold]
    fn see_end(&mut self, view: View<'_>) -> io::Result<()> {
        let record = view.record;
        self.problems.spans_dropped += u64::from(record.spans_dropped);
        self.learn_when(record)?;
        let followed = &mut self.processes[self.current];
        if followed.late.holds(record.span_id) {
            followed.late.hold(record.span_id, Held::new(view, 0));
            return self.bound();
        }
        if record.spans_dropped > 0 && followed.open.get(record.span_id).is_some() {
            self.give_up_in(record.span_id)?;
        }
        self.end_late(view)
    }

    /// A span that is written when it has ended waits for the one around it, and what is inside of it
    /// waits for it.
    #[cold]
    fn see_whole(&mut self, view: View<'_>) -> io::Result<()> {
        let record = view.record;
        self.kept_traces.add(record.trace_kept);
        self.problems.spans_dropped += u64::from(record.spans_dropped);
        self.learn_when(record)?;
        let followed = &mut self.processes[self.current];
        let id = record.span_id;
        if id != 0 && followed.open.get(id).is_some() {
            return self.end_late(view);
        }
        if id != 0 && (followed.closed.contains(id) || followed.late.holds(id)) {
            self.problems.second_starts += 1;
            return Ok(());
        }
        let at = record.at.unwrap_or(followed.process.last);
        followed.see(at.saturating_add(record.elapsed.unwrap_or(0)));
        if !followed.knows(record.span_parent) {
            followed.late.hold(record.span_parent, Held::new(view, at));
            return self.bound();
        }
        if id == 0 || !followed.late.is_awaited(id) && record.spans_dropped == 0 {
            self.start_late(view)?;
            return self.end_late(view);
        }
        if record.spans_dropped > 0 {
            // What will never be known is shown in the root.
            self.start_late(view)?;
            let moments = self.processes[self.current].late.inside(id, at);
            self.tell(&moments)?;
            self.give_up_in(id)?;
            return self.end_late(view);
        }
        let moments = followed.late.whole(Held::new(view, at));
        self.tell(&moments)
    }

    fn see_event(&mut self, view: View<'_>, next: &[Record]) -> io::Result<()> {
        let record = view.record;
        self.in_spans += u64::from(record.span_id != 0);
        if record.span_root != 0 {
            self.learn(Writes::Late)?;
        }
        let followed = &mut self.processes[self.current];
        let writes = followed.late.writes;
        let is_known = followed.knows(record.span_id);
        if writes == Writes::Unknown && (!is_known || !self.early.0.is_empty()) {
            return self.hold_early(view, next);
        }
        if writes == Writes::Late && !is_known {
            let at = followed.late_time(view);
            followed.late.hold(record.span_id, Held::new(view, at));
            return self.bound();
        }
        let span = match record.span_id {
            0 => followed.innermost_unnamed(record),
            id => id,
        };
        // What stands behind says nothing about when this was, if it was written late.
        let next = if writes == Writes::Late { &[] } else { next };
        let at = followed.event_time(view, span, next);
        self.event(view, (span, 0), at)
    }

    /// Keeps a record until it is known whether its span is written later.
    fn hold_early(&mut self, view: View<'_>, next: &[Record]) -> io::Result<()> {
        let followed = &mut self.processes[self.current];
        let at = followed.event_time(view, view.record.span_id, next);
        let held = Held::new(view, followed.late_time(view));
        self.early.1 += held.size();
        self.early.0.push(Early {
            process: self.current,
            held,
            at,
        });
        match self.early.1 > self.held {
            true => self.settle(Writes::Late),
            false => Ok(()),
        }
    }

    /// Finds out by a start or an end whether the process writes them as they happen.
    fn learn_when(&mut self, record: &Record) -> io::Result<()> {
        let writes = self.processes[self.current].late.writes;
        match is_late(record) {
            true => self.learn(Writes::Late),
            false if writes == Writes::Unknown => self.learn(Writes::AsItHappens),
            false => Ok(()),
        }
    }

    /// The current process writes its spans so.
    fn learn(&mut self, writes: Writes) -> io::Result<()> {
        if self.processes[self.current].late.writes == writes {
            return Ok(());
        }
        self.processes[self.current].late.writes = writes;
        self.settle(writes)
    }

    /// Lets all processes of which nothing is known write their spans so.
    fn settle(&mut self, writes: Writes) -> io::Result<()> {
        self.writes = writes;
        for followed in &mut self.processes {
            if followed.late.writes == Writes::Unknown {
                followed.late.writes = writes;
            }
        }
        let current = self.current;
        for Early { process, held, at } in std::mem::take(&mut self.early).0 {
            self.current = process;
            let record = held.record();
            let id = record.view().record.span_id;
            let followed = &mut self.processes[process];
            if followed.late.writes == Writes::Late && !followed.knows(id) {
                followed.late.hold(id, held);
                self.bound()?;
            } else {
                self.event(record.view(), (id, 0), at)?;
            }
        }
        self.current = current;
        Ok(())
    }

    /// Tells what waited, in the order of time.
    fn tell(&mut self, moments: &[Moment]) -> io::Result<()> {
        for Moment { at, step, record } in moments {
            match *step {
                Step::Start => self.start_late(record.view())?,
                Step::End => self.end_late(record.view())?,
                Step::Event { span, .. } => self.event(record.view(), (span, 0), *at)?,
            }
        }
        Ok(())
    }

    /// Gives up the spans that were waited for longest, while too much waits.
    fn bound(&mut self) -> io::Result<()> {
        while self.processes[self.current].late.is_full(self.held) {
            let late = &mut self.processes[self.current].late;
            let Some(span) = late.oldest() else { break };
            self.give_up(self.current, &[span])?;
        }
        Ok(())
    }

    /// Gives up the spans of a trace that will not be written, and shows their records in its root,
    /// which is open.
    fn give_up_in(&mut self, root: u64) -> io::Result<()> {
        let late = &mut self.processes[self.current].late;
        let mut spans = late.roots();
        spans.retain(|span| late.is_of(*span, root));
        self.give_up(self.current, &spans)
    }

    /// Tells what waits for spans that are not in the log: what is known, and then the records of each
    /// root, under that alone.
    fn give_up(&mut self, process: usize, spans: &[u64]) -> io::Result<()> {
        let current = std::mem::replace(&mut self.current, process);
        let mut lost: Vec<(u64, Vec<Moment>)> = Vec::new();
        let mut places: HashMap<u64, usize> = HashMap::new();
        for span in spans {
            let moments = self.processes[process].late.inside(*span, 0);
            for moment in moments {
                let root = match moment.step {
                    Step::Event { span: of, root } if of == *span => root,
                    _ => {
                        self.tell(&[moment])?;
                        continue;
                    }
                };
                let place = *places.entry(root).or_insert_with(|| {
                    lost.push((root, Vec::new()));
                    lost.len() - 1
                });
                lost[place].1.push(moment);
            }
        }
        for (root, mut moments) in lost {
            moments.sort_by_key(|moment| moment.at);
            self.lose(root, &moments)?;
        }
        self.current = current;
        Ok(())
    }

    /// Tells records whose span is not in the log.
    fn lose(&mut self, root: u64, moments: &[Moment]) -> io::Result<()> {
        self.problems.lost_records += moments.len() as u64;
        let followed = &mut self.processes[self.current];
        if let Some(start) = followed.open.get(root).map(|span| span.start) {
            for moment in moments {
                let at = moment.at.max(start);
                self.event(moment.record.view(), (root, 0), at)?;
            }
            return Ok(());
        }
        let takes = |moment: &&Moment| {
            self.takes_all
                || self
                    .selection
                    .takes_event(moment.record.view(), moment.at, false)
        };
        let taken = moments.iter().filter(takes).map(|moment| Event {
            process: followed.process,
            span: moment.record.view().record.span_id,
            root,
            at: moment.at,
            view: moment.record.view(),
        });
        let events: Vec<_> = taken.collect();
        self.taken.records += events.len() as u64;
        match events.is_empty() {
            true => Ok(()),
            false => self
                .sink
                .lost(followed.process, root, &events, &mut followed.open),
        }
    }
}

/// Whether a start or an end is one that only a process writes that writes its spans later.
#[inline]
fn is_late(record: &Record) -> bool {
    record.is_whole
        || record.span_root != 0
        || record.spans_dropped != 0
        || record.trace_kept != TraceKept::Unsaid
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

    /// The time of a record whose span is not known yet.
    fn late_time(&mut self, view: View<'_>) -> u64 {
        let at = self.time_of(view);
        match view.time().is_none_or(|time| time.resolution > 1_000_000) {
            true => at.max(self.process.last),
            false => at,
        }
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
                && !next.is_whole
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
