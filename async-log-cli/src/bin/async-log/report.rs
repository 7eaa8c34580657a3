//! What is said on standard error when a log has been read.

use async_log_cli::read::{Unreadable, Why};
use async_log_cli::track::{KeptTraces, Problems};

/// What could not be read, a source at a time.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    sources: Vec<Unreadable>,
}

impl Lines {
    pub(crate) fn add(&mut self, source: usize, unreadable: &Unreadable) {
        if unreadable.lines == 0 {
            return;
        }
        if self.sources.len() <= source {
            self.sources.resize_with(source + 1, Unreadable::default);
        }
        let sum = &mut self.sources[source];
        sum.lines += unreadable.lines;
        sum.first = sum.first.or(unreadable.first);
    }

    /// The first line that is no record, of any source.
    pub(crate) fn first(&self) -> Option<(usize, u64, Why)> {
        let mut sources = self.sources.iter().enumerate();
        sources.find_map(|(source, of)| of.first.map(|(line, why)| (source, line, why)))
    }

    pub(crate) fn sum(&self) -> u64 {
        self.sources.iter().map(|source| source.lines).sum()
    }
}

/// What is wrong where processes write to one log at the same time.
const ALTERNATE: &str = "processes that write at the same time are not told apart here, and some ends are missing; \
     `Logger::with_process_id` puts a process on each record";

/// Says once what was passed over, and what the marks say that cannot be so.
pub(crate) fn report(lines: &Lines, names: &[String], problems: &Problems) {
    report_lines(lines, names);
    report_problems(problems);
}

fn report_lines(lines: &Lines, names: &[String]) {
    if let Some((source, line, why)) = lines.first() {
        let name = names.get(source).map_or("standard input", String::as_str);
        let reason = why.reason();
        match lines.sum() {
            1 => eprintln!(
                "async-log: {name}:{line}: this line is no record and was passed over: {reason}"
            ),
            sum => eprintln!(
                "async-log: {sum} lines are no records and were passed over; the first is {name}:{line}: {reason}"
            ),
        }
    }
}

fn report_problems(problems: &Problems) {
    for (count, one, more) in [
        (
            problems.without_id,
            "a span has no id: it was nested by its task and timed by its logger's clock",
            "spans have no ids: they were nested by their tasks and timed by their logger's clock",
        ),
        (
            problems.ends_without_start,
            "a span has an end and no start in this log",
            "spans have an end and no start in this log",
        ),
        (
            problems.unknown_parents,
            "a span is in a span that is not in this log, or had ended",
            "spans are in a span that is not in this log, or had ended",
        ),
        (
            problems.second_starts,
            "a span starts twice; its first start counts",
            "spans start twice; their first starts count",
        ),
        (
            problems.late_starts,
            "a start is behind a record that it is before; it was put in its place",
            "starts are behind a record that they are before; they were put in their places",
        ),
        (
            problems.interleaved.max(problems.other_names),
            ALTERNATE,
            ALTERNATE,
        ),
        (
            problems.second_ends,
            "a span ends twice; its first end counts",
            "spans end twice; their first ends count",
        ),
        (
            problems.lost_records,
            "a record is in a span that is not in this log; it is shown under the root of its trace alone",
            "records are in spans that are not in this log; they are shown under the roots of their traces alone",
        ),
        (
            problems.spans_dropped,
            "a span of a trace in this log was not kept: there was no room for it",
            "spans of traces in this log were not kept: there was no room for them",
        ),
    ] {
        match count {
            0 => {}
            1 => eprintln!("async-log: {one}"),
            _ => eprintln!("async-log: {count} {more}"),
        }
    }
}

/// Says of a log that does not have all traces that it does not.
pub(crate) fn kept_traces(kept: KeptTraces) {
    match kept.sum() {
        0 => {}
        1 => eprintln!(
            "async-log: this log has the spans of 1 trace that was kept ({kept}), and of no other"
        ),
        sum => eprintln!(
            "async-log: this log has the spans of {sum} traces that were kept ({kept}), and of no others"
        ),
    }
}

/// Why there is nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// The log has no span.
    Log,
    /// The selection takes nothing of it; whether records that are no spans would have been shown too.
    Taken { records: bool },
    /// Nothing is of this task.
    Task(u64),
    /// No trace failed, of so many.
    Failed { traces: u64 },
    /// No record matches, in so many traces.
    Found { traces: u64 },
    /// There are but records in no span, so many.
    Outside(u64),
    /// All spans last 0 ns.
    Time,
    /// No task says how long it was polled.
    Busy,
}

/// What messages call the logs that were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a>(pub(crate) &'a [String]);

impl std::fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [name] => f.write_str(name),
            names => write!(f, "{} files", names.len()),
        }
    }
}

/// Why a log has nothing to show, and what to do.
pub(crate) fn no_span(names: Names<'_>, records: u64, lines: &Lines) -> String {
    if records > 0 {
        let records = match records {
            1 => "1 record".to_owned(),
            records => format!("{records} records"),
        };
        return format!(
            "{names}: {records} and no span; spans are at level `trace` unless they say otherwise: \
             does the logger let that through (RUST_LOG=trace), and is `span!` or `#[instrument]` used?"
        );
    }
    let first = lines.first().map_or(String::new(), |(source, line, why)| {
        let name = names.0.get(source).map_or("", String::as_str);
        format!(" (the first is {name}:{line}: {})", why.reason())
    });
    format!(
        "{names}: no line is a record of async-log{first}; is the program's logger wrapped \
         (`async_log::Logger::wrap`), and is this its log? If it has another form, say --format"
    )
}

/// That the options that select take nothing of a log that has something.
pub(crate) fn nothing_taken(
    names: Names<'_>,
    marks: u64,
    records: bool,
    selecting: &[String],
    unknown_keys: &[String],
) -> String {
    let what = if records {
        "span and no record"
    } else {
        "span"
    };
    let marks = match marks {
        1 => "1 start or end of a span".to_owned(),
        marks => format!("{marks} starts and ends of spans"),
    };
    if !unknown_keys.is_empty() {
        let (selecting, keys) = (selecting.join(" "), unknown_keys.join("; "));
        return format!("{names}: no {what} matches {selecting}; {keys}");
    }
    format!(
        "{names}: no {what} matches {}; the log has {marks}: compare with what `async-log stats` and \
         `async-log tasks` show of it",
        selecting.join(" ")
    )
}

/// That nothing is of a task.
pub(crate) fn no_task(
    names: Names<'_>,
    id: u64,
    selecting: &[String],
    unknown_keys: &[String],
) -> String {
    let with = match selecting {
        [] => String::new(),
        selecting => format!(" that matches {}", selecting.join(" ")),
    };
    if !unknown_keys.is_empty() {
        let keys = unknown_keys.join("; ");
        return format!("{names}: no record of task {id}{with}; {keys}");
    }
    format!("{names}: no record of task {id}{with}; `async-log tasks` shows which tasks there are")
}

/// That nothing failed.
pub(crate) fn no_failure(names: Names<'_>, traces: u64) -> String {
    format!(
        "{names}: no failure in {}: no span ended so, and no record has the level error; \
         --outcome says what counts as one",
        of_traces(traces)
    )
}

/// That no record matches a pattern.
pub(crate) fn no_match(names: Names<'_>, traces: u64, unknown_keys: &[String]) -> String {
    let keys: String = unknown_keys.iter().map(|key| format!("; {key}")).collect();
    format!("{names}: no record matches, in {}{keys}", of_traces(traces))
}

/// That `tree` shows no record that is in no span.
pub(crate) fn only_outside(names: Names<'_>, hidden: u64) -> String {
    let records = match hidden {
        1 => "1 record is".to_owned(),
        hidden => format!("{hidden} records are"),
    };
    format!("{names}: no span matches; {records} in no span: --outside shows them")
}

fn of_traces(traces: u64) -> String {
    match traces {
        1 => "1 trace".to_owned(),
        traces => format!("{traces} traces"),
    }
}

/// That there is no time to draw.
pub(crate) fn no_time(names: Names<'_>, problems: &Problems) -> String {
    let why = match problems.without_time {
        0 => "a clock that is finer may tell them apart",
        _ => {
            "the log does not say when they start, and its logger's clock is too coarse: let the \
             logger write smaller parts of a second, or the library all of its keys"
        }
    };
    format!("{names}: all spans last 0 ns, so there is nothing to draw; {why}")
}

/// That a log has no times that could be compared.
pub(crate) fn no_time_to_compare(name: &str) -> String {
    format!(
        "{name}: all spans last 0 ns, so there is nothing to compare; the log does not say when they \
         start or how long they take (span_at, span_elapsed)"
    )
}

/// That no task says how long it was polled.
pub(crate) fn no_busy(names: Names<'_>) -> String {
    format!(
        "{names}: no task says how long it was polled (span_busy), so there is nothing to draw; \
         without --busy its spans are drawn by their self time"
    )
}
