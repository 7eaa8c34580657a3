//! How much of a span its children cover: the rest is its self time.
//!
//! Threads write their lines at about the same time, so the start or the end of a child can come behind
//! lines that are later by the clock. So the covered time is kept as intervals, and not as a state that
//! each line changes.

use std::collections::VecDeque;

/// How many intervals a span keeps. The earliest are summed up when there are more, so a line may come
/// behind the ends of that many children, and memory is bounded.
const INTERVALS: usize = 64;

/// The time of a span in which at least one of its children was open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    /// The children that have ended: disjoint, and in the order of time.
    intervals: Vec<Interval>,
    /// The sum of the earlier ones, and when the last of them ended.
    summed: u64,
    summed_to: u64,
    open: OpenChildren,
}

/// Times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    from: u64,
    to: u64,
}

impl Interval {
    /// How long it is between two times.
    fn within(self, from: u64, to: u64) -> u64 {
        self.to.min(to).saturating_sub(self.from.max(from))
    }
}

impl Coverage {
    /// A child starts.
    #[inline]
    pub(crate) fn enter(&mut self, at: u64) {
        self.open.add(at);
    }

    /// A child ends.
    #[inline]
    pub(crate) fn leave(&mut self, start: u64, end: u64) {
        self.open.remove(start);
        let from = start.max(self.summed_to);
        if end > from {
            self.add(Interval { from, to: end });
        }
    }

    /// How long no child was open between the start and the end of the span. An open child covers all of
    /// it from its own start on.
    pub(crate) fn self_time(&self, start: u64, end: u64) -> u64 {
        let open = self.open.first().unwrap_or(u64::MAX).max(start);
        let closed = self.intervals.iter();
        let closed: u64 = closed.map(|of| of.within(start, open.min(end))).sum();
        let covered = self.summed.saturating_add(closed);
        let covered = covered.saturating_add(end.saturating_sub(open));
        end.saturating_sub(start).saturating_sub(covered)
    }

    /// Empties it, for another span.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.intervals.clear();
        (self.summed, self.summed_to) = (0, 0);
        self.open.clear();
    }

    #[inline]
    fn add(&mut self, new: Interval) {
        match self.intervals.last_mut() {
            Some(last) if last.from > new.from => self.merge(new),
            Some(last) if last.to >= new.from => last.to = last.to.max(new.to),
            _ => self.intervals.push(new),
        }
        if self.intervals.len() > INTERVALS {
            self.sum_up();
        }
    }

    /// Adds an interval that begins before the last one.
    #[cold]
    fn merge(&mut self, new: Interval) {
        let Interval { from, to } = new;
        let first = self.intervals.partition_point(|of| of.to < from);
        let behind = self.intervals.partition_point(|of| of.from <= to);
        if first == behind {
            self.intervals.insert(first, new);
            return;
        }
        let last = self.intervals[behind - 1];
        let merged = &mut self.intervals[first];
        merged.from = merged.from.min(from);
        merged.to = last.to.max(to);
        self.intervals.drain(first + 1..behind);
    }

    /// Keeps the later half of the intervals, and the sum of the others. An open child will cover all from
    /// its start on, so that is left out.
    #[cold]
    fn sum_up(&mut self) {
        let open = self.open.first().unwrap_or(u64::MAX);
        for of in self.intervals.drain(..INTERVALS / 2) {
            self.summed += of.within(self.summed_to, open);
            self.summed_to = self.summed_to.max(of.to.min(open));
        }
    }
}

/// When the children started that are open.
#[derive(Clone, Debug, Default)]
struct OpenChildren {
    /// Of most spans one child is open at most: this one, if no others are.
    alone: Option<u64>,
    /// Starts in the order of time, and how many children of each are open. The first one is.
    starts: VecDeque<(u64, u32)>,
    /// How many of the starts are there without a child, as others around them are open.
    ended: usize,
}

impl OpenChildren {
    #[inline]
    fn first(&self) -> Option<u64> {
        let first = || self.starts.front().map(|(start, _)| *start);
        self.alone.or_else(first)
    }

    #[inline]
    fn add(&mut self, start: u64) {
        match self.alone {
            None if self.starts.is_empty() => self.alone = Some(start),
            _ => self.add_beside(start),
        }
    }

    #[inline]
    fn remove(&mut self, start: u64) {
        if self.alone == Some(start) {
            self.alone = None;
        } else if !self.starts.is_empty() {
            self.remove_beside(start);
        }
    }

    fn add_beside(&mut self, start: u64) {
        if let Some(alone) = self.alone.take() {
            self.starts.push_back((alone, 1));
        }
        if self.starts.back().is_none_or(|(last, _)| *last < start) {
            self.starts.push_back((start, 1));
            return;
        }
        match self.starts.binary_search_by_key(&start, |(of, _)| *of) {
            Ok(at) => {
                let count = &mut self.starts[at].1;
                self.ended -= usize::from(*count == 0);
                *count = count.saturating_add(1);
            }
            Err(at) => self.starts.insert(at, (start, 1)),
        }
    }

    fn remove_beside(&mut self, start: u64) {
        let Ok(at) = self.starts.binary_search_by_key(&start, |(of, _)| *of) else {
            return;
        };
        let count = &mut self.starts[at].1;
        if *count == 0 {
            return;
        }
        *count -= 1;
        self.ended += usize::from(*count == 0);
        while self.starts.back().is_some_and(|(_, count)| *count == 0) {
            self.starts.pop_back();
            self.ended -= 1;
        }
        while self.starts.front().is_some_and(|(_, count)| *count == 0) {
            self.starts.pop_front();
            self.ended -= 1;
        }
        // Half of them at least goes, so each start is looked at about twice.
        if self.ended > INTERVALS && self.ended > self.starts.len() / 2 {
            self.starts.retain(|(_, count)| *count > 0);
            self.ended = 0;
        }
    }

    #[inline]
    fn clear(&mut self) {
        self.alone = None;
        self.ended = 0;
        self.starts.clear();
        // One span may have had 100,000 children at once, the next one has few.
        if self.starts.capacity() > 2 * INTERVALS {
            self.starts = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A step of a parent: a child starts, or one of those that are open ends.
    type Line = (u64, Option<prop::sample::Index>);

    /// Plays lines, each of which comes up to `late` lines behind its time, and gives the self time that
    /// is found and the true one.
    fn play(lines: &[Line], late: &[usize], end: u64) -> (u64, u64) {
        let (mut now, mut open, mut children) = (0, Vec::new(), Vec::new());
        let mut written = Vec::new();
        for (line, (later, ends)) in lines.iter().enumerate() {
            now += later;
            let place = line + late[line % late.len()];
            match ends.filter(|_| !open.is_empty()) {
                None => {
                    open.push((now, place));
                    written.push((place, now, None));
                }
                Some(which) => {
                    let (start, after) = open.remove(which.index(open.len()));
                    children.push((start, now));
                    // No end comes before its start.
                    written.push((place.max(after), now, Some(start)));
                }
            }
        }
        children.extend(open.iter().map(|(start, _)| (*start, end)));
        written.sort_by_key(|(place, ..)| *place);
        let mut coverage = Coverage::default();
        for (_, at, start) in written {
            match start {
                None => coverage.enter(at),
                Some(start) => coverage.leave(start, at),
            }
        }
        let is_free = |at: &u64| !children.iter().any(|(from, to)| (*from..*to).contains(at));
        (
            coverage.self_time(0, end),
            (0..end).filter(is_free).count() as u64,
        )
    }

    fn lines(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Line>> {
        prop::collection::vec(
            (0..4u64, prop::option::of(any::<prop::sample::Index>())),
            len,
        )
    }

    proptest! {
        /// Children that overlap, of any order of lines that the intervals can tell.
        #[test]
        fn self_time_is_what_no_child_covers(
            lines in lines(0..300),
            late in prop::collection::vec(0..40usize, 1..20),
            more in 0..50u64,
        ) {
            let end = lines.iter().map(|(later, _)| later).sum::<u64>() + more;
            let (found, truth) = play(&lines, &late, end);
            prop_assert_eq!(found, truth);
        }
    }

    /// A child ends late by its line, behind a sibling that began after its end.
    #[test]
    fn an_end_behind_a_later_start_leaves_the_gap() {
        let mut coverage = Coverage::default();
        coverage.enter(20);
        coverage.enter(45);
        coverage.leave(20, 40);
        coverage.leave(45, 60);
        assert_eq!(coverage.self_time(0, 100), 100 - 20 - 15);
    }

    /// A child began before another one that had ended when its line came.
    #[test]
    fn a_start_behind_a_later_end_covers_what_is_between() {
        let mut coverage = Coverage::default();
        coverage.enter(20);
        coverage.leave(20, 40);
        coverage.enter(45);
        coverage.enter(5);
        coverage.leave(5, 70);
        coverage.leave(45, 90);
        assert_eq!(coverage.self_time(0, 100), 15);
    }

    /// The first child is open all the while, so what is kept of the others has an end.
    #[test]
    fn a_long_child_beside_many_short_ones_needs_no_memory() {
        let mut coverage = Coverage::default();
        coverage.enter(10);
        for at in (20..2_000_020).step_by(20) {
            coverage.enter(at);
            coverage.leave(at, at + 10);
        }
        assert!(coverage.intervals.len() <= INTERVALS);
        assert!(coverage.open.starts.len() <= 2 * INTERVALS + 2);
        coverage.leave(10, 3_000_000);
        assert_eq!(coverage.self_time(0, 3_000_010), 20);
    }
}
