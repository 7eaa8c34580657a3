//! What can be said on the command line.

use std::path::PathBuf;

use async_log_cli::read::Outcome;
use async_log_cli::read::{Form, Layout, Level};
use async_log_cli::track::{Bound, Condition, Outcomes};
use async_log_cli::write::{diff, grep, stats, tasks};
use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, civil, tz::TimeZone};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const ABOUT: &str =
    "Turns a log that async-log wrote into tasks, span trees, statistics, flame graphs and traces";

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well; also when whoever reads the output has seen enough
  1  there is nothing to show: the log has no span, the options that select take nothing of it,
     or all that would be drawn lasted 0 ns
  2  the command line is wrong, or it would write over a log that it reads
  3  a log cannot be read, or the output cannot be written
  A signal ends it as it ends any program: shells then say 128 and the signal's number";

/// `async-log`.
#[derive(Debug, Parser)]
#[command(name = "async-log", version, about = ABOUT, styles = STYLES)]
#[command(after_help = EXIT_CODES, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The slowest traces, each whole, with the reason: where the time went
    ///
    /// A trace is a span without parent and all that is inside, tasks that were spawned too; or, with
    /// --span, a span of that name. `*` marks the critical path: what the end had to wait for. Self
    /// time is the time in which no span inside was open. A gap is a long time in which nothing inside
    /// was open and nothing was said.
    #[command(override_usage = "async-log slow [OPTIONS] [N] [FILE]...")]
    #[command(after_help = examples(
        "async-log slow server.log", "the five slowest traces",
        "async-log slow 10 --span 'request*' --where route=/cart server.log", "the ten slowest requests of a route",
    ))]
    Slow(Slow),
    /// What failed, grouped by the span, how it ended and what it said; the newest of each whole
    ///
    /// A trace fails with a span that ends as `error` or `panicked`, or with a record of level error.
    /// The innermost span that failed names the group.
    #[command(after_help = examples(
        "async-log failed server.log", "all kinds of failures, with counts",
        "async-log failed --outcome cancelled server.log", "what was cancelled",
    ))]
    Failed(Failed),
    /// Every trace with a record that matches, whole, with the matches marked
    #[command(after_help = examples(
        "async-log grep 'connection reset' server.log", "what else happened there",
        "async-log grep status=500 --span 'request*' server.log", "the requests with that field",
    ))]
    Grep(Box<Grep>),
    /// What has changed between two logs: slower, faster, new, gone, and whether that is more than noise
    ///
    /// A change counts as more than noise if chance alone would show one like it, in any name of the
    /// log, in less than 1 of 1,000 comparisons.
    #[command(after_help = examples(
        "async-log diff before.log after.log", "what a change of the program has done",
        "async-log diff --fail-on 'p99 > +20%' before.log after.log", "exit with 1 if it made anything slower",
    ))]
    Diff(Box<Diff>),
    /// A row a task: who made it and where, its spans and records, when, and how it ended
    #[command(after_help = examples(
        "async-log tasks server.log", "all tasks, in the order in which they began",
        "async-log tasks --since 2026-01-02T03:04:05Z server.log", "those that were there then",
    ))]
    Tasks(Tasks),
    /// All that one task wrote, span in span
    #[command(after_help = examples(
        "async-log task 7 server.log", "the records of task 7",
        "async-log task 7 --tree server.log", "and of the tasks that it spawned",
    ))]
    Task(Task),
    /// The spans as trees, with their durations and outcomes, and the records in them
    #[command(after_help = examples(
        "async-log tree --span 'request*' server.log", "the requests and all that is inside them",
        "async-log tree --min-duration 10ms --level info server.log", "what took long, and all inside of it",
    ))]
    Tree(Tree),
    /// A row a span name: how many, how long, and how they ended
    ///
    /// Durations are exact but for p50, p95 and p99, which are right to 1 %. Self time is the time
    /// in which no span inside was open; a task that was spawned does not count as inside.
    #[command(after_help = examples(
        "async-log stats server.log", "where the time went",
        "async-log stats --sort p99 --limit 10 app.log.2.gz app.log.1 app.log", "the ten slowest of a rotated log",
    ))]
    Stats(Stats),
    /// What never ended, and how long it had run: what a killed or hung program was doing
    #[command(after_help = examples(
        "async-log unfinished server.log", "what was going on when the log ended",
        "async-log unfinished --min-duration 1s server.log", "what had been going on for long",
    ))]
    Unfinished(Table),
    /// A flame graph by self time, as SVG
    #[command(after_help = examples(
        "async-log flame -o flame.svg server.log", "a picture to open in a browser",
        "async-log flame --folded server.log", "folded stacks in nanoseconds, for other programs",
    ))]
    Flame(Flame),
    /// A Chrome trace (JSON), for chrome://tracing, Perfetto and speedscope
    #[command(after_help = examples(
        "async-log chrome -o trace.json server.log", "open it in ui.perfetto.dev or speedscope.app",
        "async-log chrome --task 7 server.log >task7.json", "one task alone",
    ))]
    Chrome(Trace),
    /// A native Perfetto trace
    #[command(after_help = examples(
        "async-log perfetto -o trace.pftrace server.log", "open it in ui.perfetto.dev",
        "async-log perfetto --since 03:04 --until 03:05 -o minute.pftrace server.log", "a minute of it",
    ))]
    Perfetto(Trace),
    /// Prints what makes a shell complete the arguments of async-log
    #[command(after_help = examples(
        "async-log completions bash >/etc/bash_completion.d/async-log", "for bash",
        "async-log completions fish >~/.config/fish/completions/async-log.fish", "for fish",
    ))]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, of all commands or of one
    #[command(after_help = examples(
        "async-log manual | man -l -", "read it",
        "async-log manual --into man1", "all pages, a file each: async-log.1, async-log-stats.1 and so on",
    ))]
    Manual {
        /// The command; all of them if none is named
        #[arg(value_name = "COMMAND", conflicts_with = "into")]
        of: Option<String>,
        /// Writes all pages into this folder instead
        #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        into: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Slow {
    /// How many; the first of the files where it is a number
    #[arg(skip)]
    pub(crate) count: Option<usize>,
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) table: Table,
}

#[derive(Debug, Args)]
pub(crate) struct Failed {
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) table: Table,
}

#[derive(Debug, Args)]
pub(crate) struct Grep {
    /// A regular expression, looked for in messages, names, pairs and the lines of the log; or a
    /// condition on a field as of --where: status=500, status!=200, bytes>1000, path~^/api/
    #[arg(value_parser = grep::Wanted::parse)]
    pub(crate) pattern: grep::Wanted,
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) table: Table,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The log to compare with
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) before: PathBuf,
    /// The log that may have changed
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) after: PathBuf,
    /// Exits with 1 if a name has changed so much, and by more than noise: 'p99 > +20%'; of p50, p99,
    /// self_p50, self_p99, errors and count. May be said more than once
    #[arg(long, value_name = "LIMIT", value_parser = diff::Limit::parse, action = ArgAction::Append)]
    pub(crate) fail_on: Vec<diff::Limit>,
    #[command(flatten)]
    pub(crate) by: By,
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) tasks: OfTasks,
    #[command(flatten)]
    pub(crate) lasting: Lasting,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) selected: Selected,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) rows: Rows,
    #[command(flatten)]
    pub(crate) color: Colored,
}

#[derive(Debug, Args)]
pub(crate) struct Tasks {
    /// What the rows are sorted by. But for `first`, 10,000 rows are kept unless --limit says another
    /// number
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sort: tasks::Sort,
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) table: Table,
}

/// What commands have in common that show rows or trees.
#[derive(Debug, Args)]
pub(crate) struct Table {
    #[command(flatten)]
    pub(crate) tasks: OfTasks,
    #[command(flatten)]
    pub(crate) lasting: Lasting,
    #[command(flatten)]
    pub(crate) level: OfLevel,
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) rows: Rows,
    #[command(flatten)]
    pub(crate) color: Colored,
}

#[derive(Debug, Args)]
pub(crate) struct Task {
    /// The task's number, as in `task_id=7`
    pub(crate) id: u64,
    /// The tasks that it spawned too, and theirs
    #[arg(long)]
    pub(crate) tree: bool,
    /// The time of day (UTC) instead of the time since the first record
    #[arg(long)]
    pub(crate) time_of_day: bool,
    #[command(flatten)]
    pub(crate) level: OfLevel,
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) color: Colored,
}

#[derive(Debug, Args)]
pub(crate) struct Tree {
    /// Tasks stand inside of the spans that spawned them
    #[arg(long)]
    pub(crate) spawned: bool,
    /// Leaves out what the options do not select inside of the trees too, and what is in it moves up
    #[arg(long)]
    pub(crate) prune: bool,
    /// Shows records that are in no span too
    #[arg(long)]
    pub(crate) outside: bool,
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) table: Table,
}

#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// What the rows are sorted by
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sort: stats::Sort,
    #[command(flatten)]
    pub(crate) by: By,
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) tasks: OfTasks,
    #[command(flatten)]
    pub(crate) lasting: Lasting,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) rows: Rows,
    #[command(flatten)]
    pub(crate) color: Colored,
}

#[derive(Debug, Args)]
pub(crate) struct Flame {
    /// Folded stacks, `a;b;c NANOSECONDS`, instead of a picture
    #[arg(long)]
    pub(crate) folded: bool,
    /// Tasks stand inside of the spans that spawned them
    #[arg(long)]
    pub(crate) spawned: bool,
    /// The time in which tasks were polled, instead of self time: each frame is a task
    #[arg(long)]
    pub(crate) busy: bool,
    /// The heading of the picture
    #[arg(long, conflicts_with = "folded")]
    pub(crate) title: Option<String>,
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) tasks: OfTasks,
    #[command(flatten)]
    pub(crate) lasting: Lasting,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `chrome` and `perfetto`.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    #[command(flatten)]
    pub(crate) outcome: OfOutcome,
    #[command(flatten)]
    pub(crate) tasks: OfTasks,
    #[command(flatten)]
    pub(crate) lasting: Lasting,
    #[command(flatten)]
    pub(crate) level: OfLevel,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl Command {
    /// What it has in common with those that show rows or trees, if it is one of them.
    fn table(&self) -> Option<&Table> {
        match self {
            Command::Tasks(Tasks { table, .. })
            | Command::Tree(Tree { table, .. })
            | Command::Slow(Slow { table, .. })
            | Command::Failed(Failed { table, .. })
            | Command::Unfinished(table) => Some(table),
            Command::Grep(grep) => Some(&grep.table),
            _ => None,
        }
    }

    /// What it has in common with all that read logs; none if it reads none, or two.
    pub(crate) fn common(&self) -> Option<&Common> {
        match self {
            Command::Task(Task { common, .. })
            | Command::Stats(Stats { common, .. })
            | Command::Flame(Flame { common, .. })
            | Command::Chrome(Trace { common, .. })
            | Command::Perfetto(Trace { common, .. }) => Some(common),
            _ => self.table().map(|table| &table.common),
        }
    }

    /// The tasks that it is about; all, if none is named.
    pub(crate) fn tasks(&self) -> &[u64] {
        match self {
            Command::Stats(Stats { tasks, .. })
            | Command::Flame(Flame { tasks, .. })
            | Command::Chrome(Trace { tasks, .. })
            | Command::Perfetto(Trace { tasks, .. }) => &tasks.tasks,
            Command::Diff(diff) => &diff.tasks.tasks,
            _ => self.table().map_or(&[], |table| &table.tasks.tasks),
        }
    }

    /// How long spans are to have lasted. `task` shows each record when it comes, so it cannot know.
    pub(crate) fn min_duration(&self) -> Option<u64> {
        match self {
            Command::Stats(Stats { lasting, .. })
            | Command::Flame(Flame { lasting, .. })
            | Command::Chrome(Trace { lasting, .. })
            | Command::Perfetto(Trace { lasting, .. }) => lasting.min_duration,
            Command::Diff(diff) => diff.lasting.min_duration,
            _ => self.table().and_then(|table| table.lasting.min_duration),
        }
    }

    /// The level of the records that it shows; all, if none is named.
    pub(crate) fn level(&self) -> Option<LevelName> {
        match self {
            Command::Task(Task { level, .. })
            | Command::Chrome(Trace { level, .. })
            | Command::Perfetto(Trace { level, .. }) => level.level,
            _ => self.table().and_then(|table| table.level.level),
        }
    }

    /// How spans are to have ended.
    pub(crate) fn outcomes(&self) -> &[Ended] {
        match self {
            Command::Tasks(Tasks { outcome, .. })
            | Command::Tree(Tree { outcome, .. })
            | Command::Slow(Slow { outcome, .. })
            | Command::Failed(Failed { outcome, .. })
            | Command::Stats(Stats { outcome, .. })
            | Command::Flame(Flame { outcome, .. })
            | Command::Chrome(Trace { outcome, .. })
            | Command::Perfetto(Trace { outcome, .. }) => &outcome.outcome,
            Command::Grep(grep) => &grep.outcome.outcome,
            Command::Diff(diff) => &diff.outcome.outcome,
            _ => &[],
        }
    }

    pub(crate) fn color(&self) -> Color {
        match self {
            Command::Task(Task { color, .. }) | Command::Stats(Stats { color, .. }) => color.color,
            Command::Diff(diff) => diff.color.color,
            _ => self.table().map_or(Color::Never, |table| table.color.color),
        }
    }

    /// Takes the number in front of the files for what it is.
    pub(crate) fn take_count(&mut self) {
        let Command::Slow(Slow { count, table, .. }) = self else {
            return;
        };
        let files = &mut table.common.files.files;
        let first = files.first().and_then(|first| first.to_str());
        let number = first.and_then(|first| first.parse().ok());
        if let Some(number) = number.filter(|_| !files[0].exists()) {
            *count = Some(number);
            files.remove(0);
        }
    }

    /// The options that select, as they may be said again.
    pub(crate) fn selecting(&self, selected: &Selected) -> Vec<String> {
        let Selected {
            since,
            until,
            span,
            conditions,
        } = selected;
        let mut said = Vec::new();
        if let Some(span) = span {
            said.push(format!("--span '{span}'"));
        }
        let text = |condition: &Condition| format!("--where '{}'", condition.text());
        said.extend(conditions.iter().map(text));
        said.extend(self.tasks().iter().map(|id| format!("--task {id}")));
        let given = [
            ("--since", since.is_some()),
            ("--until", until.is_some()),
            ("--min-duration", self.min_duration().is_some()),
            ("--level", self.level().is_some()),
            ("--outcome", !self.outcomes().is_empty()),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        said.extend(given.map(|(option, _)| option.to_owned()));
        said
    }

    /// What it writes is for programs, and would make a mess of a terminal.
    pub(crate) fn is_drawing(&self) -> bool {
        match self {
            Command::Chrome(_) | Command::Perfetto(_) => true,
            Command::Flame(flame) => !flame.folded,
            _ => false,
        }
    }
}

/// What all commands share that read logs. Each command takes the options that change what it writes,
/// and no other: one that would be passed over is an error.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) selected: Selected,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Files {
    /// The logs; standard input if none is named. `.gz` and `.zst` are read as they are, and of a
    /// rotated log the oldest file first
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
}

const SELECTION: &str = "Which spans and records";
const OUTPUT: &str = "Output";

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = SELECTION)]
pub(crate) struct Selected {
    /// Nothing that was over before: 2026-01-02T03:04:05Z, '2026-01-02 03:04' (UTC), 03:04 (of the
    /// day on which the log begins) or Unix seconds
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<Bound>,
    /// Nothing that began later
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<Bound>,
    /// Only spans whose name is like this, as the program wrote it or as it is shown (`*` and `?`
    /// stand for others), and what is inside them
    #[arg(long, value_name = "NAME")]
    pub(crate) span: Option<String>,
    /// Only what meets this condition on one of its keys, also on those of async-log: status=500,
    /// status!=200 (of those that have it), span_elapsed>0.5, path~^/api/ (a regular expression). May
    /// be said more than once
    #[arg(long = "where", value_name = "CONDITION", value_parser = Condition::parse, action = ArgAction::Append)]
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = SELECTION)]
pub(crate) struct OfOutcome {
    /// Only what ended so
    #[arg(long, value_enum, value_name = "OUTCOME", value_delimiter = ',', action = ArgAction::Append)]
    pub(crate) outcome: Vec<Ended>,
}

/// How something ended, or that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ended {
    Finished,
    Error,
    Panicked,
    Cancelled,
    Unfinished,
}

impl Ended {
    /// Those that were named; all, if none was.
    pub(crate) fn set(names: &[Ended]) -> Outcomes {
        let outcome = |name: &Ended| match name {
            Ended::Finished => Some(Outcome::Finished),
            Ended::Error => Some(Outcome::Error),
            Ended::Panicked => Some(Outcome::Panicked),
            Ended::Cancelled => Some(Outcome::Cancelled),
            Ended::Unfinished => None,
        };
        let all = names.iter().map(outcome);
        all.fold(Outcomes::default(), Outcomes::and)
    }
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct By {
    /// A row for each value of these keys too: route, or route,status
    #[arg(long, value_name = "KEY", value_delimiter = ',', action = ArgAction::Append)]
    pub(crate) by: Vec<String>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = SELECTION)]
pub(crate) struct Lasting {
    /// Only spans that took at least so long: 10ms, 1.5s, '2m 30s', 1d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) min_duration: Option<u64>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = SELECTION)]
pub(crate) struct OfTasks {
    /// Only what is in this task; may be said more than once
    #[arg(long = "task", value_name = "ID", action = ArgAction::Append)]
    pub(crate) tasks: Vec<u64>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = SELECTION)]
pub(crate) struct OfLevel {
    /// Only records of this level and those above it; starts and ends of spans stay
    #[arg(long, value_enum)]
    pub(crate) level: Option<LevelName>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct Names {
    /// Keeps names apart that differ only in numbers and ids: `load 7` and `load 8` instead of
    /// `load #`
    #[arg(long)]
    pub(crate) exact: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "How the log is read")]
pub(crate) struct Reading {
    /// The form of the records, where it is not found out right
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormName>,
    /// What the logger writes before each message, where it is not found out right:
    /// '[{time} {level} {target}] '
    #[arg(long, value_name = "TEMPLATE", value_parser = layout)]
    pub(crate) prefix: Option<Layout>,
    /// Reads the files in the order in which they are named, also where they look like those of a
    /// rotated log
    #[arg(long)]
    pub(crate) in_order: bool,
    /// Waits for more at the end of the log, until interrupted
    #[arg(long, conflicts_with = "jobs")]
    pub(crate) follow: bool,
    /// How many threads read the log; as many as there are processors, up to 4, if not said
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct Output {
    /// Writes to this file, which is there when it is whole
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Says nothing on standard error but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct Rows {
    /// JSON, for programs
    #[arg(long, conflicts_with = "color")]
    pub(crate) json: bool,
    /// How many rows, or of a tree how many children a span; 0 for all
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct Colored {
    /// Whether to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelName {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Level {
        match name {
            LevelName::Error => Level::Error,
            LevelName::Warn => Level::Warn,
            LevelName::Info => Level::Info,
            LevelName::Debug => Level::Debug,
            LevelName::Trace => Level::Trace,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormName {
    /// MESSAGE, key=value, key=value
    Text,
    /// MESSAGE key=value key=value, as env_logger prints key-values
    KeyValue,
    /// A JSON object a line
    Json,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Form {
        match name {
            FormName::Text => Form::Text,
            FormName::KeyValue => Form::KeyValue,
            FormName::Json => Form::Json,
        }
    }
}

fn time(text: &str) -> Result<Bound, String> {
    let at = |timestamp: Timestamp| {
        let nanos = u64::try_from(timestamp.as_nanosecond());
        nanos
            .map(Bound::At)
            .map_err(|_| "it is before 1970".to_owned())
    };
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return at(timestamp);
    }
    if let Ok(datetime) = text.parse::<civil::DateTime>() {
        let timestamp = TimeZone::UTC.to_timestamp(datetime);
        return at(timestamp.map_err(|error| error.to_string())?);
    }
    if let Ok(time) = text.parse::<civil::Time>() {
        let since_midnight = time.duration_since(civil::Time::midnight());
        return Ok(Bound::OfDay(since_midnight.as_nanos().unsigned_abs() as u64));
    }
    if let Ok(seconds) = text.parse::<f64>()
        && let Ok(duration) = SignedDuration::try_from_secs_f64(seconds)
        && let Ok(timestamp) = Timestamp::from_duration(duration)
    {
        return at(timestamp);
    }
    Err(
        "a time is 2026-01-02T03:04:05Z, '2026-01-02 03:04' (UTC), 03:04, or Unix seconds"
            .to_owned(),
    )
}

fn duration(text: &str) -> Result<u64, String> {
    let wanted = "a duration is a number with ns, us, ms, s, m, h, d or w behind it: 10ms, 1.5s, \
                  '2m 30s', 1d";
    let read = || -> Result<SignedDuration, jiff::Error> {
        let span: Span = text.parse()?;
        span.to_duration(SpanRelativeTo::days_are_24_hours())
    };
    let nanos = read().map_or(-1, |duration| duration.as_nanos());
    u64::try_from(nanos).map_err(|_| wanted.to_owned())
}

fn layout(text: &str) -> Result<Layout, String> {
    Layout::from_template(text).map_err(|error| error.to_string())
}

fn examples(first: &str, does: &str, second: &str, also: &str) -> String {
    format!("Examples:\n  {first}\n      {does}\n  {second}\n      {also}")
}
