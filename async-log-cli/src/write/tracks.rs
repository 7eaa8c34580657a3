//! Where spans are drawn: a lane of a task, or of a thread where there is no task.
//!
//! Spans of one task can overlap: the arms of a `join!` do. On one lane they nest, so a task has as
//! many lanes as it needs. A span is drawn when it ends, and until then it can change its lane.
//!
//! Tasks of one name share a group of lanes: a task takes empty lanes of its group and gives them back
//! when nothing of it is open. So there are as many lanes as tasks were open at once, not as many as
//! tasks. How many tasks a group has is known when its process is over; tracks are named then.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use super::number;
use crate::track::fold;

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

/// A lane: of which group, and which of its lanes.
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
    /// The place of its track among those of the process.
    order: u32,
    /// Whose spans are open on it.
    holder: Option<Owner>,
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

/// Whose lanes a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Thread(u64),
    /// Threads that came when there were many.
    OtherThreads,
    Tasks,
    /// Tasks of names that came when there were many.
    OtherTasks,
}

/// Lanes of a thread, or of the tasks of one name.
#[derive(Debug)]
struct Group {
    kind: Kind,
    /// What the names of its tasks have in common: `load #`. Empty if they have none.
    folded: Box<str>,
    /// The name of its first task.
    name: Box<str>,
    /// All its tasks have that name.
    is_one_name: bool,
    /// The first task.
    first: u64,
    /// How many tasks there were.
    tasks: u64,
    lines: Vec<Line>,
    /// The lanes without open spans, the first one last.
    empty: Vec<u32>,
    /// Its place among all, in the order in which they were seen.
    rank: u32,
}

impl Group {
    fn is_of_tasks(&self) -> bool {
        matches!(self.kind, Kind::Tasks | Kind::OtherTasks)
    }

    /// A lane without open spans of which `is_free` holds: `wanted`, if that is one.
    fn empty_line(&mut self, wanted: u32, is_free: impl Fn(&Line) -> bool) -> u32 {
        let free = |line: &u32| is_free(&self.lines[*line as usize]);
        // Whoever has hundreds of lanes is not asked for each of them.
        let asked = self.empty.iter().rev().take(64).copied();
        let is_wanted = |line: &u32| self.lines[*line as usize].open.is_empty() && free(line);
        let wanted = Some(wanted).filter(|line| (*line as usize) < self.lines.len());
        let found = wanted
            .filter(is_wanted)
            .or_else(|| asked.clone().find(free));
        found.unwrap_or_else(|| {
            self.lines.push(Line::default());
            let line = self.lines.len() as u32 - 1;
            self.empty.insert(0, line);
            line
        })
    }

    /// Takes a lane without open spans that was free since then.
    fn take_line(&mut self, wanted: u32, since: u64) -> u32 {
        let line = self.empty_line(wanted, |line| line.free_from <= since);
        self.empty.retain(|&of| of != line);
        line
    }

    fn is_empty_now(&mut self, line: u32) {
        if self.lines[line as usize].open.is_empty() {
            self.lines[line as usize].holder = None;
            let at = self.empty.partition_point(|&of| of > line);
            self.empty.insert(at, line);
        }
    }

    /// What its lanes are called, all together.
    fn title(&self) -> String {
        let name = match self.is_one_name {
            true => &self.name,
            false => &self.folded,
        };
        match (self.kind, self.tasks) {
            (Kind::Thread(1), _) => "main".into(),
            (Kind::Thread(thread), _) => format!("thread {thread}"),
            (Kind::OtherThreads, _) => "other threads".into(),
            (_, 1) if self.name.is_empty() => format!("task {}", self.first),
            (_, 1) => format!("task {} {}", self.first, self.name),
            (_, tasks) => format!("{} ({} tasks)", self.base(name), number::count(tasks)),
        }
    }

    fn base<'a>(&self, name: &'a str) -> &'a str {
        match (self.kind, name) {
            (Kind::OtherTasks, _) => "other names",
            (_, "") => "no name",
            (_, name) => name,
        }
    }

    /// What one of its lanes is called.
    fn line_name(&self, line: usize) -> String {
        if !self.is_of_tasks() || self.tasks == 1 {
            return format!("{} ({})", self.title(), line + 1);
        }
        let name = match self.is_one_name {
            true => &self.name,
            false => &self.folded,
        };
        format!("{} ({})", self.base(name), line + 1)
    }
}

/// A track, or a group of them.
#[derive(Debug)]
pub struct Track<'a> {
    pub(crate) number: u32,
    /// The group that it is in; 0 if it is in none.
    pub(crate) group: u32,
    /// Where it stands among those of its group.
    pub(crate) order: u32,
    pub(crate) name: &'a str,
    /// Its name in formats without groups, where the first lane of a group has the name of that.
    pub(crate) flat_name: &'a str,
    /// Nothing is drawn on it, but there are tracks in it.
    pub(crate) is_group: bool,
}

/// What is remembered of a task.
#[derive(Debug, Default)]
struct Task {
    group: u32,
    /// The lanes with open spans of it.
    held: Vec<u32>,
    /// The lane that it had last.
    last: u32,
    /// When it was last left without open spans.
    idle_since: u64,
}

/// The groups of a process.
#[derive(Debug, Default)]
struct Groups {
    threads: HashMap<u64, u32>,
    /// Those of tasks, by folded names; that of tasks without one has an empty one.
    names: HashMap<Box<str>, u32>,
    other_threads: Option<u32>,
    other_names: Option<u32>,
    tasks: u64,
    /// The places that tracks have.
    orders: HashSet<u32>,
    /// How many places there were behind the usual ones.
    unusual: u32,
}

impl Groups {
    fn all(&self) -> impl Iterator<Item = u32> {
        let named = self.threads.values().chain(self.names.values()).copied();
        named.chain(self.other_threads).chain(self.other_names)
    }

    /// A place for a track: threads before tasks, each in the order of their numbers, and the lanes of a
    /// group beside each other. For readers of Chrome's format it is the number of a thread, which is what
    /// Perfetto's UI orders by; of those, one with the number of its process is its main thread.
    fn place(&mut self, kind: Kind, first: u64, line: u32, pid: u64) -> u32 {
        // Readers have 31 bits for it.
        const LINES: u64 = 1000;
        const THREADS: u64 = 1000;
        const TASKS: u64 = 1_500_000;
        let owner = match kind {
            Kind::Thread(thread) => Some(thread).filter(|thread| *thread < THREADS),
            Kind::Tasks => Some(THREADS.saturating_add(first)).filter(|task| *task < TASKS),
            Kind::OtherThreads | Kind::OtherTasks => None,
        };
        let usual = owner
            .filter(|_| u64::from(line) < LINES)
            .map(|owner| owner * LINES + u64::from(line))
            .filter(|place| *place != 0 && self.orders.insert(*place as u32));
        let place = usual.unwrap_or_else(|| {
            self.unusual += 1;
            TASKS * LINES + u64::from(self.unusual)
        });
        (place + u64::from(place >= pid)) as u32
    }
}

/// All lanes.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    groups: Vec<Group>,
    unused: Vec<u32>,
    processes: HashMap<usize, Groups>,
    tasks: HashMap<Owner, Task>,
    /// Tasks that were left without open spans, and when.
    idle: VecDeque<(Owner, u64)>,
    turn: u64,
    seen: u32,
    tracks: u32,
    folded: Vec<u8>,
}

/// How many tasks without open spans are remembered: something may still come from them.
const IDLE: usize = 4096;

/// How many threads of a process, and how many names of tasks, have a group of their own.
const GROUPS: usize = 256;

impl Lanes {
    /// The group of an owner.
    fn group(&mut self, owner: Owner) -> u32 {
        if owner.task == 0 {
            return self.group_of_thread(owner);
        }
        match self.tasks.get(&owner) {
            Some(task) => task.group,
            None => self.add_task(owner, ""),
        }
    }

    fn group_of_thread(&mut self, owner: Owner) -> u32 {
        let groups = self.processes.entry(owner.process).or_default();
        if let Some(&group) = groups.threads.get(&owner.thread) {
            return group;
        }
        if groups.threads.len() >= GROUPS {
            return match groups.other_threads {
                Some(group) => group,
                None => {
                    let group = self.add_group(Kind::OtherThreads, "", "", 0);
                    self.processes
                        .entry(owner.process)
                        .or_default()
                        .other_threads = Some(group);
                    group
                }
            };
        }
        let group = self.add_group(Kind::Thread(owner.thread), "", "", 0);
        let groups = self.processes.entry(owner.process).or_default();
        groups.threads.insert(owner.thread, group);
        group
    }

    /// Puts a task into the group of its name.
    fn add_task(&mut self, owner: Owner, name: &str) -> u32 {
        let mut folded = std::mem::take(&mut self.folded);
        fold(name.as_bytes(), &mut folded);
        let key = String::from_utf8_lossy(&folded);
        let groups = self.processes.entry(owner.process).or_default();
        let known = groups.names.get(&*key).copied();
        let other = (groups.names.len() >= GROUPS).then_some(groups.other_names);
        let group = match (known, other) {
            (Some(group), _) | (None, Some(Some(group))) => group,
            (None, Some(None)) => {
                let group = self.add_group(Kind::OtherTasks, "", name, owner.task);
                self.processes.entry(owner.process).or_default().other_names = Some(group);
                group
            }
            (None, None) => {
                let group = self.add_group(Kind::Tasks, &key, name, owner.task);
                let groups = self.processes.entry(owner.process).or_default();
                groups.names.insert(key.into(), group);
                group
            }
        };
        self.folded = folded;
        let of = &mut self.groups[group as usize];
        of.tasks += 1;
        of.is_one_name &= *of.name == *name;
        let task = Task {
            group,
            ..Task::default()
        };
        if self.tasks.insert(owner, task).is_none() {
            self.processes.entry(owner.process).or_default().tasks += 1;
        }
        group
    }

    fn add_group(&mut self, kind: Kind, folded: &str, name: &str, first: u64) -> u32 {
        let group = Group {
            kind,
            folded: folded.into(),
            name: name.into(),
            is_one_name: true,
            first,
            tasks: 0,
            lines: vec![Line::default()],
            empty: vec![0],
            rank: self.seen,
        };
        self.seen = self.seen.saturating_add(1);
        match self.unused.pop() {
            Some(index) => {
                self.groups[index as usize] = group;
                index
            }
            None => {
                self.groups.push(group);
                self.groups.len() as u32 - 1
            }
        }
    }

    /// Names a task, unless it has a name or something of it is open.
    pub(crate) fn name(&mut self, owner: Owner, name: &str) {
        let is_named = self.tasks.get(&owner).is_some_and(|task| {
            !task.held.is_empty() || !self.groups[task.group as usize].folded.is_empty()
        });
        if owner.task != 0 && !is_named {
            self.add_task(owner, name);
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
            let line = &mut self.groups[lane.group as usize].lines[lane.number as usize];
            if line.holder == Some(owner) && line.takes(parent, start) {
                top.is_tight = line.free_from == start;
                line.open.push(top);
                return lane;
            }
        }
        let group = self.group(owner);
        let wanted = self.tasks.get(&owner).map_or(0, |task| task.last);
        let of = &mut self.groups[group as usize];
        let number = of.take_line(wanted, start);
        let line = &mut of.lines[number as usize];
        top.is_tight = line.free_from == start;
        line.open.push(top);
        line.holder = Some(owner);
        let lane = Lane { group, number };
        self.hold(owner, lane);
        lane
    }

    /// Remembers that a task has open spans on a lane.
    fn hold(&mut self, owner: Owner, lane: Lane) {
        if let Some(task) = self.tasks.get_mut(&owner)
            && task.group == lane.group
        {
            task.held.push(lane.number);
            task.last = lane.number;
        }
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
        let owner = line.holder;
        let mut above: Vec<Above> = line.open.drain(at + 1..).collect();
        line.open.pop();
        // By the clock something inside of it ended later than it does: it cannot be drawn around.
        let fits = line.drawn_until <= end;
        let mut also_held = None;
        if let Some(start) = above.first().map(|lowest| lowest.start) {
            let number = group.take_line(u32::MAX, start);
            let to = Lane { number, ..lane };
            above.iter_mut().for_each(|of| of.is_tight = false);
            above[0].is_tight = group.lines[number as usize].free_from == start;
            above.iter().for_each(|of| moved(of.id, to));
            group.lines[number as usize].open = above;
            group.lines[number as usize].holder = owner;
            also_held = Some(to);
        }
        // Not before: those went to another lane than what is drawn on this one.
        group.is_empty_now(lane.number);
        let number = if fits {
            lane.number
        } else {
            group.empty_line(u32::MAX, |line| line.free_from <= start)
        };
        let line = &mut group.lines[number as usize];
        line.drawn_until = line.drawn_until.max(end);
        // What begins when something without length did would be drawn inside of that; what begins when
        // something ends that is still held would be drawn before that end.
        let held = held_by.is_some() && line.open.last().map(|top| top.id) != held_by;
        let behind = end.saturating_add(u64::from(start == end || held));
        line.free_from = line.free_from.max(behind);
        line.records_from = line.records_from.max(behind);
        let is_left = group.lines[lane.number as usize].open.is_empty();
        if let Some(owner) = owner
            && (is_left || also_held.is_some())
        {
            self.settle(owner, lane, also_held);
        }
        Lane { number, ..lane }
    }

    /// The lane of a record outside of spans.
    pub(crate) fn beside(&mut self, owner: Owner, at: u64) -> Lane {
        let group = self.group(owner);
        let of = &mut self.groups[group as usize];
        let number = match self.tasks.get(&owner) {
            _ if of.kind == Kind::OtherThreads => of.empty_line(0, |line| line.records_from <= at),
            None => 0,
            Some(task) => match task.held.first() {
                Some(line) => *line,
                None => of.empty_line(task.last, |line| line.records_from <= at),
            },
        };
        let is_idle = self.tasks.get_mut(&owner).is_some_and(|task| {
            task.last = number;
            task.held.is_empty()
        });
        if is_idle {
            self.rest(owner);
        }
        Lane { group, number }
    }

    /// The time at which a record of that time is drawn on a lane: inside the span, and not inside of
    /// the record before it, which two of the same time would be.
    pub(crate) fn record(&mut self, lane: Lane, at: u64, span_start: Option<u64>) -> u64 {
        let group = &mut self.groups[lane.group as usize];
        let is_shared = group.is_of_tasks() || group.kind == Kind::OtherThreads;
        let line = &mut group.lines[lane.number as usize];
        let inside = span_start.map_or(0, |start| start.saturating_add(1));
        let at = at.max(inside).max(line.records_from);
        line.records_from = at.saturating_add(1);
        // No span of another task may be drawn around it.
        if is_shared && line.open.is_empty() {
            line.free_from = line.free_from.max(line.records_from);
        }
        at
    }

    /// The track of a lane. `declare` is called where it has none yet, with its place among those of the
    /// process, which is not `pid`.
    pub(crate) fn track(
        &mut self,
        process: usize,
        lane: Lane,
        pid: u64,
        declare: impl FnOnce(u32, u32),
    ) -> u32 {
        let group = &mut self.groups[lane.group as usize];
        let line = &mut group.lines[lane.number as usize];
        if line.track == 0 {
            self.tracks = self.tracks.saturating_add(1);
            line.track = self.tracks;
            let groups = self.processes.entry(process).or_default();
            line.order = groups.place(group.kind, group.first, lane.number, pid);
            declare(line.track, line.order);
        }
        line.track
    }

    /// The open spans of a process: those of each lane, the outermost first.
    pub(crate) fn left_open(&self, process: usize) -> Vec<Vec<Above>> {
        let groups = self.processes.get(&process).into_iter();
        let mut groups: Vec<&Group> = groups
            .flat_map(Groups::all)
            .map(|group| &self.groups[group as usize])
            .collect();
        groups.sort_unstable_by_key(|group| group.rank);
        let lines = groups.into_iter().flat_map(|group| &group.lines);
        lines
            .filter(|line| !line.open.is_empty())
            .map(|line| line.open.clone())
            .collect()
    }

    /// Another lane beside one, which was free since then. It is no longer empty.
    pub(crate) fn apart(&mut self, lane: Lane, since: u64) -> Lane {
        let number = self.groups[lane.group as usize].take_line(u32::MAX, since);
        Lane { number, ..lane }
    }

    /// Names all tracks of a process, the groups before what is in them, and forgets its lanes.
    pub(crate) fn close(&mut self, process: usize, mut name: impl FnMut(Track<'_>)) {
        let Some(groups) = self.processes.get_mut(&process) else {
            return;
        };
        // Nothing that still comes may have a place that is taken.
        let places = (std::mem::take(&mut groups.orders), groups.unusual);
        let closed = std::mem::take(groups);
        (groups.orders, groups.unusual) = places;
        let mut groups: Vec<u32> = closed.all().collect();
        groups.sort_unstable_by_key(|group| self.groups[*group as usize].rank);
        let kinds = [
            (
                false,
                format!("threads ({})", number::count(closed.threads.len() as u64)),
            ),
            (true, format!("tasks ({})", number::count(closed.tasks))),
        ];
        for (of_tasks, title) in kinds {
            let of_kind = |group: &&u32| {
                let group = &self.groups[**group as usize];
                group.is_of_tasks() == of_tasks && group.lines.iter().any(|line| line.track != 0)
            };
            let of_kind: Vec<u32> = groups.iter().filter(of_kind).copied().collect();
            if of_kind.is_empty() {
                continue;
            }
            self.name_groups(&title, u32::from(of_tasks), &of_kind, &mut name);
        }
        self.tasks.retain(|owner, _| owner.process != process);
        for group in groups {
            self.groups[group as usize].lines = Vec::new();
            self.groups[group as usize].empty = Vec::new();
            self.unused.push(group);
        }
    }

    /// Names groups of lanes, which are in one more group.
    fn name_groups(
        &mut self,
        title: &str,
        order: u32,
        groups: &[u32],
        name: &mut impl FnMut(Track<'_>),
    ) {
        let mut next = || {
            self.tracks = self.tracks.saturating_add(1);
            self.tracks
        };
        let parent = next();
        name(Track {
            number: parent,
            group: 0,
            order,
            name: title,
            flat_name: title,
            is_group: true,
        });
        for group in groups {
            self.groups[*group as usize].name_lines(parent, &mut next, name);
        }
    }

    /// The processes that are not closed.
    pub(crate) fn processes(&self) -> Vec<usize> {
        let mut processes: Vec<usize> = self.processes.keys().copied().collect();
        processes.sort_unstable();
        processes
    }

    /// Remembers on which lanes a task still has open spans.
    fn settle(&mut self, owner: Owner, left: Lane, also_held: Option<Lane>) {
        let is_left = {
            let line = &self.groups[left.group as usize].lines[left.number as usize];
            line.holder != Some(owner)
        };
        let Some(task) = self.tasks.get_mut(&owner) else {
            return;
        };
        if task.group != left.group {
            return;
        }
        task.held.extend(also_held.map(|lane| lane.number));
        if is_left {
            task.held.retain(|&line| line != left.number);
        }
        if task.held.is_empty() {
            self.rest(owner);
        }
    }

    /// Remembers that a task has no open spans; forgets those that had none for long.
    fn rest(&mut self, owner: Owner) {
        let Some(task) = self.tasks.get_mut(&owner) else {
            return;
        };
        self.turn += 1;
        task.idle_since = self.turn;
        self.idle.push_back((owner, self.turn));
        while self.idle.len() > IDLE {
            let Some((owner, since)) = self.idle.pop_front() else {
                return;
            };
            let is_idle = |task: &Task| task.held.is_empty() && task.idle_since == since;
            if self.tasks.get(&owner).is_some_and(is_idle) {
                self.tasks.remove(&owner);
            }
        }
    }
}

impl Group {
    /// Names its tracks. Several of many tasks are in a group of their own.
    fn name_lines(
        &self,
        parent: u32,
        next: &mut impl FnMut() -> u32,
        name: &mut impl FnMut(Track<'_>),
    ) {
        let title = self.title();
        let drawn = |line: &&Line| line.track != 0;
        let order = self.lines.iter().find(drawn).map(|line| line.order);
        let count = self.lines.iter().filter(drawn).count();
        let is_nested = count > 1 && self.tasks > 1;
        let group = if is_nested { next() } else { parent };
        if is_nested {
            name(Track {
                number: group,
                group: parent,
                order: order.unwrap_or(0),
                name: &title,
                flat_name: &title,
                is_group: true,
            });
        }
        let lines = self.lines.iter().enumerate();
        let lines = lines.filter(|(_, line)| drawn(line));
        for (nth, (at, line)) in lines.enumerate() {
            let has_title = count == 1 || at == 0 && !is_nested;
            let of_line = match has_title {
                true => title.clone(),
                false => self.line_name(at),
            };
            let has_title = has_title || nth == 0 && is_nested;
            name(Track {
                number: line.track,
                group,
                order: line.order,
                name: &of_line,
                flat_name: if has_title { &title } else { &of_line },
                is_group: false,
            });
        }
    }
}
