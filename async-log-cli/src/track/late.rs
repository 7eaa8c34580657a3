//! Records that come before their spans are known.
//!
//! In the modes `AtEnd`, `Tail` and `None` of the library a span is written when it has ended, or later,
//! or never, but the records inside of it as they happen. So what is inside waits for its span, span in
//! span up to one whose surroundings are known; then all of it is told, in the order of time.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::read::{Kind, Owned, View};

/// How much waits in one process, in bytes, before what waits longest is told without its span.
pub(crate) const HELD: usize = 64 << 20;

/// When a process writes its spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Writes {
    /// There was no start, no end and nothing that tells.
    #[default]
    Unknown,
    /// Starts and ends as they happen: whoever is in an unknown span will never know it.
    AsItHappens,
    /// Perhaps later.
    Late,
}

/// What waits in one process.
#[derive(Debug, Default)]
pub(crate) struct Late {
    pub(crate) writes: Writes,
    /// By the span that it waits for.
    waiting: HashMap<u64, Vec<Held>>,
    /// The spans whose starts wait, and for which.
    held: HashMap<u64, u64>,
    /// The spans that are waited for, that first which was first.
    order: VecDeque<u64>,
    bytes: usize,
}

/// A record that waits.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    record: Arc<Owned>,
    /// When it was, or the span began.
    at: u64,
}

impl Held {
    pub(crate) fn new(view: View<'_>, at: u64) -> Self {
        Held {
            record: Arc::new(view.to_owned()),
            at,
        }
    }

    pub(crate) fn record(&self) -> Arc<Owned> {
        Arc::clone(&self.record)
    }

    pub(crate) fn size(&self) -> usize {
        self.record.size()
    }

    /// The root of its trace: a record that names none is right inside of it.
    fn root(&self) -> u64 {
        let record = self.record.view().record;
        match record.span_root {
            0 => record.span_id,
            root => root,
        }
    }
}

/// Something that is told late.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) at: u64,
    pub(crate) step: Step,
    pub(crate) record: Arc<Owned>,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Start,
    End,
    /// A record in that span.
    Event {
        span: u64,
        root: u64,
    },
}

/// What is to be unfolded: steps, and what waits for a span, between these times.
enum Todo {
    Moment(Moment),
    Inside { span: u64, from: u64, to: u64 },
}

impl Late {
    /// Lets a record wait for a span.
    pub(crate) fn hold(&mut self, span: u64, held: Held) {
        let record = held.record.view().record;
        if record.kind == Kind::Start {
            self.held.insert(record.span_id, span);
        }
        self.bytes += held.record.size();
        let waiting = self.waiting.entry(span).or_default();
        if waiting.is_empty() {
            self.order.push_back(span);
        }
        waiting.push(held);
    }

    /// Whether the start of a span waits.
    pub(crate) fn holds(&self, span: u64) -> bool {
        self.held.contains_key(&span)
    }

    /// Whether something waits for a span.
    pub(crate) fn is_awaited(&self, span: u64) -> bool {
        self.waiting.contains_key(&span)
    }

    pub(crate) fn is_full(&self, most: usize) -> bool {
        self.bytes > most
    }

    /// A span is there: what waits for it, and for what is in it.
    pub(crate) fn inside(&mut self, span: u64, from: u64) -> Vec<Moment> {
        let to = u64::MAX;
        self.unfold(vec![Todo::Inside { span, from, to }])
    }

    /// A span is there as a whole, with what waits for it.
    pub(crate) fn whole(&mut self, held: Held) -> Vec<Moment> {
        let mut todo = Vec::new();
        self.push(0, (0, u64::MAX), held, &mut todo);
        self.unfold(todo)
    }

    /// The spans that are waited for in vain, that first which was first.
    pub(crate) fn roots(&mut self) -> Vec<u64> {
        let Late { order, waiting, .. } = self;
        order.retain(|span| waiting.contains_key(span));
        let held = &self.held;
        let roots = self.order.iter().copied();
        roots.filter(|span| !held.contains_key(span)).collect()
    }

    /// The span that was waited for longest, of which nothing is known.
    pub(crate) fn oldest(&mut self) -> Option<u64> {
        while let Some(span) = self.order.front()
            && !self.waiting.contains_key(span)
        {
            self.order.pop_front();
        }
        let mut span = *self.order.front()?;
        // No span is inside of itself in a log that a writer wrote; in any other this comes to an end.
        for _ in 0..self.held.len() {
            match self.held.get(&span) {
                Some(around) => span = *around,
                None => break,
            }
        }
        Some(span)
    }

    /// Whether what waits for a span is in the trace of that root.
    pub(crate) fn is_of(&self, span: u64, root: u64) -> bool {
        let waiting = self.waiting.get(&span).and_then(|waiting| waiting.first());
        waiting.is_some_and(|held| held.root() == root)
    }

    fn take(&mut self, span: u64) -> Vec<Held> {
        let items = self.waiting.remove(&span).unwrap_or_default();
        for held in &items {
            self.bytes = self.bytes.saturating_sub(held.record.size());
        }
        if self.order.len() > 2 * self.waiting.len() + 1024 {
            let waiting = &self.waiting;
            self.order.retain(|span| waiting.contains_key(span));
        }
        items
    }

    /// All of it in the order of time; what is at the same time with the outer first, and its end last.
    fn unfold(&mut self, mut todo: Vec<Todo>) -> Vec<Moment> {
        let mut moments = Vec::new();
        while let Some(next) = todo.pop() {
            match next {
                Todo::Moment(moment) => moments.push(moment),
                Todo::Inside { span, from, to } => {
                    let mut items = self.take(span);
                    items.sort_by_key(|held| held.at);
                    for held in items.into_iter().rev() {
                        self.push(span, (from, to), held, &mut todo);
                    }
                }
            }
        }
        moments.sort_by_key(|moment| moment.at);
        moments
    }

    /// Puts a record that waited for `span`, last step first.
    fn push(&mut self, span: u64, (from, to): (u64, u64), held: Held, todo: &mut Vec<Todo>) {
        let root = held.root();
        let Held { record, at } = held;
        let view = record.view();
        let (id, elapsed) = (view.record.span_id, view.record.elapsed.unwrap_or(0));
        let moment = |at, step| {
            let record = Arc::clone(&record);
            Todo::Moment(Moment { at, step, record })
        };
        match view.record.kind {
            Kind::Event => {
                let at = at.min(to).max(from);
                todo.push(moment(at, Step::Event { span, root }));
            }
            Kind::End => todo.push(moment(from.saturating_add(elapsed), Step::End)),
            Kind::Start => {
                let is_whole = view.record.is_whole;
                self.held.remove(&id);
                let end = at.saturating_add(elapsed);
                let to = if is_whole { end } else { u64::MAX };
                if is_whole {
                    todo.push(moment(end, Step::End));
                }
                todo.push(Todo::Inside {
                    span: id,
                    from: at,
                    to,
                });
                todo.push(moment(at, Step::Start));
            }
        }
    }
}
