//! From what was said on the command line to what is written.

use std::fmt;
use std::io;
use std::process::ExitCode;
use std::thread;

use async_log_cli::input::{self, Cutter, InputError, Progress};
use async_log_cli::pipeline::{self, Batches};
use async_log_cli::read::Batch;
use async_log_cli::track::{KeptTraces, Problems, Selection, Sink, Tracker, name_like};
use async_log_cli::write::chrome::Chrome;
use async_log_cli::write::perfetto::Perfetto;
use async_log_cli::write::{Look, flame, stats, task, tasks, trace, tree, unfinished};

use crate::args::{self, Cli, Command, Common};
use crate::inputs;
use crate::output::Output;
use crate::pages;
use crate::report::{self, Lines, Nothing};
use crate::signals;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Nothing = 1,
    Usage = 2,
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
    Output {
        name: String,
        error: io::Error,
    },
    /// What the options say cannot be done here.
    Usage(String),
    /// There is nothing to show, and why.
    Nothing(String),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Nothing(_) => Exit::Nothing,
            Failure::Usage(_) => Exit::Usage,
            Failure::Input(_) | Failure::Output { .. } => Exit::Failed,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Input(error) => error.fmt(f),
            Failure::Output { name, error } => write!(f, "{name}: cannot be written: {error}"),
            Failure::Usage(what) | Failure::Nothing(what) => f.write_str(what),
        }
    }
}

pub(crate) fn run(cli: Cli) -> Result<Exit, Failure> {
    let command = cli.command;
    match &command {
        Command::Completions { shell } => print(|out| pages::completions(*shell, out)),
        Command::Manual {
            into: None,
            of: None,
        } => print(pages::whole_manual),
        Command::Manual {
            into: None,
            of: Some(name),
        } => {
            let page = pages::Page::of(name).ok_or_else(|| {
                Failure::Usage(format!(
                    "{name}: it is no command; `async-log help` names them"
                ))
            })?;
            print(|out| page.render(out))
        }
        Command::Manual {
            into: Some(folder), ..
        } => {
            let name = folder.display().to_string();
            conclude_output(pages::write_manuals(folder), &name)
        }
        _ => match command.common() {
            Some(common) => draw(&command, common),
            None => Ok(Exit::Done),
        },
    }
}

/// Writes to standard output what reads no log.
fn print(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let written = write(&mut text).and_then(|()| io::Write::write_all(&mut io::stdout(), &text));
    conclude_output(written, "standard output")
}

/// Reads the logs and writes what the command makes of them.
fn draw(command: &Command, common: &Common) -> Result<Exit, Failure> {
    let path = common.output.output.as_deref();
    inputs::check_output(&common.files.files, path).map_err(|name| {
        Failure::Usage(format!(
            "{name}: it is a log that is read, and would be lost; name another file with -o"
        ))
    })?;
    let mut input = Input::open(command, common)?;
    let mut output = open_output(common)?;
    if command.is_drawing() && output.is_terminal() {
        return Err(Failure::Usage(
            "standard output: it is a terminal, which shows no trace and no picture; name a file \
             with -o, or pipe it to a program"
                .to_owned(),
        ));
    }
    if let Some(temporary) = output.temporary().filter(|_| !common.reading.follow) {
        signals::remove_when_ended(temporary);
    }
    let look = Look::new(output.has_color(command.color()), output.width());
    let read = input.draw(command, look, &mut output);
    let name = output_name(common);
    if read.is_err() || input.nothing.is_none() {
        conclude_output(read.and_then(|()| output.commit()), &name)?;
    } else {
        // A program that reads standard output gets an empty result; a file stays what it was.
        conclude_output(output.abandon(), &name)?;
    }
    if !common.output.quiet {
        input.report();
    }
    input.conclude(command, common)
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

fn open_output(common: &Common) -> Result<Output, Failure> {
    Output::open(common.output.output.as_deref()).map_err(|error| Failure::Output {
        name: output_name(common),
        error,
    })
}

fn output_name(common: &Common) -> String {
    match &common.output.output {
        Some(path) => path.display().to_string(),
        None => "standard output".to_owned(),
    }
}

/// The logs that a command reads, and what is known of them when they are read.
struct Input {
    cutter: Cutter,
    progress: Progress,
    selection: Selection,
    join_tasks: bool,
    jobs: usize,
    lines: Lines,
    problems: Problems,
    kept_traces: KeptTraces,
    records: u64,
    marks: u64,
    /// Why there is nothing to show.
    nothing: Option<Nothing>,
}

impl Input {
    fn open(command: &Command, common: &Common) -> Result<Input, Failure> {
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
            selection: selection(command, common),
            join_tasks: false,
            jobs: reading.jobs.map_or(processors.min(4), usize::from),
            lines: Lines::default(),
            problems: Problems::default(),
            kept_traces: KeptTraces::default(),
            records: 0,
            marks: 0,
            nothing: None,
        })
    }

    /// Reads the logs with what the command wants of them.
    fn draw(&mut self, command: &Command, look: Look, out: &mut Output) -> io::Result<()> {
        match command {
            Command::Tasks(table) => {
                let mut options = tasks::Options::default();
                (options.look, options.json) = (look, table.rows.json);
                options.limit = table.rows.most();
                self.read(tasks::Tasks::new(options, out), nothing_taken)
            }
            Command::Task(args) => {
                let mut options = task::Options::default();
                (options.look, options.task) = (look, args.id);
                (options.tree, options.time_of_day) = (args.tree, args.time_of_day);
                self.read(task::Task::new(options, out), |tracker| {
                    let is_there = tracker.sink().written() > 0;
                    (!is_there).then_some(Nothing::Task(args.id))
                })
            }
            Command::Tree(args) => {
                let mut options = tree::Options::default();
                (options.look, options.json) = (look, args.table.rows.json);
                options.spawned = args.spawned;
                options.limit = args.table.rows.limit.unwrap_or(options.limit);
                self.join_tasks = args.spawned;
                self.read(tree::Tree::new(options, out), nothing_taken)
            }
            Command::Stats(args) => {
                self.read(stats::Stats::new(args.options(look), out), no_span_taken)
            }
            Command::Unfinished(table) => {
                let mut options = unfinished::Options::default();
                (options.look, options.json) = (look, table.rows.json);
                options.limit = table.rows.most();
                self.read(unfinished::Unfinished::new(options, out), no_span_taken)
            }
            Command::Flame(args) => {
                self.join_tasks = args.spawned;
                self.read(flame::Flame::new(args.options(), out), |tracker| {
                    let has_time = tracker.sink().total() > 0;
                    let no_time = if args.busy {
                        Nothing::Busy
                    } else {
                        Nothing::Time
                    };
                    no_span_taken(tracker).or((!has_time).then_some(no_time))
                })
            }
            Command::Chrome(_) => {
                self.read(Chrome::new(trace::Options::default(), out), nothing_taken)
            }
            Command::Perfetto(_) => {
                self.read(Perfetto::new(trace::Options::default(), out), nothing_taken)
            }
            Command::Completions { .. } | Command::Manual { .. } => Ok(()),
        }
    }

    /// Gives the spans of the logs to a sink. `nothing` says whether it has nothing to show.
    fn read<S: Sink>(
        &mut self,
        sink: S,
        nothing: impl FnOnce(&Tracker<S>) -> Option<Nothing>,
    ) -> io::Result<()> {
        let selection = std::mem::take(&mut self.selection);
        let shows_records = sink.wants_events() && sink.shows_events();
        let mut tracker = Tracker::new(sink, selection).join_tasks(self.join_tasks);
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
        self.nothing = match self.marks {
            // Records can say in which spans they are where no span is written.
            0 if tracker.in_spans() == 0 || !shows_records => Some(Nothing::Log),
            _ => nothing(&tracker),
        };
        finished
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
            report::kept_traces(self.kept_traces);
        }
    }

    /// Says what could not be read, and why there is nothing to see.
    fn conclude(self, command: &Command, common: &Common) -> Result<Exit, Failure> {
        let troubles = self.cutter.troubles();
        for trouble in troubles {
            eprintln!("async-log: {trouble}");
        }
        let names = report::Names(&self.names());
        let Some(nothing) = self.nothing else {
            return Ok(if troubles.is_empty() {
                Exit::Done
            } else {
                Exit::Failed
            });
        };
        let message = match nothing {
            Nothing::Log => report::no_span(names, self.records, &self.lines),
            Nothing::Taken { records } => {
                report::nothing_taken(names, self.marks, records, &command.selecting(common))
            }
            Nothing::Task(id) => report::no_task(names, id, &command.selecting(common)),
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

fn nothing_taken<S: Sink>(tracker: &Tracker<S>) -> Option<Nothing> {
    let taken = tracker.taken();
    let is_nothing = taken.spans == 0 && taken.records == 0;
    is_nothing.then_some(Nothing::Taken { records: true })
}

/// As above, of a command that shows no records.
fn no_span_taken<S: Sink>(tracker: &Tracker<S>) -> Option<Nothing> {
    let is_nothing = tracker.taken().spans == 0;
    is_nothing.then_some(Nothing::Taken { records: false })
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

fn selection(command: &Command, common: &Common) -> Selection {
    let selected = &common.selected;
    let mut selection = Selection::default();
    selection.since = selected.since;
    selection.until = selected.until;
    selection.tasks = command.tasks().to_vec();
    selection.span = selected.span.as_deref().map(name_like);
    selection.pairs.clone_from(&selected.pairs);
    selection.min_duration = command.min_duration().unwrap_or(0);
    selection.level = command.level().map(Into::into);
    selection
}

impl args::Rows {
    /// How many rows at most.
    fn most(&self) -> Option<usize> {
        self.limit.filter(|&rows| rows > 0)
    }
}

impl args::Stats {
    fn options(&self, look: Look) -> stats::Options {
        let mut options = stats::Options::default();
        (options.look, options.json) = (look, self.rows.json);
        (options.limit, options.exact) = (self.rows.most(), self.names.exact);
        options.sort = self.sort;
        options
    }
}

impl args::Flame {
    fn options(&self) -> flame::Options {
        let mut options = flame::Options::default();
        (options.exact, options.folded) = (self.names.exact, self.folded);
        options.busy = self.busy;
        options.title.clone_from(&self.title);
        options
    }
}
