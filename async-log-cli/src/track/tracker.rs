//! From records to spans.

use std::io;

use hashbrown::HashMap;
use serde::Serialize;

use super::ahead::{Ahead, LateStarts, Next};
use super::clock::{self, Mark};
use super::closed::Closed;
use super::coverage::Coverage;
use super::late::{HELD, Held, Late, Moment, Step, Writes};
use super::open::{Open, OpenSpans, Tail};
use super::select::{AtStart, Selection};
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
    /// Starts that came behind a record that they are before, and were put in their place.
    pub late_starts: u64,
    /// Ends of a span that has another name: of a process that writes at the same time.
    pub other_names: u64,
    /// How often a process went on that was over, as another one had begun.
    pub interleaved: u64,
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
    /// The processes of those who wrote, by what is in front of their lines.
    writers: HashMap<u32, usize>,
    /// Processes that nothing tells apart write at the same time.
    is_mixed: bool,
    writer: u32,
    /// Every record so far names its process: several may be writing at once.
    all_named: bool,
    late_starts: LateStarts,
    /// The place in the log of the record that is taken.
    place: u64,
    /// The next place that says what the logger's clock is, where nothing said it before.
    clock_ahead: Option<(u64, Mark)>,
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
    /// What came before its span.
    late: Late,
    /// Spans that were given up, with how much of their time is covered: they may come yet.
    given_up: HashMap<u64, Box<Coverage>>,
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
    fn new(index: usize, id: Option<ProcessId>, is_covered: bool) -> Self {
        let mut open = OpenSpans::default();
        open.is_covered = is_covered;
        Followed {
            process: Process { index, id, last: 0 },
            open,
            closed: Closed::default(),
            stacks: HashMap::new(),
            next_id: INVENTED,
            mark: None,
            is_absolute: true,
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
            self.given_up.entry(parent).or_default().enter(at);
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
        let is_covered = sink.wants_self_times();
        Tracker {
            join_tasks: sink.joins_tasks(),
            sink,
            takes_all: selection.is_all(),
            selection,
            processes: vec![Followed::new(0, None, is_covered)],
            current: 0,
            writers: HashMap::new(),
            writer: 0,
            all_named: true,
            is_mixed: false,
            late_starts: LateStarts::default(),
            place: 0,
            clock_ahead: None,
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

    /// What it takes.
    pub fn selection(&self) -> &Selection {
        &self.selection
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
        self.take_before(batch, &[])
    }

    /// The same, where more batches are at hand: a start may be in one of those.
    pub fn take_before(&mut self, batch: &Batch, more: &[Batch]) -> io::Result<()> {
        if self.is_named {
            return self.take_now(batch, more);
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
        self.is_named = named.is_some() || self.unnamed_bytes > UNNAMED;
        if !self.is_named {
            self.unnamed.push(batch.clone());
            return Ok(());
        }
        if !self.unnamed.is_empty() {
            // A start may be late behind what was kept.
            self.unnamed.push(batch.clone());
            let kept = std::mem::take(&mut self.unnamed);
            for index in 0..kept.len() - 1 {
                self.take_now(&kept[index], &kept[index + 1..])?;
            }
        }
        self.take_now(batch, more)
    }

    /// Takes what was kept until the process has a name: there is no more to come.
    pub fn take_unnamed(&mut self) -> io::Result<()> {
        let unnamed = std::mem::take(&mut self.unnamed);
        for (index, batch) in unnamed.iter().enumerate() {
            self.take_now(batch, &unnamed[index + 1..])?;
        }
        Ok(())
    }

    fn take_now(&mut self, batch: &Batch, more: &[Batch]) -> io::Result<()> {
        let before = self.records;
        self.records += batch.records.len() as u64;
        let ahead = Ahead {
            batch,
            more,
            before,
        };
        let wants_events = self.sink.wants_events();
        if wants_events {
            self.look_for_clock(ahead);
        }
        for (index, record) in batch.records.iter().enumerate() {
            self.place = before + index as u64;
            if self.late_starts.is_taken(self.place) {
                continue;
            }
            let view = View { batch, record };
            self.follow(view)?;
            self.marks += u64::from(record.kind != Kind::Event);
            match record.kind {
                Kind::Start if self.is_as_it_happens(record) => self.start(view, Some(ahead))?,
                Kind::End if self.is_as_it_happens(record) => self.end(view, Some(ahead))?,
                Kind::Start if record.is_whole => self.see_whole(view)?,
                Kind::Start => self.see_start(view, ahead)?,
                Kind::End => self.see_end(view, ahead)?,
                Kind::Event if wants_events => self.see_event(view, ahead)?,
                Kind::Event => {}
            }
        }
        self.sink.pause()
    }

    /// Whether a start or an end is one of a process that writes them as they happen.
    #[inline]
    fn is_as_it_happens(&self, record: &Record) -> bool {
        self.processes[self.current].late.writes == Writes::AsItHappens && !record.is_late()
    }

    /// Looks for what says first how far the logger's clock is from that of the spans, where nothing
    /// said it before. A start that was written late, or a whole span, says it only about.
    fn look_for_clock(&mut self, ahead: Ahead<'_>) {
        if self.processes[self.current].mark.is_some() {
            return;
        }
        let starts = ahead.from(ahead.before).enumerate();
        let mut starts = starts.filter(|(_, view)| view.record.at.is_some());
        let exact = starts.clone().find(|(_, view)| !view.record.is_late());
        let found = exact.or_else(|| starts.next());
        self.clock_ahead = found.and_then(|(index, view)| {
            let mark = match view.record.is_late() {
                true => Mark::about(view.time()?, written(view.record)?),
                false => Mark {
                    time: view.time()?,
                    at: view.record.at?,
                },
            };
            Some((ahead.before + index as u64, mark))
        });
    }

    /// What the clock says at a place behind this one, if nothing said it before.
    fn clock_ahead(&self) -> Option<Mark> {
        let (place, mark) = self.clock_ahead?;
        (place > self.place).then_some(mark)
    }

    /// Takes the start of a span that is not open before its turn, if it comes soon and began no later
    /// than `at`.
    #[cold]
    fn take_late(&mut self, id: u64, at: Option<u64>, ahead: Ahead<'_>) -> io::Result<()> {
        let current = &mut self.processes[self.current];
        let process = current.process.id;
        let found = self
            .late_starts
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
        self.late_starts.take(place);
        self.problems.late_starts += 1;
        let here = std::mem::replace(&mut self.place, place);
        self.marks += 1;
        let taken = self.see_start(view, ahead);
        self.place = here;
        taken
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
            span.selected &= self.takes_all || self.selection.takes_end(last, duration, None);
            self.taken.spans += u64::from(span.selected);
        }
        self.sink.left_open(followed.process, open)
    }

    /// Finds the process that a record is of.
    fn follow(&mut self, view: View<'_>) -> io::Result<()> {
        let writer = view.writer();
        if writer != self.writer {
            self.change_writer(writer, view.tells_writers());
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
    fn change_writer(&mut self, writer: u32, are_several: bool) {
        self.writer = writer;
        if let Some(known) = self.writers.get(&writer) {
            self.current = *known;
        } else if are_several && self.writers.is_empty() {
            self.writers.insert(writer, self.current);
        } else if are_several || self.writers.len() > 1 {
            // It began before this log did.
            self.current = self.processes.len();
            self.add_process(None);
            self.writers.insert(writer, self.current);
        }
    }

    fn add_process(&mut self, id: Option<ProcessId>) {
        let mut new = Followed::new(self.processes.len(), id, self.sink.wants_self_times());
        new.late.writes = self.writes;
        self.processes.push(new);
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
            None => self.add_process(Some(id)),
        }
        Ok(())
    }

    // What comes as it happens is nearly all there is; all else calls it out of line.
    #[inline(always)]
    fn start(&mut self, view: View<'_>, ahead: Option<Ahead<'_>>) -> io::Result<()> {
        let record = view.record;
        let is_alone = self.is_alone(view);
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
            self.start_again(id, at);
            return Ok(());
        }
        let joined = record.task_parent_id.is_none() || self.join_tasks;
        let inside = match parent {
            0 => false,
            parent => match followed.open.enter(parent, at, joined) {
                Some(inside) => inside,
                None => self.enter_late(view, parent, (at, joined), ahead)?,
            },
        };
        if !std::mem::replace(&mut self.is_settled, true) {
            self.selection.settle(at);
        }
        let followed = &mut self.processes[self.current];
        followed.see(at);
        if record.at.is_some() && !record.is_late() && self.sink.wants_events() {
            followed.set_clock(view, at);
        }
        let AtStart { selected, unmet } = match self.takes_all {
            true => AtStart {
                selected: true,
                unmet: 0,
            },
            false => self.selection.at_start(view, at, inside),
        };
        let start = Start {
            process: followed.process,
            id,
            parent,
            at,
            joined,
            selected,
            may_be_selected: selected || unmet != 0,
            early: self.selection.is_early(at),
            view,
        };
        let name = (!is_alone).then(|| Tail::of(view.raw_message()));
        let kept = self.sink.start(start, &mut followed.open)?;
        let mut span = Open {
            parent,
            task_id: record.task_id,
            thread_id: record.thread_id,
            task_parent_id: record.task_parent_id,
            joined,
            selected,
            unmet,
            name,
            ..Open::new(kept, at)
        };
        if !followed.given_up.is_empty() {
            span.coverage = followed.given_up.remove(&id);
        }
        followed.open.insert(id, span);
        Ok(())
    }

    /// Whether one process alone writes, as far as is known.
    #[inline]
    fn is_alone(&self, view: View<'_>) -> bool {
        self.processes.len() == 1 && !self.is_mixed && !view.is_mixed()
    }

    /// A span that had started starts again. No process uses an id twice, so either another one writes
    /// there too, or the line is there twice.
    #[cold]
    fn start_again(&mut self, id: u64, at: u64) {
        let open = self.processes[self.current].open.get(id);
        self.is_mixed |= open.is_some_and(|span| span.start != at);
        self.problems.second_starts += 1;
    }

    /// Enters a span that is not open, if its start comes soon; says whether it is selected.
    #[cold]
    fn enter_late(
        &mut self,
        view: View<'_>,
        parent: u64,
        (at, joined): (u64, bool),
        ahead: Option<Ahead<'_>>,
    ) -> io::Result<bool> {
        if self.processes[self.current].closed.contains(parent) {
            return Ok(false);
        }
        if let Some(ahead) = ahead {
            self.take_late(parent, view.record.at, ahead)?;
        }
        let followed = &mut self.processes[self.current];
        let entered = followed.open.enter(parent, at, joined);
        if entered.is_none() {
            self.problems.unknown_parents += 1;
            if joined {
                followed.enter_unknown(parent, at);
            }
        }
        Ok(entered.unwrap_or_default())
    }

    #[inline(always)]
    fn end(&mut self, view: View<'_>, ahead: Option<Ahead<'_>>) -> io::Result<()> {
        let record = view.record;
        let is_alone = self.is_alone(view);
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
        if let (None, Some(ahead)) = (&span, ahead)
            && !followed.closed.contains(id)
        {
            self.take_late(record.span_id, None, ahead)?;
            span = self.processes[self.current].open.remove(id);
        }
        let followed = &mut self.processes[self.current];
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
        if span.is_some()
            && record.elapsed.is_some()
            && !record.is_whole
            && self.sink.wants_events()
        {
            followed.set_clock(view, at);
        }
        let selected = match &span {
            _ if self.takes_all => true,
            Some(span) => {
                let is_met =
                    span.selected || span.unmet != 0 && self.selection.meets(view, span.unmet);
                is_met && self.selection.takes_end(at, duration, Some(record.outcome))
            }
            None => {
                self.selection.takes_end_alone(view)
                    && self.selection.takes_end(at, duration, Some(record.outcome))
            }
        };
        match &span {
            None => self.problems.ends_without_start += 1,
            Some(span) if span.parent != 0 && span.joined => {
                if !followed.open.leave(span.parent, span.start, at)
                    && let Some(parent) = followed.given_up.get_mut(&span.parent)
                {
                    parent.leave(span.start, at);
                }
            }
            Some(_) => {}
        }
        self.taken.spans += u64::from(selected);
        let self_time = match &mut span {
            Some(span) => followed.self_time(span, at),
            None => 0,
        };
        let process = followed.process;
        let outcome = record.outcome;
        let end = End {
            process,
            id,
            span,
            at,
            duration,
            self_time,
            outcome,
            selected,
            view,
        };
        self.sink.end(end, &mut followed.open)
    }

    #[cold]
    #[inline(never)]
    fn start_late(&mut self, view: View<'_>, ahead: Option<Ahead<'_>>) -> io::Result<()> {
        self.start(view, ahead)
    }

    #[cold]
    #[inline(never)]
    fn end_late(&mut self, view: View<'_>, ahead: Option<Ahead<'_>>) -> io::Result<()> {
        self.end(view, ahead)
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
    fn see_start(&mut self, view: View<'_>, ahead: Ahead<'_>) -> io::Result<()> {
        let record = view.record;
        self.kept_traces.add(record.trace_kept);
        self.learn_when(record)?;
        self.set_clock_about(view);
        let followed = &mut self.processes[self.current];
        if followed.late.writes == Writes::Late && !followed.knows(record.span_parent) {
            let at = record.at.unwrap_or(followed.process.last);
            followed.late.hold(record.span_parent, Held::new(view, at));
            return self.bound();
        }
        self.start_late(view, Some(ahead))?;
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
    fn see_end(&mut self, view: View<'_>, ahead: Ahead<'_>) -> io::Result<()> {
        let record = view.record;
        self.problems.spans_dropped += u64::from(record.spans_dropped);
        self.learn_when(record)?;
        let followed = &self.processes[self.current];
        if !followed.knows(record.span_id) && !followed.late.holds(record.span_id) {
            self.take_late(record.span_id, None, ahead)?;
        }
        let followed = &mut self.processes[self.current];
        if followed.late.holds(record.span_id) {
            followed.late.hold(record.span_id, Held::new(view, 0));
            return self.bound();
        }
        if record.spans_dropped > 0 && followed.open.get(record.span_id).is_some() {
            self.give_up_in(record.span_id)?;
        }
        self.end_late(view, Some(ahead))
    }

    /// A span that is written when it has ended waits for the one around it, and what is inside of it
    /// waits for it.
    #[cold]
    fn see_whole(&mut self, view: View<'_>) -> io::Result<()> {
        let record = view.record;
        self.kept_traces.add(record.trace_kept);
        self.problems.spans_dropped += u64::from(record.spans_dropped);
        self.learn_when(record)?;
        self.set_clock_about(view);
        let followed = &mut self.processes[self.current];
        let id = record.span_id;
        if id != 0 && followed.open.get(id).is_some() {
            return self.end_late(view, None);
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
            self.start_late(view, None)?;
            return self.end_late(view, None);
        }
        if record.spans_dropped > 0 {
            // What will never be known is shown in the root.
            self.start_late(view, None)?;
            let moments = self.processes[self.current].late.inside(id, at);
            self.tell(&moments)?;
            self.give_up_in(id)?;
            return self.end_late(view, None);
        }
        let moments = followed.late.whole(Held::new(view, at));
        self.tell(&moments)
    }

    fn see_event(&mut self, view: View<'_>, ahead: Ahead<'_>) -> io::Result<()> {
        let record = view.record;
        self.in_spans += u64::from(record.span_id != 0);
        if record.span_root != 0 {
            self.learn(Writes::Late)?;
        }
        let followed = &self.processes[self.current];
        let span = match record.span_id {
            0 => followed.innermost_unnamed(record),
            id => id,
        };
        let mut last = followed.last_in(span);
        let mut is_known = last.is_some() || followed.knows(record.span_id);
        if !is_known && followed.late.writes != Writes::Late {
            self.take_late(record.span_id, None, ahead)?;
            last = self.processes[self.current].last_in(span);
            is_known = last.is_some();
        }
        let clock_ahead = self.clock_ahead();
        let followed = &mut self.processes[self.current];
        let writes = followed.late.writes;
        if writes == Writes::Unknown && (!is_known || !self.early.0.is_empty()) {
            return self.hold_early(view, ahead);
        }
        if writes == Writes::Late && !is_known {
            let at = followed.late_time(view, clock_ahead);
            followed.late.hold(record.span_id, Held::new(view, at));
            return self.bound();
        }
        let next = Next {
            ahead,
            place: self.place,
            writer: self.writer,
        };
        // What stands behind says nothing about when this was, if it was written late.
        let next = (writes != Writes::Late).then_some(next);
        let at = followed.event_time(view, last.unwrap_or_default(), next, clock_ahead);
        self.event(view, (span, 0), at)
    }

    /// Keeps a record until it is known whether its span is written later.
    fn hold_early(&mut self, view: View<'_>, ahead: Ahead<'_>) -> io::Result<()> {
        let next = Next {
            ahead,
            place: self.place,
            writer: self.writer,
        };
        let clock_ahead = self.clock_ahead();
        let followed = &mut self.processes[self.current];
        let last = followed.last_in(view.record.span_id).unwrap_or_default();
        let at = followed.event_time(view, last, Some(next), clock_ahead);
        let held = Held::new(view, followed.late_time(view, clock_ahead));
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
        match record.is_late() {
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
        let mark = self.processes[self.current].mark;
        for Moment { at, step, record } in moments {
            match *step {
                Step::Start => self.start_late(record.view(), None)?,
                Step::End => self.end_late(record.view(), None)?,
                Step::Event { span, .. } => self.event(record.view(), (span, 0), *at)?,
            }
        }
        // What was said meanwhile about the clock is older.
        if mark.is_some() {
            self.processes[self.current].mark = mark;
        }
        Ok(())
    }

    /// A start that was written late, or a whole span, says about how far the logger's clock is off.
    fn set_clock_about(&mut self, view: View<'_>) {
        let followed = &mut self.processes[self.current];
        if followed.mark.is_some() || !view.record.is_late() || !self.sink.wants_events() {
            return;
        }
        if let (Some(time), Some(at)) = (view.time(), written(view.record)) {
            followed.is_absolute = clock::is_absolute(time);
            followed.mark = Some(Mark::about(time, at));
        }
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

/// When a start or a whole span was written, if that was at once.
fn written(record: &Record) -> Option<u64> {
    Some(record.at?.saturating_add(record.elapsed.unwrap_or(0)))
}

impl<K> Followed<K> {
    /// The self time of a span that ends at that time, by the children that the log shows by then.
    #[inline]
    fn self_time(&mut self, span: &mut Open<K>, end: u64) -> u64 {
        let self_time = span.self_time(end);
        if let Some(coverage) = span.coverage.take() {
            self.open.reuse(coverage);
        }
        self_time
    }

    /// When an open span last said something.
    #[inline]
    fn last_in(&self, span: u64) -> Option<u64> {
        self.open.get(span).map(|span| span.last)
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

    /// The time of a record whose span is not known yet.
    fn late_time(&self, view: View<'_>, clock_ahead: Option<Mark>) -> u64 {
        let time = view.time();
        let ahead = clock_ahead.filter(|_| self.mark.is_none());
        let at = self.clock_time(time, ahead);
        match time.is_none_or(|time| time.resolution > 1_000_000) {
            true => at.max(self.process.last),
            false => at,
        }
    }

    /// What the logger's clock says, where the next mark is that one.
    fn clock_time(&self, time: Option<Time>, next: Option<Mark>) -> u64 {
        let Some(time) = time else {
            return self.process.last;
        };
        if clock::is_absolute(time) {
            return time.nanos.max(0).unsigned_abs();
        }
        let before = next.map(|mark| mark.at);
        let at = clock::between(time, [self.mark, next], self.process.last, before);
        at.unwrap_or(time.nanos.max(0).unsigned_abs())
    }

    /// The time of a record that is no mark: what its logger says, but not before `after`, when its span
    /// said something, nor behind what its task says next.
    fn event_time(
        &mut self,
        view: View<'_>,
        after: u64,
        next: Option<Next<'_>>,
        clock_ahead: Option<Mark>,
    ) -> u64 {
        let id = self.process.id;
        let is_next =
            |next: &Record| !next.is_late() && next.process.is_none_or(|of| id == Some(of));
        let time = view.time();
        let is_clear = time.is_none_or(clock::is_absolute);
        let mark = next.filter(|_| !is_clear).and_then(|next| {
            let mark = next.mark(|next| is_next(next) && self.says(next).is_some())?;
            let (at, time) = (self.says(mark.record)?, mark.time()?);
            Some(Mark { time, at })
        });
        let mark = mark.or(clock_ahead.filter(|_| self.mark.is_none()));
        let mut at = self.clock_time(time, mark);
        // What any span said before is nearer than a time that was cut to seconds.
        if time.is_none_or(|time| time.resolution > 1_000_000) {
            at = at.max(self.process.last);
        }
        let task = view.record.task_id;
        let before = next.and_then(|next| next.mark(|next| next.task_id == task && is_next(next)));
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
