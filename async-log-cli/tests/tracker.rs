//! The tracker against a simple model of sections 5 to 7 and 11 of `docs/format.md`: random histories
//! of spans, whole and with lines lost, doubled, cut off at the front, of several processes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io;
use std::sync::Arc;

use async_log_cli::read::{Batch, Dialect, Form, Kind, Outcome};
use async_log_cli::track::{
    End, Event, OpenSpans, Problems, Process, Selection, Sink, Start, Tracker,
};
use proptest::prelude::*;
use proptest::sample::Index;

/// When the first process started.
const BEGIN: u64 = 1_700_000_000_000_000_000;

const NAMES: [&str; 3] = ["load 1", "load 2", "save"];
const OUTCOMES: [Outcome; 4] = [
    Outcome::Finished,
    Outcome::Error,
    Outcome::Cancelled,
    Outcome::Panicked,
];

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    kind: Kind,
    /// PID and start.
    process: (u64, u64),
    name: &'static str,
    /// 0 for none.
    id: u64,
    parent: u64,
    at: u64,
    elapsed: u64,
    outcome: Outcome,
    task: u64,
    task_parent: Option<u64>,
}

/// Which of our keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// `process_id` on root spans.
    Usual,
    /// `process_id` on every record.
    EveryProcess,
    Minimal,
}

impl Line {
    fn is_named(&self, keys: Keys) -> bool {
        match keys {
            Keys::Usual => self.kind == Kind::Start && self.parent == 0,
            Keys::EveryProcess => true,
            Keys::Minimal => false,
        }
    }

    fn write(&self, keys: Keys, log: &mut String) {
        let has_ids = keys != Keys::Minimal;
        log.push_str(self.name);
        match self.kind {
            Kind::Start => log.push_str(", span_mark=start"),
            Kind::End => log.push_str(", span_mark=end"),
            Kind::Event => log.push_str(", x=1"),
        }
        log.push_str(", user=7");
        let mut pair = |key: &str, value: &dyn std::fmt::Display| {
            write!(log, ", {key}={value}").expect("a string takes all");
        };
        if has_ids && self.id != 0 {
            pair("span_id", &self.id);
        }
        if has_ids && self.kind == Kind::Start {
            if self.parent != 0 {
                pair("span_parent", &self.parent);
            }
            pair("span_at", &seconds(self.at));
            if let Some(parent) = self.task_parent {
                pair("task_parent_id", &parent);
                pair("spawn_line", &"src/main.rs:1");
            }
        }
        if has_ids && self.kind == Kind::End {
            pair("span_elapsed", &seconds(self.elapsed));
            if let Some(word) = self.outcome.word() {
                pair("span_outcome", &word);
            }
        }
        if self.is_named(keys) {
            let (pid, start) = self.process;
            pair("process_id", &format_args!("{pid}-{start}"));
        }
        pair("task_id", &self.task);
        pair("thread_id", &1);
        log.push('\n');
    }
}

fn seconds(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

/// A step of a program.
#[derive(Clone, Debug)]
enum Step {
    Start {
        inside: Option<Index>,
        is_task: bool,
        name: Index,
    },
    End(Index, Index),
    Event(Option<Index>),
}

fn steps() -> impl Strategy<Value = Vec<(Step, u64)>> {
    let index = any::<Index>;
    let step = prop_oneof![
        4 => (prop::option::weighted(0.8, index()), prop::bool::weighted(0.2), index())
            .prop_map(|(inside, is_task, name)| Step::Start { inside, is_task, name }),
        3 => (index(), index()).prop_map(|(which, outcome)| Step::End(which, outcome)),
        1 => prop::option::of(index()).prop_map(Step::Event),
    ];
    prop::collection::vec((step, 0..3u64), 0..40)
}

/// The lines of a program that takes these steps.
fn program(process: (u64, u64), steps: &[(Step, u64)]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut open: Vec<Line> = Vec::new();
    let (mut now, mut next_id) = (process.1, 1);
    let event = Line {
        kind: Kind::Event,
        process,
        name: "event",
        id: 0,
        parent: 0,
        at: 0,
        elapsed: 0,
        outcome: Outcome::Finished,
        task: 0,
        task_parent: None,
    };
    for (step, later) in steps {
        now += later;
        match step {
            Step::Start {
                inside,
                is_task,
                name,
            } => {
                let around = inside.filter(|_| !open.is_empty());
                let around = around.map(|at| at.get(&open).clone());
                let outer_task = around.as_ref().map_or(0, |around| around.task);
                let start = Line {
                    kind: Kind::Start,
                    name: NAMES[name.index(NAMES.len())],
                    id: next_id,
                    parent: around.map_or(0, |around| around.id),
                    at: now,
                    task: if *is_task { next_id } else { outer_task },
                    task_parent: is_task.then_some(outer_task),
                    ..event
                };
                next_id += 1;
                open.push(start.clone());
                lines.push(start);
            }
            Step::End(which, outcome) if !open.is_empty() => {
                let start = open.remove(which.index(open.len()));
                lines.push(Line {
                    kind: Kind::End,
                    elapsed: now - start.at,
                    outcome: OUTCOMES[outcome.index(OUTCOMES.len())],
                    ..start
                });
            }
            Step::End(..) => {}
            Step::Event(inside) => {
                let around = inside.filter(|_| !open.is_empty());
                let around = around.map(|at| at.get(&open).clone());
                lines.push(Line {
                    id: around.as_ref().map_or(0, |around| around.id),
                    task: around.as_ref().map_or(0, |around| around.task),
                    ..event
                });
            }
        }
    }
    lines
}

/// What happens to the lines of a log.
#[derive(Clone, Debug, Default)]
struct Losses {
    cut_front: Option<Index>,
    remove: Vec<Index>,
    /// They are written once more, so many lines later.
    double: Vec<(Index, usize)>,
}

fn losses() -> impl Strategy<Value = Losses> {
    let index = any::<Index>;
    let double = prop::collection::vec((index(), 0..4usize), 0..4);
    (
        prop::option::weighted(0.3, index()),
        prop::collection::vec(index(), 0..4),
        double,
    )
        .prop_map(|(cut_front, remove, double)| Losses {
            cut_front,
            remove,
            double,
        })
}

fn lose(lines: &mut Vec<Line>, losses: &Losses) {
    if let Some(at) = losses.cut_front {
        lines.drain(..at.index(lines.len() + 1));
    }
    for at in &losses.remove {
        if !lines.is_empty() {
            lines.remove(at.index(lines.len()));
        }
    }
    for (at, later) in &losses.double {
        if !lines.is_empty() {
            let at = at.index(lines.len());
            let line = lines[at].clone();
            lines.insert((at + 1 + later).min(lines.len()), line);
        }
    }
}

/// The calls of a sink, actual or expected.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tale {
    told: Vec<Told>,
    /// Each time that a process was over: its last time, and what it left open.
    left: Vec<(usize, u64, BTreeSet<u64>)>,
    problems: Problems,
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Start {
        process: usize,
        id: u64,
        parent: u64,
        at: u64,
        task: u64,
        /// How many were open before.
        open: usize,
        name: String,
    },
    End {
        process: usize,
        id: u64,
        at: u64,
        duration: u64,
        outcome: Outcome,
        /// None if its start is not known.
        self_time: Option<u64>,
        open: usize,
    },
    Event {
        process: usize,
        span: u64,
    },
}

#[derive(Debug, Default)]
struct Teller {
    tale: Tale,
    event_times: Vec<u64>,
}

impl Sink for Teller {
    type Kept = ();

    fn wants_events(&self) -> bool {
        true
    }

    fn start(&mut self, start: Start<'_>, open: &mut OpenSpans<()>) -> io::Result<()> {
        self.tale.told.push(Told::Start {
            process: start.process.index,
            id: start.id,
            parent: start.parent,
            at: start.at,
            task: start.view.record.task_id,
            open: open.len(),
            name: start.view.message().into_owned(),
        });
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, _: &mut OpenSpans<()>) -> io::Result<()> {
        self.event_times.push(event.at);
        self.tale.told.push(Told::Event {
            process: event.process.index,
            span: event.span,
        });
        Ok(())
    }

    fn end(&mut self, end: End<'_, ()>, open: &mut OpenSpans<()>) -> io::Result<()> {
        self.tale.told.push(Told::End {
            process: end.process.index,
            id: end.id,
            at: end.at,
            duration: end.duration,
            outcome: end.outcome,
            self_time: end.span.map(|_| end.self_time),
            open: open.len(),
        });
        Ok(())
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<()>) -> io::Result<()> {
        let ids = open.iter().map(|(id, _)| id).collect();
        self.tale.left.push((process.index, process.last, ids));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tell(log: &str, legacy: bool, join: bool) -> Tale {
    let dialect = Dialect {
        form: Form::Text,
        legacy,
        ..Dialect::default()
    };
    let mut tracker = Tracker::new(Teller::default(), Selection::default()).join_tasks(join);
    track(log, dialect, &mut tracker);
    let problems = tracker.problems().clone();
    let tale = tracker.into_sink().tale;
    Tale { problems, ..tale }
}

fn track(log: &str, dialect: Dialect, tracker: &mut Tracker<Teller>) {
    let mut batch = Batch {
        bytes: log.as_bytes().to_vec(),
        lines_len: log.len(),
        dialect: Arc::new(dialect),
        ..Batch::default()
    };
    batch.parse();
    assert_eq!(batch.unreadable.lines, 0);
    tracker.take(&batch).unwrap();
    tracker.finish().unwrap();
}

/// When the records of a log were written that are no marks.
fn event_times(log: &str) -> Vec<u64> {
    let dialect = Dialect::detect(log.as_bytes(), None).expect("there are records");
    let mut tracker = Tracker::new(Teller::default(), Selection::default());
    track(log, dialect, &mut tracker);
    tracker.into_sink().event_times
}

/// A span of the model; all are kept.
#[derive(Debug)]
struct Span {
    process: usize,
    line: Line,
    /// The span around it was open when it started.
    is_inside: bool,
    end: Option<u64>,
    /// Its process was over before it ended.
    is_left: bool,
}

impl Span {
    fn is_open(&self) -> bool {
        self.end.is_none() && !self.is_left
    }
}

/// A process, when it is named, and the first and the last time that it said.
#[derive(Debug, Default)]
struct Named {
    id: Option<(u64, u64)>,
    first: Option<u64>,
    last: u64,
}

/// The model.
#[derive(Debug)]
struct Model {
    keys: Keys,
    join: bool,
    spans: Vec<Span>,
    processes: Vec<Named>,
    current: usize,
    ended: BTreeSet<(usize, u64)>,
    all_named: bool,
    over: BTreeSet<usize>,
    /// The lines that were told before their turn.
    taken: BTreeSet<usize>,
    tale: Tale,
}

impl Model {
    fn new(keys: Keys, join: bool) -> Self {
        Model {
            keys,
            join,
            spans: Vec::new(),
            processes: vec![Named::default()],
            current: 0,
            ended: BTreeSet::new(),
            all_named: true,
            over: BTreeSet::new(),
            taken: BTreeSet::new(),
            tale: Tale::default(),
        }
    }

    fn tell(mut self, lines: &[Line]) -> Tale {
        for (index, line) in lines.iter().enumerate() {
            if self.taken.remove(&index) {
                continue;
            }
            match line.is_named(self.keys) {
                true => self.name(line.process),
                // From now on a process that is named comes after the one before.
                false => self.all_named = false,
            }
            match line.kind {
                Kind::Start => self.start(line, lines, index),
                Kind::End => {
                    self.late(line.id, None, lines, index);
                    self.end(line);
                }
                Kind::Event => {
                    self.late(line.id, None, lines, index);
                    self.tale.told.push(Told::Event {
                        process: self.current,
                        span: line.id,
                    });
                }
            }
        }
        for process in 0..self.processes.len() {
            self.leave(process);
        }
        self.tale
    }

    /// A process is over, and all that is open in it.
    fn leave(&mut self, process: usize) {
        let said = |told: &Told| match told {
            Told::Start { process: of, .. } | Told::End { process: of, .. } => *of == process,
            Told::Event { .. } => false,
        };
        if !self.tale.told.iter().any(said) || !self.over.insert(process) {
            return;
        }
        let mut left = BTreeSet::new();
        for span in &mut self.spans {
            if span.process == process && span.is_open() {
                span.is_left = true;
                left.insert(span.line.id);
            }
        }
        let last = self.processes[process].last;
        self.tale.left.push((process, last, left));
    }

    fn name(&mut self, process: (u64, u64)) {
        let known = self.processes.iter().position(|of| of.id == Some(process));
        let current = &mut self.processes[self.current];
        if current.id == Some(process) {
            return;
        }
        if current.id.is_none() && current.first.is_none_or(|first| process.1 <= first) {
            // It was there before it was named.
            current.id = Some(process);
            return;
        }
        if !self.all_named {
            self.leave(self.current);
        }
        if let Some(known) = known {
            self.current = known;
            self.over.remove(&known);
        } else {
            self.current = self.processes.len();
            self.processes.push(Named {
                id: Some(process),
                ..Named::default()
            });
        }
    }

    fn open(&self) -> usize {
        let is_open = |span: &&Span| span.process == self.current && span.is_open();
        self.spans.iter().filter(is_open).count()
    }

    fn find(&mut self, id: u64) -> Option<&mut Span> {
        let process = self.current;
        // The last: a process that was over may come again.
        let mut spans = self.spans.iter_mut().rev();
        spans.find(|span| span.process == process && span.line.id == id)
    }

    fn is_open(&mut self, id: u64) -> bool {
        self.find(id).is_some_and(|span| span.is_open())
    }

    /// A span of which nothing was seen may start in the lines behind this one, if its process goes on
    /// until then.
    fn late(&mut self, id: u64, at: Option<u64>, lines: &[Line], index: usize) {
        let is_known = self.is_open(id) || self.ended.contains(&(self.current, id));
        if id == 0 || is_known {
            return;
        }
        let mut process = self.processes[self.current].id;
        for (found, line) in lines.iter().enumerate().skip(index + 1).take(512) {
            if line.is_named(self.keys) && *process.get_or_insert(line.process) != line.process {
                return;
            }
            if line.kind != Kind::Start || line.id != id || self.taken.contains(&found) {
                continue;
            }
            let current = &mut self.processes[self.current];
            if at.is_some_and(|at| line.at > at) {
                return;
            }
            if line.is_named(self.keys) && current.id.is_none() {
                let begun = line.process.1;
                if begun > line.at || current.first.is_some_and(|first| begun > first) {
                    return;
                }
                current.id = Some(line.process);
            }
            self.taken.insert(found);
            self.tale.problems.late_starts += 1;
            self.start(line, lines, found);
            return;
        }
    }

    fn start(&mut self, line: &Line, lines: &[Line], index: usize) {
        if self.is_open(line.id) || self.ended.contains(&(self.current, line.id)) {
            self.tale.problems.second_starts += 1;
            return;
        }
        self.late(line.parent, Some(line.at), lines, index);
        let is_inside = self.is_open(line.parent);
        let has_ended = self.ended.contains(&(self.current, line.parent));
        if line.parent != 0 && !is_inside && !has_ended {
            self.tale.problems.unknown_parents += 1;
        }
        self.tale.told.push(Told::Start {
            process: self.current,
            id: line.id,
            parent: line.parent,
            at: line.at,
            task: line.task,
            open: self.open(),
            name: line.name.to_owned(),
        });
        self.spans.push(Span {
            process: self.current,
            line: line.clone(),
            is_inside,
            end: None,
            is_left: false,
        });
        self.pass(line.at);
    }

    fn pass(&mut self, at: u64) {
        if at > 0 {
            let process = &mut self.processes[self.current];
            process.first = Some(at.min(process.first.unwrap_or(at)));
            process.last = at.max(process.last);
        }
    }

    fn end(&mut self, line: &Line) {
        if !self.ended.insert((self.current, line.id)) {
            self.tale.problems.second_ends += 1;
            return;
        }
        let at = match self.find(line.id) {
            Some(span) if span.is_open() => {
                let at = span.line.at + line.elapsed;
                span.end = Some(at);
                at
            }
            _ => {
                self.tale.problems.ends_without_start += 1;
                self.processes[self.current].last
            }
        };
        self.pass(at);
        self.tale.told.push(Told::End {
            process: self.current,
            id: line.id,
            at,
            duration: line.elapsed,
            outcome: line.outcome,
            self_time: self.self_time(line.id, at),
            open: self.open(),
        });
    }

    /// The duration without the time that a span right inside was open, counted tick by tick.
    fn self_time(&self, id: u64, end: u64) -> Option<u64> {
        let process = self.current;
        let of_process = || {
            self.spans
                .iter()
                .filter(move |span| span.process == process)
        };
        let of_id = |span: &&Span| span.line.id == id && !span.is_left;
        let start = of_process().find(of_id)?.line.at;
        let inside = |span: &&Span| {
            span.is_inside
                && span.line.parent == id
                && (self.join || span.line.task_parent.is_none())
        };
        let inside: Vec<_> = of_process().filter(inside).collect();
        let is_covered = |tick: &u64| {
            let covers =
                |span: &&Span| span.line.at <= *tick && span.end.is_none_or(|end| *tick < end);
            inside.iter().any(covers)
        };
        Some((start..end).filter(|tick| !is_covered(tick)).count() as u64)
    }
}

/// The model of a log without ids or times: section 11 of the format. Its spans are numbered from 2⁶³ on.
fn tell_minimal(lines: &[Line]) -> Tale {
    const FIRST: u64 = 1 << 63;
    let mut tale = Tale::default();
    let mut open = BTreeSet::new();
    let mut nested: BTreeMap<u64, Vec<(u64, &str)>> = BTreeMap::new();
    let mut next_id = FIRST;
    for line in lines {
        let task = nested.entry(line.task).or_default();
        let innermost = task.last().map_or(0, |(id, _)| *id);
        match line.kind {
            Kind::Start => {
                tale.problems.without_id += 1;
                tale.problems.without_time += 1;
                tale.told.push(Told::Start {
                    process: 0,
                    id: next_id,
                    parent: innermost,
                    at: 0,
                    task: line.task,
                    open: open.len(),
                    name: line.name.to_owned(),
                });
                task.push((next_id, line.name));
                open.insert(next_id);
                next_id += 1;
            }
            Kind::End => {
                let found = task.iter().rposition(|(_, name)| *name == line.name);
                let id = found.map_or(0, |at| task[at].0);
                task.truncate(found.unwrap_or(task.len()));
                open.remove(&id);
                tale.problems.ends_without_start += u64::from(found.is_none());
                tale.told.push(Told::End {
                    process: 0,
                    id,
                    at: 0,
                    duration: 0,
                    outcome: Outcome::Finished,
                    self_time: found.map(|_| 0),
                    open: open.len(),
                });
            }
            Kind::Event => tale.told.push(Told::Event {
                process: 0,
                span: innermost,
            }),
        }
    }
    if lines.iter().any(|line| line.kind != Kind::Event) {
        tale.left.push((0, 0, open));
    }
    tale
}

fn log_of(lines: &[Line], keys: Keys) -> String {
    let mut log = String::new();
    for line in lines {
        line.write(keys, &mut log);
    }
    log
}

/// One process after another, or all at once.
fn merge(programs: Vec<Vec<Line>>, turns: &[Index]) -> Vec<Line> {
    let mut programs: Vec<_> = programs.into_iter().map(Vec::into_iter).collect();
    let mut lines = Vec::new();
    for turn in turns {
        let at = turn.index(programs.len());
        lines.extend(programs[at].next());
    }
    lines.extend(programs.into_iter().flatten());
    lines
}

/// A process id: a start of the program that has the pid of the one before, sometimes.
fn process(number: u64) -> (u64, u64) {
    (40 + number / 2, BEGIN + number * 1000)
}

fn programs() -> impl Strategy<Value = Vec<Vec<Line>>> {
    let programs = prop::collection::vec(steps(), 1..4);
    programs.prop_map(|programs| {
        let numbered = (0..).zip(&programs);
        numbered
            .map(|(number, steps)| program(process(number), steps))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whole or with losses, one process after another in one file.
    #[test]
    fn one_after_another(
        programs in programs(),
        losses in prop::collection::vec(losses(), 3),
        join in any::<bool>(),
    ) {
        let mut lines = Vec::new();
        for (mut program, losses) in programs.into_iter().zip(&losses) {
            // What names the second process and the third is not lost: else all is the first one's.
            let is_first = lines.is_empty();
            let root = program.iter().position(|line| line.is_named(Keys::Usual));
            let named = program.drain(..root.map_or(0, |root| root + 1)).collect::<Vec<_>>();
            lose(&mut program, losses);
            lines.extend(named.into_iter().filter(|_| !is_first || losses.cut_front.is_none()));
            lines.extend(program);
        }
        let tale = tell(&log_of(&lines, Keys::Usual), false, join);
        prop_assert_eq!(tale, Model::new(Keys::Usual, join).tell(&lines));
    }

    /// Several processes that write at once name themselves on every record.
    #[test]
    fn at_once(
        programs in programs(),
        turns in prop::collection::vec(any::<Index>(), 0..80),
        losses in losses(),
        join in any::<bool>(),
    ) {
        let mut lines = merge(programs, &turns);
        lose(&mut lines, &losses);
        let tale = tell(&log_of(&lines, Keys::EveryProcess), false, join);
        prop_assert_eq!(tale, Model::new(Keys::EveryProcess, join).tell(&lines));
    }

    /// Spans without ids nest within their tasks; nothing says when.
    #[test]
    fn minimal(steps in steps(), losses in losses()) {
        let mut lines = program(process(0), &steps);
        lose(&mut lines, &losses);
        let tale = tell(&log_of(&lines, Keys::Minimal), true, false);
        prop_assert_eq!(tale, tell_minimal(&lines));
    }
}

/// A start or an end in a single process.
fn mark(kind: Kind, id: u64, parent: u64, at: u64, elapsed: u64) -> Line {
    Line {
        kind,
        process: process(0),
        name: NAMES[0],
        id,
        parent,
        at: BEGIN + at,
        elapsed,
        outcome: Outcome::Finished,
        task: 0,
        task_parent: None,
    }
}

fn start(id: u64, parent: u64, at: u64) -> Line {
    mark(Kind::Start, id, parent, at, 0)
}

fn end(id: u64, elapsed: u64) -> Line {
    mark(Kind::End, id, 0, 0, elapsed)
}

/// The self times of the spans of a whole log, in the order of their ends.
fn self_times(lines: &[Line]) -> Vec<Option<u64>> {
    let tale = tell(&log_of(lines, Keys::Usual), false, false);
    let self_time = |told: Told| match told {
        Told::End { self_time, .. } => Some(self_time),
        _ => None,
    };
    tale.told.into_iter().filter_map(self_time).collect()
}

/// It was over once more at the end of the log, with nothing open.
#[test]
fn a_process_is_over_once() {
    let second = |line: Line| Line {
        process: process(1),
        at: line.at + 1000,
        ..line
    };
    let lines = [start(1, 0, 0), start(2, 1, 1), second(start(1, 0, 0))];
    let tale = tell(&log_of(&lines, Keys::Usual), false, false);
    let left = [
        (0, BEGIN + 1, BTreeSet::from([1, 2])),
        (1, BEGIN + 1000, BTreeSet::from([1])),
    ];
    assert_eq!(tale.left, left);
}

/// The beginning of the log is lost: what stands before the first root span is of its process, if that was
/// there by then.
#[test]
fn a_process_that_is_named_late_is_no_other() {
    let lines = [
        start(2, 1, 1),
        start(3, 0, 2),
        end(2, 4),
        end(3, 5),
        end(1, 7),
    ];
    let tale = tell(&log_of(&lines, Keys::Usual), false, false);
    assert_eq!(tale.left, [(0, BEGIN + 7, BTreeSet::new())]);
    assert_eq!(tale.problems.ends_without_start, 1);
    assert_eq!(tale.problems.unknown_parents, 1);

    // Of an end alone nobody knows when it was.
    let lines = [end(9, 3), start(1, 0, 0)];
    let tale = tell(&log_of(&lines, Keys::Usual), false, false);
    assert_eq!(tale.left, [(0, BEGIN, BTreeSet::from([1]))]);

    let restarted = Line {
        process: process(1),
        at: BEGIN + 1000,
        ..start(1, 0, 0)
    };
    let lines = [start(2, 1, 1), restarted];
    let tale = tell(&log_of(&lines, Keys::Usual), false, false);
    let left = [
        (0, BEGIN + 1, BTreeSet::from([2])),
        (1, BEGIN + 1000, BTreeSet::from([1])),
    ];
    assert_eq!(tale.left, left);
}

/// They were forgotten, as no time was known.
#[test]
fn what_is_open_without_times_is_unfinished() {
    let tale = tell(&log_of(&[start(1, 0, 0)], Keys::Minimal), true, false);
    assert_eq!(tale.left, [(0, 0, BTreeSet::from([1 << 63]))]);
}

/// Threads write their lines at about the same time.
#[test]
fn self_time_bears_lines_that_change_places() {
    // Of two that end one after the other, the line of the later one comes first.
    let lines = [
        start(1, 0, 0),
        start(2, 1, 10),
        start(3, 1, 12),
        end(3, 18),
        end(2, 15),
        end(1, 100),
    ];
    assert_eq!(self_times(&lines), [Some(18), Some(15), Some(80)]);
    // The same of two that start.
    let lines = [
        start(1, 0, 0),
        start(2, 1, 12),
        start(3, 1, 10),
        end(2, 8),
        end(3, 20),
        end(1, 100),
    ];
    assert_eq!(self_times(&lines), [Some(8), Some(20), Some(80)]);
    // One starts before another ends, whose line comes first.
    let lines = [
        start(1, 0, 0),
        start(2, 1, 10),
        end(2, 10),
        start(3, 1, 15),
        end(3, 15),
        end(1, 100),
    ];
    assert_eq!(self_times(&lines), [Some(10), Some(15), Some(80)]);
    // It goes on behind the end of the span around it, whose line comes later.
    let lines = [start(1, 0, 0), start(2, 1, 90), end(2, 15), end(1, 100)];
    assert_eq!(self_times(&lines), [Some(15), Some(90)]);
}

/// It was before what another process did, as that had the same task.
#[test]
fn a_record_is_held_by_the_marks_of_its_own_process() {
    let log = "\
[2023-11-14T22:13:20.500Z TRACE a] one, span_mark=start, span_id=1, span_at=1700000000.000000000, process_id=40-1, task_id=0, thread_id=1
[2023-11-14T22:13:20.500Z INFO  a] said, span_id=1, process_id=40-1, task_id=0, thread_id=1
[2023-11-14T22:13:20.500Z TRACE a] two, span_mark=start, span_id=1, span_at=1700000000.100000000, process_id=50-2, task_id=0, thread_id=1
";
    assert_eq!(event_times(log), [BEGIN + 500_000_000]);
}

/// It was before the start of its span, as another thread's line was late.
#[test]
fn a_record_is_not_before_its_span() {
    let log = "\
[2023-11-14T22:13:20.500Z TRACE a] one, span_mark=start, span_id=1, span_at=1700000000.400000000, process_id=40-1, task_id=0, thread_id=1
[2023-11-14T22:13:20.500Z INFO  a] said, span_id=1, task_id=0, thread_id=1
[2023-11-14T22:13:20.500Z TRACE a] two, span_mark=start, span_id=2, span_at=1700000000.399999999, process_id=40-1, task_id=0, thread_id=2
";
    assert_eq!(event_times(log), [BEGIN + 400_000_000]);
}

/// It overflowed.
#[test]
fn no_duration_is_too_long() {
    let log = "\
[2023-11-14T22:13:20.500Z TRACE a] one, span_mark=start, span_id=1, span_at=1700000000.400000000, process_id=40-1, task_id=0, thread_id=1
[2023-11-14T22:13:20.500Z INFO  a] said, span_id=1, task_id=0, thread_id=1
[2023-11-14T22:13:20.500Z TRACE a] one, span_mark=end, span_id=1, span_elapsed=18446744073.709551615, task_id=0, thread_id=1
";
    assert_eq!(event_times(log), [BEGIN + 500_000_000]);
}
