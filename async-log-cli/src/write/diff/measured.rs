//! What a log says of each name, in little room.

use std::io;

use hashbrown::HashMap;

use super::super::by::{By, ValuesId};
use super::super::stats::Durations;
use crate::read::{Outcome, View};
use crate::track::{End, KeptTraces, NameId, Names, OpenSpans, Process, Sink, Start};

/// A log, measured: a [`Sink`] that [`Diff`](super::Diff) compares with another.
#[derive(Debug)]
pub struct Measured {
    pub(super) names: Names,
    pub(super) by: By,
    groups: Vec<Group>,
    places: HashMap<Group, usize>,
    pub(super) counted: Vec<Counted>,
    /// How many units there are, by how often the hash of one can be halved.
    units: [u64; 33],
    last_unit: u32,
    samples: usize,
    kept: KeptTraces,
    pub(super) first: u64,
    pub(super) last: u64,
}

type Group = (NameId, ValuesId);

/// What is kept of an open span: its unit, and its name.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    unit: u32,
    group: Group,
}

/// What is known of all spans of one name.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) count: u64,
    pub(super) self_time: u64,
    pub(super) busy: u64,
    pub(super) errors: u64,
    pub(super) max: u64,
    pub(super) durations: Durations,
    pub(super) samples: Samples,
}

/// Spans of one name, of some of the units: all of each unit, or none.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// Only units are in it whose hash ends with so many zeros.
    pub(super) level: u32,
    pub(super) units: Vec<u32>,
    /// Twice the duration, and 1 more if it failed.
    durations: Vec<u64>,
    self_times: Vec<u64>,
}

/// A span of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) unit: u32,
    pub(super) duration: u64,
    pub(super) self_time: u64,
    pub(super) is_bad: bool,
}

/// How many samples there are of one name, and of all. They are 20 bytes each.
const MOST: usize = 16_384;
const MOST_OF_ALL: usize = 1 << 19;

impl Samples {
    fn add(&mut self, sample: Sample) {
        if zeros(sample.unit) < self.level {
            return;
        }
        self.units.push(sample.unit);
        let duration = sample.duration.min(u64::MAX / 2);
        self.durations.push(duration * 2 + u64::from(sample.is_bad));
        self.self_times.push(sample.self_time);
    }

    /// Lets half of the units go.
    fn halve(&mut self) {
        self.level += 1;
        let level = self.level;
        let stays = self.units.iter().map(|&unit| zeros(unit) >= level);
        let stays: Vec<_> = stays.collect();
        for times in [&mut self.durations, &mut self.self_times] {
            let mut stay = stays.iter();
            times.retain(|_| *stay.next().unwrap_or(&true));
        }
        self.units.retain(|&unit| zeros(unit) >= level);
    }

    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Sample> {
        let times = self.durations.iter().zip(&self.self_times);
        let all = self.units.iter().zip(times);
        all.map(|(&unit, (&of, &self_time))| Sample {
            unit,
            duration: of / 2,
            self_time,
            is_bad: of % 2 == 1,
        })
    }
}

/// How many zeros the hash of a unit ends with: as good as chance, but the same each time.
fn zeros(unit: u32) -> u32 {
    // The finalizer of MurmurHash3.
    let mut hash = unit;
    for factor in [0x85eb_ca6b, 0xc2b2_ae35] {
        hash = (hash ^ (hash >> 16)).wrapping_mul(factor);
    }
    (hash ^ (hash >> 15)).trailing_zeros()
}

impl Measured {
    /// Measures a log; names are kept apart as in `stats`.
    pub fn new(exact: bool, by: &[String]) -> Self {
        Measured {
            names: Names::new(exact),
            by: By::new(by),
            groups: Vec::new(),
            places: HashMap::new(),
            counted: Vec::new(),
            units: [0; 33],
            last_unit: 0,
            samples: 0,
            kept: KeptTraces::default(),
            first: u64::MAX,
            last: 0,
        }
    }

    /// Why traces are in the log, where not all are.
    pub fn kept_traces(&self) -> KeptTraces {
        self.kept
    }

    /// How many units there are: traces, or tasks.
    pub fn units(&self) -> u64 {
        self.units.iter().sum()
    }

    /// How many have a hash that ends with so many zeros.
    pub(super) fn units_at(&self, level: u32) -> u64 {
        self.units[level as usize..].iter().sum()
    }

    /// Whether any span took longer than 0 ns.
    pub fn has_time(&self) -> bool {
        self.counted.iter().any(|of| of.max > 0)
    }

    /// The groups that there are spans of, and what is counted of each.
    pub(super) fn all(&self) -> impl Iterator<Item = (Group, &Counted)> {
        let groups = self.groups.iter().copied().zip(&self.counted);
        groups.filter(|(_, of)| of.count > 0)
    }

    /// How long it goes, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.last.saturating_sub(self.first) as f64 / 1e9
    }

    fn counted(&mut self, group: Group) -> &mut Counted {
        let next = self.groups.len();
        let place = *self.places.entry(group).or_insert(next);
        if place == next {
            self.groups.push(group);
            self.counted.push(Counted::default());
        }
        &mut self.counted[place]
    }

    fn group(&mut self, view: View<'_>) -> Group {
        (self.names.id(view), self.by.of(view, 0))
    }

    fn begin_unit(&mut self) -> u32 {
        self.last_unit = self.last_unit.wrapping_add(1);
        self.units[zeros(self.last_unit) as usize] += 1;
        self.last_unit
    }

    /// Lets units go where there are more samples than there is room for.
    fn bound(&mut self) {
        while self.samples > MOST_OF_ALL {
            let largest = self.counted.iter_mut().max_by_key(|of| of.samples.len());
            let Some(of) = largest.filter(|of| of.samples.level < 32) else {
                return;
            };
            let before = of.samples.len();
            of.samples.halve();
            self.samples -= before - of.samples.len();
        }
    }
}

impl Sink for Measured {
    type Kept = Option<Kept>;

    fn wants_events(&self) -> bool {
        false
    }

    fn start(
        &mut self,
        start: Start<'_>,
        open: &mut OpenSpans<Self::Kept>,
    ) -> io::Result<Self::Kept> {
        self.kept.add(start.view.record.trace_kept);
        if !start.may_be_selected {
            return Ok(None);
        }
        let around = open.get(start.parent).and_then(|span| span.kept);
        let is_task = start.view.record.task_parent_id.is_some();
        let unit = match around.filter(|_| !is_task) {
            Some(around) => around.unit,
            None => self.begin_unit(),
        };
        if start.at > 0 {
            self.first = self.first.min(start.at);
        }
        let group = self.group(start.view);
        Ok(Some(Kept { unit, group }))
    }

    fn end(&mut self, end: End<'_, Self::Kept>, _: &mut OpenSpans<Self::Kept>) -> io::Result<()> {
        if !end.selected {
            return Ok(());
        }
        let kept = end.span.as_ref().and_then(|span| span.kept);
        let (unit, group) = match kept {
            Some(kept) => {
                let values = self.by.of(end.view, kept.group.1);
                (kept.unit, (kept.group.0, values))
            }
            None => (self.begin_unit(), self.group(end.view)),
        };
        self.last = self.last.max(end.at);
        let self_time = end.self_time;
        let is_bad = matches!(end.outcome, Outcome::Error | Outcome::Panicked);
        let of = self.counted(group);
        of.count += 1;
        of.self_time = of.self_time.saturating_add(self_time);
        of.busy = of.busy.saturating_add(end.view.record.busy);
        of.errors += u64::from(is_bad);
        of.max = of.max.max(end.duration);
        of.durations.add(end.duration);
        let before = of.samples.len();
        of.samples.add(Sample {
            unit,
            duration: end.duration,
            self_time,
            is_bad,
        });
        while of.samples.len() > MOST && of.samples.level < 32 {
            of.samples.halve();
        }
        let now = of.samples.len();
        self.samples = self.samples + now - before;
        self.bound();
        Ok(())
    }

    fn left_open(&mut self, _: Process, _: OpenSpans<Self::Kept>) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
