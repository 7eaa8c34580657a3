//! `tree`: what was called inside of what, for how long, and what was said there.
//!
//! A tree is written when all of it has ended. What is kept of one until then is bounded: see
//! [`collect`](crate::collect).

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::fields::{Fields, shortened};
use super::json::{Id, Moment, process_id};
use super::number::{self, DURATION_WIDTH, duration_column, moment};
use super::state::State;
use super::terminal::{
    BOLD, DIM, Line, Look, PLAIN, Rails, TASK, UNFINISHED, level_style, share_style,
};
use super::whole::{note_text, push_sum, task_text};
use crate::collect::{Choice, Collector, Item, Note, Sum, Taker, Trace, What, collects};
use crate::read::Level;
use crate::track::{Event, Process, Selection, fold};

/// What trees there are, and how they are written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What they look like.
    pub look: Look,
    /// Which spans are roots: the outermost that it takes.
    pub selection: Selection,
    /// Leaves out what the selection does not take inside of the trees too.
    pub prune: bool,
    /// Shows records that are in no span too.
    pub outside: bool,
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
            selection: Selection::default(),
            prune: false,
            outside: false,
            spawned: false,
            limit: 100,
            json: false,
        }
    }
}

/// A span, or a record, with what is inside.
#[derive(Debug, Default)]
pub(crate) struct Node {
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
    more: BTreeMap<String, Sum>,
    /// It was looked for, or it failed.
    is_marked: bool,
}

/// Of a task's own span: who made the task.
#[derive(Debug, Serialize)]
struct Spawned {
    #[serde(rename = "task_parent_id")]
    task_id: Id,
    #[serde(rename = "spawn_line")]
    line: Option<String>,
}

/// Whether the start is known of what has this note.
fn has_start(note: Note) -> bool {
    !matches!(note, Note::StartUnknown | Note::NotWritten)
}

/// How many names there are sums of, in one span.
const NAMES: usize = 50;

impl Node {
    /// The root of a trace, with so many spans and records right inside of each span; 0 for all.
    pub(crate) fn of(trace: &Trace, limit: usize) -> Node {
        let maker = Maker {
            trace,
            inside: trace.inside(),
            limit,
        };
        maker.node(0, &Fields::default())
    }

    fn is_root_of_task(&self) -> bool {
        self.spawned.is_some()
    }

    fn add_sum(&mut self, name: &str, sum: &Sum) {
        let known = self.more.contains_key(name) || self.more.len() < NAMES;
        let name = if known { name } else { "others" };
        self.more.entry(name.to_owned()).or_default().add(sum);
    }

    /// What sums of it are kept under, and what they are.
    fn summed(&self) -> (String, Sum) {
        match (self.record, self.state) {
            (Some(Some(level)), _) => (format!("{} records", level.word()), Sum::of_records(1)),
            (Some(None), _) => ("records".to_owned(), Sum::of_records(1)),
            (None, state) => {
                let outcome = match state {
                    Some(State::Ended(outcome)) => Some(outcome),
                    _ => None,
                };
                let mut folded = Vec::new();
                fold(self.name.as_bytes(), &mut folded);
                let name = String::from_utf8_lossy(&folded).into_owned();
                (name, Sum::of_span(self.duration.unwrap_or(0), outcome))
            }
        }
    }

    /// A record that is in no span.
    pub(crate) fn of_record(event: &Event<'_>, is_unknown: bool) -> Node {
        let view = event.view;
        Node {
            span_id: view.record.span_id,
            name: shortened(&view.message()).into_owned(),
            task_id: view.record.task_id,
            thread_id: view.record.thread_id,
            fields: Fields::new(view),
            note: is_unknown.then_some(Note::ParentUnknown),
            at: event.at,
            record: Some(view.level()),
            ..Node::default()
        }
    }
}

/// Makes nodes of a trace.
struct Maker<'a> {
    trace: &'a Trace,
    inside: Vec<Vec<usize>>,
    limit: usize,
}

impl Maker<'_> {
    fn alone(&self, item: &Item) -> Node {
        let trace = self.trace;
        let mut node = Node {
            span_id: item.log_id(),
            name: trace.name(item).into_owned(),
            task_id: item.task_id,
            thread_id: item.thread_id,
            note: item.note,
            at: item.at,
            is_marked: item.is_marked,
            ..Node::default()
        };
        match item.what {
            What::Record(level) => node.record = Some(level),
            What::Span(_) if item.note == Some(Note::NotWritten) => {}
            What::Span(state) => {
                node.duration = Some(item.duration);
                node.state = Some(state.into());
            }
        }
        if item.is_task {
            let parent = trace.own(item, "task_parent_id");
            node.spawned = Some(Spawned {
                task_id: Id(parent.and_then(|id| id.parse().ok()).unwrap_or(0)),
                line: trace.own(item, "spawn_line"),
            });
        }
        node
    }

    fn node(&self, at: usize, said: &Fields) -> Node {
        let item = &self.trace.items[at];
        let mut node = self.alone(item);
        let fields = Fields::of(&self.trace.pairs(item));
        node.fields = fields.without(said);
        for (name, sum) in self.trace.sums_in(item) {
            node.add_sum(name, sum);
        }
        let inside = &self.inside[at];
        let (shown, rest) = inside.split_at(self.most().min(inside.len()));
        node.inside = shown.iter().map(|&at| self.node(at, &fields)).collect();
        for &at in rest {
            let (name, sum) = self.trace.summed(&self.trace.items[at]);
            node.add_sum(&name, &sum);
        }
        node
    }

    /// What is left of a span, and of what is in it, where only what `takes` says is wanted.
    fn pruned(&self, at: usize, said: &Fields, takes: &mut impl FnMut(usize) -> bool) -> Vec<Node> {
        let item = &self.trace.items[at];
        let is_taken = takes(at);
        if !item.is_span() && !is_taken {
            return Vec::new();
        }
        let fields = Fields::of(&self.trace.pairs(item));
        let said_inside = if is_taken { &fields } else { said };
        let mut parts = Vec::new();
        for &inside in &self.inside[at] {
            if is_taken || self.trace.items[inside].is_span() {
                parts.extend(self.pruned(inside, said_inside, takes));
            }
        }
        if !is_taken {
            return parts;
        }
        let mut node = self.alone(item);
        node.fields = fields.without(said);
        for (name, sum) in self.trace.sums_in(item) {
            node.add_sum(name, sum);
        }
        for part in parts.split_off(self.most().min(parts.len())) {
            let (name, sum) = part.summed();
            node.add_sum(&name, &sum);
        }
        node.inside = parts;
        vec![node]
    }

    /// How many are drawn right inside of a span.
    fn most(&self) -> usize {
        match self.limit {
            0 => usize::MAX,
            limit => limit,
        }
    }
}

/// Writes the trees of spans.
#[derive(Debug)]
pub struct Tree<W> {
    collector: Collector<Trees<W>>,
}

impl<W: Write> Tree<W> {
    /// Writes a tree to `out` as soon as it is whole.
    pub fn new(options: Options, out: W) -> Self {
        let mut roots = options.selection.clone();
        if options.prune {
            // Each span is looked at by itself, when the tree is whole.
            roots.conditions = Default::default();
            (roots.since, roots.min_duration) = (None, 0);
            roots.outcomes = Default::default();
        }
        let (spawned, all) = (options.spawned, options.limit == 0);
        let trees = Trees::new(options, out);
        Tree {
            collector: Collector::new(trees, Choice::new(roots), spawned).unbounded(all),
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.collector.taker.out
    }

    /// How many trees, and records in none, it has written.
    pub fn taken(&self) -> u64 {
        self.collector.taker.written
    }

    /// How many records are in no span, and were not shown.
    pub fn hidden(&self) -> u64 {
        self.collector.taker.hidden
    }

    /// The number of the task of the first tree.
    pub fn task(&self) -> Option<u64> {
        self.collector.taker.task
    }

    /// Which trees it was about.
    pub fn selection(&self) -> &Selection {
        match &self.collector.taker.pruner {
            Some(pruner) => pruner.selection(),
            None => self.collector.choice().selection(),
        }
    }
}

collects!(Tree);

/// Writes whole trees.
#[derive(Debug)]
struct Trees<W> {
    options: Options,
    /// What is left of a tree, if it is pruned.
    pruner: Option<Choice>,
    out: W,
    line: Line,
    /// The process that was written about last.
    process: usize,
    /// What was written last was a tree, not a line.
    after_tree: Option<bool>,
    written: u64,
    hidden: u64,
    task: Option<u64>,
}

impl<W: Write> Trees<W> {
    fn new(options: Options, out: W) -> Self {
        let pruner = options.prune.then(|| {
            let mut selection = options.selection.clone();
            // What is inside of a span of that name is wanted too.
            selection.span = None;
            Choice::new(selection)
        });
        Trees {
            options,
            pruner,
            out,
            line: Line::default(),
            process: 0,
            after_tree: None,
            written: 0,
            hidden: 0,
            task: None,
        }
    }

    fn write(&mut self, process: Process, node: Node) -> io::Result<()> {
        self.written += 1;
        self.task.get_or_insert(node.task_id);
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
            self.draw_sum(name, more, rails)?;
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
        let is_placed = is_root && (node.task_id != 0 || node.at > 0);
        if is_placed || node.is_root_of_task() {
            behind.push((TASK, task_text(node.task_id)));
        }
        if is_root && node.at > 0 {
            let at = moment(node.at, number::Moment::Short);
            behind.push((DIM, format!("  {at}")));
        }
        self.line
            .push_name(self.options.look, style, &node.name, &behind);
        self.line.push_pairs(node.fields.iter());
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
            self.line.push(DIM, &format!("  ({})", note_text(note)));
        }
    }

    fn draw_sum(&mut self, name: &str, sum: &Sum, rails: &mut Rails) -> io::Result<()> {
        self.line.push_space(DURATION_WIDTH + 2);
        rails.write(&mut self.line, self.options.look);
        push_sum(&mut self.line, name, sum);
        self.line.write(self.options.look, &mut self.out)
    }
}

fn is_unfinished(node: &Node) -> bool {
    node.state == Some(State::Unfinished)
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    marked: bool,
    start_time: Option<Moment>,
    duration_ns: Option<u64>,
    state: Option<State>,
    fields: &'a Fields,
    inside: &'a [Node],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    more: &'a BTreeMap<String, Sum>,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    marked: bool,
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
                marked: self.is_marked,
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
            marked: self.is_marked,
            start_time: time.filter(|_| self.note.is_none_or(has_start)),
            duration_ns: self.duration,
            state: self.state,
            fields: &self.fields,
            inside: &self.inside,
            more: &self.more,
        };
        span.serialize(serializer)
    }
}

impl<W: Write> Taker for Trees<W> {
    fn trace(&mut self, trace: &mut Trace) -> io::Result<()> {
        let maker = Maker {
            trace,
            inside: trace.inside(),
            limit: self.options.limit,
        };
        let none = Fields::default();
        let nodes = match &mut self.pruner {
            None => vec![maker.node(0, &none)],
            Some(pruner) => maker.pruned(0, &none, &mut |at| pruner.takes(trace, at)),
        };
        nodes
            .into_iter()
            .try_for_each(|node| self.write(trace.process, node))
    }

    fn outside(&mut self, event: &Event<'_>, is_unknown: bool) -> io::Result<()> {
        if !self.options.outside {
            self.hidden += 1;
            return Ok(());
        }
        self.write(event.process, Node::of_record(event, is_unknown))
    }

    fn pause(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
