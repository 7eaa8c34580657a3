//! `tree`: what was called inside of what, for how long, and what was said there.
//!
//! A tree is written when all of it has ended. What is kept of a span until then is bounded: of very
//! many spans and records right inside, those that came first and sums of the rest.

use std::collections::BTreeMap;
use std::io::{self, Write};

use hashbrown::HashMap;
use serde::{Serialize, Serializer};

use super::fields::{Fields, shortened};
use super::json::{Id, Moment, process_id};
use super::number::{self, DURATION_WIDTH, count, duration, duration_column, moment};
use super::state::State;
use super::terminal::{BOLD, DIM, Line, Look, PLAIN, TASK, UNFINISHED, level_style, share_style};
use crate::read::{Level, Outcome, View};
use crate::track::{End, Event, Open, OpenSpans, Process, Sink, Start, fold};

/// What trees there are, and how they are written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What they look like.
    pub look: Look,
    /// Draws a task under the span that spawned it, not as a tree of its own.
    pub spawned: bool,
    /// How many spans and records right inside of a span are drawn; 0 for all.
    pub limit: usize,
    /// A line of JSON for each tree.
    pub json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            look: Look::default(),
            spawned: false,
            limit: 100,
            json: false,
        }
    }
}

/// How deep spans are drawn inside of each other; what is deeper begins another tree.
const DEPTH: usize = 100;

/// How many spans and records are kept in all, before only sums are kept of what ends.
const KEPT: usize = 50_000;

/// A span, or a record, with what is inside.
#[derive(Debug, Default)]
struct Node {
    /// As it stands in the log; 0 if it does not.
    span_id: u64,
    /// Of a record its message.
    name: String,
    task_id: u64,
    thread_id: u64,
    spawned: Option<Spawned>,
    note: Option<Note>,
    fields: Fields,
    /// When, 0 if nothing says it.
    at: u64,
    duration: Option<u64>,
    state: Option<State>,
    /// It is a record, of that level.
    record: Option<Option<Level>>,
    inside: Vec<Node>,
    more: BTreeMap<String, Rest>,
}

/// Of a task's own span: who made the task.
#[derive(Debug, Serialize)]
struct Spawned {
    #[serde(rename = "task_parent_id")]
    task_id: Id,
    #[serde(rename = "spawn_line")]
    line: Option<String>,
}

/// Why something is the root of a tree that says it is inside of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Note {
    /// The span around it is not in the log, or had ended.
    ParentUnknown,
    /// Its start is not in the log.
    StartUnknown,
    /// There are too many spans around it.
    Deep,
    /// A root of which nothing is in the log but records inside.
    NotWritten,
}

impl Note {
    /// Whether the start is known of what has this note.
    fn has_start(self) -> bool {
        !matches!(self, Note::StartUnknown | Note::NotWritten)
    }

    fn text(self) -> &'static str {
        match self {
            Note::ParentUnknown => "the span around it has ended, or is not in the log",
            Note::StartUnknown => "its start is not in the log",
            Note::Deep => "too deep to be drawn inside",
            Note::NotWritten => "it is not in the log; these records are in its trace",
        }
    }
}

/// Spans of one name, or records of one level, of which only sums are kept.
#[derive(Debug, Default, Serialize)]
struct Rest {
    count: u64,
    total_ns: u64,
    errors: u64,
    cancelled: u64,
    panicked: u64,
    unfinished: u64,
}

impl Rest {
    /// A record.
    fn of_one() -> Rest {
        Rest {
            count: 1,
            ..Rest::default()
        }
    }

    fn of(node: &Node) -> Rest {
        let is = |state| u64::from(node.state == Some(state));
        Rest {
            count: 1,
            total_ns: node.duration.unwrap_or(0),
            errors: is(State::Ended(Outcome::Error)),
            cancelled: is(State::Ended(Outcome::Cancelled)),
            panicked: is(State::Ended(Outcome::Panicked)),
            unfinished: is(State::Unfinished),
        }
    }

    fn add(&mut self, rest: &Rest) {
        let sums = [
            (&mut self.count, rest.count),
            (&mut self.total_ns, rest.total_ns),
            (&mut self.errors, rest.errors),
            (&mut self.cancelled, rest.cancelled),
            (&mut self.panicked, rest.panicked),
            (&mut self.unfinished, rest.unfinished),
        ];
        for (sum, more) in sums {
            *sum = sum.saturating_add(more);
        }
    }

    fn bad(&self) -> [(State, u64); 4] {
        [
            (State::Ended(Outcome::Panicked), self.panicked),
            (State::Ended(Outcome::Error), self.errors),
            (State::Ended(Outcome::Cancelled), self.cancelled),
            (State::Unfinished, self.unfinished),
        ]
    }
}

/// How many names there are sums of, in one span.
const NAMES: usize = 50;

impl Node {
    fn is_root_of_task(&self) -> bool {
        self.spawned.is_some()
    }

    /// How many spans and records are kept in it.
    fn size(&self) -> usize {
        self.inside.len() + self.inside.iter().map(Node::size).sum::<usize>()
    }

    fn add_rest(&mut self, name: &str, rest: &Rest) {
        let known = self.more.contains_key(name) || self.more.len() < NAMES;
        let name = if known { name } else { "others" };
        self.more.entry(name.to_owned()).or_default().add(rest);
    }
}

/// What is kept of an open span.
#[derive(Debug, Default)]
pub struct Growing {
    node: Node,
    /// All that was said at its start.
    said: Fields,
    /// The span that it is drawn in, 0 if none.
    around: u64,
    depth: usize,
    /// How many are drawn in it that have not ended.
    open: u64,
    selected: bool,
}

type Kept = Option<Box<Growing>>;

/// Writes the trees of spans.
#[derive(Debug)]
pub struct Tree<W> {
    options: Options,
    out: W,
    line: Line,
    /// Spans that have ended, but not all that is drawn in them.
    waiting: HashMap<(usize, u64), Box<Growing>>,
    /// How many spans and records are kept.
    kept: usize,
    /// The process that was written about last.
    process: usize,
    /// What was written last was a tree, not a line.
    after_tree: Option<bool>,
}

impl<W: Write> Tree<W> {
    /// Writes a tree to `out` as soon as it is whole.
    pub fn new(options: Options, out: W) -> Self {
        Tree {
            options,
            out,
            line: Line::default(),
            waiting: HashMap::new(),
            kept: 0,
            process: 0,
            after_tree: None,
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// What is drawn inside of that span, if it is there.
    fn growing<'a>(
        waiting: &'a mut HashMap<(usize, u64), Box<Growing>>,
        open: &'a mut OpenSpans<Kept>,
        process: Process,
        id: u64,
    ) -> Option<&'a mut Growing> {
        if id == 0 {
            return None;
        }
        if let Some(span) = open.get_mut(id) {
            return span.kept.as_deref_mut();
        }
        waiting
            .get_mut(&(process.index, id))
            .map(|kept| &mut **kept)
    }

    /// A span has ended, and perhaps all that is drawn in it.
    fn ended(
        &mut self,
        process: Process,
        id: u64,
        mut growing: Box<Growing>,
        open: &mut OpenSpans<Kept>,
    ) -> io::Result<()> {
        let mut id = id;
        loop {
            if growing.open > 0 {
                self.waiting.insert((process.index, id), growing);
                return Ok(());
            }
            let around_id = growing.around;
            let around = Self::growing(&mut self.waiting, open, process, around_id);
            let Some(around) = around else {
                return self.root(process, *growing);
            };
            around.open = around.open.saturating_sub(1);
            let Growing { node, selected, .. } = *growing;
            if selected {
                self.kept += 1;
                keep(around, node, self.options.limit, &mut self.kept);
            } else {
                let parts = spans_inside(node, &mut self.kept);
                for part in parts {
                    keep(around, part, self.options.limit, &mut self.kept);
                }
            }
            // Was it the last that a span waited for?
            match self.waiting.entry((process.index, around_id)) {
                hashbrown::hash_map::Entry::Occupied(entry) if entry.get().open == 0 => {
                    growing = entry.remove();
                    id = around_id;
                }
                _ => return Ok(()),
            }
        }
    }

    fn root(&mut self, process: Process, growing: Growing) -> io::Result<()> {
        let Growing { node, selected, .. } = growing;
        if selected {
            self.kept = self.kept.saturating_sub(node.size());
            return self.write(process, node);
        }
        for part in spans_inside(node, &mut self.kept) {
            self.kept = self.kept.saturating_sub(1 + part.size());
            self.write(process, part)?;
        }
        Ok(())
    }

    fn write(&mut self, process: Process, mut node: Node) -> io::Result<()> {
        sort(&mut node);
        if self.options.json {
            let mut text = serde_json::to_vec(&Json {
                process_id: process_id(process),
                root: &node,
            })?;
            text.push(b'\n');
            return self.out.write_all(&text);
        }
        let is_tree = !(node.inside.is_empty() && node.more.is_empty());
        if self.after_tree.is_some_and(|tree| tree || is_tree) {
            self.line.write(self.options.look, &mut self.out)?;
        }
        self.after_tree = Some(is_tree);
        if process.index != self.process {
            self.process = process.index;
            match process.id {
                Some(id) => {
                    let start = moment(id.start, number::Moment::Whole);
                    self.line.push(BOLD, &format!("process {}", id.pid));
                    self.line.push(PLAIN, &format!("  since {start} UTC"));
                }
                None => self.line.push(BOLD, "another process"),
            }
            self.line.write(self.options.look, &mut self.out)?;
        }
        let whole = node.duration.unwrap_or(0);
        self.draw(&node, &mut Rails::default(), whole, true)
    }

    /// Writes a span and what is in it.
    fn draw(
        &mut self,
        node: &Node,
        rails: &mut Rails,
        whole: u64,
        is_root: bool,
    ) -> io::Result<()> {
        match node.duration {
            Some(time) => {
                let style = match node.state {
                    Some(State::Unfinished) => UNFINISHED,
                    _ => share_style(time, whole),
                };
                self.line.push(style, &duration_column(time));
            }
            None => self.line.push_space(DURATION_WIDTH),
        }
        self.line.push_space(2);
        rails.write(&mut self.line, self.options.look);
        match node.record {
            Some(level) => self.draw_record(node, level, is_root),
            None => self.draw_span(node, is_root),
        }
        self.line.write(self.options.look, &mut self.out)?;
        let mut rest = node.inside.len() + node.more.len();
        for inside in &node.inside {
            rest -= 1;
            rails.enter(rest == 0);
            self.draw(inside, rails, whole, false)?;
            rails.leave();
        }
        for (name, more) in &node.more {
            rest -= 1;
            rails.enter(rest == 0);
            self.draw_rest(name, more, rails)?;
            rails.leave();
        }
        Ok(())
    }

    fn draw_span(&mut self, node: &Node, is_root: bool) {
        let state = node.state.filter(|state| !state.is_finished());
        let style = state.map_or(PLAIN, State::style);
        let style = if is_root && state.is_none() {
            BOLD
        } else {
            style
        };
        let mut behind = Vec::new();
        if let Some(state) = state {
            behind.push((state.style(), format!("  {}", state.word())));
            if state == State::Unfinished && !node.inside.iter().any(is_unfinished) {
                behind.push((state.style(), " ← was here".to_owned()));
            }
        }
        self.line
            .push_name(self.options.look, style, &node.name, &behind);
        self.line.push_pairs(node.fields.iter());
        if node.is_root_of_task() {
            self.line.push(TASK, &format!("  task {}", node.task_id));
        }
        if let Some(spawned) = node.spawned.as_ref().filter(|_| is_root) {
            if spawned.task_id.0 != 0 {
                let by = format!("  spawned by task {}", spawned.task_id.0);
                self.line.push(DIM, &by);
            } else {
                self.line.push(DIM, "  spawned");
            }
            if let Some(line) = &spawned.line {
                self.line.push(DIM, &format!(" at {line}"));
            }
        }
        self.draw_note(node);
    }

    fn draw_record(&mut self, node: &Node, level: Option<Level>, is_root: bool) {
        match level {
            Some(level) => {
                self.line.push(level_style(level), level.word());
                self.line.push_space(1);
            }
            None => self.line.push(DIM, "· "),
        }
        self.line.push(PLAIN, &node.name);
        self.line.push_pairs(node.fields.iter());
        if is_root && node.task_id != 0 {
            self.line.push(TASK, &format!("  task {}", node.task_id));
        }
        self.draw_note(node);
    }

    fn draw_note(&mut self, node: &Node) {
        if let Some(note) = node.note {
            self.line.push(DIM, &format!("  ({})", note.text()));
        }
    }

    fn draw_rest(&mut self, name: &str, rest: &Rest, rails: &mut Rails) -> io::Result<()> {
        self.line.push_space(DURATION_WIDTH + 2);
        rails.write(&mut self.line, self.options.look);
        self.line
            .push(DIM, &format!("… {} more ", count(rest.count)));
        self.line.push(DIM, name);
        if rest.total_ns > 0 {
            let all = format!("  {} in all", duration(rest.total_ns));
            self.line.push(DIM, &all);
        }
        for (state, number) in rest.bad() {
            if number > 0 {
                let bad = format!("  {} {}", count(number), state.word());
                self.line.push(state.style(), &bad);
            }
        }
        self.line.write(self.options.look, &mut self.out)
    }
}

fn is_unfinished(node: &Node) -> bool {
    node.state == Some(State::Unfinished)
}

/// Sorts what is inside by time; what is as early stays as it came.
fn sort(node: &mut Node) {
    node.inside.sort_by_key(|node| node.at);
    for node in &mut node.inside {
        sort(node);
    }
}

/// Keeps a span inside of another, or only its sums.
fn keep(around: &mut Growing, node: Node, limit: usize, kept: &mut usize) {
    let is_full = around.node.inside.len() >= limit || *kept > KEPT;
    if is_full && limit > 0 {
        *kept = kept.saturating_sub(1 + node.size());
        fold_into(&mut around.node, &node);
    } else {
        around.node.inside.push(node);
    }
}

/// What is left of a span that is not wanted: it was too short, but tasks that it spawned may not be.
fn spans_inside(node: Node, kept: &mut usize) -> Vec<Node> {
    let (spans, records): (Vec<_>, Vec<_>) = node
        .inside
        .into_iter()
        .partition(|inside| inside.record.is_none());
    *kept = kept.saturating_sub(records.len());
    spans
}

/// Keeps the sums of a span instead of it.
fn fold_into(around: &mut Node, node: &Node) {
    let mut name = Vec::new();
    fold(node.name.as_bytes(), &mut name);
    around.add_rest(&String::from_utf8_lossy(&name), &Rest::of(node));
}

/// The lines that lead to what is drawn.
#[derive(Debug, Default)]
struct Rails {
    /// Of each span around: it was the last inside of its own.
    last: Vec<bool>,
}

impl Rails {
    fn enter(&mut self, is_last: bool) {
        self.last.push(is_last);
    }

    fn leave(&mut self) {
        self.last.pop();
    }

    /// Where a terminal is too narrow for all of them, the outer ones are left out.
    fn write(&self, line: &mut Line, look: Look) {
        let Some((last, around)) = self.last.split_last() else {
            return;
        };
        let room = look.width.map_or(usize::MAX, |width| width / 8);
        let from = around.len().saturating_sub(room);
        if from > 0 {
            line.push(DIM, "…");
        }
        for is_last in &around[from..] {
            line.push(DIM, if *is_last { "   " } else { "│  " });
        }
        line.push(DIM, if *last { "└─ " } else { "├─ " });
    }
}

/// A line of JSON.
#[derive(Serialize)]
struct Json<'a> {
    process_id: Option<String>,
    #[serde(flatten)]
    root: &'a Node,
}

#[derive(Serialize)]
struct SpanJson<'a> {
    kind: &'static str,
    name: &'a str,
    span_id: Option<Id>,
    task_id: Id,
    thread_id: Id,
    #[serde(flatten)]
    spawned: Option<&'a Spawned>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    start_time: Option<Moment>,
    duration_ns: Option<u64>,
    state: Option<State>,
    fields: &'a Fields,
    inside: &'a [Node],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    more: &'a BTreeMap<String, Rest>,
}

#[derive(Serialize)]
struct RecordJson<'a> {
    kind: &'static str,
    message: &'a str,
    level: Option<&'static str>,
    span_id: Option<Id>,
    task_id: Id,
    thread_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    time: Option<Moment>,
    fields: &'a Fields,
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = (self.at > 0).then_some(Moment(self.at));
        if let Some(level) = self.record {
            let record = RecordJson {
                kind: "record",
                message: &self.name,
                level: level.map(Level::word),
                span_id: Id::of_span(self.span_id),
                task_id: Id(self.task_id),
                thread_id: Id(self.thread_id),
                note: self.note,
                time,
                fields: &self.fields,
            };
            return record.serialize(serializer);
        }
        let span = SpanJson {
            kind: "span",
            name: &self.name,
            span_id: Id::of_span(self.span_id),
            task_id: Id(self.task_id),
            thread_id: Id(self.thread_id),
            spawned: self.spawned.as_ref(),
            note: self.note,
            start_time: time.filter(|_| self.note.is_none_or(Note::has_start)),
            duration_ns: self.duration,
            state: self.state,
            fields: &self.fields,
            inside: &self.inside,
            more: &self.more,
        };
        span.serialize(serializer)
    }
}

impl Node {
    fn of_start(start: &Start<'_>) -> Node {
        let record = start.view.record;
        Node {
            span_id: record.span_id,
            name: shortened(&start.view.message()).into_owned(),
            task_id: record.task_id,
            thread_id: record.thread_id,
            spawned: record.task_parent_id.map(|task_id| Spawned {
                task_id: Id(task_id),
                line: start
                    .view
                    .spawn_line()
                    .map(|line| shortened(&line).into_owned()),
            }),
            at: start.at,
            ..Node::default()
        }
    }

    fn of_record(event: &Event<'_>, said: &Fields) -> Node {
        let view = event.view;
        let level = view.level();
        Node {
            span_id: view.record.span_id,
            name: shortened(&view.message()).into_owned(),
            task_id: view.record.task_id,
            thread_id: view.record.thread_id,
            fields: Fields::new(view).without(said),
            at: event.at,
            record: Some(level),
            ..Node::default()
        }
    }

    /// A span of which only the end is in the log.
    fn of_end<K>(end: &End<'_, K>) -> Node {
        Node {
            span_id: end.view.record.span_id,
            name: shortened(&end.view.message()).into_owned(),
            task_id: end.view.record.task_id,
            thread_id: end.view.record.thread_id,
            note: Some(Note::StartUnknown),
            fields: Fields::new(end.view),
            duration: Some(end.duration),
            state: Some(State::Ended(end.outcome)),
            at: end.at.saturating_sub(end.duration),
            ..Node::default()
        }
    }
}

fn level_name(view: View<'_>) -> String {
    match view.level() {
        Some(level) => format!("{} records", level.word()),
        None => "records".to_owned(),
    }
}

impl<W: Write> Sink for Tree<W> {
    type Kept = Kept;

    fn wants_events(&self) -> bool {
        true
    }

    fn start(&mut self, start: Start<'_>, open: &mut OpenSpans<Kept>) -> io::Result<Kept> {
        if !start.selected {
            return Ok(None);
        }
        let said = Fields::new(start.view);
        let mut node = Node::of_start(&start);
        let joins = self.options.spawned || !node.is_root_of_task();
        let known = open.get(start.parent).is_some();
        let around = Self::growing(&mut self.waiting, open, start.process, start.parent);
        let mut growing = Growing {
            selected: true,
            ..Growing::default()
        };
        match around {
            Some(around) => {
                node.fields = said.without(&around.said);
                if joins && around.depth < DEPTH {
                    around.open += 1;
                    growing.around = start.parent;
                    growing.depth = around.depth + 1;
                } else if joins {
                    node.note = Some(Note::Deep);
                }
            }
            None => {
                if start.parent != 0 && !known {
                    node.note = Some(Note::ParentUnknown);
                }
                node.fields = said.clone();
            }
        }
        if node.is_root_of_task() && growing.around == 0 {
            node.fields = said.clone();
        }
        growing.node = node;
        growing.said = said;
        Ok(Some(Box::new(growing)))
    }

    fn event(&mut self, event: Event<'_>, open: &mut OpenSpans<Kept>) -> io::Result<()> {
        let around = Self::growing(&mut self.waiting, open, event.process, event.span);
        let Some(around) = around else {
            let mut node = Node::of_record(&event, &Fields::default());
            if event.span != 0 && open.get(event.span).is_none() {
                node.note = Some(Note::ParentUnknown);
            }
            return self.write(event.process, node);
        };
        let limit = self.options.limit;
        if limit > 0 && (around.node.inside.len() >= limit || self.kept > KEPT) {
            around
                .node
                .add_rest(&level_name(event.view), &Rest::of_one());
            return Ok(());
        }
        self.kept += 1;
        let node = Node::of_record(&event, &around.said);
        around.node.inside.push(node);
        Ok(())
    }

    fn lost(
        &mut self,
        process: Process,
        root: u64,
        events: &[Event<'_>],
        _: &mut OpenSpans<Kept>,
    ) -> io::Result<()> {
        let limit = match self.options.limit {
            0 => usize::MAX,
            limit => limit,
        };
        let (shown, rest) = events.split_at(events.len().min(limit));
        let mut node = Node {
            span_id: root,
            name: format!("span {root}"),
            note: Some(Note::NotWritten),
            task_id: shown.first().map_or(0, |event| event.view.record.task_id),
            thread_id: shown.first().map_or(0, |event| event.view.record.thread_id),
            at: shown.first().map_or(0, |event| event.at),
            ..Node::default()
        };
        for event in shown {
            node.inside.push(Node::of_record(event, &Fields::default()));
        }
        for event in rest {
            node.add_rest(&level_name(event.view), &Rest::of_one());
        }
        self.write(process, node)
    }

    fn end(&mut self, end: End<'_, Kept>, open: &mut OpenSpans<Kept>) -> io::Result<()> {
        let (process, id) = (end.process, end.id);
        if end.span.is_none() && end.selected {
            return self.write(process, Node::of_end(&end));
        }
        let (duration, outcome, selected) = (end.duration, end.outcome, end.selected);
        let Some(mut growing) = end.span.and_then(|span| span.kept) else {
            return Ok(());
        };
        growing.node.duration = Some(duration);
        growing.node.state = Some(State::Ended(outcome));
        growing.selected = selected;
        self.ended(process, id, growing, open)
    }

    /// The innermost come first, so that each tree is whole when its root comes.
    fn pause(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<Kept>) -> io::Result<()> {
        let mut left: Vec<(u64, Open<Kept>)> = open.into_sorted();
        let mut all: HashMap<u64, Box<Growing>> = HashMap::new();
        for (id, span) in &mut left {
            let Some(mut growing) = span.kept.take() else {
                continue;
            };
            growing.node.duration = Some(process.last.saturating_sub(span.start));
            growing.node.state = Some(State::Unfinished);
            growing.selected = span.selected;
            all.insert(*id, growing);
        }
        for (id, growing) in all {
            self.waiting.insert((process.index, id), growing);
        }
        let mut none = OpenSpans::default();
        for (id, _) in left.iter().rev() {
            // What is drawn in it is either through, or comes with it.
            let key = (process.index, *id);
            if self
                .waiting
                .get(&key)
                .is_some_and(|growing| growing.open == 0)
                && let Some(growing) = self.waiting.remove(&key)
            {
                self.ended(process, *id, growing, &mut none)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
