//! `tasks`: a row a task.
//!
//! Rows are written when many tasks have ended, sorted by their start among these. A task that has no
//! span of its own never ends; of very many of those the ones that have been silent longest count as
//! ended, and begin another row when they are heard of again.

use std::cmp::{Ordering, Reverse};
use std::io::{self, Write};

use anstyle::Style;
use clap::ValueEnum;
use hashbrown::HashMap;
use serde::Serialize;

use super::fields::shortened;
use super::json::{self, process_id};
use super::number::{DURATION_WIDTH, Moment, count, duration_column, moment};
use super::state::State;
use super::table::{Cell, Column, Table};
use super::terminal::{DIM, Line, Look, PLAIN, TASK};
use crate::read::{Record, View};
use crate::track::{End, Event, OpenSpans, Outcomes, Process, Sink, Start};

/// How tasks are written.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What the table looks like.
    pub look: Look,
    /// What comes first.
    pub sort: Sort,
    /// Only tasks that ended so; one without a span of its own has no end.
    pub outcomes: Outcomes,
    /// How many tasks, all if not said.
    pub limit: Option<usize>,
    /// JSON instead of a table.
    pub json: bool,
}

/// What tasks are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Sort {
    /// When they began, as far as no more than 10,000 end between them.
    #[default]
    First,
    /// The longest first.
    Duration,
    /// Those first that were polled longest.
    Busy,
    /// The longest poll first.
    LongestPoll,
    /// Those with the most spans first.
    Spans,
    /// Those with the most records first.
    Records,
    /// The name, from A to Z.
    Name,
}

/// How many tasks that have ended are kept to be sorted, and how many that never end.
const WINDOW: usize = 10_000;

type Key = (usize, u64);

/// What is known of a task.
#[derive(Debug)]
struct Task {
    process: Process,
    id: u64,
    /// Its own span, while that is open.
    own: u64,
    parent: Option<u64>,
    name: Option<String>,
    spawn_line: Option<String>,
    spans: u64,
    records: u64,
    first: u64,
    last: u64,
    duration: Option<u64>,
    polled: Polled,
    state: Option<State>,
    /// How many records there had been when it was last heard of.
    heard: u64,
}

/// How it was polled, in nanoseconds, as far as its end says it.
#[derive(Clone, Copy, Debug, Default)]
struct Polled {
    busy: Option<u64>,
    polls: Option<u64>,
    longest: Option<u64>,
}

impl Polled {
    fn of(record: &Record) -> Polled {
        let said = |of: u64| (of > 0).then_some(of);
        Polled {
            busy: said(record.busy),
            polls: said(record.polls),
            longest: said(record.poll_max),
        }
    }
}

#[derive(Serialize)]
struct TaskJson<'a> {
    process_id: Option<String>,
    task_id: json::Id,
    task_parent_id: Option<json::Id>,
    name: Option<&'a str>,
    spawn_line: Option<&'a str>,
    spans: u64,
    records: u64,
    first_time: Option<json::Moment>,
    last_time: Option<json::Moment>,
    duration_ns: Option<u64>,
    busy_ns: Option<u64>,
    polls: Option<u64>,
    poll_max_ns: Option<u64>,
    state: Option<State>,
}

/// Writes a row for each task.
#[derive(Debug)]
pub struct Tasks<W> {
    options: Options,
    out: W,
    /// Those of which more may come.
    live: HashMap<Key, Task>,
    /// How many of these have no span of their own.
    endless: usize,
    ended: HashMap<Key, Task>,
    /// Those to be written when the log is over, where their order is not that of time.
    best: Vec<Task>,
    /// Whether it says the process.
    table: Option<(bool, Table)>,
    /// The first process that was heard of, and whether there are more.
    process: Option<usize>,
    several: bool,
    written: usize,
    first: Option<u64>,
    more: u64,
    records: u64,
}

impl<W: Write> Tasks<W> {
    /// Writes to `out` when many tasks have ended, and when the log is over.
    pub fn new(options: Options, out: W) -> Self {
        Tasks {
            options,
            out,
            live: HashMap::new(),
            endless: 0,
            ended: HashMap::new(),
            best: Vec::new(),
            table: None,
            process: None,
            several: false,
            written: 0,
            first: None,
            more: 0,
            records: 0,
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// How many tasks there are rows for.
    pub fn shown(&self) -> u64 {
        self.written as u64 + self.more
    }

    /// The first of them that is one.
    pub fn first(&self) -> Option<u64> {
        self.first
    }

    /// The task of a record.
    fn task(&mut self, process: Process, id: u64, at: u64) -> io::Result<&mut Task> {
        let key = (process.index, id);
        self.records += 1;
        // Borrowed twice, because a task may be looked for in two places.
        if !self.live.contains_key(&key) {
            if self.ended.contains_key(&key) {
                let task = self.ended.get_mut(&key);
                return task.ok_or_else(|| io::Error::other("a task has gone"));
            }
            if self.endless >= WINDOW {
                self.retire()?;
            }
            self.endless += 1;
            self.several |= *self.process.get_or_insert(process.index) != process.index;
        }
        let new = || Task::new(process, id, at);
        let task = self.live.entry(key).or_insert_with(new);
        task.heard = self.records;
        Ok(task)
    }

    /// Lets that half of the endless tasks go which has been silent longest.
    fn retire(&mut self) -> io::Result<()> {
        // There is but one 0 a process.
        let is_endless = |task: &Task| task.own == 0 && task.id != 0;
        let endless = self.live.values().filter(|task| is_endless(task));
        let mut heard: Vec<_> = endless.map(|task| task.heard).collect();
        heard.sort_unstable();
        let Some(&median) = heard.get(heard.len() / 2) else {
            return Ok(());
        };
        let is_silent = |_: &Key, task: &mut Task| is_endless(task) && task.heard <= median;
        let mut silent: Vec<_> = self.live.extract_if(is_silent).collect();
        silent.sort_unstable_by_key(|(key, _)| *key);
        self.endless = self.endless.saturating_sub(silent.len());
        for (key, task) in silent {
            self.end_task(key, task)?;
        }
        Ok(())
    }

    fn end_task(&mut self, key: Key, task: Task) -> io::Result<()> {
        if let Some(before) = self.ended.insert(key, task) {
            // The number has come again.
            self.write_rows(vec![before])?;
        }
        if self.ended.len() >= WINDOW {
            self.write_ended()?;
        }
        Ok(())
    }

    fn write_ended(&mut self) -> io::Result<()> {
        let mut tasks: Vec<_> = self.ended.drain().map(|(_, task)| task).collect();
        tasks.sort_unstable_by_key(Task::place);
        self.write_rows(tasks)
    }

    /// Writes tasks, or keeps those that come first where the order is not that of time.
    fn write_rows(&mut self, mut tasks: Vec<Task>) -> io::Result<()> {
        tasks.retain(|task| task.is_taken(self.options.outcomes));
        if self.options.sort == Sort::First {
            return self.write_now(tasks);
        }
        self.best.append(&mut tasks);
        let most = self.options.limit.unwrap_or(WINDOW);
        if self.best.len() >= most.saturating_add(WINDOW) {
            self.keep_best(most);
        }
        Ok(())
    }

    fn keep_best(&mut self, most: usize) {
        let sort = self.options.sort;
        self.best.sort_by(|a, b| a.compare(b, sort));
        self.more += self.best.len().saturating_sub(most) as u64;
        self.best.truncate(most);
    }

    fn write_now(&mut self, mut tasks: Vec<Task>) -> io::Result<()> {
        let limit = self.options.limit.unwrap_or(usize::MAX);
        let room = limit.saturating_sub(self.written);
        self.more += tasks.len().saturating_sub(room) as u64;
        tasks.truncate(room);
        if tasks.is_empty() {
            return Ok(());
        }
        let real = tasks.iter().map(|task| task.id).find(|id| *id != 0);
        self.first = self.first.or(real);
        if self.options.json {
            return self.write_json(&tasks);
        }
        self.written += tasks.len();
        let (look, several) = (self.options.look, self.several);
        let rows: Vec<_> = tasks.iter().map(|task| task.cells(look, several)).collect();
        // Where another process is heard of late, a table begins that says the process.
        let table = self
            .table
            .take()
            .filter(|(had_several, _)| *had_several == several);
        let mut table = match table {
            Some((_, table)) => table,
            None => {
                let mut table = Table::new(look, &COLUMNS, &rows);
                table.write_head(&mut self.out)?;
                table
            }
        };
        for row in &rows {
            table.write_row(row, &mut self.out)?;
        }
        self.table = Some((several, table));
        Ok(())
    }

    fn write_json(&mut self, tasks: &[Task]) -> io::Result<()> {
        for task in tasks {
            let before = if self.written == 0 {
                "{\"tasks\":[\n"
            } else {
                ",\n"
            };
            self.written += 1;
            self.out.write_all(before.as_bytes())?;
            self.out.write_all(&serde_json::to_vec(&task.json())?)?;
        }
        Ok(())
    }
}

const COLUMNS: [Column; 12] = [
    Column::right("process", 8),
    Column::right("task", 0),
    Column::right("parent", 5),
    Column::cut("name", 0),
    Column::cut("spawned at", 4),
    Column::right("spans", 7),
    Column::right("records", 6),
    Column::left("first (UTC)", 3),
    Column::right("duration", 0),
    Column::right("busy", 1),
    Column::right("longest poll", 2),
    Column::left("state", 0),
];

/// From how many columns on a time is written with its day.
const WIDE: usize = 120;

impl Task {
    fn new(process: Process, id: u64, at: u64) -> Task {
        Task {
            process,
            id,
            own: 0,
            parent: None,
            name: None,
            spawn_line: None,
            spans: 0,
            records: 0,
            first: at,
            last: at,
            duration: None,
            polled: Polled::default(),
            state: None,
            heard: 0,
        }
    }

    /// Where it stands in the order of time.
    fn place(&self) -> (u64, usize, u64) {
        (self.first, self.process.index, self.id)
    }

    fn compare(&self, other: &Task, sort: Sort) -> Ordering {
        let key = |task: &Task| match sort {
            Sort::First | Sort::Name => 0,
            Sort::Duration => task.lasted().unwrap_or(0),
            Sort::Busy => task.polled.busy.unwrap_or(0),
            Sort::LongestPoll => task.polled.longest.unwrap_or(0),
            Sort::Spans => task.spans,
            Sort::Records => task.records,
        };
        let by_name = match sort {
            // One without a name comes last.
            Sort::Name => {
                let name = |task: &Task| (task.name.is_none(), task.name.clone());
                name(self).cmp(&name(other))
            }
            _ => Ordering::Equal,
        };
        let by_key = Reverse(key(self)).cmp(&Reverse(key(other)));
        let by_time = self.place().cmp(&other.place());
        by_name.then(by_key).then(by_time)
    }

    fn is_taken(&self, outcomes: Outcomes) -> bool {
        match self.state {
            None => outcomes.is_all(),
            Some(State::Unfinished) => outcomes.takes(None),
            Some(State::Ended(outcome)) => outcomes.takes(Some(outcome)),
        }
    }

    fn add_record(&mut self, at: u64) {
        self.records += 1;
        self.see(at);
    }

    /// What it said at that time was counted before: a whole span is one record.
    fn see(&mut self, at: u64) {
        if at > 0 {
            self.last = self.last.max(at);
            if self.first == 0 {
                self.first = at;
            }
        }
    }

    fn add_end(&mut self, view: &View<'_>, at: u64) {
        match view.record.is_whole {
            true => self.see(at),
            false => self.add_record(at),
        }
    }

    /// How long: of a task without a span of its own, from its first record to its last.
    fn lasted(&self) -> Option<u64> {
        let seen = (self.first > 0).then(|| self.last.saturating_sub(self.first));
        self.duration.or(seen)
    }

    fn cells(&self, look: Look, several: bool) -> Vec<Cell> {
        let text = |style: Style, text: Option<&str>| match text {
            Some(text) => Cell::new(style, text),
            None => Cell::new(DIM, "-"),
        };
        let how = match look.width {
            Some(..WIDE) => Moment::Short,
            _ => Moment::Whole,
        };
        let process = self.process.id.map_or_else(
            || "-".to_owned(),
            |id| {
                // One that was started anew may have its number again.
                let start = moment(id.start, Moment::Short);
                format!("{}@{}", id.pid, start.get(..8).unwrap_or(&start))
            },
        );
        let parent = self.parent.map(|parent| parent.to_string());
        let first = (self.first > 0).then(|| moment(self.first, how));
        let state = self.state.map_or(DIM, State::style);
        let duration = match self.lasted() {
            Some(lasted) => Cell::new(PLAIN, &duration_column(lasted)),
            None => Cell::new(DIM, &format!("{:>DURATION_WIDTH$}", "- ")),
        };
        let polled = |time: Option<u64>| match time {
            Some(time) => Cell::new(PLAIN, &duration_column(time)),
            None => Cell::default(),
        };
        let name = if self.id == 0 {
            Some("(no task)")
        } else {
            self.name.as_deref()
        };
        let name_style = match self.state {
            Some(state) => state.style(),
            None => DIM,
        };
        vec![
            if several {
                Cell::new(DIM, &process)
            } else {
                Cell::default()
            },
            Cell::new(TASK, &self.id.to_string()),
            text(PLAIN, parent.as_deref()),
            text(name_style, name),
            text(DIM, self.spawn_line.as_deref()),
            Cell::new(PLAIN, &count(self.spans)),
            Cell::new(PLAIN, &count(self.records)),
            text(PLAIN, first.as_deref()),
            duration,
            polled(self.polled.busy),
            polled(self.polled.longest),
            text(state, self.state.map(State::word)),
        ]
    }

    fn json(&self) -> TaskJson<'_> {
        let time = |at| (at > 0).then_some(json::Moment(at));
        TaskJson {
            process_id: process_id(self.process),
            task_id: json::Id(self.id),
            task_parent_id: self.parent.map(json::Id),
            name: self.name.as_deref(),
            spawn_line: self.spawn_line.as_deref(),
            spans: self.spans,
            records: self.records,
            first_time: time(self.first),
            last_time: time(self.last),
            duration_ns: self.lasted(),
            busy_ns: self.polled.busy,
            polls: self.polled.polls,
            poll_max_ns: self.polled.longest,
            state: self.state,
        }
    }
}

impl<W: Write> Sink for Tasks<W> {
    type Kept = ();

    fn wants_events(&self) -> bool {
        true
    }

    fn start(&mut self, start: Start<'_>, _: &mut OpenSpans<()>) -> io::Result<()> {
        if !start.selected {
            return Ok(());
        }
        let record = start.view.record;
        let key = (start.process.index, record.task_id);
        if record.task_parent_id.is_some() {
            // A number that comes again is another task.
            if let Some(before) = self.live.remove(&key) {
                self.endless = self.endless.saturating_sub(usize::from(before.own == 0));
                self.end_task(key, before)?;
            }
            if let Some(before) = self.ended.remove(&key) {
                self.write_rows(vec![before])?;
            }
        }
        let task = self.task(start.process, record.task_id, start.at)?;
        task.spans += 1;
        task.add_record(start.at);
        if record.task_parent_id.is_some() {
            task.own = start.id;
            task.parent = record.task_parent_id;
            task.name = Some(shortened(&start.view.message()).into_owned());
            let line = start.view.spawn_line();
            task.spawn_line = line.map(|line| shortened(&line).into_owned());
            task.state = Some(State::Unfinished);
            self.endless = self.endless.saturating_sub(1);
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, _: &mut OpenSpans<()>) -> io::Result<()> {
        let id = event.view.record.task_id;
        self.task(event.process, id, event.at)?.add_record(event.at);
        Ok(())
    }

    fn end(&mut self, end: End<'_, ()>, _: &mut OpenSpans<()>) -> io::Result<()> {
        let started = end.span.as_ref().is_some_and(|span| span.selected);
        let id = end.view.record.task_id;
        let key = (end.process.index, id);
        let is_own = self
            .live
            .get(&key)
            .is_some_and(|task| task.own == end.id && end.id != 0);
        if is_own && let Some(mut task) = self.live.remove(&key) {
            task.add_end(&end.view, end.at);
            task.duration = Some(end.duration);
            task.polled = Polled::of(end.view.record);
            task.state = Some(State::Ended(end.outcome));
            if end.selected {
                self.end_task(key, task)?;
            }
        } else if end.selected || started {
            self.task(end.process, id, end.at)?
                .add_end(&end.view, end.at);
        }
        Ok(())
    }

    fn left_open(&mut self, process: Process, _: OpenSpans<()>) -> io::Result<()> {
        let is_of = |key: &Key, _: &mut Task| key.0 == process.index;
        let mut left: Vec<_> = self.live.extract_if(is_of).collect();
        left.sort_unstable_by_key(|(key, _)| *key);
        for (key, mut task) in left {
            self.endless = self.endless.saturating_sub(usize::from(task.own == 0));
            task.process = process;
            if task.own != 0 {
                task.duration = Some(process.last.saturating_sub(task.first));
            }
            self.end_task(key, task)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        // Of a process without any span nothing was left open.
        let mut left: Vec<_> = self.live.drain().collect();
        left.sort_unstable_by_key(|(key, _)| *key);
        for (key, task) in left {
            self.end_task(key, task)?;
        }
        self.write_ended()?;
        self.keep_best(self.options.limit.unwrap_or(WINDOW));
        let best = std::mem::take(&mut self.best);
        self.write_now(best)?;
        if self.options.json {
            let before = if self.written == 0 {
                "{\"tasks\":["
            } else {
                "\n"
            };
            writeln!(self.out, "{before}],\"more_tasks\":{}}}", self.more)?;
        } else if self.more > 0 {
            let mut line = Line::default();
            line.push(DIM, &format!("… {} more tasks", count(self.more)));
            line.write(self.options.look, &mut self.out)?;
        }
        self.out.flush()
    }
}
