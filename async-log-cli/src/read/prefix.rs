//! What stands before a message: the loggers' own layouts, and what container engines and journals
//! put before every line.
//!
//! A layout is one or more templates in a small language: `[{time} {level} {target}] `.

use std::fmt;
use std::ops::Range;

use super::known::{HOSTS, LOGGERS};
use super::record::Level;
use super::template::{Field, LEVELS, Piece, Template, level_index};

/// How a prefix is built.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    name: &'static str,
    /// Those that say more stand first.
    pub(super) templates: Vec<Template>,
}

/// The prefix of one line. Ranges are of that line.
#[derive(Clone, Debug, Default)]
pub struct Prefix {
    /// How many bytes it has.
    pub len: usize,
    /// The time.
    pub time: Option<Range<usize>>,
    /// The level.
    pub level: Option<Level>,
    /// The target.
    pub target: Option<Range<usize>>,
}

impl Prefix {
    /// What is behind the prefix.
    pub fn rest<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        line.get(self.len..).unwrap_or_default()
    }
}

/// What is wrong with a template that a user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(pub(super) String);

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TemplateError {}

impl Layout {
    /// What a container engine, a journal or the like puts before every line.
    pub fn host<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Layout {
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        // Below a record's first line a journal writes nothing but white space.
        let is_indented = |line: &&&[u8]| matches!(line.first(), Some(b' ' | b'\t'));
        let indented = lines.iter().filter(is_indented).count();
        let firsts: Vec<_> = lines.iter().filter(|line| !is_indented(line)).collect();
        if firsts.is_empty() {
            return Layout::default();
        }
        let holds = |layout: &Layout| {
            let has = firsts.iter().filter(|line| layout.cut(line).len > 0);
            has.count() * 10 >= firsts.len() * 9
        };
        let mut layouts = HOSTS.iter().filter_map(|entry| Layout::of(*entry));
        let layout = layouts.find(|layout| holds(layout) && (indented == 0 || layout.indents()));
        let layout = layout.map(|layout| layout.quicker(&lines));
        layout.unwrap_or_default()
    }

    /// What a known logger puts before every message of these records, of each its first line.
    pub fn logger<'a>(records: impl Iterator<Item = &'a [u8]>) -> Layout {
        let records: Vec<_> = records.collect();
        let mut held = Layout::known().filter_map(|layout| layout.held_by(&records));
        let layout = held.next().map(|layout| layout.quicker(&records));
        layout.unwrap_or_default()
    }

    /// The layouts of all loggers that are known, those that say more first.
    pub(super) fn known() -> impl Iterator<Item = Layout> {
        LOGGERS.iter().filter_map(|entry| Layout::of(*entry))
    }

    /// A layout that was found out.
    pub(super) fn learnt(template: Template) -> Layout {
        Layout {
            name: "learnt",
            templates: vec![template],
        }
    }

    /// A layout that a user wrote, such as `{time} {level} {target} - `.
    pub fn from_template(template: &str) -> Result<Layout, TemplateError> {
        Ok(Layout {
            name: "template",
            templates: vec![Template::read(template)?],
        })
    }

    /// Whose layout it is; empty if there is none.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether nothing stands before a message.
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// Takes a line apart. A line that is not as the layout says has no prefix.
    #[inline]
    pub fn cut(&self, line: &[u8]) -> Prefix {
        if self.templates.is_empty() {
            return Prefix::default();
        }
        let mut templates = self.templates.iter();
        templates
            .find_map(|template| template.cut(line))
            .unwrap_or_default()
    }

    /// Whether it has what only a logger says: a level or a target.
    pub(super) fn is_logger(&self) -> bool {
        let mut pieces = self.templates.iter().flat_map(|of| &of.pieces);
        pieces.any(|piece| matches!(piece, Piece::Level(_) | Piece::Text(Field::Target)))
    }

    /// Whether it has a time, a level and a place, so that it is hardly ever a part of a message.
    pub(super) fn is_full(&self) -> bool {
        let has = |is: fn(&Piece) -> bool| {
            let templates = self.templates.iter();
            templates
                .clone()
                .all(|template| template.pieces.iter().any(is))
                && templates.len() > 0
        };
        has(|piece| *piece == Piece::Time)
            && has(|piece| matches!(piece, Piece::Level(_)))
            && has(|piece| {
                matches!(
                    piece,
                    Piece::Text(Field::Target | Field::File | Field::Skip)
                )
            })
    }

    /// How much of time, level and place stands before a line.
    pub(super) fn says(&self, line: &[u8]) -> usize {
        let mut cut = self
            .templates
            .iter()
            .filter_map(|of| Some((of, of.cut(line)?)));
        let Some((template, prefix)) = cut.next() else {
            return 0;
        };
        let is_place = |piece: &Piece| *piece == Piece::Text(Field::File);
        let has_place = template.pieces.iter().any(is_place)
            || prefix.target.is_some_and(|target| !target.is_empty());
        usize::from(prefix.time.is_some())
            + usize::from(prefix.level.is_some())
            + usize::from(has_place)
    }

    fn of((name, templates): (&'static str, &[&str])) -> Option<Layout> {
        let read = |template: &&str| {
            let is_doubtful = template.starts_with('?');
            let template = template.trim_start_matches('?');
            Template::read(template).map(|template| Template {
                is_doubtful,
                ..template
            })
        };
        let templates = templates.iter().map(read).collect::<Result<_, _>>().ok()?;
        Some(Layout { name, templates })
    }

    /// Whether lines without this prefix may stand below one with it.
    fn indents(&self) -> bool {
        matches!(self.name, "journal" | "syslog")
    }

    /// Learns how long a time is, so that it can be stepped over, and whether lines have times to the
    /// nanosecond. Zeros at the end of such a one may be missing, so more is taken than is learned from.
    pub(super) fn quicker(mut self, lines: &[&[u8]]) -> Layout {
        self.templates.retain_mut(|template| {
            let count = template.learn_times(lines.iter().copied());
            let mut pieces = template.pieces.iter_mut();
            let Some(piece) = pieces.find(|piece| **piece == Piece::Nanos) else {
                return true;
            };
            *piece = Piece::Time;
            count * 2 > lines.len()
        });
        self
    }

    /// This layout, if practically all records are as it says: of each level with the templates that
    /// practically all records of that level have.
    pub(super) fn held_by(mut self, records: &[&[u8]]) -> Option<Layout> {
        let mut held = vec![[0usize; LEVELS]; self.templates.len()];
        let mut all = [0usize; LEVELS];
        let mut others = 0;
        for record in records {
            let mut level = None;
            for (template, held) in self.templates.iter().zip(&mut held) {
                if let Some(prefix) = template.cut(record) {
                    let index = level_index(prefix.level);
                    held[index] += 1;
                    level = level.or(Some(index));
                }
            }
            match level {
                Some(level) => all[level] += 1,
                None => others += 1,
            }
        }
        if all.iter().sum::<usize>() == 0 || others * 50 > records.len() {
            return None;
        }
        for (template, held) in self.templates.iter_mut().zip(held) {
            template.levels = match template.is_doubtful && held.iter().sum::<usize>() < PROOF {
                true => 0,
                false => allowed(&all, &held),
            };
        }
        self.templates.retain(|template| template.levels != 0);
        Some(self)
    }
}

/// How many records prove a layout that could be a part of messages.
const PROOF: usize = 8;

/// A bit for each level of which practically all records are held by a template. Loggers that write
/// more at some levels write more the less a level says, so what does not hold for one does not hold
/// for those that say more.
fn allowed(all: &[usize; LEVELS], held: &[usize; LEVELS]) -> u8 {
    let mut levels = 0;
    for level in (0..LEVELS).rev() {
        let others = all[level].saturating_sub(held[level]);
        if others * 50 > all[level] {
            break;
        }
        levels |= 1 << level;
    }
    levels
}
