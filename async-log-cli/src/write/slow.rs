//! `slow`: the slowest traces, each whole, and where their time went.

use std::cmp::Reverse;
use std::io::{self, Write};

use serde::Serialize;

use super::json::process_id;
use super::number::{count, duration};
use super::terminal::{BOLD, DIM, Line, Look, PLAIN, width};
use super::timing::{Reason, Timing};
use super::tree::Node;
use super::whole::{Manner, Whole, push_place};
use crate::collect::{Choice, Collector, Taker, Trace, collects};
use crate::track::{KeptTraces, Selection};

/// Which traces are shown, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What they look like.
    pub look: Look,
    /// How many.
    pub count: usize,
    /// Which traces.
    pub selection: Selection,
    /// How many rows there are right inside of a span; 0 for all.
    pub limit: usize,
    /// A line of JSON for each.
    pub json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            look: Look::default(),
            count: 5,
            selection: Selection::default(),
            limit: 20,
            json: false,
        }
    }
}

/// Shows the slowest traces.
#[derive(Debug)]
pub struct Slow<W> {
    collector: Collector<Slowest<W>>,
}

impl<W: Write> Slow<W> {
    /// Writes to `out` when the log is over.
    pub fn new(options: Options, out: W) -> Self {
        let choice = Choice::new(options.selection.clone());
        let slowest = Slowest {
            options,
            out,
            best: Vec::new(),
            least: 0,
            traces: 0,
            processes: None,
            kept: KeptTraces::default(),
        };
        Slow {
            collector: Collector::new(slowest, choice, true),
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.collector.taker.out
    }

    /// How many traces there were.
    pub fn taken(&self) -> u64 {
        self.collector.taken()
    }

    /// Which traces it was about.
    pub fn selection(&self) -> &Selection {
        self.collector.choice().selection()
    }

    /// Says what of the log has time: false if all traces last 0 ns.
    pub fn has_time(&self) -> bool {
        let best = &self.collector.taker.best;
        best.iter().any(|trace| trace.root().duration > 0)
    }

    /// The number of the task of the slowest trace.
    pub fn task(&self) -> Option<u64> {
        let best = self.collector.taker.best.first();
        best.map(|trace| trace.root().task_id)
    }

    /// Of a slowest trace that has very much in it: what else could be asked for.
    pub fn crowded(&self) -> Option<String> {
        let trace = self.collector.taker.best.first()?;
        crowd(trace)
    }
}

collects!(Slow);

/// How many bytes all that are kept have.
const ROOM: usize = 8 << 20;

/// How many traces of one name in a trace are so many that they may be what was meant.
const CROWD: u64 = 50;

/// The name of which a trace holds very many spans right inside, if it does.
fn crowd(trace: &Trace) -> Option<String> {
    let root = trace.root().number;
    let mut counts: hashbrown::HashMap<String, u64> = hashbrown::HashMap::new();
    for item in trace.items.iter().skip(1) {
        let is_near = item.around == root || item.is_task;
        if is_near && item.is_span() {
            *counts.entry(trace.folded_name(item)).or_default() += 1;
        }
    }
    for ((_, name), sum) in &trace.sums {
        *counts.entry(name.clone()).or_default() += sum.count;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(name, count)| (*count, Reverse(name.clone())));
    most.filter(|(_, count)| *count >= CROWD)
        .map(|(name, _)| name)
}

#[derive(Debug)]
struct Slowest<W> {
    options: Options,
    out: W,
    best: Vec<Trace>,
    /// No trace that is not longer is among them.
    least: u64,
    traces: u64,
    /// The process of the first, and whether there are others.
    processes: Option<(usize, bool)>,
    kept: KeptTraces,
}

impl<W: Write> Slowest<W> {
    /// Keeps the slowest; of equal ones the first.
    fn sort(&mut self) {
        self.best.sort_by_key(|trace| {
            let root = trace.root();
            (
                Reverse(root.duration),
                root.at,
                trace.process.index,
                root.number,
            )
        });
        self.best.truncate(self.options.count);
    }

    fn write(&mut self, rank: usize, trace: &Trace) -> io::Result<()> {
        let timing = Timing::new(trace);
        let reason = timing.reason(trace);
        if self.options.json {
            return self.write_json(rank, trace, &reason);
        }
        let look = self.options.look;
        let mut line = Line::default();
        if rank > 1 {
            line.write(look, &mut self.out)?;
        }
        let root = trace.root();
        line.push(BOLD, &format!("{rank}. {}", duration(root.duration)));
        let with_process = self.processes.is_some_and(|(_, several)| several);
        line.push(BOLD, &format!("  {}", trace.name(root)));
        push_place(&mut line, trace, with_process);
        line.write(look, &mut self.out)?;
        line.push(PLAIN, &format!("   {}", reason.text(trace)));
        if let Some(place) = reason.place(trace) {
            // What says where it is stays in one piece.
            if line.room(look).is_some_and(|room| room <= width(&place)) {
                line.write(look, &mut self.out)?;
                line.push_space(2);
            }
            line.push(PLAIN, &format!(" {place}"));
        }
        line.write(look, &mut self.out)?;
        let manner = Manner {
            look,
            timing: true,
            fold: true,
            limit: self.options.limit,
            only_marked: false,
            found: None,
        };
        Whole::new(&manner, trace, &timing, &mut self.out).draw()
    }

    fn write_json(&mut self, rank: usize, trace: &Trace, reason: &Reason) -> io::Result<()> {
        let first = &trace.items[reason.spans[0]];
        let json = Json {
            rank,
            process_id: process_id(trace.process),
            reason: ReasonJson {
                time_ns: reason.time,
                name: match reason.spans.len() {
                    1 => trace.name(first).into_owned(),
                    _ => trace.folded_name(first),
                },
                spans: reason.spans.len(),
                gap: reason.place(trace),
            },
            root: &Node::of(trace, self.options.limit),
        };
        let mut text = serde_json::to_vec(&json)?;
        text.push(b'\n');
        self.out.write_all(&text)
    }
}

/// A line of JSON.
#[derive(Serialize)]
struct Json<'a> {
    rank: usize,
    process_id: Option<String>,
    reason: ReasonJson,
    #[serde(flatten)]
    root: &'a Node,
}

#[derive(Serialize)]
struct ReasonJson {
    time_ns: u64,
    name: String,
    spans: usize,
    gap: Option<String>,
}

impl<W: Write> Taker for Slowest<W> {
    fn trace(&mut self, trace: &mut Trace) -> io::Result<()> {
        self.traces += 1;
        let process = trace.process.index;
        let (first, several) = self.processes.unwrap_or((process, false));
        self.processes = Some((first, several || process != first));
        self.kept.add(trace.kept());
        let is_full = self.best.len() >= self.options.count;
        if is_full && trace.root().duration <= self.least {
            return Ok(());
        }
        let mut trace = trace.take();
        trace.compact(ROOM / self.options.count.max(1));
        self.best.push(trace);
        self.sort();
        if self.best.len() >= self.options.count {
            self.least = self
                .best
                .last()
                .map_or(u64::MAX, |last| last.root().duration);
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.sort();
        // Where nothing has a time, no order is right.
        if !self.best.iter().any(|trace| trace.root().duration > 0) {
            return Ok(());
        }
        let best = std::mem::take(&mut self.best);
        for (index, trace) in best.iter().enumerate() {
            self.write(index + 1, trace)?;
        }
        if !self.options.json {
            let mut line = Line::default();
            line.write(self.options.look, &mut self.out)?;
            let of = match self.kept.sum() {
                0 => format!("{} traces", count(self.traces)),
                _ => format!(
                    "{} traces that were kept ({})",
                    count(self.traces),
                    self.kept
                ),
            };
            line.push(
                DIM,
                &format!("the slowest {} of {of}", count(best.len() as u64)),
            );
            line.write(self.options.look, &mut self.out)?;
        }
        self.best = best;
        self.out.flush()
    }
}
