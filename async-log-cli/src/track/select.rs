//! Which spans and records are wanted.

use wildmatch::WildMatch;

use super::condition::{Conditions, Unmet};
use super::fold::fold;
use super::names::with_target;
use crate::printable::printable;
use crate::read::{Level, Outcome, View};

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

/// How spans may have ended; the default takes all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes(u8);

impl Outcomes {
    /// Spans that ended so too; `None` is what has not ended.
    pub fn and(self, outcome: Option<Outcome>) -> Self {
        Outcomes(self.0 | Self::bit(outcome))
    }

    fn bit(outcome: Option<Outcome>) -> u8 {
        match outcome {
            None => 1,
            Some(Outcome::Finished) => 2,
            Some(Outcome::Error) => 4,
            Some(Outcome::Cancelled) => 8,
            Some(Outcome::Panicked) => 16,
            Some(Outcome::Other) => 32,
        }
    }

    /// Whether none was named, so that it takes all.
    pub fn is_all(self) -> bool {
        self.0 == 0
    }

    /// Whether it takes what ended so.
    pub fn takes(self, outcome: Option<Outcome>) -> bool {
        self.is_all() || self.0 & Self::bit(outcome) != 0
    }
}

/// What the start of a span says about whether it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtStart {
    /// It is wanted, unless its end says otherwise.
    pub(crate) selected: bool,
    /// It is not, unless its end meets these conditions.
    pub(crate) unmet: Unmet,
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
    /// Only what meets all of these.
    pub conditions: Conditions,
    /// Only spans that ended so.
    pub outcomes: Outcomes,
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
            conditions,
            outcomes,
            min_duration,
            level,
        } = self;
        since.is_none()
            && until.is_none()
            && tasks.is_empty()
            && span.is_none()
            && conditions.is_empty()
            && outcomes.is_all()
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

    pub(crate) fn is_before(at: u64, bound: Option<Bound>) -> bool {
        matches!(bound, Some(Bound::At(bound)) if at < bound)
    }

    pub(crate) fn is_after(at: u64, bound: Option<Bound>) -> bool {
        matches!(bound, Some(Bound::At(bound)) if at > bound)
    }

    /// Whether it takes a span that starts so, for all that its start says. `inside` is whether it
    /// takes the span around it.
    pub(crate) fn at_start(&mut self, view: View<'_>, at: u64, inside: bool) -> AtStart {
        let may_be = !Self::is_after(at, self.until)
            && self.takes_task(view)
            && (inside && self.span.is_some() || self.takes_name(view));
        let unmet = match may_be {
            true => self.conditions.unmet(view, self.conditions.all()),
            false => 0,
        };
        let selected = may_be && unmet == 0;
        AtStart { selected, unmet }
    }

    /// Whether the end of a span meets what its start did not.
    pub(crate) fn meets(&mut self, view: View<'_>, unmet: Unmet) -> bool {
        self.conditions.unmet(view, unmet) == 0
    }

    /// Whether it takes a span of which only the end is known.
    pub(crate) fn takes_end_alone(&mut self, view: View<'_>) -> bool {
        self.takes_task(view)
            && self.takes_name(view)
            && self.conditions.unmet(view, self.conditions.all()) == 0
    }

    /// Whether it takes a span, taken at its start, when it ends so; `None` is a span that does not.
    pub(crate) fn takes_end(&self, end: u64, duration: u64, outcome: Option<Outcome>) -> bool {
        !Self::is_before(end, self.since)
            && duration >= self.min_duration
            && self.outcomes.takes(outcome)
    }

    /// Whether it takes a record. `inside` is whether it takes the span around it.
    pub(crate) fn takes_event(&mut self, view: View<'_>, at: u64, inside: bool) -> bool {
        !Self::is_before(at, self.since)
            && !Self::is_after(at, self.until)
            && self.takes_task(view)
            && self.conditions.unmet(view, self.conditions.all()) == 0
            && (inside || self.span.is_none())
            && self.takes_level(view)
    }

    /// Whether it takes a record for its level.
    pub(crate) fn takes_level(&self, view: View<'_>) -> bool {
        self.level
            .is_none_or(|level| view.level().is_none_or(|of| of <= level))
    }

    pub(crate) fn takes_task(&self, view: View<'_>) -> bool {
        self.tasks.is_empty() || self.tasks.contains(&view.record.task_id)
    }

    /// Whether it takes a span of that name, whatever its target.
    pub(crate) fn takes_name_of(&self, name: &str) -> bool {
        let mut folded = Vec::new();
        self.span.as_ref().is_none_or(|span| {
            fold(name.as_bytes(), &mut folded);
            span.matches(&printable(name))
                || span.matches(&printable(&String::from_utf8_lossy(&folded)))
        })
    }

    pub(crate) fn takes_name(&self, view: View<'_>) -> bool {
        self.span.as_ref().is_none_or(|span| is_like(span, view))
    }
}
