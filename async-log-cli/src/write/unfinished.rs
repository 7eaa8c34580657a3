//! `unfinished`: what never ended, which is what a program was doing when it was killed, or hung.

use std::collections::BTreeMap;
use std::io::{self, Write};

use hashbrown::HashMap;
use serde::Serialize;

use super::fields::{Fields, shortened};
use super::json::{Id, Moment, process_id};
use super::number::{self, count, duration_column, moment};
use super::terminal::{BOLD, DIM, Line, Look, PLAIN, TASK, UNFINISHED, level_style};
use crate::read::Level;
use crate::track::{End, Event, Open, OpenSpans, Process, Sink, Start};

/// How what is unfinished is written.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What it looks like.
    pub look: Look,
    /// How many tasks of a process, all if not said.
    pub limit: Option<usize>,
    /// JSON instead of text.
    pub json: bool,
}

/// What is kept of an open span.
#[derive(Debug)]
pub struct Kept {
    /// As they stand in the log; 0 if they do not.
    span_id: u64,
    span_parent: u64,
    name: String,
    said: Fields,
    fields: Fields,
    spawn_line: Option<String>,
    last: Last,
}

/// The last record in a span that was neither start nor end.
#[derive(Debug, Default)]
struct Last {
    is_some: bool,
    at: u64,
    level: Option<Level>,
    message: String,
    /// Those that its span has not said.
    fields: Fields,
}

#[derive(Serialize)]
struct ProcessJson<'a> {
    process_id: Option<String>,
    last_time: Moment,
    tasks: Vec<TaskJson<'a>>,
    more_tasks: usize,
}

#[derive(Serialize)]
struct TaskJson<'a> {
    task_id: Id,
    spans: Vec<SpanJson<'a>>,
}

#[derive(Serialize)]
struct SpanJson<'a> {
    name: &'a str,
    span_id: Option<Id>,
    span_parent: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_parent_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spawn_line: Option<&'a str>,
    thread_id: Id,
    start_time: Moment,
    duration_ns: u64,
    fields: &'a Fields,
    last_record: Option<LastJson<'a>>,
}

#[derive(Serialize)]
struct LastJson<'a> {
    message: &'a str,
    level: Option<&'static str>,
    time: Option<Moment>,
    fields: &'a Fields,
}

/// Writes what never ended.
#[derive(Debug)]
pub struct Unfinished<W> {
    options: Options,
    out: W,
    line: Line,
    /// What ended, or was left by a process.
    ended: u64,
    left: u64,
    processes: u64,
}

/// The open spans of a task, the outermost first: how deep they are, and where they stand among all.
#[derive(Debug, Default)]
struct TaskSpans {
    places: Vec<(usize, usize)>,
}

type Spans = [(u64, Open<Kept>)];

impl<W: Write> Unfinished<W> {
    /// Writes to `out` when a process or the log is over.
    pub fn new(options: Options, out: W) -> Self {
        Unfinished {
            options,
            out,
            line: Line::default(),
            ended: 0,
            left: 0,
            processes: 0,
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn write_line(&mut self) -> io::Result<()> {
        self.line.write(self.options.look, &mut self.out)
    }

    fn write_process(&mut self, process: Process) -> io::Result<()> {
        if self.processes > 0 {
            self.write_line()?;
        }
        self.processes += 1;
        if let Some(id) = process.id {
            self.line.push(BOLD, &format!("process {}", id.pid));
            self.line.push(PLAIN, "  ");
        }
        let last = moment(process.last, number::Moment::Whole);
        self.line
            .push(PLAIN, &format!("last heard of at {last} UTC"));
        self.write_line()
    }

    fn write_task(
        &mut self,
        process: Process,
        task: u64,
        spans: &Spans,
        of: &TaskSpans,
    ) -> io::Result<()> {
        match task {
            0 => self.line.push(TASK, "no task"),
            task => self.line.push(TASK, &format!("task {task}")),
        }
        let root = of.places.iter().map(|&(_, at)| &spans[at].1);
        if let Some((by, root)) = root
            .filter_map(|span| Some((span.task_parent_id?, span)))
            .next()
        {
            match by {
                0 => self.line.push(DIM, "  spawned"),
                by => self.line.push(DIM, &format!("  spawned by task {by}")),
            }
            if let Some(line) = &root.kept.spawn_line {
                self.line.push(DIM, &format!(" at {line}"));
            }
        }
        self.write_line()?;
        for (index, &(depth, at)) in of.places.iter().enumerate() {
            let span = &spans[at].1;
            let inner = of
                .places
                .get(index + 1)
                .is_none_or(|&(next, _)| next <= depth);
            self.write_span(process, span, depth, inner)?;
        }
        Ok(())
    }

    fn write_span(
        &mut self,
        process: Process,
        span: &Open<Kept>,
        depth: usize,
        is_innermost: bool,
    ) -> io::Result<()> {
        let ran = process.last.saturating_sub(span.start);
        self.line.push(
            if is_innermost { UNFINISHED } else { PLAIN },
            &duration_column(ran),
        );
        self.line.push_space(2);
        self.indent(depth);
        if depth > 0 {
            self.line.push(DIM, "└─ ");
        }
        self.line.push(
            if is_innermost { UNFINISHED } else { PLAIN },
            &span.kept.name,
        );
        self.line.push_pairs(span.kept.fields.iter());
        self.write_line()?;
        let last = &span.kept.last;
        if !last.is_some {
            return Ok(());
        }
        match last.at {
            0 => self.line.push_space(number::DURATION_WIDTH),
            at => self
                .line
                .push(DIM, &duration_column(process.last.saturating_sub(at))),
        }
        self.line.push_space(2);
        self.indent(depth + 1);
        self.line.push(DIM, "last: ");
        if let Some(level) = last.level {
            self.line.push(level_style(level), level.word());
            self.line.push_space(1);
        }
        self.line.push(PLAIN, &last.message);
        self.line.push_pairs(last.fields.iter());
        self.write_line()
    }

    /// Where a terminal is too narrow not all of the depth is shown.
    fn indent(&mut self, depth: usize) {
        let room = self.options.look.width.map_or(40, |width| width / 6);
        self.line.push_space(3 * depth.saturating_sub(1).min(room));
    }

    fn json<'a>(
        &self,
        process: Process,
        tasks: &[(u64, TaskSpans)],
        spans: &'a Spans,
        more: usize,
    ) -> ProcessJson<'a> {
        let tasks = tasks.iter().map(|(task_id, of)| TaskJson {
            task_id: Id(*task_id),
            spans: of
                .places
                .iter()
                .map(|&(_, at)| SpanJson::new(process, &spans[at]))
                .collect(),
        });
        ProcessJson {
            process_id: process_id(process),
            last_time: Moment(process.last),
            tasks: tasks.collect(),
            more_tasks: more,
        }
    }

    fn write_json(&mut self, process: &ProcessJson<'_>) -> io::Result<()> {
        let before = if self.processes == 0 {
            "{\"processes\":[\n"
        } else {
            ",\n"
        };
        self.processes += 1;
        self.out.write_all(before.as_bytes())?;
        self.out.write_all(&serde_json::to_vec(process)?)
    }
}

impl<'a> SpanJson<'a> {
    fn new(process: Process, (_, span): &'a (u64, Open<Kept>)) -> Self {
        let kept = &span.kept;
        SpanJson {
            name: &kept.name,
            span_id: Id::of_span(kept.span_id),
            span_parent: Id::of_span(kept.span_parent),
            task_parent_id: span.task_parent_id.map(Id),
            spawn_line: kept.spawn_line.as_deref(),
            thread_id: Id(span.thread_id),
            start_time: Moment(span.start),
            duration_ns: process.last.saturating_sub(span.start),
            fields: &kept.fields,
            last_record: kept.last.is_some.then(|| LastJson {
                message: &kept.last.message,
                level: kept.last.level.map(Level::word),
                time: (kept.last.at > 0).then_some(Moment(kept.last.at)),
                fields: &kept.last.fields,
            }),
        }
    }
}

/// The spans of each task, outermost first, those tasks first that were first. What is in a span is
/// behind it.
fn by_task(spans: &Spans) -> Vec<(u64, TaskSpans)> {
    let places: HashMap<u64, usize> = spans
        .iter()
        .enumerate()
        .map(|(at, (id, _))| (*id, at))
        .collect();
    // The place of the span around, if it is of the same task.
    let around = |at: usize| -> Option<usize> {
        let span: &Open<Kept> = &spans[at].1;
        let parent = *places.get(&span.parent)?;
        (spans[parent].1.task_id == span.task_id && parent < at).then_some(parent)
    };
    let mut inside: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut tasks: BTreeMap<u64, (usize, TaskSpans)> = BTreeMap::new();
    let mut roots: Vec<usize> = Vec::new();
    for at in 0..spans.len() {
        match around(at) {
            Some(parent) => inside[parent].push(at),
            None => roots.push(at),
        }
    }
    for root in roots {
        let (_, task) = tasks
            .entry(spans[root].1.task_id)
            .or_insert((root, TaskSpans::default()));
        let mut next = vec![(0, root)];
        while let Some((depth, at)) = next.pop() {
            task.places.push((depth, at));
            next.extend(inside[at].iter().rev().map(|&at| (depth + 1, at)));
        }
    }
    let mut tasks: Vec<_> = tasks.into_iter().collect();
    tasks.sort_by_key(|(_, (first, _))| *first);
    tasks
        .into_iter()
        .map(|(task, (_, spans))| (task, spans))
        .collect()
}

impl<W: Write> Sink for Unfinished<W> {
    type Kept = Kept;

    fn wants_events(&self) -> bool {
        true
    }

    fn shows_events(&self) -> bool {
        false
    }

    fn start(&mut self, start: Start<'_>, open: &mut OpenSpans<Kept>) -> io::Result<Kept> {
        let said = Fields::new(start.view);
        let parent = open.get(start.parent);
        // In another task what the span around has said does not stand above.
        let parent = parent.filter(|parent| parent.task_id == start.view.record.task_id);
        let record = start.view.record;
        Ok(Kept {
            span_id: record.span_id,
            span_parent: record.span_parent,
            name: shortened(&start.view.message()).into_owned(),
            fields: parent.map_or_else(|| said.clone(), |parent| said.without(&parent.kept.said)),
            said,
            spawn_line: start
                .view
                .spawn_line()
                .map(|line| shortened(&line).into_owned()),
            last: Last::default(),
        })
    }

    fn event(&mut self, event: Event<'_>, open: &mut OpenSpans<Kept>) -> io::Result<()> {
        if let Some(span) = open.get_mut(event.span) {
            let last = &mut span.kept.last;
            last.is_some = true;
            last.at = event.at;
            last.level = event.view.level();
            last.message.clear();
            last.message.push_str(&shortened(&event.view.message()));
            last.fields = Fields::new(event.view).without(&span.kept.said);
        }
        Ok(())
    }

    fn end(&mut self, _: End<'_, Kept>, _: &mut OpenSpans<Kept>) -> io::Result<()> {
        self.ended += 1;
        Ok(())
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<Kept>) -> io::Result<()> {
        let mut spans = open.into_sorted();
        spans.retain(|(_, span)| span.selected);
        if spans.is_empty() {
            return Ok(());
        }
        self.left += spans.len() as u64;
        let tasks = by_task(&spans);
        let shown = self.options.limit.unwrap_or(usize::MAX).min(tasks.len());
        let (shown, more) = tasks.split_at(shown);
        if self.options.json {
            let json = self.json(process, shown, &spans, more.len());
            return self.write_json(&json);
        }
        self.write_process(process)?;
        for (task, of) in shown {
            self.write_task(process, *task, &spans, of)?;
        }
        if !more.is_empty() {
            let more = count(more.len() as u64);
            self.line.push(DIM, &format!("… {more} more tasks"));
            self.write_line()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.options.json {
            let (before, after) = match self.processes {
                0 => ("{\"processes\":[", "],"),
                _ => ("", "\n],"),
            };
            let sums = format!("\"ended\":{},\"unfinished\":{}}}", self.ended, self.left);
            writeln!(self.out, "{before}{after}{sums}")?;
        } else if self.left == 0 {
            let ended = count(self.ended);
            self.line.push(
                PLAIN,
                &format!("nothing is unfinished; {ended} spans have ended"),
            );
            self.write_line()?;
        }
        self.out.flush()
    }
}
