//! From spans that open and close to whole traces.

use std::io;

use hashbrown::HashMap;

use super::choice::Choice;
use super::trace::{Item, NONE, Note, State, Trace, What};
use crate::read::View;
use crate::track::{End, Event, OpenSpans, Process, Sink, Start};

/// What is made of whole traces.
pub(crate) trait Taker {
    /// Whether a record is to be marked, and its trace with it: it is kept where there is no room for
    /// all.
    fn marks(&mut self, view: View<'_>, what: What) -> bool {
        let _ = (view, what);
        false
    }

    /// A trace is whole. It may be taken away.
    fn trace(&mut self, trace: &mut Trace) -> io::Result<()>;

    /// A record that is in no trace; of one whose span has ended or is not in the log, that it is so.
    fn outside(&mut self, event: &Event<'_>, is_unknown: bool) -> io::Result<()> {
        let _ = (event, is_unknown);
        Ok(())
    }

    /// No more records are at hand.
    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The log is over.
    fn finish(&mut self) -> io::Result<()>;
}

/// Where an open span is kept: which trace, and its number there.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    trace: u32,
    number: u32,
}

/// What is kept of an open span; none if it is in no trace that is wanted.
pub(crate) type Kept = Option<Place>;

/// How deep spans are kept inside of each other; what is deeper begins another trace.
const DEPTH: u16 = 100;

/// How many bytes all traces have that are not whole.
const ROOM: usize = 12 << 20;

/// How many of these one trace may have, if there are few, and if there are many.
const LARGEST: usize = 4 << 20;
const SMALLEST: usize = 1 << 10;

/// Collects whole traces.
#[derive(Debug)]
pub(crate) struct Collector<T> {
    pub(crate) taker: T,
    choice: Choice,
    /// Tasks are a part of the trace that spawned them.
    spawned: bool,
    /// Keeps all of each trace, however large.
    is_unbounded: bool,
    traces: Vec<Trace>,
    free: Vec<u32>,
    /// Spans that have ended, but not all that is in them.
    waiting: HashMap<(usize, u64), Place>,
    /// How many bytes all traces have, and at how many the largest are made smaller.
    size: usize,
    next_sweep: usize,
    /// How many traces and records were handed on.
    taken: u64,
}

impl<T: Taker> Collector<T> {
    pub(crate) fn new(taker: T, choice: Choice, spawned: bool) -> Self {
        Collector {
            taker,
            choice,
            spawned,
            is_unbounded: false,
            traces: Vec::new(),
            free: Vec::new(),
            waiting: HashMap::new(),
            size: 0,
            next_sweep: ROOM,
            taken: 0,
        }
    }

    /// Leaves nothing out, whatever memory that takes.
    pub(crate) fn unbounded(mut self, is_unbounded: bool) -> Self {
        self.is_unbounded = is_unbounded;
        self
    }

    pub(crate) fn choice(&self) -> &Choice {
        &self.choice
    }

    /// How many traces, and records in none, it handed on.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Where a span is kept.
    #[inline]
    fn place(&self, process: Process, id: u64, open: &OpenSpans<Kept>) -> Kept {
        if id == 0 {
            return None;
        }
        if let Some(span) = open.get(id) {
            return span.kept;
        }
        match self.waiting.is_empty() {
            true => None,
            false => self.waiting.get(&(process.index, id)).copied(),
        }
    }

    fn begin(&mut self, process: Process) -> u32 {
        if let Some(free) = self.free.pop() {
            self.traces[free as usize].clear(process);
            return free;
        }
        self.traces.push(Trace::new(process));
        (self.traces.len() - 1) as u32
    }

    /// Adds a span or a record to a trace, inside of an item.
    #[inline]
    fn push(&mut self, place: Place, what: What, at: u64, view: View<'_>) -> &mut Item {
        let is_marked = self.taker.marks(view, what);
        let trace = &mut self.traces[place.trace as usize];
        let before = trace.size();
        trace.is_marked |= is_marked;
        let around = trace.position(place.number);
        let depth = around.map_or(0, |around| {
            let around = &mut trace.items[around];
            around.open += u32::from(matches!(what, What::Span(_)));
            around.depth + 1
        });
        let item = trace.push(what, place.number, at, view);
        item.is_marked = is_marked;
        item.depth = depth;
        let size = trace.size();
        self.size += size - before;
        if size > SMALLEST && !self.is_unbounded {
            self.bound(place.trace);
        }
        let items = &mut self.traces[place.trace as usize].items;
        let last = items.len() - 1;
        &mut items[last]
    }

    /// Makes a trace smaller that is larger than its share, and all of them where they are too many.
    #[inline]
    fn bound(&mut self, index: u32) {
        let share = self.share();
        if self.traces[index as usize].size() > share {
            self.compact(index, share);
        }
        if self.size > self.next_sweep {
            for index in 0..self.traces.len() as u32 {
                self.compact(index, share);
            }
            self.next_sweep = ROOM.max(self.size / 2 * 3);
        }
    }

    fn share(&self) -> usize {
        let traces = self.traces.len() - self.free.len();
        (ROOM / traces.max(1)).clamp(SMALLEST, LARGEST)
    }

    #[cold]
    fn compact(&mut self, index: u32, share: usize) {
        let trace = &mut self.traces[index as usize];
        let before = trace.size();
        if before > share {
            trace.compact(share / 2);
            self.size -= before - trace.size();
        }
    }

    /// A span ends, and perhaps its trace.
    fn end_span(
        &mut self,
        process: Process,
        place: Place,
        state: State,
        (duration, self_time): (u64, u64),
        view: Option<View<'_>>,
    ) -> io::Result<()> {
        let is_marked = view.is_some_and(|view| self.taker.marks(view, What::Span(state)));
        let trace = &mut self.traces[place.trace as usize];
        let Some(position) = trace.position(place.number) else {
            return Ok(());
        };
        if let Some(view) = view {
            let before = trace.size();
            trace.push_end(position, view);
            self.size += trace.size() - before;
        }
        trace.is_marked |= is_marked;
        let item = &mut trace.items[position];
        item.what = What::Span(state);
        (item.duration, item.self_time) = (duration, self_time);
        item.is_marked |= is_marked;
        let (id, around) = (item.span_id, item.around);
        if item.open > 0 {
            self.waiting.insert((process.index, id), place);
        }
        self.leave(process, place.trace, around);
        let trace = &mut self.traces[place.trace as usize];
        trace.open = trace.open.saturating_sub(1);
        match trace.open {
            0 => self.finish_trace(place.trace),
            _ => Ok(()),
        }
    }

    /// A span right inside of that one has ended; was it the last that it waited for?
    #[inline]
    fn leave(&mut self, process: Process, trace: u32, around: u32) {
        let trace = &mut self.traces[trace as usize];
        let Some(around) = trace.position(around) else {
            return;
        };
        let around = &mut trace.items[around];
        around.open = around.open.saturating_sub(1);
        let has_ended = !matches!(around.what, What::Span(State::Open));
        if around.open == 0 && has_ended && !self.waiting.is_empty() {
            self.waiting.remove(&(process.index, around.span_id));
        }
    }

    /// Hands a trace on that is whole.
    fn finish_trace(&mut self, index: u32) -> io::Result<()> {
        let trace = &mut self.traces[index as usize];
        let size = trace.size();
        if self.choice.is_plain() {
            self.taken += 1;
            self.taker.trace(trace)?;
        } else {
            self.choose(index)?;
        }
        let trace = &mut self.traces[index as usize];
        let process = trace.process;
        trace.clear(process);
        trace.shrink();
        self.size = self.size.saturating_sub(size);
        self.free.push(index);
        Ok(())
    }

    /// Hands on what of a trace is wanted.
    fn choose(&mut self, index: u32) -> io::Result<()> {
        let trace = &mut self.traces[index as usize];
        let roots = self.choice.roots(trace);
        self.taken += roots.len() as u64;
        if roots == [0] {
            return self.taker.trace(trace);
        }
        for root in roots {
            self.taker.trace(&mut trace.part(root))?;
        }
        Ok(())
    }

    /// A span of which only the end is in the log.
    #[cold]
    fn end_alone(&mut self, end: &End<'_, Kept>) -> io::Result<()> {
        let at = end.at.saturating_sub(end.duration);
        if !self.choice.takes_start(end.view, at) {
            return Ok(());
        }
        let index = self.begin(end.process);
        let place = Place {
            trace: index,
            number: NONE,
        };
        let item = self.push(place, What::Span(State::Ended(end.outcome)), at, end.view);
        (item.duration, item.self_time) = (end.duration, end.duration);
        item.note = Some(Note::StartUnknown);
        self.finish_trace(index)
    }
}

impl<T: Taker> Sink for Collector<T> {
    type Kept = Kept;

    fn wants_events(&self) -> bool {
        true
    }

    fn joins_tasks(&self) -> bool {
        self.spawned
    }

    fn start(&mut self, start: Start<'_>, open: &mut OpenSpans<Kept>) -> io::Result<Kept> {
        let is_task = start.view.record.task_parent_id.is_some();
        let joins = self.spawned || !is_task;
        let around = self.place(start.process, start.parent, open);
        let mut note = None;
        let mut inside = around.filter(|_| joins);
        if let Some(place) = inside {
            let trace = &self.traces[place.trace as usize];
            let position = trace.position(place.number);
            if position.is_none_or(|at| trace.items[at].depth >= DEPTH) {
                note = Some(Note::Deep);
                inside = None;
            }
        } else if around.is_none() && start.parent != 0 && open.get(start.parent).is_none() {
            note = Some(Note::ParentUnknown);
        }
        if inside.is_none() && !self.choice.takes_start(start.view, start.at) {
            return Ok(None);
        }
        let place = inside.unwrap_or_else(|| Place {
            trace: self.begin(start.process),
            number: NONE,
        });
        let item = self.push(place, What::Span(State::Open), start.at, start.view);
        // One without an id in the log has another here.
        item.span_id = start.id;
        item.note = note;
        let number = item.number;
        self.traces[place.trace as usize].open += 1;
        let trace = place.trace;
        Ok(Some(Place { trace, number }))
    }

    fn event(&mut self, event: Event<'_>, open: &mut OpenSpans<Kept>) -> io::Result<()> {
        if let Some(place) = self.place(event.process, event.span, open) {
            let level = event.view.level();
            self.push(place, What::Record(level), event.at, event.view);
            return Ok(());
        }
        let is_open = open.get(event.span).is_some();
        if !is_open && self.choice.takes_outside(event.view, event.at) {
            self.taken += 1;
            return self.taker.outside(&event, event.span != 0);
        }
        Ok(())
    }

    #[inline]
    fn end(&mut self, end: End<'_, Kept>, _: &mut OpenSpans<Kept>) -> io::Result<()> {
        let Some(span) = &end.span else {
            return self.end_alone(&end);
        };
        let Some(place) = span.kept else {
            return Ok(());
        };
        let times = (end.duration, end.self_time);
        let state = State::Ended(end.outcome);
        self.end_span(end.process, place, state, times, Some(end.view))
    }

    fn lost(
        &mut self,
        process: Process,
        root: u64,
        events: &[Event<'_>],
        _: &mut OpenSpans<Kept>,
    ) -> io::Result<()> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(());
        };
        if !self.choice.takes_unwritten(first.at, last.at) {
            return Ok(());
        }
        let trace = self.begin(process);
        self.traces[trace as usize].push_unwritten(root, first.at);
        let place = Place { trace, number: 0 };
        for event in events {
            let level = event.view.level();
            self.push(place, What::Record(level), event.at, event.view);
        }
        let whole = &mut self.traces[trace as usize];
        let record = first.view.record;
        whole.items[0].task_id = record.task_id;
        whole.items[0].thread_id = record.thread_id;
        self.taken += 1;
        let size = whole.size();
        self.taker.trace(whole)?;
        self.size = self.size.saturating_sub(size);
        self.free.push(trace);
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        self.taker.pause()
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<Kept>) -> io::Result<()> {
        // The innermost come first, so that each trace is whole when its root comes.
        for (_, span) in open.into_sorted().into_iter().rev() {
            let Some(place) = span.kept else {
                continue;
            };
            let duration = process.last.saturating_sub(span.start);
            let times = (duration, span.self_time(process.last));
            self.end_span(process, place, State::Unfinished, times, None)?;
        }
        self.waiting.retain(|(index, _), _| *index != process.index);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.taker.finish()
    }
}
