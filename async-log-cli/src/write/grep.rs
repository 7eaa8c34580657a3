//! `grep`: every trace with a record that matches, whole.

use std::io::{self, Write};

use regex::{Regex, bytes};
use serde::Serialize;

use super::fields::Fields;
use super::json::process_id;
use super::number::{self, count, moment};
use super::terminal::{DIM, Line, Look, PLAIN, TASK, level_style};
use super::timing::Timing;
use super::tree::Node;
use super::whole::{Manner, Whole, push_place};
use crate::collect::{Choice, Collector, Taker, Trace, What, collects};
use crate::read::{Form, View};
use crate::track::{Condition, Conditions, Event, Selection, pattern};

/// What is looked for in records: a condition on a key, or a regular expression.
#[derive(Clone, Debug)]
pub struct Wanted {
    conditions: Conditions,
    /// The key of a condition, as it stands in lines of every form.
    key: Option<memchr::memmem::Finder<'static>>,
    /// The pair that it wants, as it stands in lines of the text form that escape nothing, and its value
    /// as it stands in lines of the others.
    pair: Option<(
        memchr::memmem::Finder<'static>,
        memchr::memmem::Finder<'static>,
    )>,
    /// How many records were read for it.
    read: u64,
    /// Of a condition: it may be a part of a message too.
    text: Option<Regex>,
    line: Option<bytes::Regex>,
    /// It may match between the ends of a message or a pair alone.
    is_anchored: bool,
    /// It is letters, digits and spaces, and stands for nothing else.
    is_word: bool,
    /// What to say of it where nothing is found.
    doubt: Option<String>,
    shown: Regex,
}

impl Wanted {
    /// Reads what was said on a command line.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(said: &str) -> Result<Wanted, String> {
        let key = said.find(['=', '!', '>', '<', '~']).map(|at| &said[..at]);
        let is_key = |key: &str| {
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
            !key.is_empty() && key.chars().all(is_part)
        };
        let condition = Condition::parse(said);
        match (key, condition) {
            (Some(key), Ok(condition)) if is_key(key) => Wanted::condition(said, key, condition),
            (Some(key), Err(why)) if is_key(key) && said[key.len()..].starts_with('~') => Err(why),
            _ => Wanted::pattern(said),
        }
    }

    fn condition(said: &str, key: &str, condition: Condition) -> Result<Wanted, String> {
        let literal = regex::escape(said);
        let is_equal = said[key.len()..].starts_with('=');
        let value = said.get(key.len() + 1..).unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-');
        let is_literal = is_equal && !value.is_empty() && value.chars().all(is_plain);
        let is_special = |c: char| "*+?[](){}|^$\\".contains(c);
        let looks_like_pattern = is_equal && (value.contains(is_special) || value.ends_with('.'));
        let finder = |text: &str| memchr::memmem::Finder::new(text).into_owned();
        let shown = match is_equal {
            true => format!("{literal}$|{literal}"),
            false => format!("^{}=.*", regex::escape(key)),
        };
        Ok(Wanted {
            conditions: Conditions::new(vec![condition]),
            key: is_written(key).then(|| finder(key)),
            pair: (is_literal && is_written(key)).then(|| (finder(said), finder(value))),
            read: 0,
            text: is_equal.then(|| pattern(&literal)).transpose()?,
            line: None,
            is_anchored: false,
            is_word: false,
            doubt: looks_like_pattern.then(|| {
                format!("`=` takes a value as it is; for a regular expression say `{key}~{value}`")
            }),
            shown: pattern(&shown)?,
        })
    }

    fn pattern(said: &str) -> Result<Wanted, String> {
        let shown = pattern(said)?;
        let line = bytes::Regex::new(said).map_err(|error| error.to_string())?;
        Ok(Wanted {
            conditions: Conditions::default(),
            key: None,
            pair: None,
            read: 0,
            text: None,
            line: Some(line),
            is_word: said
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_')),
            doubt: None,
            is_anchored: said.contains(['^', '$']) || said.contains("\\A") || said.contains("\\z"),
            shown,
        })
    }

    /// Whether a record is one of those that are looked for.
    fn is_in(&mut self, view: View<'_>) -> bool {
        let Some(line) = &self.line else {
            return self.meets(view);
        };
        let raw = view.text();
        if line.is_match(raw) {
            return true;
        }
        // What a line escapes, quotes or parts is looked at as the program wrote it. Plain words lie in
        // one message, key or value, and these stand in lines of every form.
        let is_plain = !self.is_anchored
            && memchr::memchr2(b'\\', b'\n', raw).is_none()
            && (self.is_word
                || view.record.form == Form::Text && memchr::memchr(b'"', raw).is_none());
        !is_plain && self.is_in_parts(view)
    }

    /// Whether a record meets the condition.
    fn meets(&mut self, view: View<'_>) -> bool {
        // The first records say which keys there are. Of all others those without the key are not read.
        if self.read >= READ && !self.may_meet(view) {
            return false;
        }
        self.read = self.read.saturating_add(1);
        let all = self.conditions.all();
        let text = self.text.as_ref();
        self.conditions.unmet(view, all) == 0
            || text.is_some_and(|text| text.is_match(&view.message()))
    }

    /// Whether the line of a record has what the condition wants, as far as that can be seen quickly.
    fn may_meet(&self, view: View<'_>) -> bool {
        let line = view.text();
        let is_in = |finder: &memchr::memmem::Finder<'_>| finder.find(line).is_some();
        let Some((pair, value)) = &self.pair else {
            return self.key.as_ref().is_none_or(is_in);
        };
        let is_there = match view.record.form {
            Form::Text => is_in(pair),
            Form::KeyValue | Form::Json => is_in(value) && self.key.as_ref().is_none_or(is_in),
        };
        is_there || memchr::memchr(b'\\', line).is_some()
    }

    fn is_in_parts(&self, view: View<'_>) -> bool {
        let mut is_found = self.shown.is_match(&view.message());
        view.pairs(|key, value| is_found |= self.shown.is_match(&format!("{key}={value}")));
        is_found
    }
}

/// How many records are read for the keys that there are.
const READ: u64 = 10_000;

/// Whether a key is in the line of a record that it holds for. Some of our own are said by their absence,
/// and the logger's level has its own words.
fn is_written(key: &str) -> bool {
    key.is_ascii() && !matches!(key, "span_outcome" | "level")
}

/// What is looked for, and how traces are shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What they look like.
    pub look: Look,
    /// What is looked for.
    pub wanted: Wanted,
    /// In which traces.
    pub selection: Selection,
    /// How many rows there are right inside of a span; 0 for all.
    pub limit: usize,
    /// A line of JSON for each trace.
    pub json: bool,
}

impl Options {
    /// Looks for something in all traces.
    pub fn new(wanted: Wanted) -> Self {
        Options {
            look: Look::default(),
            wanted,
            selection: Selection::default(),
            limit: 100,
            json: false,
        }
    }
}

/// Shows the traces with a record that matches.
#[derive(Debug)]
pub struct Grep<W> {
    collector: Collector<Finder<W>>,
}

impl<W: Write> Grep<W> {
    /// Writes a trace to `out` when it is whole.
    pub fn new(options: Options, out: W) -> Self {
        let choice = Choice::new(options.selection.clone());
        let all = options.limit == 0;
        let finder = Finder {
            wanted: options.wanted.clone(),
            options,
            out,
            found: 0,
            task: None,
            process: None,
        };
        Grep {
            collector: Collector::new(finder, choice, true).unbounded(all),
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.collector.taker.out
    }

    /// How many traces, and records in none, matched.
    pub fn found(&self) -> u64 {
        self.collector.taker.found
    }

    /// How many traces, and records in none, it looked into.
    pub fn taken(&self) -> u64 {
        self.collector.taken()
    }

    /// The number of the task of the first of them.
    pub fn task(&self) -> Option<u64> {
        self.collector.taker.task
    }

    /// Which traces it was about.
    pub fn selection(&self) -> &Selection {
        self.collector.choice().selection()
    }

    /// Why nothing may have been found: a key that no record has, or a value that looks like a pattern.
    pub fn doubts(&self) -> Vec<String> {
        let wanted = &self.collector.taker.wanted;
        let mut doubts = wanted.conditions.unknown_keys();
        doubts.extend(wanted.doubt.clone());
        doubts
    }
}

collects!(Grep);

#[derive(Debug)]
struct Finder<W> {
    options: Options,
    wanted: Wanted,
    out: W,
    found: u64,
    task: Option<u64>,
    process: Option<usize>,
}

/// A line of JSON.
#[derive(Serialize)]
struct Json<'a> {
    process_id: Option<String>,
    matches: usize,
    #[serde(flatten)]
    root: &'a Node,
}

impl<W: Write> Finder<W> {
    fn write(&mut self, trace: &Trace) -> io::Result<()> {
        let matches = trace.items.iter().filter(|item| item.is_marked).count();
        if self.options.json {
            let mut text = serde_json::to_vec(&Json {
                process_id: process_id(trace.process),
                matches,
                root: &Node::of(trace, self.options.limit),
            })?;
            text.push(b'\n');
            return self.out.write_all(&text);
        }
        let look = self.options.look;
        let mut line = Line::default();
        if self.found > 1 {
            line.write(look, &mut self.out)?;
        }
        let index = trace.process.index;
        let with_process = *self.process.get_or_insert(index) != index || index > 0;
        let word = if matches == 1 { "match" } else { "matches" };
        line.push(PLAIN, &format!("{} {word}", count(matches as u64)));
        push_place(&mut line, trace, with_process);
        line.write(look, &mut self.out)?;
        let manner = Manner {
            look,
            timing: false,
            fold: false,
            limit: self.options.limit,
            only_marked: false,
            found: Some(self.wanted.shown.clone()),
        };
        Whole::new(&manner, trace, &Timing::new(trace), &mut self.out).draw()
    }
}

impl<W: Write> Taker for Finder<W> {
    fn marks(&mut self, view: View<'_>, _: What) -> bool {
        self.wanted.is_in(view)
    }

    fn trace(&mut self, trace: &mut Trace) -> io::Result<()> {
        if !trace.is_marked {
            return Ok(());
        }
        self.found += 1;
        self.task.get_or_insert(trace.root().task_id);
        self.write(trace)
    }

    fn outside(&mut self, event: &Event<'_>, is_unknown: bool) -> io::Result<()> {
        if !self.wanted.is_in(event.view) {
            return Ok(());
        }
        self.found += 1;
        if self.options.json {
            let mut text = serde_json::to_vec(&Json {
                process_id: process_id(event.process),
                matches: 1,
                root: &Node::of_record(event, is_unknown),
            })?;
            text.push(b'\n');
            return self.out.write_all(&text);
        }
        let mut line = Line::default();
        if self.found > 1 {
            line.write(self.options.look, &mut self.out)?;
        }
        line.push(PLAIN, "1 match");
        line.push(TASK, &format!("  task {}", event.view.record.task_id));
        if event.at > 0 {
            let at = moment(event.at, number::Moment::Whole);
            line.push(PLAIN, &format!("  {at} UTC"));
        }
        line.push(DIM, "  in no span");
        line.write(self.options.look, &mut self.out)?;
        line.push_space(number::DURATION_WIDTH);
        line.push(super::terminal::FOUND, " > ");
        if let Some(level) = event.view.level() {
            line.push(level_style(level), level.word());
            line.push_space(1);
        }
        line.push_found(PLAIN, &event.view.message(), &self.wanted.shown);
        line.push_pairs(Fields::new(event.view).iter());
        line.write(self.options.look, &mut self.out)
    }

    fn pause(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
