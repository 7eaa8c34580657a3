//! The logs of a command, read once.

use std::io;
use std::thread;

use async_log_cli::input::{self, Cutter, Progress};
use async_log_cli::pipeline::{self, Batches};
use async_log_cli::read::Batch;
use async_log_cli::track::{
    Conditions, KeptTraces, MOST_CONDITIONS, Problems, Selection, Sink, Tracker, name_like,
};

use crate::args::{Command, Common, Ended};
use crate::hint::Hint;
use crate::report::{self, Lines, Nothing};
use crate::run::{Exit, Failure};
use crate::signals;

/// The logs that a command reads, and what is known of them when they are read.
pub(crate) struct Input {
    cutter: Cutter,
    progress: Progress,
    pub(crate) selection: Selection,
    pub(crate) join_tasks: bool,
    jobs: usize,
    lines: Lines,
    problems: Problems,
    kept_traces: KeptTraces,
    records: u64,
    marks: u64,
    /// Why there is nothing to show.
    pub(crate) nothing: Option<Nothing>,
    /// Of each key that was asked for and that no record has, what to say of it.
    pub(crate) unknown_keys: Vec<String>,
    /// What could be asked next.
    pub(crate) hint: Hint,
}

impl Input {
    pub(crate) fn open(command: &Command, common: &Common) -> Result<Input, Failure> {
        let reading = &common.reading;
        let mut options = input::Options::default();
        options.form = reading.format.map(Into::into);
        options.prefix.clone_from(&reading.prefix);
        options.in_order = reading.in_order;
        options.follow = reading.follow.then(signals::stop_when_interrupted);
        let cutter = Cutter::open(&common.files.files, options).map_err(Failure::Input)?;
        // What grows has no end that it could be near to.
        let is_quiet = common.output.quiet || reading.follow;
        let progress = Progress::new(cutter.total(), is_quiet);
        // Of a growing log each line is shown when it comes, so nobody who shows lines may wait for more.
        let processors = match reading.follow {
            true => 1,
            false => thread::available_parallelism().map_or(1, usize::from),
        };
        Ok(Input {
            cutter,
            progress,
            selection: selection(command, common)?,
            join_tasks: false,
            jobs: reading.jobs.map_or(processors.min(4), usize::from),
            lines: Lines::default(),
            problems: Problems::default(),
            kept_traces: KeptTraces::default(),
            records: 0,
            marks: 0,
            nothing: None,
            unknown_keys: Vec::new(),
            hint: Hint::default(),
        })
    }

    /// Gives the spans of the logs to a sink. `nothing` says whether it has nothing to show.
    pub(crate) fn read<S: Sink>(
        &mut self,
        sink: S,
        nothing: impl FnOnce(&Tracker<S>) -> Option<Nothing>,
    ) -> io::Result<S> {
        let selection = std::mem::take(&mut self.selection);
        let shows_records = sink.wants_events() && sink.shows_events();
        let mut tracker = Tracker::new(sink, selection);
        if self.join_tasks {
            tracker = tracker.join_tasks(true);
        }
        let feed = Feed {
            cutter: &mut self.cutter,
            progress: &mut self.progress,
        };
        let lines = &mut self.lines;
        let read = pipeline::run(feed, &mut tracker, self.jobs, |batch| {
            lines.add(batch.source, &batch.unreadable)
        });
        let read = read.and_then(|()| tracker.take_unnamed());
        self.progress.finish();
        (self.records, self.marks) = tracker.counts();
        let finished = match read {
            Ok(()) if self.marks > 0 || tracker.in_spans() > 0 => tracker.finish(),
            read => read,
        };
        self.problems = tracker.problems().clone();
        self.kept_traces = tracker.kept_traces();
        self.unknown_keys = tracker.selection().conditions.unknown_keys();
        self.nothing = match self.marks {
            // Records can say in which spans they are where no span is written.
            0 if tracker.in_spans() == 0 || !shows_records => Some(Nothing::Log),
            _ => nothing(&tracker),
        };
        finished.map(|()| tracker.into_sink())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.cutter
            .sources()
            .iter()
            .map(|source| source.name().to_owned())
            .collect()
    }

    pub(crate) fn report(&self) {
        for source in self.cutter.reversed() {
            let name = source.name();
            eprintln!(
                "async-log: {name}: its newest lines are first; it was read from its end, where line 1 is"
            );
        }
        if self.records > 0 {
            report::report(&self.lines, &self.names(), &self.problems);
            report::kept_traces(self.kept_traces);
        }
    }

    /// Says what could not be read, and why there is nothing to see.
    pub(crate) fn conclude(self, command: &Command, common: &Common) -> Result<Exit, Failure> {
        let troubles = self.cutter.troubles();
        for trouble in troubles {
            eprintln!("async-log: {trouble}");
        }
        let names = report::Names(&self.names());
        let Some(nothing) = self.nothing else {
            for unknown in &self.unknown_keys {
                eprintln!("async-log: {unknown}");
            }
            return Ok(if troubles.is_empty() {
                Exit::Done
            } else {
                Exit::Failed
            });
        };
        let message = match nothing {
            Nothing::Log => report::no_span(names, self.records, &self.lines),
            Nothing::Taken { records } => {
                let selecting = command.selecting(&common.selected);
                report::nothing_taken(names, self.marks, records, &selecting, &self.unknown_keys)
            }
            Nothing::Task(id) => {
                let selecting = command.selecting(&common.selected);
                report::no_task(names, id, &selecting, &self.unknown_keys)
            }
            Nothing::Failed { traces } => report::no_failure(names, traces),
            Nothing::Found { traces } => report::no_match(names, traces, &self.unknown_keys),
            Nothing::Outside(hidden) => report::only_outside(names, hidden),
            Nothing::Time => report::no_time(names, &self.problems),
            Nothing::Busy => report::no_busy(names),
        };
        if troubles.is_empty() {
            return Err(Failure::Nothing(message));
        }
        // What could not be read may have had it.
        eprintln!("async-log: {message}");
        Ok(Exit::Failed)
    }
}

/// Says how far it is.
struct Feed<'a> {
    cutter: &'a mut Cutter,
    progress: &'a mut Progress,
}

impl Batches for Feed<'_> {
    fn next(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let is_there = self.cutter.next(batch);
        self.progress.set(self.cutter.consumed());
        Ok(is_there)
    }
}

/// What the options select.
fn selection(command: &Command, common: &Common) -> Result<Selection, Failure> {
    let selected = &common.selected;
    let mut selection = Selection::default();
    selection.since = selected.since;
    selection.until = selected.until;
    selection.tasks = command.tasks().to_vec();
    selection.span = selected.span.as_deref().map(name_like);
    if selected.conditions.len() > MOST_CONDITIONS {
        let many = format!("--where can be said {MOST_CONDITIONS} times at most");
        return Err(Failure::Usage(many));
    }
    selection.conditions = Conditions::new(selected.conditions.clone());
    selection.outcomes = Ended::set(command.outcomes());
    selection.min_duration = command.min_duration().unwrap_or(0);
    selection.level = command.level().map(Into::into);
    Ok(selection)
}
