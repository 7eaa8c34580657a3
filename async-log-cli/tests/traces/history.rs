//! Programs that never ran, and the logs that they would have written.

use std::collections::HashMap;
use std::fmt::Write;

use async_log_cli::read::Outcome;
use proptest::collection::SizeRange;
use proptest::prelude::*;
use proptest::sample::Index;

/// When the first process started.
pub(crate) const BEGIN: u64 = 1_700_000_000_000_000_000;

const NAMES: [&str; 3] = ["load 1", "load 2", "save"];
const OUTCOMES: [Outcome; 4] = [
    Outcome::Finished,
    Outcome::Error,
    Outcome::Cancelled,
    Outcome::Panicked,
];

/// A span of the log.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// The process, by its place in the log, and its number.
    pub(crate) process: usize,
    pub(crate) pid: u64,
    pub(crate) id: u64,
    /// 0 for none.
    pub(crate) parent: u64,
    pub(crate) name: &'static str,
    pub(crate) start: u64,
    pub(crate) end: Option<u64>,
    pub(crate) outcome: Outcome,
    pub(crate) task: u64,
    pub(crate) thread: u64,
    pub(crate) is_task: bool,
    pub(crate) task_parent: Option<u64>,
    /// Which line ends it.
    end_line: usize,
    start_line: usize,
}

impl Span {
    pub(crate) fn key(&self) -> (u64, u64) {
        (self.pid, self.id)
    }

    /// It was open when the other started.
    pub(crate) fn opens_before(&self, other: &Span) -> bool {
        self.start_line < other.start_line && other.start_line < self.end_line
    }

    /// It was still open when the other ended.
    pub(crate) fn closes_behind(&self, other: &Span) -> bool {
        other.end_line < self.end_line
    }

    /// The other is in it, or in what is in it.
    pub(crate) fn is_around(&self, other: &Span, spans: &HashMap<(u64, u64), &Span>) -> bool {
        let mut at = other;
        while let Some(parent) = spans.get(&(at.pid, at.parent)) {
            if parent.key() == self.key() {
                return true;
            }
            at = parent;
        }
        false
    }
}

/// A step of a program.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Start {
        inside: Option<Index>,
        /// Of what the span is.
        task: Task,
        name: Index,
    },
    End(Index, Index),
    Event(Option<Index>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    /// That of the span around it, and on its thread if there is none.
    Same,
    /// Its own.
    New,
    /// Its own, and whoever spawned it may have ended.
    Late,
    /// None, on another thread.
    Thread,
}

/// A step, how much later it comes, and how much less the clock of its thread says.
pub(crate) type Timed = (Step, u64, u64);

pub(crate) fn steps(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<Timed>> {
    let index = any::<Index>;
    let task = prop_oneof![
        12 => Just(Task::Same),
        2 => Just(Task::New),
        1 => Just(Task::Late),
        1 => Just(Task::Thread),
    ];
    let step = prop_oneof![
        4 => (prop::option::weighted(0.8, index()), task, index())
            .prop_map(|(inside, task, name)| Step::Start { inside, task, name }),
        4 => (index(), index()).prop_map(|(which, outcome)| Step::End(which, outcome)),
        1 => prop::option::of(index()).prop_map(Step::Event),
    ];
    let behind = prop_oneof![6 => Just(0), 1 => 0..3u64];
    prop::collection::vec((step, 0..3u64, behind), len)
}

/// What a program wrote, and what is true of it.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) lines: Vec<String>,
    pub(crate) spans: Vec<Span>,
    pub(crate) events: usize,
}

impl History {
    /// Two processes, one after the other; ids are those of a process.
    pub(crate) fn of(processes: &[Vec<Timed>]) -> History {
        let mut history = History::default();
        for (process, steps) in processes.iter().enumerate() {
            history.add_process(process, steps);
        }
        history
    }

    pub(crate) fn log(&self) -> Vec<u8> {
        self.lines.concat().into_bytes()
    }

    fn add_process(&mut self, process: usize, steps: &[Timed]) {
        let begin = BEGIN + process as u64 * 1_000_000_000;
        let first = self.spans.len();
        let mut now = begin;
        // What is open, by its place among the spans.
        let mut open = vec![first];
        self.start(process, 1, now, None, Task::Same, 0);
        for (step, later, behind) in steps {
            now += later;
            let at = (now - behind.min(&now)).max(begin);
            match step {
                Step::Start { inside, task, name } => {
                    let around = match task {
                        // Nobody remembers for ever where whoever ended was drawn.
                        Task::Late => {
                            let recent = (self.spans.len() - first).min(100);
                            inside.map(|of| self.spans.len() - 1 - of.index(recent))
                        }
                        Task::Thread => None,
                        _ => inside.filter(|_| !open.is_empty()).map(|of| *of.get(&open)),
                    };
                    let id = (self.spans.len() - first) as u64 + 1;
                    open.push(self.spans.len());
                    self.start(process, id, at, around, *task, name.index(NAMES.len()));
                }
                Step::End(which, outcome) if !open.is_empty() => {
                    let which = open.remove(which.index(open.len()));
                    self.end(which, at, OUTCOMES[outcome.index(OUTCOMES.len())]);
                }
                Step::End(..) => {}
                Step::Event(inside) => {
                    let around = inside.filter(|_| !open.is_empty());
                    self.event(around.map(|of| *of.get(&open)));
                }
            }
        }
    }

    fn start(
        &mut self,
        process: usize,
        id: u64,
        at: u64,
        around: Option<usize>,
        task: Task,
        name: usize,
    ) {
        let around = around.map(|at| self.spans[at].clone());
        let outer = around.as_ref().map_or(0, |around| around.task);
        let is_task = matches!(task, Task::New | Task::Late);
        let thread = if let Task::Thread = task { 2 } else { 1 };
        let span = Span {
            process,
            pid: process as u64 + 1,
            id,
            parent: around.as_ref().map_or(0, |around| around.id),
            name: NAMES[name],
            start: at,
            end: None,
            outcome: Outcome::Finished,
            task: if is_task { id } else { outer },
            thread: around.map_or(thread, |around| around.thread),
            is_task,
            task_parent: is_task.then_some(outer),
            start_line: self.lines.len(),
            end_line: usize::MAX,
        };
        let mut line = format!("{}, span_mark=start, user=7, span_id={id}", span.name);
        let mut pair = |key: &str, value: &dyn std::fmt::Display| {
            write!(line, ", {key}={value}").expect("a string takes all");
        };
        if span.parent != 0 {
            pair("span_parent", &span.parent);
        }
        pair("span_at", &seconds(at));
        if let Some(task) = span.task_parent {
            pair("task_parent_id", &task);
            pair("spawn_line", &"src/main.rs:1");
        }
        if span.parent == 0 {
            let began = BEGIN + process as u64 * 1_000_000_000;
            pair("process_id", &format_args!("{}-{began}", span.pid));
        }
        self.write(line, &span);
        self.spans.push(span);
    }

    fn end(&mut self, which: usize, at: u64, outcome: Outcome) {
        let end_line = self.lines.len();
        let span = &mut self.spans[which];
        // No clock of a span runs backwards.
        let at = at.max(span.start);
        span.end = Some(at);
        span.end_line = end_line;
        span.outcome = outcome;
        let span = span.clone();
        let elapsed = seconds(at - span.start);
        let (name, id) = (span.name, span.id);
        let mut line =
            format!("{name}, span_mark=end, user=7, span_id={id}, span_elapsed={elapsed}");
        if let Some(word) = outcome.word() {
            line += &format!(", span_outcome={word}");
        }
        self.write(line, &span);
    }

    fn event(&mut self, around: Option<usize>) {
        let around = around.map(|at| self.spans[at].clone());
        self.events += 1;
        let mut line = format!("event, x={}", self.events);
        let (mut task, mut thread) = (0, 1);
        if let Some(span) = around {
            line += &format!(", span_id={}", span.id);
            (task, thread) = (span.task, span.thread);
        }
        line += &format!(", task_id={task}, thread_id={thread}\n");
        self.lines.push(line);
    }

    fn write(&mut self, line: String, span: &Span) {
        let (task, thread) = (span.task, span.thread);
        self.lines
            .push(format!("{line}, task_id={task}, thread_id={thread}\n"));
    }
}

fn seconds(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
