//! A whole trace for a person: what is alike is folded, and what is long, or bad, or looked for stays.

use std::cmp::Reverse;
use std::io::{self, Write};

use hashbrown::HashMap;
use regex::Regex;

use super::fields::Fields;
use super::number::{self, DURATION_WIDTH, count, duration, duration_column, moment};
use super::state::State;
use super::terminal::{
    BOLD, DIM, FOUND, Line, Look, PLAIN, Rails, TASK, UNFINISHED, level_style, share_style,
};
use super::timing::{Gap, Timing, share};
use crate::collect::{self, Note, Sum, Trace, What};
use crate::read::{Level, Outcome};

/// What is shown of a trace, and how.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) look: Look,
    /// Shares, self times, gaps and the critical path.
    pub(crate) timing: bool,
    /// Folds spans and records that are alike.
    pub(crate) fold: bool,
    /// How many rows there are right inside of a span; 0 for all.
    pub(crate) limit: usize,
    /// Of a large trace: leaves out what is inside of spans in which nothing is marked.
    pub(crate) only_marked: bool,
    /// What is looked for.
    pub(crate) found: Option<Regex>,
}

/// A trace of more spans and records is large.
const LARGE: usize = 20;

/// How many that are alike are folded.
const ALIKE: usize = 3;

/// A row right inside of a span.
#[derive(Clone, Debug)]
enum Row {
    One(usize),
    /// Spans, or records, that are alike.
    Alike(Vec<usize>),
    Gap(Gap),
    /// What there is no room for.
    More(String, Sum),
}

/// Draws one trace.
pub(crate) struct Whole<'a, W> {
    manner: &'a Manner,
    trace: &'a Trace,
    timing: &'a Timing,
    line: Line,
    out: W,
    /// A row has something in it that is bad or was looked for, so it is not folded.
    is_special: Vec<bool>,
    /// It is marked, or something in it is.
    holds_mark: Vec<bool>,
}

impl<'a, W: Write> Whole<'a, W> {
    pub(crate) fn new(manner: &'a Manner, trace: &'a Trace, timing: &'a Timing, out: W) -> Self {
        let mut is_special: Vec<_> = trace.items.iter().map(is_special).collect();
        let mut holds_mark: Vec<_> = trace.items.iter().map(|item| item.is_marked).collect();
        for at in (1..trace.items.len()).rev() {
            if let Some(around) = trace.position(trace.items[at].around) {
                is_special[around] |= is_special[at];
                holds_mark[around] |= holds_mark[at];
            }
        }
        Whole {
            manner,
            trace,
            timing,
            line: Line::default(),
            out,
            is_special,
            holds_mark,
        }
    }

    /// Writes the trace, the heads of its columns first where it has several.
    pub(crate) fn draw(&mut self) -> io::Result<()> {
        if self.manner.timing {
            self.line
                .push(DIM, &format!("{:>5}     %  {:>5}", "time", "self"));
            self.line.write(self.manner.look, &mut self.out)?;
        }
        self.draw_item(0, &mut Rails::default(), &Fields::default())
    }

    /// The columns in front of a row, where `at` is the item that they are about.
    fn columns(&mut self, time: Option<u64>, own: Option<u64>, at: Option<usize>) {
        let whole = self.trace.root().duration;
        let style = match at.map(|at| self.trace.items[at].what) {
            Some(What::Span(collect::State::Unfinished)) => UNFINISHED,
            _ => share_style(time.unwrap_or(0), whole),
        };
        let mut column = |time: Option<u64>| match time {
            Some(time) => self.line.push(style, &duration_column(time)),
            None => self.line.push_space(DURATION_WIDTH),
        };
        column(time);
        if self.manner.timing {
            // Spans at the same time may be longer than the root together.
            let share = time.map(|time| share(time, whole)).filter(|of| *of <= 100);
            let share = share.map_or(String::new(), |share| share.to_string());
            self.line.push(style, &format!("{share:>5}  "));
            match own {
                Some(own) => self.line.push(style, &duration_column(own)),
                None => self.line.push_space(DURATION_WIDTH),
            }
            let is_critical = at.is_some_and(|at| self.timing.is_critical[at]);
            self.line
                .push(BOLD, if is_critical { " * " } else { "   " });
        } else {
            let is_found = at.is_some_and(|at| self.trace.items[at].is_marked);
            self.line.push(FOUND, if is_found { " > " } else { "   " });
        }
    }

    fn draw_item(&mut self, at: usize, rails: &mut Rails, said: &Fields) -> io::Result<()> {
        let item = &self.trace.items[at];
        let fields = Fields::of(&self.trace.pairs(item));
        let shown = fields.without(said);
        match item.what {
            What::Span(state) => {
                let (time, own) = (item.duration, item.self_time);
                self.columns(Some(time), Some(own), Some(at));
                rails.write(&mut self.line, self.manner.look);
                self.push_span(at, state.into());
            }
            What::Record(level) => {
                self.columns(None, None, Some(at));
                rails.write(&mut self.line, self.manner.look);
                self.push_record(at, level);
            }
        }
        self.push_fields(&shown);
        self.write()?;
        let rows = self.rows(at);
        let last = rows.len();
        for (index, row) in rows.into_iter().enumerate() {
            rails.enter(index + 1 == last);
            self.draw_row(row, rails, &fields)?;
            rails.leave();
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        self.line.write(self.manner.look, &mut self.out)
    }

    fn push_text(&mut self, style: anstyle::Style, text: &str) {
        match &self.manner.found {
            Some(found) => self.line.push_found(style, text, found),
            None => self.line.push(style, text),
        }
    }

    fn push_fields(&mut self, fields: &Fields) {
        for (key, value) in fields.iter() {
            self.line.push(PLAIN, "  ");
            match &self.manner.found {
                // What is looked for may go over the `=`.
                Some(found) if found.is_match(&format!("{key}={value}")) => {
                    self.line.push_found(DIM, &format!("{key}={value}"), found);
                }
                _ => {
                    self.line.push(DIM, &format!("{key}="));
                    self.line.push(PLAIN, value);
                }
            }
        }
    }

    fn push_span(&mut self, at: usize, state: State) {
        let item = &self.trace.items[at];
        let name = self.trace.name(item);
        let is_bad = !state.is_finished();
        let style = match (is_bad, at) {
            (true, _) => state.style(),
            (false, 0) => BOLD,
            (false, _) => PLAIN,
        };
        let mut behind = Vec::new();
        if is_bad {
            behind.push((state.style(), format!("  {}", state.word())));
        }
        if item.is_task && at > 0 {
            behind.push((TASK, format!("  task {}", item.task_id)));
        }
        let inside = self.timing.inside[at].len();
        if inside > 0 && self.is_closed(at) {
            behind.push((DIM, format!("  … {inside} inside")));
        }
        match &self.manner.found {
            Some(found) => {
                self.line.push_found(style, &name, found);
                behind
                    .iter()
                    .for_each(|(style, text)| self.line.push(*style, text));
            }
            None => self.line.push_name(self.manner.look, style, &name, &behind),
        }
        if let Some(note) = item.note {
            self.line.push(DIM, &format!("  ({})", note_text(note)));
        }
    }

    fn push_record(&mut self, at: usize, level: Option<Level>) {
        match level {
            Some(level) => {
                self.line.push(level_style(level), level.word());
                self.line.push_space(1);
            }
            None => self.line.push(DIM, "· "),
        }
        let name = self.trace.name(&self.trace.items[at]);
        self.push_text(PLAIN, &name);
    }

    fn draw_row(&mut self, row: Row, rails: &mut Rails, said: &Fields) -> io::Result<()> {
        match row {
            Row::One(at) => return self.draw_item(at, rails, said),
            Row::Alike(all) => self.push_alike(&all, rails),
            Row::Gap(gap) => {
                self.columns(Some(gap.time()), None, None);
                rails.write(&mut self.line, self.manner.look);
                self.line.push(BOLD, "gap");
                self.line
                    .push(DIM, ": nothing inside was open, and nothing was said");
            }
            Row::More(name, sum) => {
                self.columns(None, None, None);
                rails.write(&mut self.line, self.manner.look);
                push_sum(&mut self.line, &name, &sum);
            }
        }
        self.write()
    }

    fn push_alike(&mut self, all: &[usize], rails: &Rails) {
        let first = self.trace.items[all[0]];
        let number = count(all.len() as u64);
        let sum = |of: fn(&collect::Item) -> u64| -> u64 {
            let parts = all.iter().map(|&at| of(&self.trace.items[at]));
            parts.fold(0, u64::saturating_add)
        };
        if let What::Record(level) = first.what {
            self.columns(None, None, None);
            rails.write(&mut self.line, self.manner.look);
            self.line.push(DIM, &format!("{number} × "));
            return self.push_record(all[0], level);
        }
        let (time, own) = (sum(|item| item.duration), sum(|item| item.self_time));
        // Its path is that of the first that is on it.
        let shown = all.iter().find(|&&at| self.timing.is_critical[at]);
        let is_critical = self.is_critical_together(all);
        self.columns(Some(time), Some(own), shown.copied());
        if is_critical && shown.is_none() {
            self.line.replace_end(BOLD, " * ");
        }
        rails.write(&mut self.line, self.manner.look);
        self.line.push(BOLD, &format!("{number} × "));
        self.push_text(PLAIN, &self.trace.folded_name(&first));
        let each = duration(time / all.len() as u64);
        self.line
            .push(DIM, &format!("  {each} each, {}", duration(time)));
    }

    fn is_critical_together(&self, all: &[usize]) -> bool {
        let waited = all.iter().map(|&at| self.timing.waited_in(self.trace, at));
        let worth = (self.trace.root().duration / 10).max(1);
        waited.fold(0, u64::saturating_add) >= worth
    }

    /// Whether what is inside of an item is not shown.
    fn is_closed(&self, at: usize) -> bool {
        let is_large = self.trace.items.len() > LARGE;
        self.manner.only_marked && is_large && !self.holds_mark[at]
    }

    /// The rows right inside of a span, by time.
    fn rows(&self, span: usize) -> Vec<Row> {
        if self.is_closed(span) {
            return Vec::new();
        }
        let mut rows = match self.manner.fold {
            true => self.folded(span),
            false => self.timing.inside[span]
                .iter()
                .map(|&at| Row::One(at))
                .collect(),
        };
        // Nobody waits for a gap in what nobody waits for.
        if self.manner.timing && self.timing.is_critical[span] {
            let gaps = self.timing.gaps(self.trace, span);
            rows.extend(gaps.into_iter().map(Row::Gap));
        }
        rows.sort_by_key(|row| self.begins(row));
        let item = &self.trace.items[span];
        let mut more: Vec<(String, Sum)> = self
            .trace
            .sums_in(item)
            .map(|(name, sum)| (name.to_owned(), sum.clone()))
            .collect();
        self.limit(&mut rows, &mut more);
        rows.extend(more.into_iter().map(|(name, sum)| Row::More(name, sum)));
        rows
    }

    fn begins(&self, row: &Row) -> (u64, usize) {
        match row {
            Row::One(at) => (self.trace.items[*at].at, *at),
            Row::Alike(all) => (self.trace.items[all[0]].at, all[0]),
            // It is behind what it is after.
            Row::Gap(gap) => (gap.from, gap.after.map_or(0, |after| after)),
            Row::More(..) => (u64::MAX, usize::MAX),
        }
    }

    /// What is right inside of a span, with those that are alike in one row.
    fn folded(&self, span: usize) -> Vec<Row> {
        let worth = (self.trace.root().duration / 10).max(1);
        let mut alike: HashMap<(bool, String), Vec<usize>> = HashMap::new();
        for &at in &self.timing.inside[span] {
            let item = &self.trace.items[at];
            if !self.is_special[at] && item.duration < worth {
                let key = (item.is_span(), self.trace.folded_name(item));
                alike.entry(key).or_default().push(at);
            }
        }
        alike.retain(|_, all| all.len() >= ALIKE);
        let mut is_folded = vec![false; self.trace.items.len()];
        for &at in alike.values().flatten() {
            is_folded[at] = true;
        }
        let alone = self.timing.inside[span].iter().copied();
        let alone = alone.filter(|&at| !is_folded[at]).map(Row::One);
        alone.chain(alike.into_values().map(Row::Alike)).collect()
    }

    /// Leaves out what is least worth seeing where there are more rows than wanted.
    fn limit(&self, rows: &mut Vec<Row>, more: &mut Vec<(String, Sum)>) {
        let limit = self.manner.limit;
        if limit == 0 || rows.len() <= limit {
            return;
        }
        let worth = |row: &Row| match row {
            Row::One(at) => (self.is_special[*at], self.trace.items[*at].duration),
            Row::Alike(all) => {
                let times = all.iter().map(|&at| self.trace.items[at].duration);
                (false, times.fold(0, u64::saturating_add))
            }
            Row::Gap(gap) => (true, gap.time()),
            Row::More(..) => (true, 0),
        };
        let mut order: Vec<_> = (0..rows.len()).collect();
        order.sort_by_key(|&at| Reverse(worth(&rows[at])));
        let mut stays = vec![false; rows.len()];
        order.iter().take(limit).for_each(|&at| stays[at] = true);
        let mut stay = stays.iter();
        rows.retain(|row| {
            let stays = *stay.next().unwrap_or(&true);
            if !stays {
                let all = match row {
                    Row::One(at) => std::slice::from_ref(at),
                    Row::Alike(all) => all,
                    _ => &[],
                };
                all.iter().for_each(|&at| self.add(more, at));
            }
            stays
        });
    }

    fn add(&self, more: &mut Vec<(String, Sum)>, at: usize) {
        let (name, sum) = self.trace.summed(&self.trace.items[at]);
        match more.iter_mut().find(|(of, _)| *of == name) {
            Some((_, of)) => of.add(&sum),
            None => more.push((name, sum)),
        }
    }
}

/// Whether an item is bad, or was looked for.
fn is_special(item: &collect::Item) -> bool {
    item.is_marked
        || match item.what {
            What::Span(state) => state.outcome() != Some(Outcome::Finished),
            What::Record(level) => level.is_some_and(|level| level <= Level::Warn),
        }
}

pub(crate) fn note_text(note: Note) -> &'static str {
    match note {
        Note::ParentUnknown => "the span around it has ended, or is not in the log",
        Note::StartUnknown => "its start is not in the log",
        Note::Deep => "too deep to be drawn inside",
        Note::NotWritten => "it is not in the log; these records are in its trace",
    }
}

/// How many of a name are left out, and how they ended.
pub(crate) fn push_sum(line: &mut Line, name: &str, sum: &Sum) {
    line.push(DIM, &format!("… {} more ", count(sum.count)));
    line.push(DIM, name);
    if sum.total_ns > 0 {
        line.push(DIM, &format!("  {} in all", duration(sum.total_ns)));
    }
    for (state, number) in [
        (State::Ended(Outcome::Panicked), sum.panicked),
        (State::Ended(Outcome::Error), sum.errors),
        (State::Ended(Outcome::Cancelled), sum.cancelled),
        (State::Unfinished, sum.unfinished),
    ] {
        if number > 0 {
            line.push(
                state.style(),
                &format!("  {} {}", count(number), state.word()),
            );
        }
    }
}

/// Where a trace is: its process where there are several, its task, and when it began.
pub(crate) fn push_place(line: &mut Line, trace: &Trace, with_process: bool) {
    let root = trace.root();
    if let Some(id) = trace.process.id.filter(|_| with_process) {
        line.push(DIM, &format!("  process {}", id.pid));
    }
    line.push(TASK, &task_text(root.task_id));
    if root.at > 0 {
        let at = moment(root.at, number::Moment::Whole);
        line.push(PLAIN, &format!("  {at} UTC"));
    }
}

/// How a task is called behind what was in it.
pub(crate) fn task_text(id: u64) -> String {
    match id {
        0 => "  no task".to_owned(),
        id => format!("  task {id}"),
    }
}
