//! From what was said on the command line to what is written.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use clap::CommandFactory;
use wildmatch::WildMatch;

use async_log_cli::input::{self, Cutter, InputError, Progress};
use async_log_cli::pipeline::{self, Batches};
use async_log_cli::read::Batch;
use async_log_cli::track::{Selection, Sink, Tracker};
use async_log_cli::write::chrome::Chrome;
use async_log_cli::write::perfetto::Perfetto;
use async_log_cli::write::{Look, flame, stats, task, tasks, trace, tree, unfinished};

use crate::args::{Cli, Command, Selected, Shared};
use crate::output::Output;
use crate::report::{self, Lines};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    NoSpan = 1,
    Failed = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// What stops it.
#[derive(Debug)]
pub(crate) enum Failure {
    Input(InputError),
    Output { name: String, error: io::Error },
    NoSpan(String),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::NoSpan(_) => Exit::NoSpan,
            Failure::Input(_) | Failure::Output { .. } => Exit::Failed,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Input(error) => error.fmt(f),
            Failure::Output { name, error } => write!(f, "{name}: cannot be written: {error}"),
            Failure::NoSpan(why) => f.write_str(why),
        }
    }
}

pub(crate) fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { command, shared } = cli;
    match command {
        Command::Completions { shell } => print(|out| {
            clap_complete::generate(shell, &mut Cli::command(), "async-log", out);
            Ok(())
        }),
        Command::Manual => print(|out| clap_mangen::Man::new(Cli::command()).render(out)),
        command => draw(&command, &shared),
    }
}

/// Writes to standard output what reads no log.
fn print(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let written = write(&mut text).and_then(|()| io::Write::write_all(&mut io::stdout(), &text));
    conclude_output(written, "standard output")
}

/// Reads the logs and writes what the command makes of them.
fn draw(command: &Command, shared: &Shared) -> Result<Exit, Failure> {
    let mut input = Input::open(command.files(), shared)?;
    let mut output = open_output(shared)?;
    if !shared.reading.follow {
        remove_when_interrupted(output.temporary());
    }
    let look = Look::new(output.has_color(shared.output.color), output.width());
    let read = input.draw(command, shared, look, &mut output);
    let name = shared
        .output
        .output
        .as_ref()
        .map_or("standard output".into(), |path| path.to_string_lossy());
    if input.has_span() || read.is_err() {
        conclude_output(read.and_then(|()| output.commit()), &name)?;
    }
    if !shared.output.quiet {
        input.report();
    }
    input.conclude()
}

/// Whoever does not read on has what was wanted.
fn conclude_output(written: io::Result<()>, name: &str) -> Result<Exit, Failure> {
    match written {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(Failure::Output {
            name: name.to_owned(),
            error,
        }),
    }
}

fn open_output(shared: &Shared) -> Result<Output, Failure> {
    let path = shared.output.output.as_deref();
    Output::open(path).map_err(|error| Failure::Output {
        name: path
            .unwrap_or("standard output".as_ref())
            .to_string_lossy()
            .into_owned(),
        error,
    })
}

/// Leaves no half of a file behind.
fn remove_when_interrupted(temporary: Option<PathBuf>) {
    let Some(temporary) = temporary else {
        return;
    };
    // Without a handler the file stays, and that is all.
    let _ = ctrlc::set_handler(move || {
        let _ = std::fs::remove_file(&temporary);
        process::exit(130);
    });
}

/// The logs that a command reads, and what is known of them when they are read.
struct Input {
    cutter: Cutter,
    progress: Progress,
    selection: Selection,
    jobs: usize,
    lines: Lines,
    problems: async_log_cli::track::Problems,
    records: u64,
    marks: u64,
}

impl Input {
    fn open(files: &[PathBuf], shared: &Shared) -> Result<Input, Failure> {
        let mut options = input::Options::default();
        options.form = shared.reading.format.map(Into::into);
        options.prefix.clone_from(&shared.reading.prefix);
        options.follow = shared.reading.follow.then(stop_when_interrupted);
        let cutter = Cutter::open(files, options).map_err(Failure::Input)?;
        // What grows has no end that it could be near to.
        let is_quiet = shared.output.quiet || shared.reading.follow;
        let progress = Progress::new(cutter.total(), is_quiet);
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Ok(Input {
            cutter,
            progress,
            selection: selection(&shared.selection),
            jobs: shared.reading.jobs.map_or(processors.min(4), usize::from),
            lines: Lines::default(),
            problems: Default::default(),
            records: 0,
            marks: 0,
        })
    }

    /// Reads the logs with what the command wants of them.
    fn draw(
        &mut self,
        command: &Command,
        shared: &Shared,
        look: Look,
        out: &mut Output,
    ) -> io::Result<()> {
        let exact = shared.selection.exact;
        let (json, limit) = (shared.output.json, shared.output.limit);
        let rows = limit.filter(|&rows| rows > 0);
        match command {
            Command::Tasks(_) => {
                let mut options = tasks::Options::default();
                (options.look, options.json, options.limit) = (look, json, rows);
                self.read(tasks::Tasks::new(options, out), false)
            }
            Command::Task {
                id,
                tree,
                time_of_day,
                ..
            } => {
                let mut options = task::Options::default();
                (options.look, options.task) = (look, *id);
                (options.tree, options.time_of_day) = (*tree, *time_of_day);
                self.read(task::Task::new(options, out), false)
            }
            Command::Tree { spawned, .. } => {
                let mut options = tree::Options::default();
                (options.look, options.json, options.spawned) = (look, json, *spawned);
                options.limit = limit.unwrap_or(options.limit);
                self.read(tree::Tree::new(options, out), *spawned)
            }
            Command::Stats { sort, .. } => {
                let mut options = stats::Options::default();
                (options.look, options.json, options.limit) = (look, json, rows);
                (options.exact, options.sort) = (exact, *sort);
                self.read(stats::Stats::new(options, out), false)
            }
            Command::Unfinished(_) => {
                let mut options = unfinished::Options::default();
                (options.look, options.json, options.limit) = (look, json, rows);
                self.read(unfinished::Unfinished::new(options, out), false)
            }
            Command::Flame {
                folded,
                spawned,
                title,
                ..
            } => {
                let mut options = flame::Options::default();
                (options.exact, options.folded) = (exact, *folded);
                options.title.clone_from(title);
                self.read(flame::Flame::new(options, out), *spawned)
            }
            Command::Chrome(_) => self.read(Chrome::new(trace::Options::default(), out), false),
            Command::Perfetto(_) => self.read(Perfetto::new(trace::Options::default(), out), false),
            Command::Completions { .. } | Command::Manual => Ok(()),
        }
    }

    /// Gives the spans of the logs to a sink.
    fn read<S: Sink>(&mut self, sink: S, join_tasks: bool) -> io::Result<()> {
        let selection = std::mem::take(&mut self.selection);
        let mut tracker = Tracker::new(sink, selection).join_tasks(join_tasks);
        let feed = Feed {
            cutter: &mut self.cutter,
            progress: &mut self.progress,
        };
        let lines = &mut self.lines;
        let read = pipeline::run(feed, &mut tracker, self.jobs, |batch| {
            lines.add(batch.source, &batch.unreadable)
        });
        self.progress.finish();
        (self.records, self.marks) = tracker.counts();
        let finished = match read {
            Ok(()) if self.marks > 0 => tracker.finish(),
            read => read,
        };
        self.problems = tracker.problems().clone();
        finished
    }

    fn has_span(&self) -> bool {
        self.marks > 0
    }

    fn names(&self) -> Vec<String> {
        self.cutter
            .sources()
            .iter()
            .map(|source| source.name().to_owned())
            .collect()
    }

    fn report(&self) {
        for source in self.cutter.reversed() {
            let name = source.name();
            eprintln!(
                "async-log: {name}: its newest lines are first; it was read from its end, where line 1 is"
            );
        }
        if self.records > 0 {
            report::report(&self.lines, &self.names(), &self.problems);
        }
    }

    /// Says what could not be read, and why there is nothing to see.
    fn conclude(self) -> Result<Exit, Failure> {
        let troubles = self.cutter.troubles();
        for trouble in troubles {
            eprintln!("async-log: {trouble}");
        }
        if !self.has_span() {
            return Err(Failure::NoSpan(report::no_span(
                &self.names(),
                self.records,
                &self.lines,
            )));
        }
        Ok(if troubles.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        })
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

/// What is set when the user wants no more of a growing log.
fn stop_when_interrupted() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let handle = Arc::clone(&stop);
    // Without a handler an interruption ends the process, and that is all.
    let _ = ctrlc::set_handler(move || handle.store(true, Ordering::Relaxed));
    stop
}

fn selection(selected: &Selected) -> Selection {
    let mut selection = Selection::default();
    selection.since = selected.since;
    selection.until = selected.until;
    selection.tasks.clone_from(&selected.tasks);
    selection.span = selected.span.as_deref().map(WildMatch::new);
    selection.pairs.clone_from(&selected.pairs);
    selection.min_duration = selected.min_duration.unwrap_or(0);
    selection.level = selected.level.map(Into::into);
    selection
}
