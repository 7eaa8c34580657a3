//! Where spans are drawn: a lane of a task, or of a thread where there is no task.
//!
//! Spans of one task can overlap: the arms of a `join!` do. On one lane they nest, so a task has as
//! many lanes as it needs. A span is drawn when it ends, and until then it can change its lane.

use std::collections::VecDeque;

use hashbrown::HashMap;

/// Whose lanes they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Owner {
    /// The process, by its place among the processes of the log.
    pub(crate) process: usize,
    /// The task, 0 if there is none.
    pub(crate) task: u64,
    /// The thread, where there is no task.
    pub(crate) thread: u64,
}

impl Owner {
    pub(crate) fn new(process: usize, task: u64, thread: u64) -> Self {
        let thread = if task == 0 { thread } else { 0 };
        Owner {
            process,
            task,
            thread,
        }
    }
}

/// A lane: of which owner, and which of his.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    group: u32,
    number: u32,
}

/// A span that is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Above {
    pub(crate) id: u64,
    start: u64,
    /// What was drawn on its lane before ends when it starts: it cannot begin earlier.
    pub(crate) is_tight: bool,
}

/// What is on one lane.
#[derive(Debug, Default)]
struct Line {
    /// The number of its track; 0 while nothing is drawn on it.
    track: u32,
    /// The spans that are open, each inside the one before.
    open: Vec<Above>,
    /// When the last of those drawn here ended.
    drawn_until: u64,
    /// From when on another can be beside those drawn here.
    free_from: u64,
    /// From when on a record can be beside those drawn here.
    records_from: u64,
}

impl Line {
    /// Whether a span can be put on top: inside `parent`, or on an empty lane.
    fn takes(&self, parent: u64, start: u64) -> bool {
        let fits = |top: &Above| top.id == parent && top.start <= start;
        self.free_from <= start && self.open.last().is_none_or(fits)
    }
}

/// The lanes of one owner.
#[derive(Debug)]
struct Group {
    owner: Owner,
    /// The name of the task.
    name: Option<Box<str>>,
    lines: Vec<Line>,
    /// The lanes without open spans, the first one last.
    empty: Vec<u32>,
    /// Its place among all, in the order in which they were seen.
    rank: u32,
    /// When it was last left without open spans.
    idle_since: u64,
    /// From when on a new lane is free.
    free_from: u64,
}

impl Group {
    fn is_idle(&self) -> bool {
        self.empty.len() == self.lines.len()
    }

    /// A lane without open spans that was free since then.
    fn empty_line(&mut self, since: u64) -> u32 {
        let lines = &self.lines;
        let free = |line: &&u32| lines[**line as usize].free_from <= since;
        // Whoever has hundreds of lanes is not asked for each of them.
        let found = self.empty.iter().rev().take(64).find(free).copied();
        if let Some(line) = found {
            self.empty.retain(|&of| of != line);
            return line;
        }
        let line = Line {
            free_from: self.free_from,
            records_from: self.free_from,
            ..Line::default()
        };
        self.lines.push(line);
        self.lines.len() as u32 - 1
    }

    fn is_empty_now(&mut self, line: u32) {
        if self.lines[line as usize].open.is_empty() {
            let at = self.empty.partition_point(|&of| of > line);
            self.empty.insert(at, line);
        }
    }
}

/// What is said of a track when something is drawn on it for the first time.
#[derive(Debug)]
pub struct NewTrack<'a> {
    pub(crate) owner: Owner,
    /// The name of the task, if one is known.
    pub(crate) name: Option<&'a str>,
    /// Which of the owner's lanes, from 0.
    pub(crate) line: u32,
}

impl NewTrack<'_> {
    /// Where it stands: threads before tasks, each in the order of their numbers, and the lanes of an
    /// owner beside each other. Readers have 31 bits for it.
    pub(crate) fn order(&self) -> u32 {
        const THREADS: u64 = 1 << 23;
        const TASKS: u64 = 1 << 24;
        let owner = match self.owner.task {
            0 => self.owner.thread.min(THREADS - 1),
            task => THREADS + task.min(TASKS - 1),
        };
        (owner << 6) as u32 | self.line.min(63)
    }
}

/// All lanes.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    groups: Vec<Group>,
    index: HashMap<Owner, u32>,
    unused: Vec<u32>,
    /// Those that were left without open spans, and when.
    idle: VecDeque<(u32, u64)>,
    turn: u64,
    seen: u32,
    tracks: u32,
    /// Whatever was forgotten ended before.
    forgotten_until: u64,
}

/// How many owners without open spans are remembered: something may still come from them.
const IDLE: usize = 4096;

impl Lanes {
    /// Finds the lanes of an owner; there is one at least.
    pub(crate) fn first(&mut self, owner: Owner) -> Lane {
        let group = match self.index.get(&owner) {
            Some(group) => *group,
            None => self.add(owner),
        };
        Lane { group, number: 0 }
    }

    fn add(&mut self, owner: Owner) -> u32 {
        let group = Group {
            owner,
            name: None,
            lines: vec![Line {
                free_from: self.forgotten_until,
                records_from: self.forgotten_until,
                ..Line::default()
            }],
            empty: vec![0],
            rank: self.seen,
            idle_since: 0,
            free_from: self.forgotten_until,
        };
        self.seen = self.seen.saturating_add(1);
        let index = match self.unused.pop() {
            Some(index) => {
                self.groups[index as usize] = group;
                index
            }
            None => {
                self.groups.push(group);
                self.groups.len() as u32 - 1
            }
        };
        self.index.insert(owner, index);
        index
    }

    /// Names the task that a lane is of, unless it has a name.
    pub(crate) fn name(&mut self, lane: Lane, name: &str) {
        let group = &mut self.groups[lane.group as usize];
        if group.name.is_none() {
            group.name = Some(name.into());
        }
    }

    /// Gives a span that starts a lane: that of the span around it, or an empty one of `owner`.
    pub(crate) fn enter(
        &mut self,
        owner: Owner,
        id: u64,
        around: Option<(u64, Lane)>,
        start: u64,
    ) -> Lane {
        let mut top = Above {
            id,
            start,
            is_tight: false,
        };
        if let Some((parent, lane)) = around {
            let group = &mut self.groups[lane.group as usize];
            let line = &mut group.lines[lane.number as usize];
            if group.owner == owner && line.takes(parent, start) {
                top.is_tight = line.free_from == start;
                line.open.push(top);
                return lane;
            }
        }
        let group = self.first(owner).group;
        let of = &mut self.groups[group as usize];
        let number = of.empty_line(start);
        let line = &mut of.lines[number as usize];
        top.is_tight = line.free_from == start;
        line.open.push(top);
        Lane { group, number }
    }

    /// Takes a span that ends from its lane. Those on top of it, which are still open, go to another
    /// lane: `moved` is told of each. Gives the lane to draw it on. `held_by` is the span that has to be
    /// drawn before it.
    pub(crate) fn leave(
        &mut self,
        lane: Lane,
        (id, held_by): (u64, Option<u64>),
        (start, end): (u64, u64),
        mut moved: impl FnMut(u64, Lane),
    ) -> Lane {
        let group = &mut self.groups[lane.group as usize];
        let line = &mut group.lines[lane.number as usize];
        let Some(at) = line.open.iter().rposition(|of| of.id == id) else {
            return lane;
        };
        let mut above: Vec<Above> = line.open.drain(at + 1..).collect();
        line.open.pop();
        // By the clock something inside of it ended later than it does: it cannot be drawn around.
        let fits = line.drawn_until <= end;
        if let Some(start) = above.first().map(|lowest| lowest.start) {
            let number = group.empty_line(start);
            let to = Lane { number, ..lane };
            above.iter_mut().for_each(|of| of.is_tight = false);
            above[0].is_tight = group.lines[number as usize].free_from == start;
            above.iter().for_each(|of| moved(of.id, to));
            group.lines[number as usize].open = above;
        }
        // Not before: those went to another lane than what is drawn on this one.
        group.is_empty_now(lane.number);
        let number = if fits {
            lane.number
        } else {
            let number = group.empty_line(start);
            group.is_empty_now(number);
            number
        };
        let line = &mut group.lines[number as usize];
        line.drawn_until = line.drawn_until.max(end);
        // What begins when something without length did would be drawn inside of that; what begins when
        // something ends that is still held would be drawn before that end.
        let held = held_by.is_some() && line.open.last().map(|top| top.id) != held_by;
        let behind = end.saturating_add(u64::from(start == end || held));
        line.free_from = line.free_from.max(behind);
        line.records_from = line.records_from.max(behind);
        self.settle(lane.group);
        Lane { number, ..lane }
    }

    /// The time at which a record of that time is drawn on a lane: inside the span, and not inside of
    /// the record before it, which two of the same time would be.
    pub(crate) fn record(&mut self, lane: Lane, at: u64, span_start: Option<u64>) -> u64 {
        let group = &mut self.groups[lane.group as usize];
        let line = &mut group.lines[lane.number as usize];
        let inside = span_start.map_or(0, |start| start.saturating_add(1));
        let at = at.max(inside).max(line.records_from);
        line.records_from = at.saturating_add(1);
        self.settle(lane.group);
        at
    }

    /// The track of a lane. `declare` is called where it has none yet.
    pub(crate) fn track(&mut self, lane: Lane, declare: impl FnOnce(u32, NewTrack<'_>)) -> u32 {
        let group = &mut self.groups[lane.group as usize];
        let line = &mut group.lines[lane.number as usize];
        if line.track == 0 {
            self.tracks = self.tracks.saturating_add(1);
            line.track = self.tracks;
            let new = NewTrack {
                owner: group.owner,
                name: group.name.as_deref(),
                line: lane.number,
            };
            declare(line.track, new);
        }
        line.track
    }

    /// The open spans of a process: those of each lane, the outermost first.
    pub(crate) fn left_open(&self, process: usize) -> Vec<Vec<Above>> {
        let mut groups: Vec<&Group> = self
            .index
            .iter()
            .filter(|(owner, _)| owner.process == process)
            .map(|(_, &group)| &self.groups[group as usize])
            .collect();
        groups.sort_unstable_by_key(|group| group.rank);
        let lines = groups.into_iter().flat_map(|group| &group.lines);
        lines
            .filter(|line| !line.open.is_empty())
            .map(|line| line.open.clone())
            .collect()
    }

    /// Another lane of the same owner, which was free since then. It is no longer empty.
    pub(crate) fn apart(&mut self, lane: Lane, since: u64) -> Lane {
        let number = self.groups[lane.group as usize].empty_line(since);
        Lane { number, ..lane }
    }

    /// Forgets all lanes of a process.
    pub(crate) fn forget_process(&mut self, process: usize) {
        let of_process =
            |(owner, &group): (&Owner, &u32)| (owner.process == process).then_some(group);
        let groups: Vec<u32> = self.index.iter().filter_map(of_process).collect();
        groups.into_iter().for_each(|group| self.forget(group));
    }

    /// Remembers that a group has no open spans; forgets those that had none for long.
    fn settle(&mut self, index: u32) {
        let group = &mut self.groups[index as usize];
        if !group.is_idle() {
            return;
        }
        self.turn += 1;
        group.idle_since = self.turn;
        self.idle.push_back((index, self.turn));
        while self.idle.len() > IDLE {
            let Some((index, since)) = self.idle.pop_front() else {
                return;
            };
            let group = &self.groups[index as usize];
            if group.is_idle() && group.idle_since == since {
                self.forget(index);
            }
        }
    }

    fn forget(&mut self, index: u32) {
        let group = &mut self.groups[index as usize];
        let until = group.lines.iter().map(|line| line.records_from).max();
        self.forgotten_until = self.forgotten_until.max(until.unwrap_or(0));
        self.index.remove(&group.owner);
        group.idle_since = 0;
        group.lines = Vec::new();
        group.empty = Vec::new();
        self.unused.push(index);
    }
}
