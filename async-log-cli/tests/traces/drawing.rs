//! Compares a trace of either format with the log that it is of.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::history::Span;

/// What a format cannot say exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// What never ended may begin a nanosecond earlier; what begins when the span around it ends is drawn
    /// behind that.
    Chrome,
    Perfetto,
}

pub(crate) type Args = BTreeMap<String, Value>;

/// A track and a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pid: u64,
    pub(crate) track: u64,
    pub(crate) at: u64,
}

/// A span, or a record if it is an instant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) place: Place,
    /// None if it never ends.
    pub(crate) end: Option<u64>,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) args: Args,
    /// The span that readers draw it in.
    pub(crate) inside: Option<u64>,
}

impl Drawn {
    pub(crate) fn id(&self) -> u64 {
        self.number("span_id").expect("a span has its id")
    }

    /// An argument that is an id: text, where a double has no room for it.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        match self.args.get(key)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        }
    }
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Drawing {
    pub(crate) slices: Vec<Drawn>,
    pub(crate) instants: Vec<Drawn>,
    /// The arrows by their numbers, from and into.
    pub(crate) flows: BTreeMap<u64, (Place, Place)>,
    pub(crate) processes: BTreeMap<u64, String>,
    /// The names and the ranks of the tracks, by process and number.
    pub(crate) tracks: BTreeMap<(u64, u64), (String, u64)>,
}

impl Drawing {
    /// Whatever is named is used, and the other way round.
    pub(crate) fn check_names(&self) {
        let drawn = self.slices.iter().chain(&self.instants);
        let mut used: Vec<_> = drawn.map(|of| (of.place.pid, of.place.track)).collect();
        used.sort_unstable();
        used.dedup();
        let named: Vec<_> = self.tracks.keys().copied().collect();
        assert_eq!(used, named, "tracks that are used, and that have names");
        for (pid, _) in named {
            assert!(
                self.processes.contains_key(&pid),
                "process {pid} has no name"
            );
        }
    }

    /// Every span of the log is there, once, as it was.
    pub(crate) fn check_spans(&self, spans: &[Span], form: Form) {
        let by_key: HashMap<_, _> = spans.iter().map(|span| (span.key(), span)).collect();
        let mut slices = HashMap::new();
        for slice in &self.slices {
            let key = (slice.place.pid, slice.id());
            assert!(
                slices.insert(key, slice).is_none(),
                "{key:?} is there twice"
            );
            assert!(by_key.contains_key(&key), "{key:?} is not in the log");
        }
        for span in spans {
            let slice = slices.get(&span.key());
            let slice = slice.unwrap_or_else(|| panic!("{span:?} is not there"));
            check_span(span, slice, form);
            let around = slice.inside.map(|id| by_key[&(span.pid, id)]);
            let parent = by_key.get(&(span.pid, span.parent)).copied();
            let beside = |parent: &&Span| {
                slices[&parent.key()].place.track == slice.place.track
                    && parent.opens_before(span)
                    && parent.start <= span.start
                    && match parent.end.map(|end| end.cmp(&span.start)) {
                        // By the clock of its thread it was over before.
                        Some(Ordering::Less) => false,
                        Some(Ordering::Equal) => {
                            form == Form::Perfetto && parent.closes_behind(span)
                        }
                        Some(Ordering::Greater) | None => true,
                    }
            };
            match parent.filter(beside) {
                Some(parent) => assert_eq!(
                    around.map(Span::key),
                    Some(parent.key()),
                    "{span:?} is on the track of its parent"
                ),
                None => assert!(
                    around.is_none_or(|around| around.is_around(span, &by_key)),
                    "{span:?} is drawn in {around:?}"
                ),
            }
        }
        self.check_flows(spans, &slices);
    }

    /// An arrow leads from whoever spawned a task to the task, and there is no other.
    fn check_flows(&self, spans: &[Span], slices: &HashMap<(u64, u64), &Drawn>) {
        let mut flows = self.flows.clone();
        for task in spans.iter().filter(|span| span.is_task && span.parent != 0) {
            let number = (task.process as u64) << 48 ^ task.id;
            let places = (
                slices[&(task.pid, task.parent)].place,
                slices[&task.key()].place,
            );
            assert_eq!(flows.remove(&number), Some(places), "the arrow to {task:?}");
        }
        assert_eq!(flows, BTreeMap::new(), "arrows to no task");
    }

    /// The trace of Perfetto draws the same as this one of Chrome.
    pub(crate) fn check_same(&self, other: &Drawing) {
        assert_eq!(self.processes, other.processes);
        assert_eq!(self.instants.len(), other.instants.len());
        assert_eq!(self.slices.len(), other.slices.len());
        let end = |of: &Drawn| ((of.place.pid, of.id()), of.end);
        let ends: HashMap<_, _> = other.slices.iter().map(end).collect();
        let mut pairs: Vec<_> = sorted(&self.slices)
            .into_iter()
            .zip(sorted(&other.slices))
            .collect();
        // What begins earlier may need a track of its own.
        let is_apart = |(one, other): &(Drawn, Drawn)| {
            one.end.is_none() && one.place.track != other.place.track
        };
        let some_apart = pairs.iter().any(is_apart);
        for (one, other) in &mut pairs {
            if one.end.is_none() && one.place.at + 1 == other.place.at {
                one.place.at = other.place.at;
            }
            // What begins when another ends may be in it.
            let ends_then = |id| ends[&(other.place.pid, id)] == Some(other.place.at);
            let is_either = one.inside.into_iter().chain(other.inside).any(ends_then);
            if some_apart || is_either {
                one.inside = other.inside;
            }
            if some_apart {
                one.place.track = other.place.track;
            }
            assert_eq!(one, other);
        }
        if !some_apart {
            assert_eq!(sorted(&self.instants), sorted(&other.instants));
            assert_eq!(self.tracks, other.tracks);
        }
        let numbers = |of: &Drawing| of.flows.keys().copied().collect::<Vec<_>>();
        assert_eq!(numbers(self), numbers(other));
    }
}

/// In an order that does not depend on where they are in the file.
fn sorted(drawn: &[Drawn]) -> Vec<Drawn> {
    let mut drawn = drawn.to_vec();
    drawn.sort_by_cached_key(|of| {
        let place = of.place;
        let id = of.number("span_id");
        (
            place.pid,
            id,
            of.end,
            of.name.clone(),
            place.track,
            place.at,
        )
    });
    drawn
}

fn check_span(span: &Span, slice: &Drawn, form: Form) {
    let earlier = u64::from(form == Form::Chrome);
    let place = slice.place;
    match span.end {
        Some(_) => assert_eq!(place.at, span.start, "{span:?}"),
        None => assert!(
            place.at <= span.start && place.at + earlier >= span.start,
            "{span:?} begins at {}",
            place.at
        ),
    }
    assert_eq!(slice.end, span.end, "{span:?}");
    assert_eq!((&*slice.name, &*slice.category), (span.name, "span"));
    let mut args = Args::from([("user".into(), 7.into())]);
    let mut number = |key: &str, number: u64| args.insert(key.into(), number.into());
    number("span_id", span.id);
    number("task_id", span.task);
    number("thread_id", span.thread);
    if span.parent != 0 {
        number("span_parent", span.parent);
    }
    if let Some(task) = span.task_parent {
        number("task_parent_id", task);
        args.insert("spawn_line".into(), "src/main.rs:1".into());
    }
    if let Some(word) = span.outcome.word().filter(|_| span.end.is_some()) {
        args.insert("span_outcome".into(), word.into());
    }
    assert_eq!(slice.args, args, "{span:?}");
}

/// Draws slices as readers do: each track has a stack, which a slice is put on. `slices` are sorted by
/// time. Panics if one is not within the one that it is put on.
pub(crate) fn nest(slices: &mut [Drawn]) {
    let mut stacks: HashMap<_, Vec<(u64, u64, Option<u64>)>> = HashMap::new();
    for slice in slices {
        let start = slice.place.at;
        let stack = stacks.entry((slice.place.pid, slice.place.track));
        let stack = stack.or_default();
        // What has no length is over when the time goes on.
        let is_over = |&(_, from, end): &(u64, u64, Option<u64>)| {
            end.is_some_and(|end| end < start || end == start && from < start)
        };
        while stack.last().is_some_and(is_over) {
            stack.pop();
        }
        if let Some(&(id, _, end)) = stack.last() {
            slice.inside = Some(id);
            let fits = match (slice.end, end) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(end), Some(around)) => end <= around,
            };
            assert!(fits, "{slice:?} ends behind {id}, which it is in");
        }
        stack.push((slice.id(), start, slice.end));
    }
}
