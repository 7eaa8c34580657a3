//! The spans that are open.

use hashbrown::HashMap;

use super::condition::Unmet;
use super::coverage::Coverage;

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
    /// What its children cover of it; none if it has none.
    pub(crate) coverage: Option<Box<Coverage>>,
    /// The end of its name, where more than one process writes.
    pub(crate) name: Option<Box<Tail>>,
    /// The selection takes it.
    pub selected: bool,
    /// The conditions that its end has to meet, since its start does not.
    pub(crate) unmet: Unmet,
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
            coverage: None,
            name: None,
            selected: true,
            unmet: 0,
            kept,
        }
    }

    /// How long none of its children was open, if it ends at that time.
    pub(crate) fn self_time(&self, end: u64) -> u64 {
        match &self.coverage {
            Some(coverage) => coverage.self_time(self.start, end),
            None => end.saturating_sub(self.start),
        }
    }
}

/// How many coverages are kept for spans to come.
const SPARE: usize = 64;

/// The open spans of one process.
#[derive(Debug)]
pub struct OpenSpans<S> {
    spans: HashMap<u64, Open<S>>,
    /// Whether somebody asks how much of a span its children cover.
    pub(crate) is_covered: bool,
    /// The memory of those that have ended.
    #[expect(clippy::vec_box, reason = "a box goes from span to span")]
    spare: Vec<Box<Coverage>>,
}

impl<S> Default for OpenSpans<S> {
    fn default() -> Self {
        OpenSpans {
            spans: HashMap::new(),
            is_covered: true,
            spare: Vec::new(),
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

    /// A child of an open span starts. Says whether the selection takes that span, if it is open.
    #[inline]
    pub(crate) fn enter(&mut self, parent: u64, at: u64, joined: bool) -> Option<bool> {
        let OpenSpans {
            spans,
            spare,
            is_covered,
        } = self;
        let parent = spans.get_mut(&parent)?;
        if joined {
            parent.last = parent.last.max(at);
        }
        if joined && *is_covered {
            let new = || spare.pop().unwrap_or_default();
            let coverage = parent.coverage.get_or_insert_with(new);
            coverage.enter(at.max(parent.start));
        }
        Some(parent.selected)
    }

    /// A child of a span ends; false if the span is not open.
    #[inline]
    pub(crate) fn leave(&mut self, parent: u64, start: u64, end: u64) -> bool {
        let OpenSpans {
            spans,
            spare,
            is_covered,
        } = self;
        let Some(parent) = spans.get_mut(&parent) else {
            return false;
        };
        parent.last = parent.last.max(end);
        if !*is_covered {
            return true;
        }
        let new = || spare.pop().unwrap_or_default();
        let coverage = parent.coverage.get_or_insert_with(new);
        coverage.leave(start.max(parent.start), end);
        true
    }

    /// Takes back what a span that has ended does not need.
    #[inline]
    pub(crate) fn reuse(&mut self, mut coverage: Box<Coverage>) {
        if self.spare.len() < SPARE {
            coverage.clear();
            self.spare.push(coverage);
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, id: u64) -> Option<Open<S>> {
        self.spans.remove(&id)
    }
}
