//! `stats`: a row a span name.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use clap::ValueEnum;
use hashbrown::HashMap;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::by::{By, ValuesId};
use super::number::{DURATION_WIDTH, count, duration, duration_column};
use super::table::{Cell, Column, Table};
use super::terminal::{
    CANCELLED, DIM, ERROR, Line, Look, PANICKED, PLAIN, TASK, UNFINISHED, share_style,
};
use crate::read::{Outcome, View};
use crate::track::{End, KeptTraces, NameId, Names, Open, OpenSpans, Process, Sink, Start};

/// How `stats` counts, and what it writes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What it looks like.
    pub look: Look,
    /// Keeps names apart that differ in numbers.
    pub exact: bool,
    /// Has a row for each value of these keys too.
    pub by: Vec<String>,
    /// What comes first.
    pub sort: Sort,
    /// How many names, all if not said.
    pub limit: Option<usize>,
    /// JSON instead of a table.
    pub json: bool,
}

/// What the largest comes first of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Sort {
    /// The time in which no span inside was open.
    #[default]
    #[value(name = "self")]
    SelfTime,
    /// The time from start to end.
    Total,
    /// How many have ended.
    Count,
    /// What half of them do not exceed.
    P50,
    /// What 95 of 100 do not exceed.
    P95,
    /// What 99 of 100 do not exceed.
    P99,
    /// The longest.
    Max,
    /// The time in which tasks were polled.
    Busy,
    /// How many did not just end: errors, cancelled, panicked, unfinished.
    Bad,
    /// The name, from A to Z.
    Name,
}

/// The durations of all spans of one name. A few are kept as they are; names that are hardly ever used
/// take no room for a histogram.
#[derive(Debug)]
pub(super) enum Durations {
    Few(Vec<u64>),
    /// Two digits, up to the longest, in 27 KB.
    Many(Box<Histogram<u32>>),
}

/// How many are a few.
const FEW: usize = 64;

/// Nothing is told apart from here on: 73 years.
const LONGEST: u64 = 1 << 61;

impl Default for Durations {
    fn default() -> Self {
        Durations::Few(Vec::new())
    }
}

impl Durations {
    #[inline]
    pub(super) fn add(&mut self, duration: u64) {
        match self {
            Durations::Many(all) => {
                // It grows as far as that, so nothing is refused.
                let _ = all.record(duration.min(LONGEST));
            }
            Durations::Few(few) if few.len() < FEW => few.push(duration),
            Durations::Few(_) => self.add_another(duration),
        }
    }

    #[cold]
    fn add_another(&mut self, duration: u64) {
        let Durations::Few(few) = self else { return };
        let Ok(mut all) = Histogram::new(2) else {
            return;
        };
        for duration in few.iter().chain([&duration]) {
            let _ = all.record((*duration).min(LONGEST));
        }
        *self = Durations::Many(Box::new(all));
    }

    /// What so many of 100 do not exceed.
    pub(super) fn percentile(&self, percent: usize) -> u64 {
        match self {
            Durations::Many(all) => all.value_at_quantile(percent as f64 / 100.0),
            Durations::Few(few) => {
                let mut sorted = few.clone();
                sorted.sort_unstable();
                let rank = (sorted.len() * percent).div_ceil(100);
                sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
            }
        }
    }
}

/// What is known of all spans of one name.
#[derive(Debug, Default)]
struct Counted {
    ended: u64,
    total: u64,
    self_time: u64,
    busy: u64,
    max: u64,
    durations: Durations,
    errors: u64,
    cancelled: u64,
    panicked: u64,
    unfinished: u64,
}

/// A row of the result.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    by: BTreeMap<&'a str, Option<&'a str>>,
    #[serde(skip)]
    shown: String,
    #[serde(skip)]
    values: String,
    count: u64,
    total_ns: u64,
    self_ns: u64,
    p50_ns: Option<u64>,
    p95_ns: Option<u64>,
    p99_ns: Option<u64>,
    max_ns: Option<u64>,
    busy_ns: Option<u64>,
    errors: u64,
    cancelled: u64,
    panicked: u64,
    unfinished: u64,
}

/// A name, with the values of the keys that tell its spans apart.
pub type Group = (NameId, ValuesId);

/// Counts and times the spans of each name.
#[derive(Debug)]
pub struct Stats<W> {
    options: Options,
    out: W,
    names: Names,
    by: By,
    counted: Vec<Counted>,
    /// Of each of `counted` what it is, where values tell names apart, and where that is.
    groups: Vec<Group>,
    places: HashMap<Group, usize>,
    /// Where not all traces are in the log.
    kept: KeptTraces,
}

impl<W: Write> Stats<W> {
    /// Writes to `out` when the log is over.
    pub fn new(options: Options, out: W) -> Self {
        Stats {
            names: Names::new(options.exact),
            by: By::new(&options.by),
            options,
            out,
            counted: Vec::new(),
            groups: Vec::new(),
            places: HashMap::new(),
            kept: KeptTraces::default(),
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// The name of a span, with what its start says of the keys.
    #[inline]
    fn group(&mut self, view: View<'_>) -> Group {
        (self.names.id(view), self.by.of(view, 0))
    }

    /// What is counted of a group.
    #[inline]
    fn counted(&mut self, group: Group) -> &mut Counted {
        let place = match self.by.is_empty() {
            true => group.0.index(),
            false => self.place(group),
        };
        if place >= self.counted.len() {
            self.counted.resize_with(place + 1, Counted::default);
        }
        &mut self.counted[place]
    }

    fn place(&mut self, group: Group) -> usize {
        let next = self.groups.len();
        let place = *self.places.entry(group).or_insert(next);
        if place == next {
            self.groups.push(group);
        }
        place
    }

    /// The keys of `by` that no record had.
    pub fn unknown_keys(&self) -> Vec<&str> {
        self.by.unknown()
    }

    /// The name that comes first, as it can be asked for.
    pub fn first(&self) -> Option<String> {
        self.rows().first().map(|row| row.name.to_owned())
    }

    /// The names that there is something to say of, sorted. A name of which nothing was selected is
    /// none of them.
    fn rows(&self) -> Vec<Row<'_>> {
        let groups: Vec<Group> = match self.by.is_empty() {
            true => self.names.ids().map(|id| (id, 0)).collect(),
            false => self.groups.clone(),
        };
        let groups = groups.into_iter().zip(&self.counted);
        let known = groups.filter(|(_, of)| of.ended + of.unfinished > 0);
        let row = |(group, of)| Row::new(&self.names, &self.by, group, of);
        let mut rows: Vec<_> = known.map(row).collect();
        rows.sort_by(|a, b| (a.name, a.target, &a.by).cmp(&(b.name, b.target, &b.by)));
        rows.sort_by_key(|row| Reverse(row.key(self.options.sort)));
        rows
    }
}

impl<'a> Row<'a> {
    fn new(names: &'a Names, by: &'a By, (id, values): Group, of: &Counted) -> Self {
        // A histogram gives the largest duration that it cannot tell from the right one.
        let percentile = |percent| of.durations.percentile(percent).min(of.max);
        let some = of.ended > 0;
        Row {
            name: names.text(id),
            target: names.target(id),
            by: by.pairs(values).collect(),
            shown: names.shown(id),
            values: by.shown(values),
            count: of.ended,
            total_ns: of.total,
            self_ns: of.self_time,
            p50_ns: some.then(|| percentile(50)),
            p95_ns: some.then(|| percentile(95)),
            p99_ns: some.then(|| percentile(99)),
            max_ns: some.then_some(of.max),
            busy_ns: (of.busy > 0).then_some(of.busy),
            errors: of.errors,
            cancelled: of.cancelled,
            panicked: of.panicked,
            unfinished: of.unfinished,
        }
    }

    fn key(&self, sort: Sort) -> u64 {
        match sort {
            Sort::SelfTime => self.self_ns,
            Sort::Total => self.total_ns,
            Sort::Count => self.count,
            Sort::P50 => self.p50_ns.unwrap_or(0),
            Sort::P95 => self.p95_ns.unwrap_or(0),
            Sort::P99 => self.p99_ns.unwrap_or(0),
            Sort::Max => self.max_ns.unwrap_or(0),
            Sort::Busy => self.busy_ns.unwrap_or(0),
            Sort::Bad => self.errors + self.cancelled + self.panicked + self.unfinished,
            Sort::Name => 0,
        }
    }
}

const COLUMNS: [Column; 16] = [
    Column::cut("name", 0),
    Column::cut("by", 0),
    Column::right("count", 2),
    Column::right("total", 3),
    Column::right("self", 0),
    Column::right("%", 4),
    Column::left("", 10),
    Column::right("p50", 4),
    Column::right("p95", 8),
    Column::right("p99", 9),
    Column::right("max", 5),
    Column::right("busy", 1),
    Column::right("errors", 6),
    Column::right("cancelled", 7),
    Column::right("panicked", 6),
    Column::right("unfinished", 6),
];

/// Parts of a whole in tenths of a percent, which add up to 100 %: what rounding takes goes to those
/// that lose most by it.
fn shares(parts: &[u64]) -> Vec<u64> {
    let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    let scaled = |part: &u64| u128::from(*part) * 1000;
    let mut shares: Vec<_> = parts
        .iter()
        .map(|part| (scaled(part) / whole.max(1)) as u64)
        .collect();
    let mut order: Vec<_> = (0..parts.len()).collect();
    order.sort_by_key(|&index| Reverse(scaled(&parts[index]) % whole.max(1)));
    let missing = match whole {
        0 => 0,
        _ => 1000_u64.saturating_sub(shares.iter().sum()),
    };
    for index in order.into_iter().take(missing as usize) {
        shares[index] += 1;
    }
    shares
}

fn percent(share: u64) -> String {
    format!("{}.{}", share / 10, share % 10)
}

/// The cells of a row, where `all` is the self time of all rows.
fn cells(row: &Row<'_>, share: u64, all: u64) -> Vec<Cell> {
    let style = share_style(row.self_ns, all);
    let time = |time: Option<u64>, style| match time {
        Some(time) => Cell::new(style, &duration_column(time)),
        None => Cell::new(DIM, &format!("{:>1$}", "- ", DURATION_WIDTH)),
    };
    let number = |number, style| match number {
        0 => Cell::default(),
        number => Cell::new(style, &count(number)),
    };
    let spans = (row.count > 0).then_some(());
    vec![
        Cell::new(worst(row), &row.shown),
        Cell::new(DIM, &row.values),
        Cell::new(PLAIN, &count(row.count)),
        time(spans.map(|()| row.total_ns), PLAIN),
        time(spans.map(|()| row.self_ns), style),
        Cell::new(style, &percent(share)),
        Cell::new(TASK, &bar(row.self_ns, all)),
        time(row.p50_ns, PLAIN),
        time(row.p95_ns, PLAIN),
        time(row.p99_ns, PLAIN),
        time(row.max_ns, PLAIN),
        row.busy_ns
            .map_or_else(Cell::default, |busy| time(Some(busy), PLAIN)),
        number(row.errors, ERROR),
        number(row.cancelled, CANCELLED),
        number(row.panicked, PANICKED),
        number(row.unfinished, UNFINISHED),
    ]
}

/// How a name is written: by the worst that has happened to its spans.
fn worst(row: &Row<'_>) -> Style {
    let bad = [
        (PANICKED, row.panicked),
        (ERROR, row.errors),
        (UNFINISHED, row.unfinished),
        (CANCELLED, row.cancelled),
    ];
    let found = bad.into_iter().find(|(_, count)| *count > 0);
    found.map_or(PLAIN, |(style, _)| style)
}

/// The width of a bar for all of the time.
const BAR: u64 = 10;

/// The part that a time is of the whole, in eighths of a column.
fn bar(part: u64, whole: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let steps = u128::from(part) * u128::from(BAR * 8) / u128::from(whole.max(1));
    let full = "█".repeat((steps / 8) as usize);
    format!("{full}{}", EIGHTHS[(steps % 8) as usize])
}

impl<W: Write> Sink for Stats<W> {
    type Kept = Group;

    fn wants_events(&self) -> bool {
        false
    }

    fn start(&mut self, start: Start<'_>, _: &mut OpenSpans<Group>) -> io::Result<Group> {
        self.kept.add(start.view.record.trace_kept);
        Ok(self.group(start.view))
    }

    #[inline(always)]
    fn end(&mut self, end: End<'_, Group>, _: &mut OpenSpans<Group>) -> io::Result<()> {
        if !end.selected {
            return Ok(());
        }
        let group = match &end.span {
            // What is said last counts.
            Some(span) => (span.kept.0, self.by.of(end.view, span.kept.1)),
            None => self.group(end.view),
        };
        let of = self.counted(group);
        of.ended += 1;
        of.total = of.total.saturating_add(end.duration);
        of.self_time = of.self_time.saturating_add(end.self_time);
        of.busy = of.busy.saturating_add(end.view.record.busy);
        of.max = of.max.max(end.duration);
        of.durations.add(end.duration);
        match end.outcome {
            Outcome::Error => of.errors += 1,
            Outcome::Cancelled => of.cancelled += 1,
            Outcome::Panicked => of.panicked += 1,
            Outcome::Finished | Outcome::Other => {}
        }
        Ok(())
    }

    fn left_open(&mut self, _: Process, open: OpenSpans<Group>) -> io::Result<()> {
        let selected = |span: &&Open<Group>| span.selected;
        for span in open.iter().map(|(_, span)| span).filter(selected) {
            self.counted(span.kept).unfinished += 1;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        let rows = self.rows();
        let shown = self.options.limit.unwrap_or(usize::MAX).min(rows.len());
        let (shown, more) = rows.split_at(shown);
        if self.options.json {
            write_json(shown, more, self.kept, &mut out)?;
        } else {
            write_table(self.options.look, shown, more, &mut out)?;
            if self.kept.sum() > 0 {
                let mut line = Line::default();
                line.push(DIM, &format!("of kept traces alone: {}", self.kept));
                line.write(self.options.look, &mut out)?;
            }
        }
        self.out.write_all(&out)
    }
}

fn write_json(
    rows: &[Row<'_>],
    more: &[Row<'_>],
    kept: KeptTraces,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    out.extend_from_slice(b"{\"names\":[");
    for (index, row) in rows.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut *out, row)?;
    }
    write!(out, "\n],\"more_names\":{}", more.len())?;
    if kept.sum() > 0 {
        write!(out, ",\"kept_traces\":{}", serde_json::to_string(&kept)?)?;
    }
    writeln!(out, "}}")
}

fn write_table(
    look: Look,
    rows: &[Row<'_>],
    more: &[Row<'_>],
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let self_time = |rows: &[Row<'_>]| {
        let times = rows.iter().map(|row| row.self_ns);
        times.fold(0, u64::saturating_add)
    };
    let all = self_time(rows).saturating_add(self_time(more));
    let parts = rows.iter().map(|row| row.self_ns);
    let shares = shares(&parts.chain([self_time(more)]).collect::<Vec<_>>());
    let with_shares = rows.iter().zip(&shares);
    let rows: Vec<_> = with_shares
        .map(|(row, share)| cells(row, *share, all))
        .collect();
    let mut table = Table::new(look, &COLUMNS, &rows);
    table.write_head(out)?;
    for row in &rows {
        table.write_row(row, out)?;
    }
    if !more.is_empty() {
        let (names, time) = (count(more.len() as u64), duration(self_time(more)));
        let mut line = Line::default();
        let share = percent(shares.last().copied().unwrap_or(0));
        line.push(DIM, &format!("… {names} more, {time} self, {share} %"));
        line.write(look, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_one_percent() {
        for many in [10, FEW, FEW + 1, 10_000] {
            let mut all = Durations::Few(Vec::new());
            for n in 1..=many as u64 {
                all.add(n * 1_000_003);
            }
            for percent in [50, 95, 99] {
                let right = (many * percent).div_ceil(100) as f64 * 1_000_003.0;
                let off = all.percentile(percent) as f64 / right - 1.0;
                assert!(off.abs() < 0.01, "{many} {percent}: {off}");
            }
        }
    }

    #[test]
    fn a_histogram_stays_small_whatever_is_in_it() {
        let mut all = Durations::Few(Vec::new());
        for shift in 0..64 {
            all.add(1 << shift);
            all.add(u64::MAX >> shift);
        }
        let Durations::Many(histogram) = &all else {
            panic!("these are many");
        };
        let bytes = histogram.distinct_values() * size_of::<u32>();
        assert!(bytes <= 40_000, "{bytes} bytes");
        assert_eq!(histogram.len(), 128);
        assert!(all.percentile(99) >= LONGEST);
    }

    #[test]
    fn percentages_add_up() {
        for parts in [
            &[1, 1, 1][..],
            &[333, 333, 334],
            &[1, 999_999],
            &[u64::MAX, u64::MAX, 1],
            &[0, 7],
            &[5; 37],
        ] {
            assert_eq!(shares(parts).iter().sum::<u64>(), 1000, "{parts:?}");
        }
        assert_eq!(shares(&[2, 1]), [667, 333]);
        assert_eq!(shares(&[0, 0]), [0, 0]);
    }

    #[test]
    fn bars_have_eighths() {
        assert_eq!(bar(0, 0), "");
        assert_eq!(bar(1, 2), "█████");
        assert_eq!(bar(1, 80), "▏");
        assert_eq!(bar(u64::MAX, u64::MAX), "██████████");
    }
}
