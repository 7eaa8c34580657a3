//! Holds what the command rebuilt against what the program knew.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Debug;

use crate::child::{Known, Place};
use crate::loggers::Setup;
use crate::rebuilt::Rebuilt;
use async_log_tests::told::{Kind, Told};

/// The records of each thread.
pub(crate) type Threads = HashMap<u64, Vec<Told>>;

/// What was right.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) records: usize,
    pub(crate) spans: usize,
    pub(crate) tasks: usize,
    pub(crate) events: usize,
    pub(crate) outcomes: usize,
}

impl Figures {
    pub(crate) fn add(&mut self, other: Figures) {
        self.records += other.records;
        self.spans += other.spans;
        self.tasks += other.tasks;
        self.events += other.events;
        self.outcomes += other.outcomes;
    }
}

/// What `log`'s API told of each record is what the command read of it.
pub(crate) fn assert_told(setup: Setup, rebuilt: &Rebuilt, told: &Threads) {
    assert_eq!(rebuilt.left.len(), 1, "one process");
    let all: usize = told.values().map(Vec::len).sum();
    assert_eq!(rebuilt.records, all as u64, "records");
    for (thread, told) in told {
        let read = &rebuilt.told[&(0, *thread)];
        assert_eq!(read.len(), told.len());
        for (told, read) in told.iter().zip(read) {
            assert_eq!(read, told, "{setup:?}");
        }
    }
}

/// What the programs know of their spans and events is what the command rebuilt.
pub(crate) fn assert_known(rebuilt: &Rebuilt, known: &[Known]) -> Figures {
    let mut check = Check::default();
    for told in rebuilt.told.values().flatten() {
        check.add(told);
    }
    for known in known {
        check.known(known);
    }
    assert_eq!(check.starts.len(), 0, "nobody started {:?}", check.starts);
    assert_eq!(check.events.len(), 0, "nobody logged {:?}", check.events);
    let unfinished = rebuilt.unfinished();
    assert_eq!(unfinished, [], "all are finished");
    assert_eq!(rebuilt.problems, Default::default());
    assert_eq!(rebuilt.unreadable, 0);
    check.figures
}

/// What the log shows of a child by the end of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Nothing,
    /// It is open.
    Start,
    All,
}

/// Checks the self times of a log that has all starts and ends as they happened. Gives them.
pub(crate) fn assert_self_times(rebuilt: &Rebuilt) -> HashMap<u64, u64> {
    let shown = |parent, child| {
        let Some((_, parent_end)) = rebuilt.order.get(&(0, parent)) else {
            return Shown::Nothing;
        };
        let (start, end) = rebuilt.order[&(0, child)];
        match (start < *parent_end, end < *parent_end) {
            (false, _) => Shown::Nothing,
            (true, false) => Shown::Start,
            (true, true) => Shown::All,
        }
    };
    let expected = self_times(rebuilt, shown);
    for (id, self_time) in &expected {
        assert_eq!(rebuilt.self_times[&(0, *id)], *self_time, "span {id}");
    }
    expected
}

/// Self times are the durations without the time that the children cover, but for tasks. `shown` says it of
/// a span and its child.
pub(crate) fn self_times(
    rebuilt: &Rebuilt,
    shown: impl Fn(u64, u64) -> Shown,
) -> HashMap<u64, u64> {
    let mut spans: HashMap<u64, (u64, u64)> = HashMap::new();
    let mut children: HashMap<u64, Vec<(u64, Shown)>> = HashMap::new();
    for told in rebuilt.told.values().flatten() {
        match (told.kind, told.at) {
            (Kind::Start, Some(at)) => {
                spans.entry(told.span).or_default().0 = at;
                if told.task_parent.is_none() {
                    let child = (told.span, shown(told.parent, told.span));
                    children.entry(told.parent).or_default().push(child);
                }
            }
            (Kind::End, _) => spans.entry(told.span).or_default().1 = told.duration.unwrap_or(0),
            _ => {}
        }
    }
    let self_time = |(id, &(start, duration)): (&u64, &(u64, u64))| {
        let end = start + duration;
        let children = children.get(id).into_iter().flatten();
        let interval = |(child, shown): &(u64, Shown)| {
            let (from, duration) = spans[child];
            match shown {
                Shown::Nothing => None,
                Shown::Start => Some((from, end)),
                Shown::All => Some((from, end.min(from + duration))),
            }
        };
        let mut intervals: Vec<_> = children.filter_map(interval).collect();
        intervals.sort_unstable();
        let (mut covered, mut until) = (0, start);
        for (from, to) in intervals {
            covered += to.saturating_sub(from.max(until));
            until = until.max(to);
        }
        (*id, duration - covered)
    };
    spans.iter().map(self_time).collect()
}

/// What was read, by the program's own numbers.
#[derive(Default)]
struct Check<'a> {
    figures: Figures,
    starts: HashMap<u64, &'a Told>,
    /// From the library's numbers of spans.
    ends: HashMap<u64, &'a Told>,
    numbers: HashMap<u64, u64>,
    events: HashMap<u64, &'a Told>,
    /// From the program's numbers of tasks to the library's, and back.
    task_ids: HashMap<u64, u64>,
    task_numbers: HashMap<u64, u64>,
}

impl<'a> Check<'a> {
    fn add(&mut self, told: &'a Told) {
        self.figures.records += 1;
        let number = number(told);
        let before = match told.kind {
            Kind::End => self.ends.insert(told.span, told),
            _ if number == 0 => None,
            Kind::Start => {
                self.numbers.insert(told.span, number);
                self.starts.insert(number, told)
            }
            Kind::Event => self.events.insert(number, told),
        };
        assert_eq!(before, None, "twice: {told:?}");
    }

    fn known(&mut self, known: &Known) {
        match known {
            Known::Event {
                number,
                what,
                place,
            } => {
                let told = self.events.remove(number);
                let told = told.unwrap_or_else(|| panic!("lost: {known:?}"));
                assert_eq!(told.message, *what);
                self.place(told, told.span, *place, known);
                self.figures.events += 1;
            }
            Known::Span {
                number,
                around,
                inside,
                is_task,
                outcome,
            } => {
                let start = self.starts.remove(number);
                let start = start.unwrap_or_else(|| panic!("lost: {known:?}"));
                let span = around.span;
                self.place(start, start.parent, Place { span, ..*inside }, known);
                let end = self.ends.get(&start.span).copied();
                let end = end.unwrap_or_else(|| panic!("no end: {known:?}"));
                self.place(end, end.span, *inside, known);
                assert_eq!(end.outcome, *outcome, "{known:?}\n{end:?}");
                assert_eq!(end.message, start.message);
                assert_eq!(start.task_parent.is_some(), *is_task, "{known:?}");
                if let Some(parent) = start.task_parent {
                    self.task(around.task, parent, known);
                }
                self.figures.spans += 1;
                self.figures.tasks += usize::from(*is_task);
                self.figures.outcomes += usize::from(outcome.is_some());
            }
        }
    }

    /// A record is in the span and the task that it was written in, and has their fields.
    fn place(&mut self, told: &Told, span: u64, place: Place, known: &dyn Debug) {
        let number = match span {
            0 => 0,
            id => self.numbers.get(&id).copied().unwrap_or(u64::MAX),
        };
        assert_eq!(number, place.span, "{known:?}\n{told:?}");
        assert_eq!(told.number("uid"), place.uid, "{known:?}\n{told:?}");
        assert_eq!(told.number("tag"), place.tag, "{known:?}\n{told:?}");
        self.task(place.task, told.task, known);
    }

    /// A task has always the same number, and is the only one that has it.
    fn task(&mut self, number: u64, id: u64, known: &dyn Debug) {
        let is = |entry: Entry<'_, u64, u64>, value| {
            let found = *entry.or_insert(value);
            assert_eq!(found, value, "another task: {known:?}");
        };
        assert_eq!(number == 0, id == 0, "{known:?}");
        is(self.task_ids.entry(number), id);
        is(self.task_numbers.entry(id), number);
    }
}

/// The program's own number of a span or of an event; 0 where it gave none.
fn number(told: &Told) -> u64 {
    match told.message.strip_prefix("task-") {
        _ if told.kind == Kind::Event => told.number("event"),
        Some(number) => number.parse().expect("a number"),
        None if told.pairs.contains_key("arg_0") => told.number("arg_0"),
        None => told.number("uid"),
    }
}
