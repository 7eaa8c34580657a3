//! The spans that are open.

use hashbrown::HashMap;

/// A span that has started and not ended, with what a [`Sink`](super::Sink) keeps of it.
#[derive(Clone, Debug)]
pub struct Open<S> {
    /// The span around it, 0 if there is none; of a task's own span the one that spawned it.
    pub parent: u64,
    /// The task it is in.
    pub task_id: u64,
    /// The thread that started it.
    pub thread_id: u64,
    /// Of a task's own span: who made the task.
    pub task_parent_id: Option<u64>,
    /// When it started, in nanoseconds since 1970.
    pub start: u64,
    /// When something was last said in it: its start, or a start or end of a span right inside.
    pub last: u64,
    /// Its time counts for the span around it too.
    pub(crate) joined: bool,
    /// How many spans right inside are open.
    pub(crate) children: u32,
    /// How long at least one was, before `covered_from`.
    pub(crate) covered: u64,
    /// Since when at least one is open, or was the last time.
    pub(crate) covered_from: u64,
    /// The latest end of one of those.
    pub(crate) covered_to: u64,
    /// The time before that which was counted last.
    pub(crate) closed: (u64, u64),
    /// The end of its name, where more than one process writes.
    pub(crate) name: Option<Box<Tail>>,
    /// The selection takes it.
    pub selected: bool,
    /// What the sink keeps.
    pub kept: S,
}

/// The last bytes of a name. What is in front of it may be a line that was torn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    bytes: [u8; Tail::LEN],
    len: usize,
}

impl Tail {
    const LEN: usize = 32;

    pub(crate) fn of(name: &[u8]) -> Box<Tail> {
        let len = name.len().min(Tail::LEN);
        let mut bytes = [0; Tail::LEN];
        bytes[Tail::LEN - len..].copy_from_slice(&name[name.len() - len..]);
        Box::new(Tail { bytes, len })
    }

    /// Whether these can be of one name.
    pub(crate) fn is_of(&self, other: &Tail) -> bool {
        let from = Tail::LEN - self.len.min(other.len);
        self.bytes[from..] == other.bytes[from..]
    }
}

impl<S> Open<S> {
    pub(crate) fn new(kept: S, start: u64) -> Self {
        Open {
            parent: 0,
            task_id: 0,
            thread_id: 0,
            task_parent_id: None,
            start,
            last: start,
            joined: false,
            children: 0,
            covered: 0,
            covered_from: start,
            covered_to: start,
            closed: (start, start),
            name: None,
            selected: true,
            kept,
        }
    }

    /// Takes over what is known of the spans right inside, which came before this one.
    pub(crate) fn cover_as<T>(&mut self, before: &Open<T>) {
        self.children = before.children;
        self.covered = before.covered;
        self.covered_from = before.covered_from.max(self.start);
        self.covered_to = before.covered_to.max(self.start);
        self.closed = before.closed;
    }

    /// A span right inside starts. Threads write their lines at about the same time, so one that began
    /// before another may come behind it.
    pub(crate) fn enter(&mut self, at: u64) {
        self.last = self.last.max(at);
        let at = at.max(self.start);
        if self.children == 0 && at > self.covered_to {
            self.covered = self
                .covered
                .saturating_add(self.covered_to - self.covered_from);
            self.closed = (self.covered_from, self.covered_to);
            (self.covered_from, self.covered_to) = (at, at);
        } else if at < self.covered_from && at < self.closed.1 {
            // A line that came late: what was counted before it is a part of the same time.
            let (from, to) = std::mem::take(&mut self.closed);
            self.covered = self.covered.saturating_sub(to - from);
            self.covered_from = from;
        }
        self.covered_from = self.covered_from.min(at);
        self.children = self.children.saturating_add(1);
    }

    /// A span right inside ends.
    pub(crate) fn leave(&mut self, at: u64) {
        self.last = self.last.max(at);
        self.children = self.children.saturating_sub(1);
        self.covered_to = self.covered_to.max(at);
    }

    /// How long none of the spans right inside was open, if it ends at that time.
    pub fn self_time(&self, end: u64) -> u64 {
        let covered_to = match self.children {
            0 => self.covered_to.min(end),
            _ => end,
        };
        let last = covered_to.saturating_sub(self.covered_from);
        let duration = end.saturating_sub(self.start);
        duration.saturating_sub(self.covered.saturating_add(last))
    }
}

/// The open spans of one process.
#[derive(Debug)]
pub struct OpenSpans<S> {
    spans: HashMap<u64, Open<S>>,
}

impl<S> Default for OpenSpans<S> {
    fn default() -> Self {
        OpenSpans {
            spans: HashMap::new(),
        }
    }
}

impl<S> OpenSpans<S> {
    /// The span of that id, if it is open.
    #[inline]
    pub fn get(&self, id: u64) -> Option<&Open<S>> {
        self.spans.get(&id)
    }

    /// The span of that id, if it is open.
    #[inline]
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Open<S>> {
        self.spans.get_mut(&id)
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Open<S>)> {
        self.spans.iter().map(|(id, span)| (*id, span))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Open<S>)> {
        self.spans.iter_mut().map(|(id, span)| (*id, span))
    }

    /// All of them, in the order in which they started.
    pub fn into_sorted(self) -> Vec<(u64, Open<S>)> {
        let mut spans: Vec<_> = self.spans.into_iter().collect();
        spans.sort_unstable_by_key(|(id, span)| (span.start, *id));
        spans
    }

    #[inline(always)]
    pub(crate) fn insert(&mut self, id: u64, span: Open<S>) {
        self.spans.insert(id, span);
    }

    #[inline]
    pub(crate) fn remove(&mut self, id: u64) -> Option<Open<S>> {
        self.spans.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A span began before another one that had ended when its line came.
    #[test]
    fn self_time_bears_a_line_that_comes_late() {
        let mut span = Open::new((), 0);
        span.enter(20);
        span.leave(40);
        span.enter(45);
        span.enter(5);
        span.leave(70);
        span.leave(90);
        assert_eq!(span.self_time(100), 15);
    }
}
