//! Which traces are wanted.

use super::trace::{Trace, What};
use crate::read::View;
use crate::track::Selection;

/// Which spans are the roots of traces, and which of these traces are wanted.
///
/// The root of a trace is a span without parent or, where names or tasks are asked for, the outermost
/// span that has one of them. All else that a selection asks for has to hold for the root, or the
/// outermost span inside for which it does is the root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    selection: Selection,
    is_settled: bool,
    /// It takes all traces that start.
    is_plain: bool,
}

impl Choice {
    pub(crate) fn new(selection: Selection) -> Self {
        let Selection {
            since,
            conditions,
            outcomes,
            min_duration,
            ..
        } = &selection;
        Choice {
            is_plain: since.is_none()
                && conditions.is_empty()
                && outcomes.is_all()
                && *min_duration == 0,
            is_settled: false,
            selection,
        }
    }

    pub(crate) fn selection(&self) -> &Selection {
        &self.selection
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether a span that starts, in no trace, is the root of one.
    pub(super) fn takes_start(&mut self, view: View<'_>, at: u64) -> bool {
        if !self.is_settled {
            self.selection.settle(at);
            self.is_settled = true;
        }
        !Selection::is_after(at, self.selection.until)
            && self.selection.takes_task(view)
            && self.selection.takes_name(view)
    }

    /// Whether it takes a record in no span.
    pub(super) fn takes_outside(&mut self, view: View<'_>, at: u64) -> bool {
        let is_plain = self.selection.outcomes.is_all() && self.selection.min_duration == 0;
        is_plain && self.selection.takes_event(view, at, false)
    }

    /// Whether it takes the trace of a span that is not in the log.
    pub(super) fn takes_unwritten(&self, first: u64, last: u64) -> bool {
        let Selection {
            since,
            until,
            tasks,
            span,
            conditions,
            outcomes,
            min_duration,
            ..
        } = &self.selection;
        let is_plain = tasks.is_empty()
            && span.is_none()
            && conditions.is_empty()
            && outcomes.is_all()
            && *min_duration == 0;
        is_plain && !Selection::is_before(last, *since) && !Selection::is_after(first, *until)
    }

    /// The outermost spans of a whole trace that it takes.
    pub(super) fn roots(&mut self, trace: &Trace) -> Vec<usize> {
        let mut roots = Vec::new();
        let mut is_inside = vec![false; trace.items.len()];
        for index in 0..trace.items.len() {
            let item = &trace.items[index];
            let around = trace.position(item.around);
            is_inside[index] = around.is_some_and(|around| is_inside[around]);
            if !is_inside[index] && item.is_span() && self.takes(trace, index) {
                is_inside[index] = true;
                roots.push(index);
            }
        }
        roots
    }

    /// Whether it takes a span for all that is known of it.
    pub(crate) fn takes(&mut self, trace: &Trace, index: usize) -> bool {
        let item = &trace.items[index];
        let What::Span(state) = item.what else {
            return false;
        };
        let selection = &mut self.selection;
        let is_like = |selection: &Selection| {
            let tasks = &selection.tasks;
            (tasks.is_empty() || tasks.contains(&item.task_id))
                && selection.takes_name_of(&trace.name(item))
                && !Selection::is_after(item.at, selection.until)
        };
        if !selection.takes_end(item.end(), item.duration, state.outcome())
            || index > 0 && !is_like(selection)
        {
            return false;
        }
        let conditions = &mut selection.conditions;
        let mut unmet = conditions.all();
        for (key, value) in trace.pairs(item) {
            conditions.look(&key, &value, &mut unmet);
        }
        conditions.look_for_own(|key| trace.own(item, key), &mut unmet);
        unmet == 0
    }
}
