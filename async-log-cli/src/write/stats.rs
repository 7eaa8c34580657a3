//! `stats`: a row a span name.

use std::io;

use hdrhistogram::Histogram;

use crate::read::{Outcome, View};
use crate::track::{End, NameId, Names, Open, OpenSpans, Process, Sink, Start};

/// What is known of all spans of one name.
#[derive(Debug)]
struct Row {
    total: u64,
    self_time: u64,
    max: u64,
    durations: Histogram<u64>,
    errors: u64,
    cancelled: u64,
    panicked: u64,
    unfinished: u64,
}

impl Default for Row {
    fn default() -> Self {
        Row {
            total: 0,
            self_time: 0,
            max: 0,
            durations: Histogram::new(2).expect("two digits are allowed"),
            errors: 0,
            cancelled: 0,
            panicked: 0,
            unfinished: 0,
        }
    }
}

/// Counts and times the spans of each name.
#[derive(Debug, Default)]
pub struct Stats {
    names: Names,
    rows: Vec<Row>,
}

impl Stats {
    /// Counts names apart that differ in numbers, if they are to be `exact`.
    pub fn new(exact: bool) -> Self {
        Stats {
            names: Names::new(exact),
            rows: Vec::new(),
        }
    }

    fn id(&mut self, view: View<'_>) -> NameId {
        let id = self.names.id(view);
        if id.index() == self.rows.len() {
            self.rows.push(Row::default());
        }
        id
    }
}

impl Sink for Stats {
    type Kept = NameId;

    fn wants_events(&self) -> bool {
        false
    }

    fn start(&mut self, start: Start<'_>, _: &mut OpenSpans<NameId>) -> io::Result<NameId> {
        Ok(self.id(start.view))
    }

    fn end(&mut self, end: End<'_, NameId>, _: &mut OpenSpans<NameId>) -> io::Result<()> {
        if !end.selected {
            return Ok(());
        }
        let id = match &end.span {
            Some(span) => span.kept,
            None => self.id(end.view),
        };
        let row = &mut self.rows[id.index()];
        row.total += end.duration;
        row.self_time += end.span.as_ref().map_or(0, |span| span.self_time(end.at));
        row.max = row.max.max(end.duration);
        row.durations.saturating_record(end.duration);
        match end.outcome {
            Outcome::Error => row.errors += 1,
            Outcome::Cancelled => row.cancelled += 1,
            Outcome::Panicked => row.panicked += 1,
            Outcome::Finished | Outcome::Other => {}
        }
        Ok(())
    }

    fn left_open(&mut self, _: Process, open: OpenSpans<NameId>) -> io::Result<()> {
        let selected = |span: &&Open<NameId>| span.selected;
        for span in open.iter().map(|(_, span)| span).filter(selected) {
            self.rows[span.kept.index()].unfinished += 1;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        for (index, row) in self.rows.iter().enumerate() {
            println!(
                "{index} {} {} {} {}",
                row.durations.len(),
                row.total,
                row.self_time,
                row.durations.value_at_quantile(0.5)
            );
        }
        Ok(())
    }
}
