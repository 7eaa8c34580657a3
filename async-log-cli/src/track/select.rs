//! Which spans and records are wanted.

use wildmatch::WildMatch;

use super::fold::fold;
use super::names::with_target;
use crate::printable::printable;
use crate::read::{Level, View};

/// A time that somebody named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Nanoseconds since 1970.
    At(u64),
    /// Nanoseconds since the midnight before the first span of the log, in UTC.
    OfDay(u64),
}

impl Bound {
    /// The time, where the first span of the log starts at `first`.
    fn at(self, first: u64) -> u64 {
        const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;
        match self {
            Bound::At(at) => at,
            Bound::OfDay(at) => (first - first % DAY).saturating_add(at),
        }
    }
}

/// What the name of a span is to be like: `*` and `?` stand for others.
///
/// It finds a name as the program wrote it, and as it is shown: folded, with its target where several
/// have it, with a `…` where it was cut.
pub fn name_like(pattern: &str) -> WildMatch {
    WildMatch::new(&printable(&pattern.replace('…', "*")))
}

fn is_like(pattern: &WildMatch, view: View<'_>) -> bool {
    let name = view.message();
    pattern.matches(&printable(&name)) || is_shown(pattern, view, &name)
}

/// Whether one of the ways in which a name may be shown is like this.
fn is_shown(pattern: &WildMatch, view: View<'_>, name: &str) -> bool {
    let mut folded = Vec::new();
    fold(name.as_bytes(), &mut folded);
    let folded = String::from_utf8_lossy(&folded);
    let raw = String::from_utf8_lossy(view.raw_message());
    let frame = |name: &str| name.replace(';', ",");
    [&*folded, name, &*raw].into_iter().any(|name| {
        let shown = printable(name).into_owned();
        pattern.matches(&shown)
            || pattern.matches(&frame(&shown))
            || view
                .target()
                .is_some_and(|target| pattern.matches(&with_target(&shown, &target)))
    })
}

/// Which spans and records are wanted; the default takes all.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Selection {
    /// Nothing that was over before.
    pub since: Option<Bound>,
    /// Nothing that began later.
    pub until: Option<Bound>,
    /// Only what is in these tasks; all, if none is named.
    pub tasks: Vec<u64>,
    /// Only spans whose name is like this, and what is inside them.
    pub span: Option<WildMatch>,
    /// Only what has all of these pairs.
    pub pairs: Vec<(String, String)>,
    /// Only spans that were open so long, in nanoseconds.
    pub min_duration: u64,
    /// No record, other than starts and ends, of a level that says less than this.
    pub level: Option<Level>,
}

impl Selection {
    /// Whether it takes all that there is.
    pub fn is_all(&self) -> bool {
        let Selection {
            since,
            until,
            tasks,
            span,
            pairs,
            min_duration,
            level,
        } = self;
        since.is_none()
            && until.is_none()
            && tasks.is_empty()
            && span.is_none()
            && pairs.is_empty()
            && *min_duration == 0
            && level.is_none()
    }

    /// Says when the first span of the log starts: from then on bounds are moments.
    pub(crate) fn settle(&mut self, first: u64) {
        for bound in [&mut self.since, &mut self.until].into_iter().flatten() {
            *bound = Bound::At(bound.at(first));
        }
    }

    /// Whether what was over then is not wanted.
    pub(crate) fn is_early(&self, at: u64) -> bool {
        Self::is_before(at, self.since)
    }

    fn is_before(at: u64, bound: Option<Bound>) -> bool {
        matches!(bound, Some(Bound::At(bound)) if at < bound)
    }

    fn is_after(at: u64, bound: Option<Bound>) -> bool {
        matches!(bound, Some(Bound::At(bound)) if at > bound)
    }

    /// Whether it takes a span that starts so, for all that its start says. `inside` is whether it
    /// takes the span around it.
    pub(crate) fn takes_start(&self, view: View<'_>, at: u64, inside: bool) -> bool {
        !Self::is_after(at, self.until)
            && self.takes_task(view)
            && self.takes_pairs(view)
            && (inside && self.span.is_some() || self.takes_name(view))
    }

    /// Whether it takes a span of which only the end is known.
    pub(crate) fn takes_end_alone(&self, view: View<'_>) -> bool {
        self.takes_task(view) && self.takes_pairs(view) && self.takes_name(view)
    }

    /// Whether it takes a span, taken at its start, when it ends so.
    pub(crate) fn takes_end(&self, end: u64, duration: u64) -> bool {
        !Self::is_before(end, self.since) && duration >= self.min_duration
    }

    /// Whether it takes a record. `inside` is whether it takes the span around it.
    pub(crate) fn takes_event(&self, view: View<'_>, at: u64, inside: bool) -> bool {
        !Self::is_before(at, self.since)
            && !Self::is_after(at, self.until)
            && self.takes_task(view)
            && self.takes_pairs(view)
            && (inside || self.span.is_none())
            && self
                .level
                .is_none_or(|level| view.level().is_none_or(|of| of <= level))
    }

    fn takes_task(&self, view: View<'_>) -> bool {
        self.tasks.is_empty() || self.tasks.contains(&view.record.task_id)
    }

    fn takes_name(&self, view: View<'_>) -> bool {
        self.span.as_ref().is_none_or(|span| is_like(span, view))
    }

    fn takes_pairs(&self, view: View<'_>) -> bool {
        if self.pairs.is_empty() {
            return true;
        }
        let mut found = vec![false; self.pairs.len()];
        view.pairs(|key, value| {
            for (found, (wanted, of)) in found.iter_mut().zip(&self.pairs) {
                *found |= wanted == key && *of == value;
            }
        });
        found.into_iter().all(|found| found)
    }
}
