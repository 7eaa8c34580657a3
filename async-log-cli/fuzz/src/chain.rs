//! From bytes to all that is written.

use std::collections::HashMap;
use std::io::{self, Cursor};

use async_log_cli::input::{Cutter, Options, Source};
use async_log_cli::read::{Batch, Level};
use async_log_cli::track::{
    Bound, End, Event, OpenSpans, Process, Selection, Sink, Start, Tracker,
};
use async_log_cli::write::{self, Look};
use unicode_width::UnicodeWidthStr;

use super::Numbers;

/// A log through the tracker and all writers.
pub fn chain(log: &[u8]) {
    let mut numbers = Numbers::of(log);
    let small = batches(log, 1 + numbers.below(300));
    let large = batches(log, 1 << 16);
    let join = numbers.below(2) == 1;
    let chosen = [
        (Selection::default(), &large),
        (selection(&mut numbers), &small),
    ];
    for (selection, batches) in chosen {
        let model = track(batches, &selection, join, Model::default());
        assert!(model.is_finished);
        let width = match numbers.below(3) {
            0 => None,
            _ => Some(10 + numbers.below(120)),
        };
        let colour = numbers.below(4) == 0;
        let chosen = Chosen {
            selection,
            join,
            look: Look::new(colour, width),
            limit: numbers.below(4),
            switch: numbers.below(2) == 1,
        };
        let written = chosen.all(batches);
        for (name, text) in &written {
            readable(name, text, chosen.look);
        }
        // The same for the same log, whatever the order in a table of hashes.
        assert!(written == chosen.all(batches), "written anew");
        let folded = chosen.folded(&large);
        assert_eq!(chosen.folded(&small), folded, "in batches of any length");
        stacks(&folded);
    }
}

fn batches(log: &[u8], batch_len: usize) -> Vec<Batch> {
    let mut options = Options::default();
    options.batch_len = batch_len;
    options.max_line = log.len() + 1;
    let source = Source::from_reader("bytes", Cursor::new(log.to_vec()));
    let mut cutter = Cutter::new(vec![source], options);
    let mut batches = Vec::new();
    loop {
        let mut batch = Batch::default();
        if !cutter.next(&mut batch) {
            return batches;
        }
        batch.parse();
        batches.push(batch);
    }
}

/// Tells `sink` of a log.
fn track<S: Sink>(batches: &[Batch], selection: &Selection, join: bool, sink: S) -> S {
    let mut tracker = Tracker::new(sink, selection.clone()).join_tasks(join);
    for (index, batch) in batches.iter().enumerate() {
        let taken = tracker.take_before(batch, &batches[index + 1..]);
        taken.expect("memory takes it");
    }
    tracker.finish().expect("memory takes it");
    let (records, marks) = tracker.counts();
    assert!(marks <= records);
    tracker.into_sink()
}

/// How a log is written.
struct Chosen {
    selection: Selection,
    join: bool,
    look: Look,
    limit: usize,
    switch: bool,
}

/// Options of a writer, the default but for these.
macro_rules! options {
    ($writer:ident { $($field:ident: $value:expr),* }) => {{
        let mut options = write::$writer::Options::default();
        $(options.$field = $value;)*
        options
    }};
}

impl Chosen {
    /// All that can be written of a log, with its name.
    fn all(&self, batches: &[Batch]) -> Vec<(&'static str, Vec<u8>)> {
        let (look, switch) = (self.look, self.switch);
        let limit = Some(self.limit).filter(|limit| *limit > 0);
        let out = Vec::new;
        let mut written = vec![
            (
                "chrome",
                self.of(
                    batches,
                    write::chrome::Chrome::new(options!(trace { events: switch }), out()),
                )
                .into_out(),
            ),
            (
                "perfetto",
                self.of(
                    batches,
                    write::perfetto::Perfetto::new(options!(trace { events: switch }), out()),
                )
                .into_out(),
            ),
            (
                "task",
                self.of(
                    batches,
                    write::task::Task::new(
                        options!(task {
                            look: look,
                            task: self.limit as u64,
                            tree: switch,
                            time_of_day: self.join
                        }),
                        out(),
                    ),
                )
                .into_inner(),
            ),
        ];
        for json in [false, true] {
            let stats = options!(stats {
                look: look,
                exact: switch,
                limit: limit,
                json: json
            });
            let tasks = options!(tasks {
                look: look,
                limit: limit,
                json: json
            });
            let tree = options!(tree {
                look: look,
                spawned: switch,
                limit: self.limit,
                json: json
            });
            let unfinished = options!(unfinished {
                look: look,
                limit: limit,
                json: json
            });
            let name = |text, in_json| if json { in_json } else { text };
            written.extend([
                (
                    name("stats", "stats.json"),
                    self.of(batches, write::stats::Stats::new(stats, out()))
                        .into_inner(),
                ),
                (
                    name("tasks", "tasks.json"),
                    self.of(batches, write::tasks::Tasks::new(tasks, out()))
                        .into_inner(),
                ),
                (
                    name("tree", "tree.json"),
                    self.of(batches, write::tree::Tree::new(tree, out()))
                        .into_inner(),
                ),
                (
                    name("unfinished", "unfinished.json"),
                    self.of(
                        batches,
                        write::unfinished::Unfinished::new(unfinished, out()),
                    )
                    .into_inner(),
                ),
            ]);
        }
        written
    }

    fn of<S: Sink>(&self, batches: &[Batch], sink: S) -> S {
        track(batches, &self.selection, self.join, sink)
    }

    fn folded(&self, batches: &[Batch]) -> Vec<u8> {
        let options = options!(flame {
            folded: true,
            exact: self.switch
        });
        let sink = write::flame::Flame::new(options, Vec::new());
        self.of(batches, sink).into_inner()
    }
}

/// What was written can be read by those that it is for.
fn readable(name: &str, written: &[u8], look: Look) {
    match name {
        "perfetto" => packets(written),
        "chrome" => drop(serde_json::from_slice::<serde_json::Value>(written).expect("it is JSON")),
        _ => {
            let text = std::str::from_utf8(written).expect("it is text");
            if name.ends_with(".json") {
                let values = serde_json::Deserializer::from_str(text).into_iter();
                values.for_each(is_json);
            } else if !look.colour {
                text.lines().for_each(|line| harmless(name, line, look));
            }
        }
    }
}

fn is_json(value: serde_json::Result<serde_json::Value>) {
    if let Err(error) = value {
        // Trees of a hundred spans in each other are deeper than this reader reads.
        assert!(error.to_string().contains("recursion limit"), "{error}");
    }
}

/// A line moves no cursor and fits the terminal.
fn harmless(name: &str, line: &str, look: Look) {
    assert!(!line.chars().any(char::is_control), "{name}: {line:?}");
    if let Some(width) = look.width.filter(|width| *width >= 40) {
        assert!(line.width() <= width, "{name}: {width} columns: {line:?}");
    }
}

/// Perfetto's file is fields of number 1, each with a message in it.
fn packets(mut written: &[u8]) {
    while let Some((tag, rest)) = written.split_first() {
        assert_eq!(*tag, 0x0a, "a packet");
        let (len, rest) = varint(rest);
        let (packet, rest) = rest.split_at(len as usize);
        fields(packet);
        written = rest;
    }
}

fn fields(mut message: &[u8]) {
    while !message.is_empty() {
        let (tag, rest) = varint(message);
        message = match tag & 7 {
            0 => varint(rest).1,
            1 => &rest[8..],
            2 => {
                let (len, rest) = varint(rest);
                &rest[len as usize..]
            }
            5 => &rest[4..],
            of => panic!("no field is of kind {of}"),
        };
    }
}

fn varint(bytes: &[u8]) -> (u64, &[u8]) {
    let len = bytes.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    assert!(len <= 10, "no number is so long");
    let (number, rest) = bytes.split_at(len);
    let number = number
        .iter()
        .rev()
        .fold(0u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
    (number, rest)
}

fn selection(numbers: &mut Numbers) -> Selection {
    const SECOND: u64 = 1_000_000_000;
    let mut selection = Selection::default();
    let some = numbers.below(64);
    if some & 1 != 0 {
        selection.since = Some(Bound::At(1_700_000_000 * SECOND));
        selection.until = Some(Bound::OfDay(numbers.below(86_400) as u64 * SECOND));
    }
    if some & 2 != 0 {
        selection.tasks = vec![0, 1];
    }
    if some & 4 != 0 {
        selection.span = Some(wildmatch::WildMatch::new("*a*"));
    }
    if some & 8 != 0 {
        selection.pairs = vec![("user".to_owned(), "7".to_owned())];
    }
    if some & 16 != 0 {
        selection.min_duration = numbers.below(2) as u64 * SECOND;
    }
    if some & 32 != 0 {
        selection.level = Some(Level::Info);
    }
    selection
}

/// Folded stacks are sorted, and each has frames and a number.
fn stacks(folded: &[u8]) {
    let folded = std::str::from_utf8(folded).expect("it is text");
    assert!(folded.lines().is_sorted());
    for line in folded.lines() {
        let (_, number) = line.rsplit_once(' ').expect("it has a number");
        assert!(
            number.parse::<u64>().is_ok_and(|number| number > 0),
            "{line}"
        );
    }
}

/// What a tracker may say, and in what order.
#[derive(Debug, Default)]
struct Model {
    open: HashMap<(usize, u64), u64>,
    is_finished: bool,
}

impl Sink for Model {
    type Kept = u64;

    fn wants_events(&self) -> bool {
        true
    }

    fn start(&mut self, start: Start<'_>, open: &mut OpenSpans<u64>) -> io::Result<u64> {
        assert!(start.id != 0 && open.get(start.id).is_none());
        let before = self.open.insert((start.process.index, start.id), start.at);
        assert_eq!(before, None, "a span starts once");
        Ok(start.at)
    }

    fn event(&mut self, event: Event<'_>, open: &mut OpenSpans<u64>) -> io::Result<()> {
        let known = self.open.get(&(event.process.index, event.span));
        assert_eq!(open.get(event.span).map(|span| &span.kept), known);
        Ok(())
    }

    fn end(&mut self, end: End<'_, u64>, open: &mut OpenSpans<u64>) -> io::Result<()> {
        assert!(open.get(end.id).is_none());
        let start = self.open.remove(&(end.process.index, end.id));
        assert_eq!(end.span.as_ref().map(|span| span.kept), start);
        if let Some(span) = &end.span {
            assert_eq!(Some(span.start), start);
            assert!(end.self_time <= end.at.saturating_sub(span.start));
        }
        if let (Some(elapsed), Some(start)) = (end.view.record.elapsed, start) {
            assert_eq!(
                (end.duration, end.at),
                (elapsed, start.saturating_add(elapsed))
            );
        }
        Ok(())
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<u64>) -> io::Result<()> {
        for (id, span) in open.iter() {
            let start = self.open.remove(&(process.index, id));
            assert_eq!(start, Some(span.start));
            assert!(span.start <= process.last);
        }
        assert!(!self.open.keys().any(|(index, _)| *index == process.index));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        assert!(self.open.is_empty() && !self.is_finished);
        self.is_finished = true;
        Ok(())
    }
}
