//! A trace, in little room.
//!
//! Most traces are looked at once, when they are whole, and then forgotten. So the spans and records of
//! one are a list, their texts one buffer, and both are used again for the next trace. What a person
//! reads is made of a trace only when it is shown.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::sum::Sum;
use crate::printable::shortened;
use crate::read::{Form, Level, Outcome, TraceKept, View, raw_pairs};
use crate::track::{Process, fold};

/// How far a span has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Ended(Outcome),
    /// The log is over, or its process is.
    Unfinished,
}

impl State {
    /// How it ended; none if it did not.
    pub(crate) fn outcome(self) -> Option<Outcome> {
        match self {
            State::Ended(outcome) => Some(outcome),
            State::Open | State::Unfinished => None,
        }
    }
}

/// What an item of a trace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Span(State),
    /// A record, of that level.
    Record(Option<Level>),
}

/// Why something is the root of a trace that says it is inside of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Note {
    /// The span around it is not in the log, or had ended.
    ParentUnknown,
    /// Its start is not in the log.
    StartUnknown,
    /// There are too many spans around it.
    Deep,
    /// A root of which nothing is in the log but records inside.
    NotWritten,
}

/// A span or a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// Which one of the trace it is; what is left out leaves a gap in these numbers.
    pub(crate) number: u32,
    /// The number of the span that it is in; [`NONE`] of the root.
    pub(crate) around: u32,
    pub(crate) what: What,
    pub(crate) note: Option<Note>,
    /// A taker asked for it.
    pub(crate) is_marked: bool,
    /// It is a task's own span.
    pub(crate) is_task: bool,
    /// How many spans are around it.
    pub(crate) depth: u16,
    /// How many spans right inside are open.
    pub(super) open: u32,
    /// Its id is that of the log, not one that it was given here.
    pub(super) has_id: bool,
    /// Of a record that of the span it is in; 0 if there is none.
    pub(super) span_id: u64,
    pub(crate) task_id: u64,
    pub(crate) thread_id: u64,
    /// When, 0 if nothing says it.
    pub(crate) at: u64,
    /// Of a span that is not open: how long.
    pub(crate) duration: u64,
    /// Of that: how long no span inside was open.
    pub(crate) self_time: u64,
    /// Its name, then what our own keys say, then its pairs.
    text: Part,
    name_len: u32,
    own_len: u32,
    /// What our own keys say on its end, then the pairs of its end where they are others.
    end_text: Part,
    end_own_len: u32,
    /// In which form its pairs are, and those of its end, if they are as they stand in the log.
    raw: Option<Form>,
    end_raw: Option<Form>,
}

/// A part of a trace's text.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    at: u32,
    len: u32,
}

/// The number of nothing.
pub(crate) const NONE: u32 = u32::MAX;

impl Item {
    pub(crate) fn is_span(&self) -> bool {
        matches!(self.what, What::Span(_))
    }

    /// Its span as it stands in the log; 0 if it does not.
    pub(crate) fn log_id(&self) -> u64 {
        if self.has_id { self.span_id } else { 0 }
    }

    /// When it ended; a record is a moment.
    pub(crate) fn end(&self) -> u64 {
        self.at.saturating_add(self.duration)
    }

    /// How it ended, of a span that did.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        match self.what {
            What::Span(state) => state.outcome(),
            What::Record(_) => None,
        }
    }
}

/// A span with all that is inside.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) process: Process,
    /// In the order in which they came, so a span before what is in it; the first is the root.
    pub(crate) items: Vec<Item>,
    text: Vec<u8>,
    /// What was left out, by the number of the span around it and its name.
    pub(crate) sums: BTreeMap<(u32, String), Sum>,
    next: u32,
    /// How many spans are open.
    pub(super) open: u32,
    /// One of its items is marked.
    pub(crate) is_marked: bool,
}

/// How many names there are sums of, in one span.
const NAMES: usize = 50;

/// How many of the records right inside of a span stay, from its first and its last ones, where there is
/// no room for all.
const RECORDS: usize = 16;

impl Trace {
    pub(crate) fn new(process: Process) -> Self {
        Trace {
            process,
            items: Vec::new(),
            text: Vec::new(),
            sums: BTreeMap::new(),
            next: 0,
            open: 0,
            is_marked: false,
        }
    }

    /// Forgets all, but not the room for it.
    pub(super) fn clear(&mut self, process: Process) {
        self.process = process;
        self.items.clear();
        self.text.clear();
        self.sums.clear();
        (self.next, self.open, self.is_marked) = (0, 0, false);
    }

    /// Takes the trace away, and leaves an empty one.
    pub(crate) fn take(&mut self) -> Trace {
        let process = self.process;
        std::mem::replace(self, Trace::new(process))
    }

    /// Why it is in the log, if not all are.
    pub(crate) fn kept(&self) -> TraceKept {
        const KEY: &str = "trace_kept";
        let root = self.root();
        if memchr::memmem::find(self.bytes(root.pairs_part()), KEY.as_bytes()).is_none() {
            return TraceKept::Unsaid;
        }
        let mut pairs = self.pairs(root).into_iter();
        let said = pairs.rfind(|(key, _)| key == KEY);
        said.map_or(TraceKept::Unsaid, |(_, why)| {
            TraceKept::from_word(why.as_bytes())
        })
    }

    pub(crate) fn root(&self) -> &Item {
        &self.items[0]
    }

    /// How many bytes it takes, about.
    pub(super) fn size(&self) -> usize {
        self.items.len() * size_of::<Item>() + self.text.len() + self.sums.len() * 128
    }

    /// Gives back room that a large trace has left.
    pub(super) fn shrink(&mut self) {
        const KEPT: usize = 64 << 10;
        self.items.shrink_to(KEPT / size_of::<Item>());
        self.text.shrink_to(KEPT);
    }

    /// Where the item of that number is.
    #[inline]
    pub(crate) fn position(&self, number: u32) -> Option<usize> {
        // Where nothing was left out, its number says it.
        match self.items.get(number as usize) {
            Some(item) if item.number == number => Some(number as usize),
            _ => self
                .items
                .binary_search_by_key(&number, |item| item.number)
                .ok(),
        }
    }

    /// Adds a span or a record, with what its record says.
    pub(super) fn push(&mut self, what: What, around: u32, at: u64, view: View<'_>) -> &mut Item {
        let from = self.text.len();
        push_name(&mut self.text, view);
        let name_end = self.text.len();
        let record = view.record;
        if let Some(parent) = record.task_parent_id {
            push_pair(&mut self.text, "task_parent_id", &parent.to_string());
            if let Some(line) = view.spawn_line() {
                push_pair(&mut self.text, "spawn_line", &line);
            }
        }
        let own_end = self.text.len();
        let raw = push_pairs(&mut self.text, view);
        self.push_item(what, around, at);
        let last = self.items.len() - 1;
        let item = &mut self.items[last];
        (item.span_id, item.has_id) = (record.span_id, record.span_id != 0);
        (item.task_id, item.thread_id) = (record.task_id, record.thread_id);
        item.is_task = record.task_parent_id.is_some();
        item.text = Part::new(from, self.text.len());
        item.name_len = (name_end - from) as u32;
        item.own_len = (own_end - name_end) as u32;
        item.raw = raw;
        item
    }

    /// A span of which nothing is in the log.
    pub(super) fn push_unwritten(&mut self, span: u64, at: u64) {
        let name = format!("span {span}");
        self.push_item(What::Span(State::Open), NONE, at);
        self.items[0].span_id = span;
        self.items[0].note = Some(Note::NotWritten);
        self.items[0].text = Part {
            at: 0,
            len: name.len() as u32,
        };
        self.items[0].name_len = name.len() as u32;
        self.text.extend_from_slice(name.as_bytes());
    }

    fn push_item(&mut self, what: What, around: u32, at: u64) {
        self.items.push(Item {
            number: self.next,
            around,
            what,
            note: None,
            is_marked: false,
            is_task: false,
            depth: 0,
            open: 0,
            has_id: true,
            span_id: 0,
            task_id: 0,
            thread_id: 0,
            at,
            duration: 0,
            self_time: 0,
            text: Part::default(),
            name_len: 0,
            own_len: 0,
            end_text: Part::default(),
            end_own_len: 0,
            raw: None,
            end_raw: None,
        });
        self.next += 1;
    }

    /// A span ends, and its end says more than its start.
    pub(super) fn push_end(&mut self, position: usize, view: View<'_>) {
        let from = self.text.len();
        let record = view.record;
        if record.polls > 0 || record.busy > 0 {
            for (key, number) in [
                ("span_busy", record.busy),
                ("span_poll_max", record.poll_max),
                ("span_polls", record.polls),
            ] {
                if number > 0 {
                    push_pair(&mut self.text, key, &number.to_string());
                }
            }
        }
        let own_end = self.text.len();
        // Nearly all ends say what their starts did, and nothing else.
        let end_raw = match self.says(position, view) {
            true => view.record.form.into(),
            false => push_pairs(&mut self.text, view),
        };
        let item = &mut self.items[position];
        item.end_text = Part::new(from, self.text.len());
        item.end_own_len = (own_end - from) as u32;
        item.end_raw = end_raw;
    }

    /// Whether the start of a span, as it stands in the log, ends with all pairs of its end.
    #[inline]
    fn says(&self, position: usize, end: View<'_>) -> bool {
        let item = &self.items[position];
        let is_text = item.raw == Some(Form::Text) && end.record.form == Form::Text;
        let fields = is_text.then(|| end.raw_pairs().strip_prefix(END));
        let said = self.bytes(item.pairs_part());
        fields
            .flatten()
            .is_some_and(|fields| said.ends_with(fields))
    }

    fn bytes(&self, part: Part) -> &[u8] {
        let from = part.at as usize;
        let bytes = self.text.get(from..from + part.len as usize);
        bytes.unwrap_or_default()
    }

    /// The message of a record, or the name of a span.
    pub(crate) fn name(&self, item: &Item) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes(Part {
            at: item.text.at,
            len: item.name_len,
        }))
    }

    /// A name without what is new each time.
    pub(crate) fn folded_name(&self, item: &Item) -> String {
        let mut folded = Vec::new();
        fold(self.name(item).as_bytes(), &mut folded);
        String::from_utf8_lossy(&folded).into_owned()
    }

    /// The program's pairs: what its start says, then what its end adds or says anew.
    pub(crate) fn pairs(&self, item: &Item) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let parts = [
            (item.pairs_part(), item.raw),
            (item.end_pairs_part(), item.end_raw),
        ];
        for (index, (part, raw)) in parts.into_iter().enumerate() {
            let said = pairs.len();
            let mut add = |key: &str, value: &str| {
                let is_new = |of: &(String, String)| of.0 != key || of.1 != value;
                if index == 0 || pairs[..said].iter().all(is_new) {
                    pairs.push((key.to_owned(), value.to_owned()));
                }
            };
            match raw {
                Some(form) => raw_pairs(form, self.bytes(part), |key, value| {
                    add(&shortened(key), &shortened(&value));
                }),
                None => Pairs(self.bytes(part)).for_each(|(key, value)| add(key, value)),
            }
        }
        pairs
    }

    /// What our own keys say that is kept as text.
    fn own_pairs(&self, item: &Item) -> impl Iterator<Item = (&str, &str)> {
        let start = Part {
            at: item.text.at + item.name_len,
            len: item.own_len,
        };
        let end = Part {
            at: item.end_text.at,
            len: item.end_own_len,
        };
        Pairs(self.bytes(start)).chain(Pairs(self.bytes(end)))
    }

    /// What one of our keys says of a span.
    pub(crate) fn own(&self, item: &Item, key: &str) -> Option<String> {
        let number = |of: u64| (of != 0).then(|| of.to_string());
        let seconds = |of: u64| format!("{}.{:09}", of / 1_000_000_000, of % 1_000_000_000);
        let said = || self.own_pairs(item).find(|(of, _)| *of == key);
        match key {
            "span_id" => number(item.log_id()),
            "task_id" => Some(item.task_id.to_string()),
            "thread_id" => Some(item.thread_id.to_string()),
            "span_at" => Some(seconds(item.at)),
            "span_elapsed" => item.outcome().map(|_| seconds(item.duration)),
            "span_outcome" => item
                .outcome()
                .map(|outcome| outcome.word().unwrap_or("finished").to_owned()),
            "process_id" => self.process.id.map(|id| id.to_string()),
            "span_parent" => {
                let around = self.position(item.around);
                number(around.map_or(0, |around| self.items[around].log_id()))
            }
            "span_busy" | "span_poll_max" => {
                said().map(|(_, nanos)| seconds(nanos.parse().unwrap_or(0)))
            }
            _ => said().map(|(_, value)| value.to_owned()),
        }
    }

    /// The positions of what is right inside of each item, by time. Of what is at one time records come
    /// first: a clock that is coarse says no more than that they are not before.
    pub(crate) fn inside(&self) -> Vec<Vec<usize>> {
        let mut inside = vec![Vec::new(); self.items.len()];
        for (index, item) in self.items.iter().enumerate().skip(1) {
            if let Some(around) = self.position(item.around) {
                inside[around].push(index);
            }
        }
        for inside in &mut inside {
            inside.sort_by_key(|&at| (self.items[at].at, self.items[at].is_span()));
        }
        inside
    }

    /// What was left out right inside of an item.
    pub(crate) fn sums_in(&self, item: &Item) -> impl Iterator<Item = (&str, &Sum)> {
        let number = item.number;
        let from = self.sums.range((number, String::new())..);
        from.take_while(move |((around, _), _)| *around == number)
            .map(|((_, name), sum)| (&**name, sum))
    }

    fn add_sum(&mut self, around: u32, name: &str, sum: &Sum) {
        let key = (around, name.to_owned());
        let from = self.sums.range((around, String::new())..);
        let is_of = |((of, _), _): &(&(u32, String), &Sum)| *of == around;
        let is_full = !self.sums.contains_key(&key) && from.take_while(is_of).count() >= NAMES;
        let key = match is_full {
            true => (around, "others".to_owned()),
            false => key,
        };
        self.sums.entry(key).or_default().add(sum);
    }

    /// The trace of one of its spans.
    pub(crate) fn part(&self, root: usize) -> Trace {
        let mut part = Trace::new(self.process);
        let mut numbers = vec![NONE; self.items.len()];
        let depth = self.items[root].depth;
        for (index, item) in self.items.iter().enumerate().skip(root) {
            let around = self.position(item.around).map_or(NONE, |at| numbers[at]);
            if index != root && around == NONE {
                continue;
            }
            numbers[index] = part.items.len() as u32;
            part.is_marked |= item.is_marked;
            let around = if index == root { NONE } else { around };
            part.copy(self, *item, numbers[index], around);
            let copied = &mut part.items[numbers[index] as usize];
            copied.depth = item.depth.saturating_sub(depth);
            for (name, sum) in self.sums_in(item) {
                part.sums
                    .insert((numbers[index], name.to_owned()), sum.clone());
            }
        }
        part.next = part.items.len() as u32;
        part
    }

    fn copy(&mut self, from: &Trace, item: Item, number: u32, around: u32) {
        let mut copied = Item {
            number,
            around,
            ..item
        };
        for place in [&mut copied.text, &mut copied.end_text] {
            let start = place.at as usize;
            let text = from.text.get(start..start + place.len as usize);
            place.at = self.text.len() as u32;
            self.text.extend_from_slice(text.unwrap_or_default());
        }
        self.items.push(copied);
    }

    /// Leaves the shortest of the spans that have ended out until it is no larger than that, as far as
    /// what is open allows.
    pub(crate) fn compact(&mut self, most: usize) {
        for with_marked in [false, true] {
            while self.size() > most && self.leave_out_spans(with_marked) {}
            if self.size() > most {
                self.leave_out_records(with_marked);
            }
        }
    }

    /// Which spans are not through: they are open, or something in them is. And which hold a mark.
    fn states(&self) -> (Vec<bool>, Vec<bool>) {
        let is_open = |item: &Item| matches!(item.what, What::Span(State::Open));
        let mut open: Vec<_> = self.items.iter().map(is_open).collect();
        let mut marked: Vec<_> = self.items.iter().map(|item| item.is_marked).collect();
        for index in (1..self.items.len()).rev() {
            if let Some(around) = self.position(self.items[index].around) {
                open[around] |= open[index];
                marked[around] |= marked[index];
            }
        }
        (open, marked)
    }

    /// Leaves half of the spans out that have ended, the shortest ones; false if there is none.
    fn leave_out_spans(&mut self, with_marked: bool) -> bool {
        let (open, marked) = self.states();
        let may_go = |index: usize| {
            let is_span = self.items[index].is_span();
            index > 0 && is_span && !open[index] && (with_marked || !marked[index])
        };
        let ended: Vec<_> = (0..self.items.len()).filter(|&at| may_go(at)).collect();
        let mut durations: Vec<_> = ended.iter().map(|&at| self.items[at].duration).collect();
        if durations.is_empty() {
            return false;
        }
        let middle = (durations.len() - 1) / 2;
        let (_, median, _) = durations.select_nth_unstable(middle);
        let median = *median;
        let mut room = middle + 1;
        let mut goes = vec![false; self.items.len()];
        for at in ended {
            if self.items[at].duration <= median && room > 0 {
                goes[at] = true;
                room -= 1;
            }
        }
        self.leave_out(goes);
        true
    }

    /// Leaves records out of spans that have very many of them.
    fn leave_out_records(&mut self, with_marked: bool) {
        let mut goes = vec![false; self.items.len()];
        for inside in self.inside() {
            let is_record = |at: &&usize| !self.items[**at].is_span();
            let records: Vec<_> = inside.iter().filter(is_record).collect();
            if records.len() <= RECORDS {
                continue;
            }
            for &&at in &records[RECORDS / 2..records.len() - RECORDS / 2] {
                goes[at] = with_marked || !self.items[at].is_marked;
            }
        }
        self.leave_out(goes);
    }

    /// Leaves items out, with all that is in them, and keeps sums.
    fn leave_out(&mut self, mut goes: Vec<bool>) {
        let mut kept = Trace::new(self.process);
        std::mem::swap(&mut kept.sums, &mut self.sums);
        for (index, item) in self.items.iter().enumerate() {
            let around = self.position(item.around);
            let is_in_one = around.is_some_and(|around| goes[around]);
            if goes[index] && !is_in_one {
                let (name, sum) = self.summed(item);
                kept.add_sum(item.around, &name, &sum);
            }
            goes[index] |= is_in_one;
            match goes[index] {
                true => kept.forget_sums(item.number),
                false => kept.copy(self, *item, item.number, item.around),
            }
        }
        (self.items, self.text, self.sums) = (kept.items, kept.text, kept.sums);
    }

    fn forget_sums(&mut self, number: u32) {
        while let Some((key, _)) = self.sums.range((number, String::new())..).next()
            && key.0 == number
        {
            let key = key.clone();
            self.sums.remove(&key);
        }
    }

    /// What sums of an item are kept under, and what they are.
    pub(crate) fn summed(&self, item: &Item) -> (String, Sum) {
        match item.what {
            What::Span(state) => {
                let sum = Sum::of_span(item.duration, state.outcome());
                (self.folded_name(item), sum)
            }
            What::Record(Some(level)) => {
                let name = format!("{} records", level.word());
                (name, Sum::of_records(1))
            }
            What::Record(None) => ("records".to_owned(), Sum::of_records(1)),
        }
    }
}

/// How the pairs of an end begin.
const END: &[u8] = b", span_mark=end";

/// Pairs that are longer are taken apart, and their values cut.
const LONG: usize = 4096;

impl Part {
    fn new(from: usize, to: usize) -> Part {
        Part {
            at: from as u32,
            len: (to - from) as u32,
        }
    }
}

impl Item {
    /// Where the pairs of its start are.
    fn pairs_part(&self) -> Part {
        let before = self.name_len + self.own_len;
        Part {
            at: self.text.at + before,
            len: self.text.len - before,
        }
    }

    /// Where the pairs of its end are.
    fn end_pairs_part(&self) -> Part {
        Part {
            at: self.end_text.at + self.end_own_len,
            len: self.end_text.len - self.end_own_len,
        }
    }
}

#[inline]
fn push_name(text: &mut Vec<u8>, view: View<'_>) {
    let raw = view.raw_message();
    let is_plain = view.record.form == Form::Text
        && raw.len() <= LONG
        && memchr::memchr2(b'\\', b'\n', raw).is_none();
    match is_plain {
        true => text.extend_from_slice(raw),
        false => text.extend_from_slice(shortened(&view.message()).as_bytes()),
    }
}

/// Adds the pairs of a record; says their form, if they are as they stand in the log.
#[inline]
fn push_pairs(text: &mut Vec<u8>, view: View<'_>) -> Option<Form> {
    let raw = view.raw_pairs();
    if raw.len() <= LONG {
        text.extend_from_slice(raw);
        return Some(view.record.form);
    }
    view.pairs(|key, value| push_pair(text, key, &value));
    None
}

/// A pair: the lengths of its key and of its value in two bytes each, then both. No part is longer.
fn push_pair(text: &mut Vec<u8>, key: &str, value: &str) {
    let (key, value) = (shortened(key), shortened(value));
    for len in [key.len(), value.len()] {
        text.extend_from_slice(&(len as u16).to_le_bytes());
    }
    text.extend_from_slice(key.as_bytes());
    text.extend_from_slice(value.as_bytes());
}

/// Pairs, as [`push_pair`] wrote them.
#[derive(Clone)]
struct Pairs<'a>(&'a [u8]);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        let len = |low, high| usize::from(u16::from_le_bytes([low, high]));
        let (key, rest) = rest.split_at_checked(len(head[0], head[1]))?;
        let (value, rest) = rest.split_at_checked(len(head[2], head[3]))?;
        self.0 = rest;
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        Some((text(key), text(value)))
    }
}
