//! The command's reading of a log.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use async_log_cli::read::{Batch, Dialect, Form, View};
use async_log_cli::track::{
    End, Event, OpenSpans, Problems, Process, Selection, Sink, Start, Tracker,
};

use async_log_tests::told::{Kind, Told};

/// All calls of a [`Sink`] for a log.
#[derive(Debug, Default)]
pub(crate) struct Rebuilt {
    /// The records of each process and thread.
    pub(crate) told: BTreeMap<(usize, u64), Vec<Told>>,
    /// The processes, with what was open when they were over.
    pub(crate) left: Vec<(Process, Vec<Unfinished>)>,
    pub(crate) self_times: BTreeMap<(usize, u64), u64>,
    /// When the start and the end of a span were told: how many starts and ends were by then.
    pub(crate) order: BTreeMap<(usize, u64), (usize, usize)>,
    pub(crate) problems: Problems,
    pub(crate) records: u64,
    pub(crate) unreadable: u64,
    finished: bool,
    marks: usize,
}

/// A span without an end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unfinished {
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) task: u64,
    pub(crate) start: u64,
    pub(crate) name: String,
}

impl Rebuilt {
    /// Reads a log in pieces of so many bytes, as the command does.
    pub(crate) fn of(log: &[u8], form: Option<Form>, piece: usize) -> Self {
        // A last line without line break is torn.
        let whole = memchr::memrchr(b'\n', log).map_or(0, |at| at + 1);
        let dialect = Dialect::detect(&log[..whole.min(1 << 20)], form);
        let dialect: Arc<Dialect> = dialect.expect("there are records").into();
        let mut tracker = Tracker::new(Rebuilt::default(), Selection::default());
        let (mut unreadable, mut lines_before) = (u64::from(whole < log.len()), 0);
        for piece in pieces(&log[..whole], piece) {
            let mut batch = Batch {
                bytes: piece.to_vec(),
                lines_len: piece.len(),
                lines_before,
                dialect: Arc::clone(&dialect),
                ..Batch::default()
            };
            batch.parse();
            lines_before += memchr::memchr_iter(b'\n', piece).count() as u64;
            unreadable += batch.unreadable.lines;
            tracker.take(&batch).expect("this sink takes all");
        }
        tracker.finish().expect("this sink takes all");
        let (problems, (records, _)) = (tracker.problems().clone(), tracker.counts());
        let rebuilt = tracker.into_sink();
        assert!(rebuilt.finished);
        Rebuilt {
            problems,
            records,
            unreadable,
            ..rebuilt
        }
    }

    /// What was told of one process, as if it were the only one.
    pub(crate) fn of_process(&self, pid: u64) -> Self {
        let is_it = |process: &Process| process.id.is_some_and(|id| id.pid == pid);
        let mut left = self.left.clone();
        left.retain(|(process, _)| is_it(process));
        let index = left.first().expect("the process").0.index;
        let told = self.told.iter().filter(|((of, _), _)| *of == index);
        let told: BTreeMap<_, _> = told
            .map(|((_, thread), told)| ((0, *thread), told.clone()))
            .collect();
        let self_times = self.self_times.iter().filter(|((of, _), _)| *of == index);
        Rebuilt {
            left,
            records: told.values().map(|told| told.len() as u64).sum(),
            self_times: self_times
                .map(|((_, id), time)| ((0, *id), *time))
                .collect(),
            order: self
                .order
                .iter()
                .filter(|((of, _), _)| *of == index)
                .map(|((_, id), places)| ((0, *id), *places))
                .collect(),
            told,
            problems: self.problems.clone(),
            ..*self
        }
    }

    /// All that was open at the end of a process.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        let all = self.left.iter().flat_map(|(_, open)| open.iter().cloned());
        let mut all: Vec<_> = all.collect();
        all.sort();
        all
    }

    fn count(&mut self) -> usize {
        self.marks += 1;
        self.marks
    }

    fn tell(&mut self, process: Process, thread: u64, told: Told) {
        self.told
            .entry((process.index, thread))
            .or_default()
            .push(told);
    }
}

/// Parts of a log of about that size; none of them begins inside of a record.
fn pieces(log: &[u8], size: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = log;
    std::iter::from_fn(move || {
        let mut end = size.min(rest.len());
        loop {
            end += memchr::memchr(b'\n', &rest[end..]).map_or(rest.len() - end, |at| at + 1);
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

fn told(kind: Kind, view: View<'_>, span: u64) -> Told {
    let mut pairs = BTreeMap::new();
    view.pairs(|key, value| {
        pairs.insert(key.to_owned(), value.into_owned());
    });
    Told {
        kind,
        message: view.message().into_owned(),
        span,
        parent: 0,
        task: view.record.task_id,
        task_parent: None,
        spawn_line: None,
        at: None,
        duration: None,
        outcome: None,
        pairs,
        level: view.level().map(|level| level.word().to_lowercase()),
        target: view.target().map(|target| target.into_owned()),
    }
}

impl Sink for Rebuilt {
    type Kept = String;

    fn wants_events(&self) -> bool {
        true
    }

    fn start(&mut self, start: Start<'_>, open: &mut OpenSpans<String>) -> io::Result<String> {
        assert!(open.get(start.id).is_none() && start.selected);
        let told = Told {
            parent: start.parent,
            task_parent: start.view.record.task_parent_id,
            spawn_line: start.view.spawn_line().map(|line| line.into_owned()),
            at: Some(start.at),
            ..told(Kind::Start, start.view, start.id)
        };
        let name = told.message.clone();
        let place = self.count();
        self.order
            .insert((start.process.index, start.id), (place, usize::MAX));
        self.tell(start.process, start.view.record.thread_id, told);
        Ok(name)
    }

    fn event(&mut self, event: Event<'_>, open: &mut OpenSpans<String>) -> io::Result<()> {
        if let Some(span) = open.get(event.span) {
            assert!(event.at >= span.last, "{event:?} is not behind {span:?}");
        }
        let told = told(Kind::Event, event.view, event.span);
        self.tell(event.process, event.view.record.thread_id, told);
        Ok(())
    }

    fn end(&mut self, end: End<'_, String>, open: &mut OpenSpans<String>) -> io::Result<()> {
        assert!(open.get(end.id).is_none() && end.selected);
        let told = Told {
            duration: Some(end.duration),
            outcome: end.outcome.word().map(str::to_owned),
            ..told(Kind::End, end.view, end.id)
        };
        if let Some(span) = &end.span {
            // A torn line of another program may precede it.
            assert!(
                span.kept.ends_with(&told.message),
                "{} ends as {told:?}",
                span.kept
            );
            assert_eq!(end.at, span.start + end.duration);
            let of = (end.process.index, end.id);
            let place = self.count();
            self.order.entry(of).and_modify(|order| order.1 = place);
            let before = self.self_times.insert(of, end.self_time);
            assert_eq!(before, None, "span {of:?} ends twice");
        }
        self.tell(end.process, end.view.record.thread_id, told);
        Ok(())
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<String>) -> io::Result<()> {
        let unfinished = open.into_sorted().into_iter().map(|(id, span)| Unfinished {
            id,
            parent: span.parent,
            task: span.task_id,
            start: span.start,
            name: span.kept,
        });
        self.left.push((process, unfinished.collect()));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        assert!(!self.finished);
        self.finished = true;
        Ok(())
    }
}
