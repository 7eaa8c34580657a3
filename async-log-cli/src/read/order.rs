//! Whether a log has its newest lines first, as `journalctl -r` and some viewers write it.

use hashbrown::HashMap;

use super::batch::Batch;
use super::record::Kind;
use super::view::View;

/// Whether the spans of a sample end before they start, and time goes backwards.
pub(super) fn is_reversed(sample: &Batch) -> bool {
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
        0 | 1 => clock_goes_back(sample),
        _ => earlier > later,
    };
    backwards > 0 && forwards == 0 && goes_back
}

fn clock_goes_back(sample: &Batch) -> bool {
    let time = |index: usize| {
        let record = sample.records.get(index)?;
        let view = View {
            batch: sample,
            record,
        };
        Some(view.time()?.nanos)
    };
    let last = sample.records.len().wrapping_sub(1);
    time(0)
        .zip(time(last))
        .is_some_and(|(first, last)| first > last)
}
