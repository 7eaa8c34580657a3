//! What both formats of traces have in common: a [`Sink`] that knows where and when a span is drawn,
//! over a [`Format`] that knows how.
//!
//! A span is drawn when it ends. Readers sort what they read by time and, of the same time, by its place
//! in the file; so what begins together with the span around it is held until that is drawn.

use std::io;

use hashbrown::HashMap;

use super::tracks::{Above, Lane, Lanes, Owner, Track};
use crate::read::{Outcome, ProcessId, View};
use crate::track::{End, Event, OpenSpans, Process, Sink, Start};

/// What is drawn.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Records that are neither start nor end, too.
    pub events: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { events: true }
    }
}

/// A piece of the file.
#[derive(Debug, Default)]
pub struct Piece {
    pub(crate) bytes: Vec<u8>,
    /// The spans that are drawn in it.
    drawn: Vec<Drawn>,
    /// Which of them, by their offsets, spawned tasks since, and the numbers of the arrows.
    late: Vec<(u64, u64)>,
}

/// A span that is drawn.
#[derive(Clone, Copy, Debug, Default)]
struct Drawn {
    process: usize,
    id: u64,
    place: Place,
    /// The span that holds it; 0 if it is in the file.
    holder: u64,
    /// Its offset in what that holds, or in the file.
    offset: u64,
}

/// A track and a time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    pub(crate) track: u32,
    pub(crate) at: u64,
}

/// A process that a trace names.
#[derive(Clone, Copy, Debug)]
pub struct Pid {
    /// Its number in the trace.
    pub(crate) number: u64,
    id: Option<ProcessId>,
}

/// What is known of a span that is drawn.
#[derive(Debug)]
pub struct Slice<'a> {
    pub(crate) pid: u64,
    pub(crate) place: Place,
    /// None if it has not ended.
    pub(crate) end: Option<u64>,
    pub(crate) outcome: Outcome,
    /// Its name and its arguments, as the format wrote them.
    pub(crate) text: &'a [u8],
    /// It is a task: the number of the arrow that comes from who spawned it.
    pub(crate) flow_in: Option<u64>,
    /// The numbers of the arrows to the tasks that it spawned.
    pub(crate) flows_out: &'a [Spawned],
}

/// A task that a span spawned.
#[derive(Clone, Copy, Debug)]
pub struct Spawned {
    id: u64,
    pub(crate) flow: u64,
    /// Where it is drawn, once it is.
    place: Option<Place>,
}

/// How a trace is written.
pub trait Format {
    /// How much earlier a span that never ended has to begin if one begins with it that did.
    const OPEN_EARLIER: u64;

    /// Writes what a file begins with. `at` is the first time that is known.
    fn begin(&mut self, at: u64, to: &mut Vec<u8>);

    /// Writes what a file ends with.
    fn end(&mut self, to: &mut Vec<u8>);

    /// Names a process.
    fn process(&mut self, index: usize, pid: u64, name: &str, to: &mut Vec<u8>);

    /// Something will be drawn on a track that has that place among those of its process.
    fn track(&mut self, track: u32, order: u32);

    /// Names a track. A group is named before the tracks in it, and all of them behind what is drawn.
    fn name(&mut self, pid: u64, track: &Track<'_>, to: &mut Vec<u8>);

    /// Writes a span's name and arguments into `text`; what has to be said first of words, to `to`.
    fn describe(&mut self, span: Described<'_>, text: &mut Vec<u8>, to: &mut Vec<u8>);

    /// Writes a span. Gives the offset in `to` by which more can be said of it.
    fn slice(&mut self, slice: &Slice<'_>, to: &mut Vec<u8>) -> usize;

    /// Writes the end of a span, behind what was held for it.
    fn close(&mut self, slice: &Slice<'_>, to: &mut Vec<u8>);

    /// Writes a record.
    fn instant(&mut self, pid: u64, place: Place, view: View<'_>, to: &mut Vec<u8>);

    /// Writes an arrow from one span to another; both are drawn.
    fn flow(&mut self, flow: u64, from: (u64, Place), into: (u64, Place), to: &mut Vec<u8>);

    /// Says of a span that is drawn, at that offset in the file, that it spawned a task. False if it is
    /// too late for that.
    fn spawned(&mut self, at: u64, flow: u64) -> bool;

    /// Writes what the file goes on with, and leaves `bytes` empty.
    fn write(&mut self, bytes: &mut Vec<u8>) -> io::Result<()>;

    /// Writes what is left.
    fn finish(&mut self) -> io::Result<()>;
}

/// What is said of a span.
#[derive(Debug)]
pub struct Described<'a> {
    pub(crate) view: View<'a>,
    pub(crate) id: u64,
    /// The span around it.
    pub(crate) parent: u64,
    /// Its start is not in the log.
    pub(crate) end_alone: bool,
}

/// Draws the spans and the records of a log.
#[derive(Debug)]
pub struct Trace<F> {
    format: F,
    options: Options,
    lanes: Lanes,
    pids: Vec<Pid>,
    /// The spans that were drawn last, two for each remainder of their ids.
    recent: Vec<[Drawn; 2]>,
    file: Vec<u8>,
    /// How much of the file is written.
    written: u64,
    begun: bool,
    spare: Vec<Vec<u8>>,
}

/// What a [`Trace`] keeps of an open span.
#[derive(Debug)]
pub struct Kept {
    /// None if it is not drawn.
    lane: Option<Lane>,
    /// The span around it that is drawn, 0 if there is none.
    around: u64,
    text: Vec<u8>,
    spawner: Spawner,
    more: Option<Box<More>>,
}

/// What few open spans have.
#[derive(Debug, Default)]
struct More {
    /// What is to be drawn behind it.
    held: Piece,
    /// When the last that is held ends.
    held_until: u64,
    /// The tasks that it spawned.
    spawned: Vec<Spawned>,
}

/// Where the arrow to a task comes from.
#[derive(Clone, Copy, Debug)]
enum Spawner {
    None,
    /// The open span around it, and the task's place among those that it spawned.
    Open(usize),
    Drawn(Place),
}

/// How many arrows can begin at one span. More of them hide what they lead to: who spawned a task is in
/// its arguments too.
const FLOWS: usize = 64;

/// How much is held for one span.
const HELD: usize = 1 << 20;

/// How many spans are remembered that ended: a task may still begin that one of them spawned.
const RECENT: usize = 1 << 12;

impl<F: Format> Trace<F> {
    pub(crate) fn over(format: F, options: Options) -> Self {
        Trace {
            format,
            options,
            lanes: Lanes::default(),
            pids: Vec::new(),
            recent: vec![[Drawn::default(); 2]; RECENT],
            file: Vec::new(),
            written: 0,
            begun: false,
            spare: Vec::new(),
        }
    }

    pub(crate) fn into_format(self) -> F {
        self.format
    }

    /// Begins the file, and names the process, if that is still to be done.
    fn prepare(&mut self, process: Process, at: u64) {
        if !self.begun {
            self.begun = true;
            self.format.begin(at, &mut self.file);
        }
        let known = self.pids.get(process.index);
        if known.is_none_or(|pid| pid.id.is_none() && process.id.is_some()) {
            self.name_process(process);
        }
    }

    #[cold]
    fn name_process(&mut self, process: Process) {
        let os = process.id.map(|id| id.pid);
        // A process that has started anew in its container has the same number.
        let same = |pid: &&Pid| pid.id.map(|id| id.pid) == os && os.is_some();
        let before = self.pids.iter().filter(same).count();
        let mut name = match os {
            Some(pid) => format!("process {pid}"),
            None => "process".into(),
        };
        if before > 0 {
            name += &format!(" ({})", before + 1);
        }
        while self.pids.len() <= process.index {
            // Formats have 31 bits for it.
            let wanted = os.filter(|pid| (1..1 << 31).contains(pid)).unwrap_or(1);
            let taken = |number: u64| self.pids.iter().any(|pid| pid.number == number);
            let number = (wanted..).find(|number| !taken(*number)).unwrap_or(wanted);
            self.pids.push(Pid { number, id: None });
        }
        let pid = &mut self.pids[process.index];
        pid.id = process.id;
        self.format
            .process(process.index, pid.number, &name, &mut self.file);
    }

    /// The track of a lane of a process.
    fn track(&mut self, process: usize, lane: Lane) -> u32 {
        let Trace { lanes, format, .. } = self;
        let pid = self.pids[process].number;
        lanes.track(process, lane, pid, |track, order| {
            format.track(track, order)
        })
    }

    /// Names the tracks of a process of which nothing more comes.
    fn name_tracks(&mut self, process: usize) {
        let Trace {
            lanes,
            format,
            file,
            ..
        } = self;
        let pid = self.pids.get(process).map_or(0, |pid| pid.number);
        lanes.close(process, |track| format.name(pid, &track, file));
    }

    fn text(&mut self) -> Vec<u8> {
        let mut text = self.spare.pop().unwrap_or_default();
        text.clear();
        text
    }

    /// Draws a span and what was held for it, into what `holder` holds if there is one.
    fn draw(
        &mut self,
        drawn: Drawn,
        slice: &Slice<'_>,
        held: &mut Piece,
        mut holder: Option<(u64, &mut Piece)>,
    ) {
        let (to, base) = match &mut holder {
            Some((_, piece)) => (&mut piece.bytes, 0),
            None => (&mut self.file, self.written),
        };
        let offset = self.format.slice(slice, to) as u64 + base;
        self.place(Drawn { offset, ..drawn }, holder.as_mut());
        self.release(held, holder.as_mut());
        let to = holder.map_or(&mut self.file, |(_, piece)| &mut piece.bytes);
        self.format.close(slice, to);
    }

    /// Remembers where a span is drawn.
    fn place(&mut self, mut drawn: Drawn, holder: Option<&mut (u64, &mut Piece)>) {
        drawn.holder = 0;
        if let Some((holder, piece)) = holder {
            drawn.holder = *holder;
            piece.drawn.push(drawn);
        }
        let recent = &mut self.recent[drawn.id as usize % RECENT];
        // What was held is placed again where that goes.
        if recent[0].id != drawn.id || recent[0].process != drawn.process {
            recent[1] = recent[0];
        }
        recent[0] = drawn;
    }

    /// Draws what was held, and leaves it empty.
    fn release(&mut self, held: &mut Piece, mut holder: Option<&mut (u64, &mut Piece)>) {
        let base = match &holder {
            Some((_, piece)) => piece.bytes.len() as u64,
            None => self.file.len() as u64 + self.written,
        };
        for drawn in held.drawn.drain(..) {
            let offset = drawn.offset + base;
            self.place(Drawn { offset, ..drawn }, holder.as_deref_mut());
        }
        let late = held
            .late
            .drain(..)
            .map(|(offset, flow)| (offset + base, flow));
        match holder {
            Some((_, piece)) => {
                piece.late.extend(late);
                piece.bytes.append(&mut held.bytes);
            }
            None => {
                for (offset, flow) in late {
                    self.format.spawned(offset, flow);
                }
                self.file.append(&mut held.bytes);
            }
        }
    }

    /// Finds where the arrow to a task comes from.
    fn spawner(
        &mut self,
        process: usize,
        id: u64,
        parent: u64,
        open: &mut OpenSpans<Kept>,
    ) -> Spawner {
        if let Some(parent) = open.get_mut(parent) {
            if parent.kept.lane.is_none() {
                return Spawner::None;
            }
            let spawned = &mut parent.kept.more().spawned;
            if spawned.len() >= FLOWS {
                return Spawner::None;
            }
            spawned.push(Spawned {
                id,
                flow: flow(process, id),
                place: None,
            });
            return Spawner::Open(spawned.len() - 1);
        }
        let is_parent = |of: &&Drawn| parent != 0 && of.id == parent && of.process == process;
        let recent = &self.recent[parent as usize % RECENT];
        let Some(recent) = recent.iter().find(is_parent).copied() else {
            return Spawner::None;
        };
        let flow = flow(process, id);
        let holder = open
            .get_mut(recent.holder)
            .and_then(|holder| holder.kept.more.as_mut());
        let is_in_time = match holder {
            Some(more) => {
                more.held.late.push((recent.offset, flow));
                true
            }
            None => self.format.spawned(recent.offset, flow),
        };
        match is_in_time {
            true => Spawner::Drawn(recent.place),
            false => Spawner::None,
        }
    }

    /// Writes when there is enough.
    fn flush(&mut self) -> io::Result<()> {
        const ENOUGH: usize = 1 << 20;
        if self.file.len() < ENOUGH {
            return Ok(());
        }
        self.written += self.file.len() as u64;
        self.format.write(&mut self.file)
    }
}

impl Kept {
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Gives away what is held, as the span goes to another lane: that is drawn on the old one, within the
    /// span that stays there.
    fn leave_held(&mut self) -> Option<Piece> {
        let more = self.more.as_mut()?;
        more.held_until = 0;
        let is_held = !more.held.bytes.is_empty();
        is_held.then(|| std::mem::take(&mut more.held))
    }

    /// Whether what starts and ends then has to be held until this span, which started then, is drawn.
    fn holds(&self, own_start: u64, start: u64) -> bool {
        match &self.more {
            None => start == own_start,
            Some(more) => {
                let behind_held = !more.held.bytes.is_empty() && start <= more.held_until;
                (start == own_start || behind_held) && more.held.bytes.len() < HELD
            }
        }
    }
}

/// The number of the arrow to a task: ids of spans are unique in a process only.
fn flow(process: usize, id: u64) -> u64 {
    (process as u64) << 48 ^ id
}

impl<F: Format> Sink for Trace<F> {
    type Kept = Kept;

    fn wants_events(&self) -> bool {
        self.options.events
    }

    fn wants_self_times(&self) -> bool {
        false
    }

    /// A process has its number from the first of its tracks on.
    fn wants_names(&self) -> bool {
        true
    }

    fn start(&mut self, start: Start<'_>, open: &mut OpenSpans<Kept>) -> io::Result<Kept> {
        let (process, record) = (start.process.index, start.view.record);
        let around = match open.get(start.parent) {
            Some(parent) if parent.kept.lane.is_none() => parent.kept.around,
            Some(_) => start.parent,
            None => 0,
        };
        if !start.may_be_selected {
            return Ok(Kept {
                lane: None,
                around,
                text: Vec::new(),
                spawner: Spawner::None,
                more: None,
            });
        }
        self.prepare(start.process, start.at);
        let owner = Owner::new(process, record.task_id, record.thread_id);
        let parent = open.get(around).and_then(|parent| parent.kept.lane);
        let parent = parent.map(|lane| (around, lane));
        let is_task = record.task_parent_id.is_some();
        if is_task {
            self.lanes.name(owner, &start.view.message());
        }
        let lane = self.lanes.enter(owner, start.id, parent, start.at);
        let spawner = match is_task && start.parent != 0 {
            true => self.spawner(process, start.id, start.parent, open),
            false => Spawner::None,
        };
        let mut text = self.text();
        let described = Described {
            view: start.view,
            id: start.id,
            parent: start.parent,
            end_alone: false,
        };
        self.format.describe(described, &mut text, &mut self.file);
        Ok(Kept {
            lane: Some(lane),
            around,
            text,
            spawner,
            more: None,
        })
    }

    fn event(&mut self, event: Event<'_>, open: &mut OpenSpans<Kept>) -> io::Result<()> {
        let record = event.view.record;
        let span = open.get(event.span);
        let inside = span.and_then(|span| Some((span.kept.lane?, span.start)));
        self.prepare(event.process, event.at);
        let owner = Owner::new(event.process.index, record.task_id, record.thread_id);
        let beside = || self.lanes.beside(owner, event.at);
        let lane = inside.map_or_else(beside, |(lane, _)| lane);
        let at = self
            .lanes
            .record(lane, event.at, inside.map(|(_, start)| start));
        let place = Place {
            track: self.track(event.process.index, lane),
            at,
        };
        let pid = self.pids[event.process.index].number;
        self.format.instant(pid, place, event.view, &mut self.file);
        self.flush()
    }

    fn end(&mut self, end: End<'_, Kept>, open: &mut OpenSpans<Kept>) -> io::Result<()> {
        match end.span {
            Some(_) => self.end_of_span(end, open),
            None => self.end_alone(&end),
        }
        self.flush()
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<Kept>) -> io::Result<()> {
        let index = process.index;
        let pid = self.pids.get(index).map_or(0, |pid| pid.number);
        let mut spans = open;
        let stacks = self.lanes.left_open(index);
        let mut places = HashMap::new();
        for stack in &stacks {
            self.place_open(index, stack, &spans, &mut places);
        }
        for id in stacks.into_iter().flatten().map(|of| of.id) {
            let Some(span) = spans.remove(id) else {
                continue;
            };
            let Some(&place) = places.get(&id) else {
                continue;
            };
            let mut kept = span.kept;
            let mut more = kept.more.take().unwrap_or_default();
            let spawner = match kept.spawner {
                Spawner::None => None,
                Spawner::Open(_) => places.get(&span.parent).copied().filter(|of| of.track != 0),
                Spawner::Drawn(place) => Some(place),
            };
            if span.selected {
                let slice = Slice {
                    pid,
                    place,
                    end: None,
                    outcome: Outcome::Finished,
                    text: &kept.text,
                    flow_in: spawner.map(|_| flow(index, id)),
                    flows_out: &more.spawned,
                };
                self.format.slice(&slice, &mut self.file);
                if let Some(from) = spawner {
                    let (from, into) = ((pid, from), (pid, place));
                    self.format
                        .flow(flow(index, id), from, into, &mut self.file);
                }
            }
            self.release(&mut more.held, None);
            if span.selected {
                for spawned in &more.spawned {
                    if let Some(into) = spawned.place {
                        let (from, into) = ((pid, place), (pid, into));
                        self.format.flow(spawned.flow, from, into, &mut self.file);
                    }
                }
            }
            self.spare.push(kept.text);
            self.flush()?;
        }
        self.name_tracks(index);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if !self.begun {
            self.format.begin(0, &mut self.file);
        }
        for process in self.lanes.processes() {
            self.name_tracks(process);
        }
        self.format.end(&mut self.file);
        self.format.write(&mut self.file)?;
        self.format.finish()
    }
}

impl<F: Format> Trace<F> {
    /// Finds where the open spans of a lane are drawn, of which the outermost is first.
    fn place_open(
        &mut self,
        process: usize,
        stack: &[Above],
        spans: &OpenSpans<Kept>,
        places: &mut HashMap<u64, Place>,
    ) {
        // What begins together with the span around it pulls that along.
        let mut above = u64::MAX;
        let mut until = stack.len();
        for (index, of) in stack.iter().enumerate().rev() {
            let Some(span) = spans.get(of.id) else {
                continue;
            };
            let Some(lane) = span.kept.lane else { continue };
            let more = span.kept.more.as_ref();
            let holds = more.is_some_and(|more| !more.held.bytes.is_empty());
            let earlier = if holds { F::OPEN_EARLIER } else { 0 };
            let at = span.start.saturating_sub(earlier).min(above);
            above = at;
            let track = match span.selected {
                true => self.track(process, lane),
                false => 0,
            };
            places.insert(of.id, Place { track, at });
            if of.is_tight && at < span.start {
                // It would begin inside of what was drawn before.
                self.set_apart(&stack[index..until], (process, lane), at, places);
                (above, until) = (u64::MAX, index);
            }
        }
    }

    /// Gives open spans of a lane another one.
    fn set_apart(
        &mut self,
        spans: &[Above],
        (process, lane): (usize, Lane),
        at: u64,
        places: &mut HashMap<u64, Place>,
    ) {
        let is_drawn = |of: &&Above| places.get(&of.id).is_some_and(|place| place.track != 0);
        let drawn: Vec<u64> = spans.iter().filter(is_drawn).map(|of| of.id).collect();
        if drawn.is_empty() {
            return;
        }
        let apart = self.lanes.apart(lane, at);
        let track = self.track(process, apart);
        for id in drawn {
            places.entry(id).and_modify(|place| place.track = track);
        }
    }

    fn end_of_span(&mut self, end: End<'_, Kept>, open: &mut OpenSpans<Kept>) {
        let Some(span) = end.span else { return };
        let Kept {
            lane,
            around,
            text,
            spawner,
            more,
        } = span.kept;
        let Some(lane) = lane else { return };
        let (process, id) = (end.process.index, end.id);
        let holder = open
            .get(around)
            .filter(|parent| parent.kept.holds(parent.start, span.start));
        let held_by = holder.map(|_| around);
        let until = end.at.max(span.start);
        let mut left = Vec::new();
        let lane = self
            .lanes
            .leave(lane, (id, held_by), (span.start, until), |id, to| {
                if let Some(moved) = open.get_mut(id) {
                    moved.kept.lane = Some(to);
                    left.extend(moved.kept.leave_held());
                }
            });
        let place = Place {
            track: match end.selected {
                true => self.track(process, lane),
                false => 0,
            },
            at: span.start,
        };
        let (mut more, mut nothing) = (more, More::default());
        let more = more.as_deref_mut().unwrap_or(&mut nothing);
        for mut piece in left {
            self.release(&mut piece, Some(&mut (id, &mut more.held)));
        }
        // Taken out for as long as it is written to.
        let mut held = held_by.and_then(|id| open.get_mut(id)).map(|parent| {
            let more = parent.kept.more();
            more.held_until = more.held_until.max(until);
            std::mem::take(&mut more.held)
        });
        let mut holder = held.as_mut().map(|piece| (around, piece));
        if end.selected {
            let slice = Slice {
                pid: self.pids[process].number,
                place,
                end: Some(until),
                outcome: end.outcome,
                text: &text,
                flow_in: match spawner {
                    Spawner::None => None,
                    _ => Some(flow(process, id)),
                },
                flows_out: &more.spawned,
            };
            let drawn = Drawn {
                process,
                id,
                place,
                ..Drawn::default()
            };
            self.draw(drawn, &slice, &mut more.held, holder);
        } else {
            self.release(&mut more.held, holder.as_mut());
        }
        if let Some(held) = held
            && let Some(parent) = open.get_mut(around)
        {
            parent.kept.more().held = held;
        }
        if end.selected {
            self.end_flow(process, (id, span.parent), spawner, place, open);
        }
        self.begin_flows(process, &more.spawned, end.selected.then_some(place), open);
        self.spare.push(text);
    }

    /// Draws the arrow to a task that is drawn now, or tells who spawned it where it is.
    fn end_flow(
        &mut self,
        process: usize,
        (id, parent): (u64, u64),
        spawner: Spawner,
        place: Place,
        open: &mut OpenSpans<Kept>,
    ) {
        let pid = self.pids[process].number;
        match spawner {
            Spawner::None => {}
            Spawner::Open(index) => {
                let more = open
                    .get_mut(parent)
                    .and_then(|parent| parent.kept.more.as_mut());
                if let Some(spawned) = more.and_then(|more| more.spawned.get_mut(index)) {
                    spawned.place = Some(place);
                }
            }
            Spawner::Drawn(from) => {
                let (from, into) = ((pid, from), (pid, place));
                self.format
                    .flow(flow(process, id), from, into, &mut self.file);
            }
        }
    }

    /// Draws the arrows from a span that is drawn now to the tasks that are, and tells the others
    /// where it is.
    fn begin_flows(
        &mut self,
        process: usize,
        spawned: &[Spawned],
        place: Option<Place>,
        open: &mut OpenSpans<Kept>,
    ) {
        let pid = self.pids[process].number;
        for spawned in spawned {
            if let Some(task) = open.get_mut(spawned.id) {
                task.kept.spawner = place.map_or(Spawner::None, Spawner::Drawn);
            } else if let (Some(from), Some(into)) = (place, spawned.place) {
                let (from, into) = ((pid, from), (pid, into));
                self.format.flow(spawned.flow, from, into, &mut self.file);
            }
        }
    }

    /// Draws a span of which only the end is in the log.
    fn end_alone(&mut self, end: &End<'_, Kept>) {
        // Nothing before it said a time.
        if !end.selected || end.at == 0 {
            return;
        }
        let start = end.at.saturating_sub(end.duration);
        self.prepare(end.process, start);
        let record = end.view.record;
        let owner = Owner::new(end.process.index, record.task_id, record.thread_id);
        let lane = self.lanes.enter(owner, end.id, None, start);
        let lane = self
            .lanes
            .leave(lane, (end.id, None), (start, end.at), |_, _| {});
        let mut text = self.text();
        let described = Described {
            view: end.view,
            id: end.id,
            parent: 0,
            end_alone: true,
        };
        self.format.describe(described, &mut text, &mut self.file);
        let slice = Slice {
            pid: self.pids[end.process.index].number,
            place: Place {
                track: self.track(end.process.index, lane),
                at: start,
            },
            end: Some(end.at),
            outcome: end.outcome,
            text: &text,
            flow_in: None,
            flows_out: &[],
        };
        self.format.slice(&slice, &mut self.file);
        self.format.close(&slice, &mut self.file);
        self.spare.push(text);
    }
}

/// What a record is called: the first line of its message, or the beginning of that.
pub(crate) fn first_line(message: &str) -> &str {
    const LONG: usize = 120;
    let line = message.lines().next().unwrap_or("");
    let end = (0..=LONG.min(line.len()))
        .rev()
        .find(|at| line.is_char_boundary(*at));
    &line[..end.unwrap_or(0)]
}
