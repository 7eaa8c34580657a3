//! Two logs, name by name.

use std::collections::BTreeMap;
use std::io::{self, Write};

use hashbrown::HashMap;
use serde::Serialize;

use super::super::number::{count, duration};
use super::super::table::{Cell, Column, Table};
use super::super::terminal::{BOLD, CANCELLED, DIM, ERROR, Line, PLAIN, level_style};
use super::limit::Metric;
use super::measured::{Counted, Measured, Sample, Samples};
use super::significance::{Deviations, significant};
use super::{Limit, Options};
use crate::read::Level;

/// How often chance alone may show any change, of all names together. A benchmark job runs this on
/// each change of a program, so one in twenty would be noise every day.
const LEVEL: f64 = 0.001;

/// A median says something from so many spans on, and a 99th percentile: of fewer than 300 not three
/// are above it.
const FEW: u64 = 20;
const FEW_FOR_P99: u64 = 300;

/// Nothing is said of logs with fewer traces than that.
const FEW_UNITS: u64 = 20;

/// A change of less is none that anybody looks for, however sure it is: two runs of one program on
/// one machine differ by as much.
const SMALL: f64 = 0.05;

/// What has become of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Only the later log has it.
    New,
    /// Only the earlier log has it.
    Gone,
    /// Its median or its 99th percentile has grown.
    Slower,
    /// One of them has shrunk, and none has grown.
    Faster,
    /// More of its spans failed.
    MoreErrors,
    /// Fewer of its spans failed.
    FewerErrors,
    /// There are more of its spans in a trace.
    MoreOften,
    /// There are fewer.
    LessOften,
}

impl Change {
    fn words(self) -> &'static str {
        match self {
            Change::New => "new",
            Change::Gone => "gone",
            Change::Slower => "slower",
            Change::Faster => "faster",
            Change::MoreErrors => "more errors",
            Change::FewerErrors => "fewer errors",
            Change::MoreOften => "more often",
            Change::LessOften => "less often",
        }
    }

    fn style(self) -> anstyle::Style {
        match self {
            Change::Slower | Change::MoreErrors => ERROR,
            Change::Faster | Change::FewerErrors => level_style(Level::Info),
            _ => CANCELLED,
        }
    }
}

/// A name in one log.
#[derive(Clone, Debug, Default, Serialize)]
struct Side {
    count: u64,
    per_second: Option<f64>,
    p50_ns: Option<u64>,
    p99_ns: Option<u64>,
    self_ns: u64,
    self_p50_ns: Option<u64>,
    self_p99_ns: Option<u64>,
    busy_ns: Option<u64>,
    errors: u64,
    #[serde(skip)]
    per_unit: f64,
}

impl Side {
    fn new(log: &Measured, of: Option<&Counted>) -> Side {
        let Some(of) = of else {
            return Side::default();
        };
        let percentile = |percent| of.durations.percentile(percent).min(of.max);
        let seconds = log.seconds();
        Side {
            count: of.count,
            per_second: (seconds > 0.0).then(|| of.count as f64 / seconds),
            p50_ns: (of.count >= FEW).then(|| percentile(50)),
            p99_ns: (of.count >= FEW_FOR_P99).then(|| percentile(99)),
            self_ns: of.self_time,
            self_p50_ns: (of.count >= FEW).then(|| quantile([&of.samples], 50, self_time)),
            self_p99_ns: (of.count >= FEW_FOR_P99).then(|| quantile([&of.samples], 99, self_time)),
            busy_ns: (of.busy > 0).then_some(of.busy),
            errors: of.errors,
            per_unit: of.count as f64 / (log.units() as f64).max(1.0),
        }
    }

    fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::P50 => self.p50_ns.map(|nanos| nanos as f64),
            Metric::P99 => self.p99_ns.map(|nanos| nanos as f64),
            Metric::Self50 => self.self_p50_ns.map(|nanos| nanos as f64),
            Metric::Self99 => self.self_p99_ns.map(|nanos| nanos as f64),
            Metric::Errors if self.count == 0 => None,
            Metric::Errors => Some(self.errors as f64 / self.count as f64),
            Metric::Count => Some(self.per_unit),
        }
    }
}

/// A name in both logs.
#[derive(Clone, Debug, Serialize)]
struct Row {
    name: String,
    target: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    by: BTreeMap<String, Option<String>>,
    /// What has become of it, if that is more than noise.
    changes: Vec<Change>,
    /// It has become slower or faster, but it was not its own time that changed.
    inside: bool,
    cost_ns: i64,
    before: Side,
    after: Side,
    p_values: BTreeMap<&'static str, f64>,
    #[serde(skip)]
    shown: String,
    #[serde(skip)]
    values: String,
    #[serde(skip)]
    significant: Vec<Metric>,
}

/// Two logs, compared.
#[derive(Debug)]
pub struct Diff {
    options: Options,
    rows: Vec<Row>,
    units: [u64; 2],
    seconds: [f64; 2],
    /// The part of the later log's spans that have a name that the earlier one has too.
    common: f64,
}

/// What is the same in both logs: name, target, and the values of the keys.
type Key = (String, Option<String>, Vec<(String, Option<String>)>);

fn keyed(log: &Measured) -> HashMap<Key, (&Counted, String, String)> {
    let groups = log.all().map(|((name, values), of)| {
        let owned = |(key, value): (&str, Option<&str>)| (key.to_owned(), value.map(str::to_owned));
        let key = (
            log.names.text(name).to_owned(),
            log.names.target(name).map(str::to_owned),
            log.by.pairs(values).map(owned).collect(),
        );
        (key, (of, log.names.shown(name), log.by.shown(values)))
    });
    groups.collect()
}

impl Diff {
    /// Compares two logs, the earlier and the later.
    pub fn new(before: &Measured, after: &Measured, options: Options) -> Diff {
        let (earlier, later) = (keyed(before), keyed(after));
        let mut keys: Vec<_> = earlier.keys().chain(later.keys()).cloned().collect();
        keys.sort();
        keys.dedup();
        let mut rows = Vec::with_capacity(keys.len());
        let (mut common, mut all) = (0, 0);
        for key in keys {
            let sides = [earlier.get(&key), later.get(&key)];
            let counts = sides.map(|side| side.map_or(0, |(of, ..)| of.count));
            all += counts[0] + counts[1];
            if counts.iter().all(|count| *count > 0) {
                common += counts[0] + counts[1];
            }
            rows.push(Row::new(key, [before, after], sides));
        }
        judge(&mut rows);
        rows.sort_by(|a, b| {
            let order = |row: &Row| (row.changes.is_empty(), -row.cost_ns);
            order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name))
        });
        Diff {
            options,
            rows,
            units: [before.units(), after.units()],
            seconds: [before.seconds(), after.seconds()],
            common: common as f64 / (all as f64).max(1.0),
        }
    }

    /// How much of both logs, of 1, is spans with a name that both have.
    pub fn common(&self) -> f64 {
        self.common
    }

    /// Whether there are so few traces that nothing can be told from noise.
    pub fn is_small(&self) -> bool {
        self.units.iter().any(|units| *units < FEW_UNITS)
    }

    /// The names that have changed by more than noise, and how.
    pub fn changes(&self) -> impl Iterator<Item = (&str, &[Change])> {
        let changed = self.rows.iter().filter(|row| !row.changes.is_empty());
        changed.map(|row| (&*row.name, &*row.changes))
    }

    /// What has changed by more than a limit, and by more than noise.
    pub fn failed(&self) -> Vec<String> {
        let limits = |row: &Row| {
            let over = self.options.fail_on.iter();
            let over = over
                .filter(|limit| row.is_over(limit))
                .map(Limit::to_string);
            over.collect::<Vec<_>>()
        };
        let rows = self.rows.iter().map(|row| (row, limits(row)));
        rows.filter(|(_, over)| !over.is_empty())
            .map(|(row, over)| format!("{}: {}", row.shown, over.join(", ")))
            .collect()
    }

    /// Writes what has changed.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self.options.json {
            true => self.write_json(out),
            false => self.write_table(out),
        }
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let shown = self
            .options
            .limit
            .unwrap_or(usize::MAX)
            .min(self.rows.len());
        let log = |side: usize| {
            serde_json::json!({
                "file": self.options.files[side],
                "traces": self.units[side],
                "seconds": self.seconds[side],
            })
        };
        write!(
            out,
            "{{\"before\":{},\"after\":{},\"names\":[",
            log(0),
            log(1)
        )?;
        for (index, row) in self.rows[..shown].iter().enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, row)?;
        }
        let failed = serde_json::to_string(&self.failed())?;
        let more = self.rows.len() - shown;
        writeln!(out, "\n],\"more_names\":{more},\"failed\":{failed}}}")
    }

    fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let look = self.options.look;
        let mut line = Line::default();
        for (side, word) in ["before", "after "].iter().enumerate() {
            line.push(DIM, &format!("{word}  "));
            line.push(PLAIN, &self.options.files[side]);
            let units = count(self.units[side]);
            let time = duration((self.seconds[side] * 1e9) as u64);
            line.push(DIM, &format!("  {units} traces in {time}"));
            line.write(look, out)?;
        }
        line.write(look, out)?;
        let shown = self
            .options
            .limit
            .unwrap_or(usize::MAX)
            .min(self.rows.len());
        let rows: Vec<_> = self.rows[..shown].iter().map(Row::cells).collect();
        let mut table = Table::new(look, &COLUMNS, &rows);
        table.write_head(out)?;
        for row in &rows {
            table.write_row(row, out)?;
        }
        if shown < self.rows.len() {
            let more = count((self.rows.len() - shown) as u64);
            line.push(DIM, &format!("… {more} more"));
            line.write(look, out)?;
        }
        line.write(look, out)?;
        let changed = self.changes().count();
        let same = self.rows.len() - changed;
        let text = format!("{changed} changed by more than noise, {same} did not");
        line.push(DIM, &text);
        line.write(look, out)
    }
}

/// Says of each row what has changed by more than noise, of all rows together.
fn judge(rows: &mut [Row]) {
    let tests: Vec<_> = rows
        .iter()
        .enumerate()
        .flat_map(|(at, row)| row.p_values.iter().map(move |(word, p)| (at, *word, *p)))
        .collect();
    let p_values: Vec<_> = tests.iter().map(|(_, _, p)| *p).collect();
    let is_significant = significant(&p_values, LEVEL);
    for ((at, word, _), is_significant) in tests.into_iter().zip(is_significant) {
        let metric = Metric::ALL.into_iter().find(|of| of.word() == word);
        if let Some(metric) = metric.filter(|_| is_significant) {
            rows[at].significant.push(metric);
        }
    }
    rows.iter_mut().for_each(Row::judge);
}

fn duration_of(sample: &Sample) -> u64 {
    sample.duration
}

fn self_time(sample: &Sample) -> u64 {
    sample.self_time
}

/// Of each unit that has spans of a name: how many, and of how many something holds.
fn per_unit(samples: &Samples, holds: impl Fn(&Sample) -> bool) -> HashMap<u32, (f64, f64)> {
    let mut units: HashMap<u32, (f64, f64)> = HashMap::new();
    for sample in samples.iter() {
        let of = units.entry(sample.unit).or_default();
        of.0 += 1.0;
        of.1 += f64::from(u8::from(holds(&sample)));
    }
    units
}

/// Whether something holds for another part of the spans of the later log.
fn test_share(samples: [&Samples; 2], holds: impl Fn(&Sample) -> bool) -> f64 {
    let sides = samples.map(|samples| per_unit(samples, &holds));
    let all = || sides.iter().flat_map(HashMap::values);
    let spans: f64 = all().map(|(spans, _)| spans).sum();
    let held: f64 = all().map(|(_, held)| held).sum();
    let share = held / spans;
    let mut deviations = Deviations::default();
    for (side, units) in sides.iter().enumerate() {
        let mut units: Vec<_> = units.iter().collect();
        // Sums of floats depend on their order.
        units.sort_unstable_by_key(|(unit, _)| **unit);
        for (_, (spans, held)) in units {
            deviations.add(side == 1, held - share * spans);
        }
    }
    deviations.p_value()
}

/// Whether more of the times of the later log are above that quantile of both logs than of the earlier,
/// or fewer.
fn test_times(samples: [&Samples; 2], percent: usize, of: fn(&Sample) -> u64) -> f64 {
    let limit = quantile(samples, percent, of);
    test_share(samples, |sample| of(sample) > limit)
}

/// What so many of 100 of the times do not exceed.
fn quantile<const N: usize>(samples: [&Samples; N], percent: usize, of: fn(&Sample) -> u64) -> u64 {
    let all = samples.iter().flat_map(|samples| samples.iter());
    let mut times: Vec<_> = all.map(|sample| of(&sample)).collect();
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100);
    times.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// Whether there are more of a name in a unit of the later log, or fewer.
fn test_count(logs: [&Measured; 2], samples: [Option<&Samples>; 2]) -> f64 {
    let sides = samples.map(|samples| match samples {
        Some(samples) => per_unit(samples, |_| true),
        None => HashMap::new(),
    });
    let level = |side: usize| samples[side].map_or(0, |samples| samples.level);
    let units = [0, 1].map(|side| logs[side].units_at(level(side)) as f64);
    let spans: f64 = sides.iter().flat_map(HashMap::values).map(|of| of.0).sum();
    let mean = spans / (units[0] + units[1]).max(1.0);
    let mut deviations = Deviations::default();
    for (side, of) in sides.iter().enumerate() {
        let mut of: Vec<_> = of.iter().collect();
        of.sort_unstable_by_key(|(unit, _)| **unit);
        for (_, (spans, _)) in &of {
            deviations.add(side == 1, spans - mean);
        }
        let others = (units[side] - of.len() as f64).max(0.0);
        deviations.add_many(side == 1, -mean, others);
    }
    deviations.p_value()
}

impl Row {
    fn new(key: Key, logs: [&Measured; 2], sides: [Option<&(&Counted, String, String)>; 2]) -> Row {
        let [before, after] = [0, 1].map(|at| Side::new(logs[at], sides[at].map(|(of, ..)| *of)));
        let (_, shown, values) = sides[1].or(sides[0]).expect("one of the logs has it");
        let load = logs[1].units() as f64 / (logs[0].units() as f64).max(1.0);
        let samples = sides.map(|side| side.map(|(of, ..)| &of.samples));
        let mut row = Row {
            name: key.0,
            target: key.1,
            by: key.2.into_iter().collect(),
            changes: Vec::new(),
            inside: false,
            cost_ns: (after.self_ns as f64 - before.self_ns as f64 * load) as i64,
            before,
            after,
            p_values: BTreeMap::new(),
            shown: shown.clone(),
            values: values.clone(),
            significant: Vec::new(),
        };
        if logs.iter().all(|log| log.units() >= FEW_UNITS) {
            row.test(logs, samples);
        }
        row
    }

    fn test(&mut self, logs: [&Measured; 2], samples: [Option<&Samples>; 2]) {
        let least = self.before.count.min(self.after.count);
        let mut set = |metric: Metric, p: f64| self.p_values.insert(metric.word(), p);
        set(Metric::Count, test_count(logs, samples));
        let [Some(before), Some(after)] = samples else {
            return;
        };
        let samples = [before, after];
        if least >= FEW {
            set(Metric::P50, test_times(samples, 50, duration_of));
            set(Metric::Self50, test_times(samples, 50, self_time));
        }
        if least >= FEW_FOR_P99 {
            set(Metric::P99, test_times(samples, 99, duration_of));
            set(Metric::Self99, test_times(samples, 99, self_time));
        }
        if least >= FEW && self.before.errors + self.after.errors > 0 {
            set(Metric::Errors, test_share(samples, |sample| sample.is_bad));
        }
    }

    /// How much of a metric has changed: 0.3 for 30 % more; none if there was nothing.
    fn change(&self, metric: Metric) -> Option<f64> {
        let (before, after) = (self.before.value(metric)?, self.after.value(metric)?);
        (before > 0.0).then(|| after / before - 1.0)
    }

    fn is_over(&self, limit: &Limit) -> bool {
        let sides = (
            self.before.value(limit.metric),
            self.after.value(limit.metric),
        );
        let (Some(before), Some(after)) = sides else {
            return false;
        };
        self.significant.contains(&limit.metric) && limit.is_over(before, after)
    }

    /// Whether a metric has changed by more than noise, and by so much that anybody would look for it.
    fn has_changed(&self, metric: Metric) -> bool {
        let change = self.change(metric).unwrap_or(f64::INFINITY);
        self.significant.contains(&metric) && change.abs() >= SMALL
    }

    fn grows(&self, metric: Metric) -> bool {
        self.after.value(metric) > self.before.value(metric)
    }

    fn judge(&mut self) {
        if self.before.count == 0 || self.after.count == 0 {
            let change = if self.before.count == 0 {
                Change::New
            } else {
                Change::Gone
            };
            if self.significant.contains(&Metric::Count) {
                self.changes.push(change);
            }
            return;
        }
        let times = [Metric::P50, Metric::P99].map(|of| (self.has_changed(of), self.grows(of)));
        let own = [Metric::Self50, Metric::Self99];
        let is_own = own.into_iter().any(|of| self.has_changed(of));
        let is_other = times.iter().any(|(has_changed, _)| *has_changed);
        // What it waits for may be what has changed, and has a row of its own.
        self.inside = is_other && !is_own;
        if is_other && is_own {
            let is_slower = times.contains(&(true, true));
            let change = if is_slower {
                Change::Slower
            } else {
                Change::Faster
            };
            self.changes.push(change);
        }
        for (metric, more, less) in [
            (Metric::Errors, Change::MoreErrors, Change::FewerErrors),
            (Metric::Count, Change::MoreOften, Change::LessOften),
        ] {
            if self.has_changed(metric) {
                let change = if self.grows(metric) { more } else { less };
                self.changes.push(change);
            }
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let style = match self.changes.first() {
            Some(change) => change.style(),
            None => DIM,
        };
        let mut words: Vec<_> = self.changes.iter().map(|change| change.words()).collect();
        if self.inside {
            words.push("inside");
        }
        let metric = |metric: Metric, text: Option<String>| {
            let is_bold = self.significant.contains(&metric) && !self.changes.is_empty();
            let style = if is_bold {
                BOLD
            } else {
                style_of(&self.changes)
            };
            text.map_or_else(Cell::default, |text| Cell::new(style, &text))
        };
        let plain = |text: Option<String>| {
            text.map_or_else(Cell::default, |text| {
                Cell::new(style_of(&self.changes), &text)
            })
        };
        let both = |of: &dyn Fn(&Side) -> String| {
            Some(format!("{} → {}", of(&self.before), of(&self.after)))
        };
        let rates = both(&|side| rate(side.per_second.unwrap_or(0.0)));
        let rates = rates.filter(|_| self.after.per_second.or(self.before.per_second).is_some());
        let busy = both(&|side| duration(side.busy_ns.unwrap_or(0)));
        let busy = busy.filter(|_| self.before.busy_ns.or(self.after.busy_ns).is_some());
        let errors = both(&|side| count(side.errors));
        let errors = errors.filter(|_| self.before.errors + self.after.errors > 0);
        vec![
            Cell::new(style, &words.join(", ")),
            Cell::new(style, &self.shown),
            Cell::new(DIM, &self.values),
            metric(Metric::Count, both(&|side| count(side.count))),
            plain(rates),
            metric(Metric::P50, self.times(Metric::P50)),
            metric(Metric::P99, self.times(Metric::P99)),
            plain(both(&|side| duration(side.self_ns))),
            plain(busy),
            metric(Metric::Errors, errors),
            Cell::new(style, &signed(self.cost_ns)),
        ]
    }

    /// `12.3 ms → 16.1 ms +31 %`.
    fn times(&self, metric: Metric) -> Option<String> {
        let time = |side: &Side| side.value(metric).map(|nanos| duration(nanos as u64));
        match (time(&self.before), time(&self.after)) {
            (Some(before), Some(after)) => {
                let change = self.change(metric);
                let change = change.map_or(String::new(), |of| format!("  {:+.0} %", of * 100.0));
                Some(format!("{before} → {after}{change}"))
            }
            (None, Some(after)) => Some(format!("- → {after}")),
            (Some(before), None) => Some(format!("{before} → -")),
            (None, None) => None,
        }
    }
}

fn style_of(changes: &[Change]) -> anstyle::Style {
    if changes.is_empty() { DIM } else { PLAIN }
}

fn rate(per_second: f64) -> String {
    match per_second {
        100.0.. => count(per_second.round() as u64),
        10.0.. => format!("{per_second:.0}"),
        _ => format!("{per_second:.1}"),
    }
}

fn signed(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "+" };
    format!("{sign}{}", duration(nanos.unsigned_abs()))
}

const COLUMNS: [Column; 11] = [
    Column::left("", 0),
    Column::cut("name", 0),
    Column::cut("by", 0),
    Column::right("count", 4),
    Column::right("per second", 8),
    Column::right("p50", 3),
    Column::right("p99", 0),
    Column::right("self", 6),
    Column::right("busy", 7),
    Column::right("errors", 2),
    Column::right("cost", 1),
];
