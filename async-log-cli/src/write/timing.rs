//! Where the time of a trace went: what its end waited for, and in which of its time nothing was said.

use hashbrown::HashMap;

use super::number::{count, duration};
use crate::collect::{Item, State, Trace, What};

/// A part of a trace that is a tenth of its root is worth a row.
const WORTH: u64 = 10;

/// A time in a span in which nothing inside of it was open and nothing was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// What was before it and what was behind, by its position; none at the start and the end of the span.
    pub(crate) after: Option<usize>,
    pub(crate) before: Option<usize>,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Gap {
    pub(crate) fn time(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

/// What is known of the time of a trace.
#[derive(Debug)]
pub(crate) struct Timing {
    /// What is right inside of each item, by time.
    pub(crate) inside: Vec<Vec<usize>>,
    /// Of each span: how much of the root's time its end waited for this span itself.
    waited: Vec<u64>,
    /// The span, or one in it, is on the critical path with a part that is worth it.
    pub(crate) is_critical: Vec<bool>,
}

impl Timing {
    pub(crate) fn new(trace: &Trace) -> Self {
        let mut timing = Timing {
            inside: trace.inside(),
            waited: vec![0; trace.items.len()],
            is_critical: Vec::new(),
        };
        timing.walk(trace);
        timing.is_critical = timing.critical(trace);
        timing
    }

    /// How much of the root's time its end waited for a span and what is in it.
    pub(crate) fn waited_in(&self, trace: &Trace, span: usize) -> u64 {
        let mut sum = 0;
        let mut todo = vec![span];
        while let Some(at) = todo.pop() {
            sum = u64::saturating_add(sum, self.waited[at]);
            todo.extend(
                self.inside[at]
                    .iter()
                    .filter(|&&at| trace.items[at].is_span()),
            );
        }
        sum
    }

    /// Goes from the end of the root back to its start: a span waits for the one inside that ended last,
    /// before that for the one that had ended last when this one began, and so on.
    fn walk(&mut self, trace: &Trace) {
        // Threads read the clock at about the same time.
        let close = trace.root().duration / 1000;
        let mut todo = vec![(0, trace.root().end())];
        while let Some((span, mut until)) = todo.pop() {
            let start = trace.items[span].at;
            let is_span = |at: &usize| trace.items[*at].is_span();
            let mut spans: Vec<_> = self.inside[span].iter().copied().filter(is_span).collect();
            spans.sort_by_key(|&at| trace.items[at].end());
            for &at in spans.iter().rev() {
                let item = &trace.items[at];
                if item.end() > until.saturating_add(close) || item.at < start || item.at >= until {
                    continue;
                }
                let end = item.end().min(until);
                self.waited[span] = self.waited[span].saturating_add(until - end);
                todo.push((at, end));
                until = item.at;
            }
            let own = until.saturating_sub(start);
            self.waited[span] = self.waited[span].saturating_add(own);
        }
    }

    /// Which spans are on the path with a part that is worth it, those around them too.
    fn critical(&self, trace: &Trace) -> Vec<bool> {
        let mut parts = self.waited.clone();
        for at in (1..trace.items.len()).rev() {
            if let Some(around) = trace.position(trace.items[at].around) {
                parts[around] = parts[around].saturating_add(parts[at]);
            }
        }
        let worth = (trace.root().duration / WORTH).max(1);
        parts.iter().map(|part| *part >= worth).collect()
    }

    /// The gaps in a span that are worth it. A span of which something was left out may have others, and
    /// one in which there is nothing is one itself.
    pub(crate) fn gaps(&self, trace: &Trace, span: usize) -> Vec<Gap> {
        let item = &trace.items[span];
        let inside = &self.inside[span];
        let worth = (trace.root().duration / WORTH).max(1);
        if inside.is_empty() || !item.is_span() || trace.sums_in(item).next().is_some() {
            return Vec::new();
        }
        let mut gaps = Vec::new();
        let (mut from, mut after) = (item.at, None);
        let ends = inside.iter().map(|&at| Some(at)).chain([None]);
        for before in ends {
            let to = before.map_or(item.end(), |at| trace.items[at].at);
            if to.saturating_sub(from) >= worth {
                gaps.push(Gap {
                    after,
                    before,
                    from,
                    to,
                });
            }
            if let Some(at) = before
                && trace.items[at].end() >= from
            {
                (from, after) = (trace.items[at].end(), before);
            }
        }
        gaps
    }

    /// Why the trace took so long, as far as its records say it.
    pub(crate) fn reason(&self, trace: &Trace) -> Reason {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, item) in trace.items.iter().enumerate() {
            if self.waited[at] > 0 {
                by_name.entry(trace.folded_name(item)).or_default().push(at);
            }
        }
        let sum = |spans: &[usize]| {
            let waited = spans.iter().map(|&at| self.waited[at]);
            waited.fold(0, u64::saturating_add)
        };
        let most = by_name
            .into_values()
            .max_by_key(|spans| (sum(spans), std::cmp::Reverse(spans[0])));
        let spans = most.unwrap_or_else(|| vec![0]);
        let time = sum(&spans);
        let longest = spans.iter().copied().max_by_key(|&at| self.waited[at]);
        let span = longest.unwrap_or(0);
        // The longest of them may say more than all.
        let spans = match self.waited[span] >= time / 10 * 8 {
            true => vec![span],
            false => spans,
        };
        let gaps = self.gaps(trace, span);
        let gap = gaps.into_iter().max_by_key(Gap::time);
        let gap = gap.filter(|gap| spans.len() == 1 && gap.time() >= time / 2);
        Reason {
            time: gap.map_or_else(|| sum(&spans), |gap| gap.time()),
            spans,
            gap,
            total: trace.root().duration,
        }
    }
}

/// Where most of the time of a trace went.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    pub(crate) time: u64,
    /// The spans of one name that it went to.
    pub(crate) spans: Vec<usize>,
    /// It went to this part of the only one.
    pub(crate) gap: Option<Gap>,
    total: u64,
}

impl Reason {
    /// How much of the root's time it is, in percent.
    pub(crate) fn share(&self) -> u64 {
        share(self.time, self.total)
    }

    /// How much time, and in which span.
    pub(crate) fn text(&self, trace: &Trace) -> String {
        let span = &trace.items[self.spans[0]];
        let time = format!("{} %, {}", self.share(), duration(self.time));
        let number = self.spans.len() as u64;
        if number > 1 {
            let (name, each) = (trace.folded_name(span), duration(self.time / number));
            return format!("{time}, in {} × {name}, {each} each", count(number));
        }
        let name = trace.name(span);
        let task = match span.is_task && self.spans[0] > 0 {
            true => format!(" (task {})", span.task_id),
            false => String::new(),
        };
        let is_open = span.what == What::Span(State::Unfinished);
        let ending = if is_open { ", which never ended" } else { "" };
        let is_inside = |item: &Item| item.around == span.number && item.is_span();
        let itself = match trace.items.iter().any(is_inside) {
            true => " itself, outside of the spans in it",
            false => "",
        };
        match self.gap {
            Some(_) => format!("{time}, in a gap of {name}{task}{ending}"),
            None => format!("{time}, in {name}{task}{itself}{ending}"),
        }
    }

    /// Where in its span the gap is, if it is one.
    pub(crate) fn place(&self, trace: &Trace) -> Option<String> {
        self.gap.map(|gap| gap_place(trace, &gap))
    }
}

/// How much a part is of a whole, in percent.
pub(crate) fn share(part: u64, whole: u64) -> u64 {
    let percent = (u128::from(part) * 200 + u128::from(whole)) / (u128::from(whole.max(1)) * 2);
    u64::try_from(percent).unwrap_or(u64::MAX)
}

/// Between what a gap is.
pub(crate) fn gap_place(trace: &Trace, gap: &Gap) -> String {
    let quoted = |at: usize| {
        let item: &Item = &trace.items[at];
        let name = trace.name(item);
        let name: String = match name.char_indices().nth(40) {
            Some((end, _)) => format!("{}…", &name[..end]),
            None => name.into_owned(),
        };
        match item.what {
            What::Record(Some(level)) => format!("`{} {name}`", level.word()),
            _ => format!("`{name}`"),
        }
    };
    match (gap.after, gap.before) {
        (Some(after), Some(before)) => format!("between {} and {}", quoted(after), quoted(before)),
        (Some(after), None) => format!("after {}", quoted(after)),
        (None, Some(before)) => format!("before {}", quoted(before)),
        (None, None) => "from start to end".to_owned(),
    }
}
