//! `task`: all that one task wrote, in the order of the log, and what the tasks wrote that it spawned.
//!
//! ```text
//! 0.000000  ╭ server::connection
//! 0.000098  ├─╮ request  request=page
//! 0.000146  │ ├─╮ load  arg_0=user
//! 0.000198  │ ├─┼─╮ load  arg_0=cart
//! 0.010999  │ │ │ • INFO loaded
//! 0.011055  │ ├─┼─╯ load  10.9 ms
//! ```
//!
//! Each span has a lane of its own, right of the one around it.

use std::collections::VecDeque;
use std::io::{self, Write};

use hashbrown::HashMap;

use super::fields::{Fields, shortened};
use super::number::{self, duration, moment};
use super::state::State;
use super::terminal::{BOLD, DIM, Line, Look, PLAIN, TASK, UNFINISHED, level_style};
use crate::track::{End, Event, Open, OpenSpans, Process, Sink, Start};

/// Which task is followed, and how it is written.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What it looks like.
    pub look: Look,
    /// The task.
    pub task: u64,
    /// The tasks too that it spawned, and those that they spawned.
    pub tree: bool,
    /// The time of day (UTC) instead of the seconds since the task began.
    pub time_of_day: bool,
}

/// How many lanes are drawn; spans that find none are written without.
const LANES: usize = 64;

/// Below how many columns times are shorter.
const NARROW: usize = 60;

/// How many tasks that have ended may still be heard of.
const LATE: usize = 1000;

type Key = (usize, u64);

/// Where the lines of a task stand.
#[derive(Debug, Default)]
struct Stream {
    /// The span of each lane.
    lanes: Vec<Option<u64>>,
    /// The thread that wrote last.
    thread: u64,
}

/// What is kept of an open span that is shown.
#[derive(Debug)]
pub struct Shown {
    lane: Option<usize>,
    said: Fields,
    name: String,
}

/// Writes the records of a task.
#[derive(Debug)]
pub struct Task<W> {
    options: Options,
    out: W,
    line: Line,
    /// The tasks that are followed.
    streams: HashMap<Key, Stream>,
    /// The tasks among them that have ended, the last one last.
    late: VecDeque<Key>,
    /// When the task began.
    began: Option<u64>,
    process: Option<usize>,
    written: u64,
}

impl<W: Write> Task<W> {
    /// Writes each record to `out` as it comes.
    pub fn new(options: Options, out: W) -> Self {
        Task {
            options,
            out,
            line: Line::default(),
            streams: HashMap::new(),
            late: VecDeque::new(),
            began: None,
            process: None,
            written: 0,
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// How many records the task wrote: with none it is not in the log.
    pub fn written(&self) -> u64 {
        self.written
    }

    fn follows(&self, process: Process, task: u64) -> bool {
        task == self.options.task || self.streams.contains_key(&(process.index, task))
    }

    /// Begins a line: a time, the task, and the lanes with what `mark` puts into one.
    fn begin(&mut self, process: Process, task: u64, at: u64, mark: Mark) -> io::Result<()> {
        if self.process != Some(process.index) {
            self.name_process(process)?;
            self.began = None;
        }
        if at > 0 {
            self.began.get_or_insert(at);
        }
        self.written += 1;
        let time = match (at, self.began) {
            (0, _) | (_, None) => String::new(),
            _ if self.options.time_of_day => moment(at, number::Moment::OfDay),
            (at, Some(began)) => offset(at, began),
        };
        let columns = if self.options.time_of_day { 15 } else { 11 };
        let time = format!("{time:>columns$}");
        // Narrow terminals have no room for microseconds.
        let narrow = self.options.look.width.is_some_and(|width| width < NARROW);
        let time = time.get(..columns - 3).filter(|_| narrow).unwrap_or(&time);
        self.line.push(DIM, time);
        self.line.push_space(2);
        if self.options.tree {
            self.line
                .push(TASK, &format!("{:<9} ", format!("task {task}")));
        }
        let stream = self.streams.entry((process.index, task)).or_default();
        let room = self.options.look.width.map_or(LANES, |width| width / 6);
        self.line.push(DIM, &lanes(&stream.lanes, mark, room));
        Ok(())
    }

    fn name_process(&mut self, process: Process) -> io::Result<()> {
        let is_first = self.process.replace(process.index).is_none();
        if is_first && process.id.is_none() {
            return Ok(());
        }
        match process.id {
            Some(id) => {
                let start = moment(id.start, number::Moment::Whole);
                self.line.push(BOLD, &format!("process {}", id.pid));
                self.line.push(PLAIN, &format!("  since {start} UTC"));
            }
            None => self.line.push(BOLD, "another process"),
        }
        self.line.write(self.options.look, &mut self.out)
    }

    /// Says the thread, if another wrote the line before.
    fn push_thread(&mut self, key: Key, thread: u64) {
        let stream = self.streams.entry(key).or_default();
        if stream.thread != thread {
            stream.thread = thread;
            self.line.push(DIM, &format!("  · thread {thread}"));
        }
    }

    fn finish_line(&mut self) -> io::Result<()> {
        self.line.write(self.options.look, &mut self.out)
    }

    /// A task has ended; a few records may still come.
    fn leave(&mut self, key: Key) {
        if key.1 == self.options.task {
            return;
        }
        self.late.push_back(key);
        if self.late.len() > LATE
            && let Some(gone) = self.late.pop_front()
        {
            self.streams.remove(&gone);
        }
    }
}

/// Seconds since the task began.
fn offset(at: u64, began: u64) -> String {
    let (sign, nanos) = match at.checked_sub(began) {
        Some(nanos) => ("", nanos),
        None => ("-", began - at),
    };
    let micros = nanos / 1000;
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// What a line does in the lanes.
#[derive(Clone, Copy, Debug)]
enum Mark {
    None,
    /// A span begins or ends; the lane of the one around it.
    Start(usize, Option<usize>),
    End(usize, Option<usize>),
    /// A record in a span.
    At(usize),
}

impl Mark {
    /// From which lane to which it reaches.
    fn reach(self) -> Option<(usize, usize)> {
        match self {
            Mark::Start(lane, Some(from)) | Mark::End(lane, Some(from)) => {
                (from < lane).then_some((from, lane))
            }
            _ => None,
        }
    }

    fn own(self) -> Option<(usize, &'static str, &'static str)> {
        match self {
            Mark::None => None,
            Mark::Start(lane, _) => Some((lane, "╮", "╭")),
            Mark::End(lane, _) => Some((lane, "╯", "╰")),
            Mark::At(lane) => Some((lane, "•", "•")),
        }
    }
}

/// Draws the lanes of a line, two columns each.
fn lanes(lanes: &[Option<u64>], mark: Mark, room: usize) -> String {
    let mut out = String::new();
    let reach = mark.reach();
    for (lane, span) in lanes.iter().enumerate().take(room) {
        let inside = reach.is_some_and(|(from, to)| from < lane && lane < to);
        let own = mark.own().filter(|(own, ..)| *own == lane);
        let sign = match own {
            Some((_, joined, _)) if reach.is_some() => joined,
            Some((_, _, alone)) => alone,
            None if reach.is_some_and(|(from, _)| from == lane) => "├",
            None if inside && span.is_some() => "┼",
            None if inside => "─",
            None if span.is_some() => "│",
            None => " ",
        };
        let is_joined = reach.is_some_and(|(from, to)| from <= lane && lane < to);
        out.push_str(sign);
        out.push_str(if is_joined { "─" } else { " " });
    }
    if lanes.len() > room {
        out.push_str("… ");
    }
    out
}

impl Stream {
    /// A lane right of the span around, the first that is free.
    fn take(&mut self, span: u64, around: Option<usize>) -> Option<usize> {
        let from = around.map_or(0, |lane| lane + 1);
        let free = (from..self.lanes.len()).find(|&lane| self.lanes[lane].is_none());
        let lane = free.unwrap_or(self.lanes.len().max(from));
        if lane >= LANES {
            return None;
        }
        if lane >= self.lanes.len() {
            self.lanes.resize(lane + 1, None);
        }
        self.lanes[lane] = Some(span);
        Some(lane)
    }

    fn free(&mut self, lane: usize) {
        if let Some(place) = self.lanes.get_mut(lane) {
            *place = None;
        }
        while let Some(None) = self.lanes.last() {
            self.lanes.pop();
        }
    }
}

/// The lane of a span, if it is of this task.
fn lane_of(open: &OpenSpans<Option<Box<Shown>>>, span: u64, task: u64) -> Option<usize> {
    let span = open.get(span).filter(|span| span.task_id == task)?;
    span.kept.as_ref()?.lane
}

impl<W: Write> Sink for Task<W> {
    type Kept = Option<Box<Shown>>;

    fn wants_events(&self) -> bool {
        true
    }

    fn start(
        &mut self,
        start: Start<'_>,
        open: &mut OpenSpans<Self::Kept>,
    ) -> io::Result<Self::Kept> {
        let (view, process) = (start.view, start.process);
        let record = view.record;
        let task = record.task_id;
        let by = record.task_parent_id;
        let spawned = by.is_some_and(|by| task != self.options.task && self.follows(process, by));
        if !start.selected || !(self.follows(process, task) || spawned) {
            return Ok(None);
        }
        let name = shortened(&view.message()).into_owned();
        if spawned && !self.options.tree {
            if start.early {
                return Ok(None);
            }
            let by = by.unwrap_or(0);
            self.begin(process, by, start.at, Mark::None)?;
            self.line.push(DIM, "→ ");
            self.line.push(TASK, &format!("task {task}"));
            self.line.push(DIM, "  ");
            self.line.push(DIM, &name);
            self.finish_line()?;
            return Ok(None);
        }
        let key = (process.index, task);
        let around = lane_of(open, start.parent, task);
        let stream = self.streams.entry(key).or_default();
        let lane = stream.take(start.id, around);
        if start.early {
            let said = Fields::new(view);
            return Ok(Some(Box::new(Shown { lane, said, name })));
        }
        let mark = lane.map_or(Mark::None, |lane| Mark::Start(lane, around));
        self.begin(process, task, start.at, mark)?;
        let said = Fields::new(view);
        self.line
            .push(if by.is_some() { BOLD } else { PLAIN }, &name);
        let parent = open.get(start.parent).and_then(|span| span.kept.as_deref());
        match parent.filter(|_| around.is_some()) {
            Some(parent) => self.line.push_pairs(said.without(&parent.said).iter()),
            None => self.line.push_pairs(said.iter()),
        }
        self.push_thread(key, record.thread_id);
        if let Some(by) = by {
            if by != 0 {
                self.line.push(DIM, &format!("  spawned by task {by}"));
            } else {
                self.line.push(DIM, "  spawned");
            }
            if let Some(line) = view.spawn_line() {
                self.line.push(DIM, &format!(" at {line}"));
            }
        }
        self.finish_line()?;
        Ok(Some(Box::new(Shown { lane, said, name })))
    }

    fn event(&mut self, event: Event<'_>, open: &mut OpenSpans<Self::Kept>) -> io::Result<()> {
        let (view, process) = (event.view, event.process);
        let task = view.record.task_id;
        if !self.follows(process, task) {
            return Ok(());
        }
        let lane = lane_of(open, event.span, task);
        self.begin(process, task, event.at, lane.map_or(Mark::None, Mark::At))?;
        if let Some(level) = view.level() {
            self.line.push(level_style(level), level.word());
            self.line.push_space(1);
        }
        self.line.push(PLAIN, &shortened(&view.message()));
        let said = open.get(event.span).and_then(|span| span.kept.as_deref());
        let fields = Fields::new(view);
        match said {
            Some(span) => self.line.push_pairs(fields.without(&span.said).iter()),
            None => self.line.push_pairs(fields.iter()),
        }
        self.push_thread((process.index, task), view.record.thread_id);
        self.finish_line()
    }

    fn end(
        &mut self,
        mut end: End<'_, Self::Kept>,
        open: &mut OpenSpans<Self::Kept>,
    ) -> io::Result<()> {
        let record = end.view.record;
        let task = record.task_id;
        let kept = end.span.as_mut().and_then(|span| span.kept.take());
        if kept.is_none()
            && !(end.span.is_none() && end.selected && self.follows(end.process, task))
        {
            return Ok(());
        }
        let key = (end.process.index, task);
        if !end.selected {
            let lane = kept.as_ref().and_then(|kept| kept.lane);
            if let (Some(lane), Some(stream)) = (lane, self.streams.get_mut(&key)) {
                stream.free(lane);
            }
            return Ok(());
        }
        let lane = kept.as_ref().and_then(|kept| kept.lane);
        let parent = end.span.as_ref().map_or(0, |span| span.parent);
        let around = lane_of(open, parent, task);
        let mark = lane.map_or(Mark::None, |lane| Mark::End(lane, around));
        self.begin(end.process, task, end.at, mark)?;
        if let (Some(lane), Some(stream)) = (lane, self.streams.get_mut(&key)) {
            stream.free(lane);
        }
        let state = State::Ended(end.outcome);
        let mut behind = vec![(PLAIN, format!("  {}", duration(end.duration)))];
        if !state.is_finished() {
            behind.push((state.style(), format!("  {}", state.word())));
        }
        let name = kept.as_ref().map(|kept| kept.name.as_str().into());
        let name = name.unwrap_or_else(|| end.view.message());
        self.line
            .push_name(self.options.look, state.style(), &name, &behind);
        if end.span.is_none() {
            self.line.push(DIM, "  (its start is not in the log)");
        }
        self.push_thread(key, record.thread_id);
        self.finish_line()?;
        if end.span.is_some_and(|span| span.task_parent_id.is_some()) {
            self.leave(key);
        }
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<Self::Kept>) -> io::Result<()> {
        let spans: Vec<(u64, Open<Self::Kept>)> = open.into_sorted();
        for (_, span) in spans.iter().rev() {
            let Some(kept) = span.kept.as_ref().filter(|_| span.selected) else {
                continue;
            };
            let mark = kept.lane.map_or(Mark::None, Mark::At);
            self.begin(process, span.task_id, process.last, mark)?;
            if let (Some(lane), Some(stream)) = (
                kept.lane,
                self.streams.get_mut(&(process.index, span.task_id)),
            ) {
                stream.free(lane);
            }
            let ran = process.last.saturating_sub(span.start);
            let behind = [
                (PLAIN, format!("  {}", duration(ran))),
                (UNFINISHED, "  unfinished".to_owned()),
            ];
            self.line
                .push_name(self.options.look, UNFINISHED, &kept.name, &behind);
            self.finish_line()?;
        }
        self.streams.retain(|key, _| key.0 != process.index);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_join_and_part() {
        let open = [Some(1), Some(2), Some(3), Some(4)];
        assert_eq!(lanes(&open[..1], Mark::Start(0, None), 9), "╭ ");
        assert_eq!(lanes(&open[..2], Mark::Start(1, Some(0)), 9), "├─╮ ");
        assert_eq!(lanes(&open, Mark::Start(3, Some(1)), 9), "│ ├─┼─╮ ");
        assert_eq!(lanes(&open, Mark::End(2, Some(1)), 9), "│ ├─╯ │ ");
        assert_eq!(lanes(&open, Mark::At(1), 9), "│ • │ │ ");
        assert_eq!(
            lanes(&[Some(1), None, Some(3)], Mark::End(2, Some(0)), 9),
            "├───╯ "
        );
        assert_eq!(lanes(&open, Mark::None, 2), "│ │ … ");
    }

    #[test]
    fn a_lane_is_free_when_its_span_has_ended() {
        let mut stream = Stream::default();
        assert_eq!(stream.take(1, None), Some(0));
        assert_eq!(stream.take(2, Some(0)), Some(1));
        assert_eq!(stream.take(3, Some(0)), Some(2));
        stream.free(1);
        assert_eq!(stream.take(4, Some(0)), Some(1));
        stream.free(2);
        stream.free(1);
        assert_eq!(stream.lanes.len(), 1);
        assert_eq!(stream.take(5, Some(LANES)), None);
    }

    #[test]
    fn times_before_the_task_have_a_sign() {
        assert_eq!(offset(2_000_001_000, 0), "2.000001");
        assert_eq!(offset(0, 500_000_000), "-0.500000");
    }
}
