//! Whether a log has its newest lines first, as `journalctl -r` and some viewers write it.

use std::cmp::Ordering;

use hashbrown::{HashMap, HashSet};

use super::batch::Batch;
use super::record::{Kind, Record};
use super::view::View;

/// Whether a sample has its newest records first.
pub(super) fn is_reversed(sample: &Batch) -> bool {
    ends_before_starts(sample) || wholes_are_reversed(sample)
}

/// Whether the spans of a sample end before they start, and time goes backwards.
fn ends_before_starts(sample: &Batch) -> bool {
    let mut marks: HashMap<u64, Kind> = HashMap::new();
    let (mut forwards, mut backwards) = (0, 0);
    let (mut later, mut earlier, mut starts) = (0, 0, 0);
    let mut last_at = None;
    for record in &sample.records {
        // A whole span is written when it has ended, or later.
        if let Some(at) = record.at.filter(|_| !record.is_late()) {
            starts += 1;
            later += usize::from(last_at.is_some_and(|last| at > last));
            earlier += usize::from(last_at.is_some_and(|last| at < last));
            last_at = Some(at);
        }
        if record.span_id == 0 || record.kind == Kind::Event || record.is_whole {
            continue;
        }
        match (marks.remove(&record.span_id), record.kind) {
            (Some(Kind::Start), Kind::End) => forwards += 1,
            (Some(Kind::End), Kind::Start) => backwards += 1,
            (_, kind) => drop(marks.insert(record.span_id, kind)),
        }
    }
    let goes_back = match starts {
        0 | 1 => clock(sample) == Some(Ordering::Greater),
        _ => earlier > later,
    };
    backwards > 0 && forwards == 0 && goes_back
}

/// Whether whole spans, which are written when they have ended, stand before what is written earlier:
/// records in them, and the spans inside of them.
fn wholes_are_reversed(sample: &Batch) -> bool {
    let mut wholes: HashSet<u64> = HashSet::new();
    // What is in a span whose whole has not come.
    let mut awaited: HashMap<u64, usize> = HashMap::new();
    let (mut forwards, mut backwards, mut records_behind) = (0, 0, false);
    let (mut later, mut earlier, mut last) = (0, 0, None);
    for record in &sample.records {
        let (around, is_mark) = match (record.is_whole, record.kind) {
            (true, _) => (record.span_parent, true),
            (false, Kind::Event) => (record.span_id, false),
            // A mark of its own says more.
            (false, Kind::Start | Kind::End) => return false,
        };
        if wholes.contains(&around) {
            backwards += 1;
            records_behind |= !is_mark;
        } else if around != 0 {
            *awaited.entry(around).or_default() += 1;
        }
        if !is_mark {
            continue;
        }
        forwards += awaited.remove(&record.span_id).unwrap_or(0);
        wholes.insert(record.span_id);
        // Spans of one trace may be written in any order, once it is known that they are.
        if record.span_parent == 0 {
            let end = record.at.zip(record.elapsed);
            let end = end.map(|(at, elapsed)| at.saturating_add(elapsed));
            later += usize::from(end > last && last.is_some());
            earlier += usize::from(end < last);
            last = end.or(last);
        }
    }
    let is_one_root = earlier + later == 0;
    let goes_back = match clock(sample) {
        Some(Ordering::Less) => false,
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) | None if is_one_root => records_behind,
        Some(Ordering::Equal) | None => earlier > later,
    };
    goes_back && forwards * 8 <= backwards && (backwards > 0 || earlier > 1 && later == 0)
}

/// How the time that the logger wrote into the first record is to that of the last. A record counts more
/// than a mark, which may be written later than what it says.
fn clock(sample: &Batch) -> Option<Ordering> {
    let time = |record: &Record| {
        let view = View {
            batch: sample,
            record,
        };
        Some(view.time()?.nanos)
    };
    let ends = |is: fn(&&Record) -> bool| {
        let mut records = sample.records.iter().filter(is);
        Some((time(records.next()?)?, time(records.next_back()?)?))
    };
    let (first, last) = ends(|record| record.kind == Kind::Event).or_else(|| ends(|_| true))?;
    Some(first.cmp(&last))
}
