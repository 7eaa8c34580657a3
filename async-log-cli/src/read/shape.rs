//! What stands before messages, line by line: of what ran the program, and of its logger.

use std::hash::Hasher;
use std::ops::Range;

use hashbrown::HashSet;

use super::container::Container;
use super::identity;
use super::learn::{self, TAB};
use super::prefix::{Layout, Prefix};
use super::record::Level;
use super::template::{self, Template};
use super::text;

/// A word in front of lines: the number of its shape, of its template, and its own.
pub(super) type Column = (usize, usize, usize);

/// What stands before the messages of one writer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    /// What ran the program, or carried its log, put this before every line.
    pub(super) front: Layout,
    /// What the logger put before each message.
    pub(super) layout: Layout,
}

impl Shape {
    pub(super) fn new(front: Layout, layout: Layout) -> Shape {
        Shape { front, layout }
    }

    /// Takes apart a line that has this shape.
    pub(super) fn cut(&self, line: &[u8]) -> Option<(Prefix, Prefix)> {
        let front = self.front.cut(line);
        if front.len == 0 && !self.front.is_empty() {
            return None;
        }
        let prefix = self.layout.cut(front.rest(line));
        let fits = prefix.len > 0 || self.layout.is_empty();
        fits.then_some((front, prefix))
    }

    pub(super) fn learn_times(&mut self, lines: &[&[u8]]) {
        let behind = lines.iter().filter_map(|line| {
            let front = self.front.cut(line);
            (front.len > 0 || self.front.is_empty()).then(|| front.rest(line))
        });
        let behind: Vec<_> = behind.collect();
        self.layout = std::mem::take(&mut self.layout).quicker(&behind);
        for template in &mut self.front.templates {
            template.learn_times(lines.iter().copied());
        }
    }
}

/// All that stands before a message. Ranges are of the line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    /// How much of the line was put there by what ran the program.
    pub(crate) front: usize,
    /// Where the message begins.
    pub(crate) message: usize,
    pub(crate) time: Option<Range<usize>>,
    pub(crate) level: Option<Level>,
    pub(crate) target: Option<Range<usize>>,
}

impl Before {
    fn add(&mut self, at: usize, prefix: Prefix) {
        let move_by = |range: Range<usize>| range.start + at..range.end + at;
        self.time = prefix.time.map(move_by).or(self.time.take());
        self.target = prefix.target.map(move_by).or(self.target.take());
        self.level = prefix.level.or(self.level);
        self.message = at + prefix.len;
    }
}

/// The shapes that the lines of a log have.
#[derive(Clone, Debug, Default)]
pub struct Shapes {
    pub(super) shapes: Vec<Shape>,
    /// Something may be in front of lines.
    pub(super) has_front: bool,
    /// The layouts that are looked for in lines that have none of the shapes: what is in front may change
    /// in the middle of a log, as when a program is started anew in another way.
    searched: Vec<Layout>,
}

impl Shapes {
    pub(super) fn new(shapes: Vec<Shape>, is_contained: bool) -> Shapes {
        let mut searched: Vec<Layout> = Vec::new();
        for layout in shapes.iter().map(|shape| &shape.layout) {
            let is_known = searched.iter().any(|of| of.name() == layout.name());
            if layout.is_full() && !is_known {
                searched.push(layout.clone());
            }
        }
        Shapes {
            has_front: is_contained || shapes.iter().any(|shape| !shape.front.is_empty()),
            shapes,
            searched,
        }
    }

    /// The layout of the logger that wrote most.
    pub fn layout(&self) -> Option<&Layout> {
        self.shapes.first().map(|shape| &shape.layout)
    }

    /// How much of a line was put there by what ran the program.
    #[inline]
    pub fn front_len(&self, line: &[u8]) -> usize {
        match self.has_front {
            true => self.find_front(line),
            false => 0,
        }
    }

    /// Where in a record's first line its message begins.
    #[inline]
    pub(crate) fn message_at(&self, line: &[u8]) -> usize {
        if !self.has_front
            && let [first, ..] = &self.shapes[..]
        {
            let len = first.layout.cut(line).len;
            if len > 0 {
                return len;
            }
        }
        self.before(line).message
    }

    /// The words in front of a line, each with its column.
    pub(super) fn columns(&self, line: &[u8]) -> Vec<(Column, Vec<u8>)> {
        let rest = &line[Container::prefix_len(line)..];
        let mut columns = Vec::new();
        if let Some((shape, number, template)) = self.front_template(rest) {
            template.walk(rest, |piece, text| {
                if piece < 64 && !identity::is_number_with_marks(text) {
                    columns.push(((shape, number, piece), text.to_vec()));
                }
            });
        }
        columns
    }

    /// Says which columns tell writers apart.
    pub(super) fn name_writers(&mut self, columns: HashSet<Column>) {
        for (index, shape) in self.shapes.iter_mut().enumerate() {
            for (number, template) in shape.front.templates.iter_mut().enumerate() {
                let is_name = |piece: &usize| columns.contains(&(index, number, *piece));
                template.identity = (0..64)
                    .filter(is_name)
                    .fold(0, |mask, piece| mask | 1 << piece);
            }
        }
    }

    /// The template that a line has in front, with the numbers of its shape and its own.
    fn front_template(&self, rest: &[u8]) -> Option<(usize, usize, &Template)> {
        let numbered = || self.shapes.iter().enumerate();
        let has_front = |shape: &Shape| shape.front.cut(rest).len > 0;
        // A line that is no record's first lacks the logger's prefix.
        let (index, shape) = numbered()
            .find(|(_, shape)| shape.cut(rest).is_some())
            .or_else(|| numbered().find(|(_, shape)| has_front(shape)))?;
        let mut templates = shape.front.templates.iter().enumerate();
        let (number, template) = templates.find(|(_, template)| template.cut(rest).is_some())?;
        Some((index, number, template))
    }

    fn find_front(&self, line: &[u8]) -> usize {
        let inside = Container::prefix_len(line);
        let rest = &line[inside..];
        let mut fitting = self.shapes.iter().filter_map(|shape| shape.cut(rest));
        if let Some((front, _)) = fitting.next() {
            return inside + front.len;
        }
        inside + self.front_of_other(rest)
    }

    /// What is in front of a line that is no record's first.
    fn front_of_other(&self, line: &[u8]) -> usize {
        let mut templates = self.shapes.iter().flat_map(|shape| &shape.front.templates);
        let front = templates.find_map(|template| template.cut_short(line));
        front.unwrap_or_default()
    }

    /// A logger's prefix anywhere before the pairs of a line that has none of the shapes.
    #[cold]
    fn search(&self, line: &[u8]) -> Option<(usize, Prefix)> {
        if self.searched.is_empty() {
            return None;
        }
        let head = &line[..line.len().min(template::FIELD)];
        let head = &head[..memchr::memchr(b'=', head).unwrap_or(head.len())];
        learn::starts(head).find_map(|at| {
            let rest = &head[at..];
            let found = self.searched.iter().map(|layout| layout.cut(rest));
            let prefix = found.into_iter().find(|prefix| prefix.len > 0)?;
            Some((at, prefix))
        })
    }

    /// Takes apart what stands before a message.
    pub(crate) fn before(&self, line: &[u8]) -> Before {
        let mut before = Before::default();
        let mut at = 0;
        if let Some((fields, prefix)) = Container::fields(line) {
            at = prefix;
            before = fields;
        }
        let rest = &line[at..];
        let mut fitting = self.shapes.iter().filter_map(|shape| shape.cut(rest));
        match fitting.next() {
            Some((front, prefix)) => {
                let behind = at + front.len;
                before.add(at, front);
                before.front = behind;
                before.add(behind, prefix);
            }
            None => match self.search(rest) {
                Some((front, prefix)) => {
                    before.front = at + front;
                    before.add(at + front, prefix);
                }
                None => {
                    before.front = at + self.front_of_other(rest);
                    before.message = before.front;
                }
            },
        }
        before
    }

    /// What a continuation line adds to its record, if this line, of which so much is in front, is one.
    pub(crate) fn continuation<'a>(&self, line: &'a [u8], front: usize) -> Option<&'a [u8]> {
        let rest = &line[front..];
        if let Some(more) = text::continuation(rest) {
            return Some(more);
        }
        if front == 0 {
            return None;
        }
        let spaces = template::spaces(rest);
        // rsyslog writes a TAB so; a journal writes spaces.
        if let Some(more) = rest[spaces..].strip_prefix(b"#011") {
            return Some(more);
        }
        let is_first = self
            .shapes
            .iter()
            .any(|shape| shape.cut(line).is_some_and(|(_, prefix)| prefix.len > 0));
        let has_layout = self.shapes.iter().any(|shape| !shape.layout.is_empty());
        if spaces < TAB || is_first || !has_layout {
            return None;
        }
        // env_logger indents by four before it.
        let indent = if spaces >= TAB + 4 { TAB + 4 } else { TAB };
        Some(&rest[indent..])
    }

    /// A number for who wrote a line, by what is in front of it; 0 if nothing tells.
    #[inline]
    pub(crate) fn writer(&self, line: &[u8]) -> u32 {
        match self.has_front {
            true => self.find_writer(line),
            false => 0,
        }
    }

    fn find_writer(&self, line: &[u8]) -> u32 {
        let mut hash = Fnv::new();
        let inside = Container::prefix_len(line);
        hash.write(Container::identity(&line[..inside]));
        let rest = &line[inside..];
        if let Some((_, _, template)) = self.front_template(rest) {
            template.walk(rest, |index, text| {
                if index < 64 && template.identity & 1 << index != 0 {
                    hash.add(text);
                }
            });
        }
        hash.finish32()
    }
}

/// FNV-1a: short texts, the same on every machine.
pub(super) struct Fnv {
    hash: u64,
    is_empty: bool,
}

impl Fnv {
    pub(super) fn new() -> Fnv {
        Fnv {
            hash: 0xcbf2_9ce4_8422_2325,
            is_empty: true,
        }
    }

    /// Adds a text that ends there.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.write(text);
        self.write(b"\0");
    }

    pub(super) fn finish32(&self) -> u32 {
        match self.is_empty {
            true => 0,
            // 0 is nobody.
            false => ((self.hash ^ self.hash >> 32) as u32).max(1),
        }
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        self.is_empty &= bytes.is_empty();
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}
