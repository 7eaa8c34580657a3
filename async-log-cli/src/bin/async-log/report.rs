//! What is said on standard error when a log has been read.

use async_log_cli::read::{Unreadable, Why};
use async_log_cli::track::Problems;

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
    ] {
        match count {
            0 => {}
            1 => eprintln!("async-log: {one}"),
            _ => eprintln!("async-log: {count} {more}"),
        }
    }
}

/// Why a log has nothing to show, and what to do.
pub(crate) fn no_span(names: &[String], records: u64, lines: &Lines) -> String {
    let name = match names {
        [name] => name.clone(),
        names => format!("{} files", names.len()),
    };
    if records > 0 {
        let records = match records {
            1 => "1 record".to_owned(),
            records => format!("{records} records"),
        };
        return format!(
            "{name}: {records} and no span; spans are at level `trace` unless they say otherwise: \
             does the logger let that through (RUST_LOG=trace), and is `span!` or `#[instrument]` used?"
        );
    }
    let first = lines.first().map_or(String::new(), |(source, line, why)| {
        let name = names.get(source).map_or("", String::as_str);
        format!(" (the first is {name}:{line}: {})", why.reason())
    });
    format!(
        "{name}: no line is a record of async-log{first}; is the program's logger wrapped \
         (`async_log::Logger::wrap`), and is this its log? If it has another form, say --format"
    )
}
