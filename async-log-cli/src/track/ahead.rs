//! The records that come next, as far as a record can be behind its place: threads write their lines at
//! about the same time, and what carries a log may change their order a little.

use std::collections::BTreeSet;

use hashbrown::HashSet;

use crate::read::{Batch, Kind, ProcessId, Record, View};

/// How many records a start may come late.
const WINDOW: u64 = 512;

/// The batch that is taken, and those behind it that are at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead<'a> {
    pub(crate) batch: &'a Batch,
    pub(crate) more: &'a [Batch],
    /// How many records the log had before this batch.
    pub(crate) before: u64,
}

impl<'a> Ahead<'a> {
    /// The records from a place in the log on.
    pub(crate) fn from(self, place: u64) -> impl Iterator<Item = View<'a>> + Clone {
        let from = place.saturating_sub(self.before) as usize;
        let here = from.min(self.batch.records.len());
        let mut skip = from - here;
        let behind = self.more.iter().flat_map(move |batch| {
            let from = skip.min(batch.records.len());
            skip -= from;
            of(batch, from)
        });
        of(self.batch, here).chain(behind)
    }
}

/// What a writer says behind a place in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next<'a> {
    pub(crate) ahead: Ahead<'a>,
    pub(crate) place: u64,
    pub(crate) writer: u32,
}

/// How far ahead of a record a mark is looked for that it cannot be behind.
const NEAR: usize = 64;

impl<'a> Next<'a> {
    /// The first start or end that is near, and of which `is` holds.
    #[inline]
    pub(crate) fn mark(self, is: impl Fn(&Record) -> bool) -> Option<View<'a>> {
        let Ahead {
            batch,
            more,
            before,
        } = self.ahead;
        let mut skip = (self.place + 1).saturating_sub(before) as usize;
        let mut left = NEAR;
        for batch in std::iter::once(batch).chain(more) {
            let records = &batch.records[skip.min(batch.records.len())..];
            skip -= batch.records.len() - records.len();
            let records = &records[..left.min(records.len())];
            let found = records.iter().find(|record| {
                record.kind != Kind::Event && is(record) && {
                    self.writer == 0 || View { batch, record }.writer() == self.writer
                }
            });
            if let Some(record) = found {
                return Some(View { batch, record });
            }
            left -= records.len();
            if left == 0 {
                return None;
            }
        }
        None
    }
}

/// The records of a batch, from one of them on.
fn of(batch: &Batch, from: usize) -> impl Iterator<Item = View<'_>> + Clone {
    let records = batch.records[from..].iter();
    records.map(move |record| View { batch, record })
}

/// How many bytes are held for that, whatever is in them.
const HELD: usize = 4 << 20;

/// Whether enough records are at hand behind a batch.
pub(crate) fn is_enough(more: &[Batch]) -> bool {
    let records: usize = more.iter().map(|batch| batch.records.len()).sum();
    let bytes: usize = more.iter().map(|batch| batch.bytes.len()).sum();
    records as u64 >= WINDOW || bytes >= HELD
}

/// Starts that come later than they are asked for.
#[derive(Debug, Default)]
pub(crate) struct LateStarts {
    /// Where the starts of spans are, as far as that was looked at: span, writer and place.
    starts: BTreeSet<(u64, u32, u64)>,
    looked_to: u64,
    /// Those that were taken before their turn.
    taken: HashSet<u64>,
}

impl LateStarts {
    /// Where the start of a span is, if it comes soon behind `place` and its process goes on until then.
    pub(crate) fn find<'a>(
        &mut self,
        ahead: Ahead<'a>,
        place: u64,
        (span_id, writer): (u64, u32),
        process: Option<ProcessId>,
    ) -> Option<(u64, View<'a>)> {
        let looks_like_one = span_id != 0 && self.taken.len() < WINDOW as usize;
        if !looks_like_one {
            return None;
        }
        self.look(ahead, place);
        let mut starts = self.starts.range((span_id, writer, place + 1)..);
        let found = starts.find(|(_, _, at)| !self.taken.contains(at));
        let (.., found) = *found
            .filter(|(id, of, at)| (*id, *of) == (span_id, writer) && *at <= place + WINDOW)?;
        let mut start = None;
        let mut process = process;
        for view in ahead.from(place + 1).take((found - place) as usize) {
            // Behind a start of another process there are other spans of these ids.
            let named = view.record.process.filter(|_| view.writer() == writer);
            if let Some(named) = named
                && *process.get_or_insert(named) != named
            {
                return None;
            }
            start = Some(view);
        }
        Some((found, start?))
    }

    /// Says that the record at this place is taken before its turn.
    pub(crate) fn take(&mut self, place: u64) {
        self.taken.insert(place);
    }

    /// Whether the record at this place was taken before its turn.
    pub(crate) fn is_taken(&mut self, place: u64) -> bool {
        !self.taken.is_empty() && self.taken.remove(&place)
    }

    /// Looks at the records behind `place` that were not looked at.
    fn look(&mut self, ahead: Ahead<'_>, place: u64) {
        let from = self.looked_to.max(place + 1);
        let to = place + 1 + WINDOW;
        for (index, view) in ahead
            .from(from)
            .take((to.saturating_sub(from)) as usize)
            .enumerate()
        {
            let record = view.record;
            if record.kind == Kind::Start && record.span_id != 0 && !record.is_late() {
                let at = from + index as u64;
                self.starts.insert((record.span_id, view.writer(), at));
            }
            self.looked_to = from + index as u64 + 1;
        }
        if self.starts.len() as u64 > 4 * WINDOW {
            self.starts.retain(|(_, _, at)| *at > place);
        }
    }
}
