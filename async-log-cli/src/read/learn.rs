//! What stands before the messages of a log, learnt from the log itself.
//!
//! A known logger's layout is looked for behind whatever is in front of it; what is in front is taken
//! apart into times, words and the marks between them, which all lines of one writer share. Where no
//! logger is known the prefix is as far as all records are built alike, and at least as far as the lines
//! of a span's start and its end differ: those have one name.

use hashbrown::HashMap;

use super::prefix::Layout;
use super::record::{Kind, Record};
use super::shape::Shape;
use super::template::{self, Field, Piece, Template, is_separator, level, spaces, word_len};
use super::time::Time;
use super::words::Literal;

/// A record that is learnt from.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    /// Its first line.
    pub(super) line: &'a [u8],
    /// Where in that line the pairs begin, or the JSON.
    pub(super) end: usize,
    pub(super) kind: Kind,
    pub(super) span_id: u64,
    pub(super) is_json: bool,
}

impl<'a> Head<'a> {
    pub(super) fn new(line: &'a [u8], end: usize, record: &Record) -> Self {
        Head {
            line,
            end: end.min(line.len()),
            kind: record.kind,
            span_id: record.span_id,
            is_json: false,
        }
    }

    fn text(&self) -> &'a [u8] {
        &self.line[..self.end.min(template::FIELD)]
    }

    /// The same without the first `len` bytes.
    fn behind(self, len: usize) -> Head<'a> {
        let len = len.min(self.end);
        Head {
            line: &self.line[len..],
            end: self.end - len,
            ..self
        }
    }

    fn continues(&self) -> bool {
        is_continuation(self.line)
    }
}

/// Whether this looks like the second line of a record, what is in front taken off; also where
/// something made other characters of its TAB.
fn is_continuation(rest: &[u8]) -> bool {
    let indent = spaces(rest);
    let rest = &rest[indent..];
    indent > 1 || rest.starts_with(b"\t") || rest.starts_with(b"#011")
}

/// The spaces that a journal makes of a TAB.
pub(super) const TAB: usize = 8;

/// How many records are searched for a logger's layout: a search costs more than a look.
const SEARCHED: usize = 250;

/// The shapes of the lines of a log, those that say more first. `user` is a layout that the user wrote.
pub(super) fn learn(heads: &[Head<'_>], user: Option<&Layout>) -> Vec<Shape> {
    let (json, text): (Vec<_>, Vec<_>) = heads.iter().copied().partition(|head| head.is_json);
    let mut shapes = json_shapes(&json, user);
    shapes.extend(text_shapes(&text, user));
    shapes
}

/// What is in front of JSON.
fn json_shapes(heads: &[Head<'_>], user: Option<&Layout>) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    for head in heads.iter().filter(|head| head.end > 0) {
        let text = head.text();
        let is_known = |shape: &Shape| shape.front.cut(head.line).len == head.end;
        if text.len() < head.end || shapes.len() >= MOST || shapes.iter().any(is_known) {
            continue;
        }
        let of_user = user.filter(|user| user.cut(head.line).len == head.end);
        let front = of_user.cloned().unwrap_or_else(|| front(text));
        shapes.push(Shape::new(front, Layout::default()));
    }
    shapes
}

/// So many shapes are enough for any log.
const MOST: usize = 32;

fn text_shapes(heads: &[Head<'_>], user: Option<&Layout>) -> Vec<Shape> {
    if heads.is_empty() {
        return Vec::new();
    }
    if let Some(shape) = user.and_then(|user| behind_user(heads, user)) {
        return vec![shape];
    }
    let alone = alone(heads).filter(|_| user.is_none());
    if let Some((shape, FULL)) = alone {
        return vec![shape];
    }
    let step = heads.len().div_ceil(SEARCHED).max(1);
    let searched: Vec<_> = heads.iter().step_by(step).copied().collect();
    let mut search = Search::new(&searched, user);
    search.take_known();
    if let Some((shape, says)) = alone
        && says >= search.says
        && Layout::host(heads.iter().map(|head| head.line)).is_empty()
    {
        return vec![longer(shape, heads)];
    }
    let explains = |shape: &Shape, head: &Head<'_>| match shape.cut(head.line) {
        Some(_) => true,
        None => shape.front.templates.iter().any(|template| {
            let front = template.cut_short(head.line);
            front.is_some_and(|len| is_continuation(&head.line[len..]))
        }),
    };
    let shapes = search.shapes;
    let is_rest = |head: &&Head<'_>| !shapes.iter().any(|shape| explains(shape, head));
    let rest: Vec<_> = heads.iter().filter(is_rest).copied().collect();
    let mut shapes = shapes.clone();
    // A few lines from elsewhere have no shape.
    if rest.len() * 50 > heads.len() {
        shapes.extend(rest_shape(&rest));
    }
    let lines: Vec<_> = heads.iter().map(|head| head.line).collect();
    for shape in &mut shapes {
        shape.learn_times(&lines);
    }
    shapes
}

/// The shape of a log of which the user said what is in front, and which a known logger wrote.
fn behind_user(heads: &[Head<'_>], user: &Layout) -> Option<Shape> {
    if user.is_logger() {
        return None;
    }
    let cut = heads.iter().map(|head| (head, user.cut(head.line).len));
    let behind: Vec<_> = cut
        .filter(|(_, len)| *len > 0)
        .map(|(head, len)| head.behind(len))
        .collect();
    let shape = text_shapes(&behind, None).into_iter().next()?;
    let is_known = shape.front.is_empty() && shape.layout.is_full();
    is_known.then(|| Shape::new(user.clone(), shape.layout))
}

/// The shape of a log that a known logger wrote, with nothing in front, and how much most of its lines
/// say.
fn alone(heads: &[Head<'_>]) -> Option<(Shape, usize)> {
    let lines = || heads.iter().map(|head| head.line);
    let layout = Layout::logger(lines());
    let mut says: Vec<_> = lines().map(|line| layout.says(line)).collect();
    let most = median(&mut says);
    (!layout.is_empty()).then(|| (Shape::new(Layout::default(), layout), most))
}

/// A prefix that says all of time, level and target.
const FULL: usize = 3;

/// How many records a logger has that is among others, of so many records of which `full` have a prefix
/// that says all. Where most have none, a prefix could as well be what a message quotes.
fn least(full: usize, records: usize) -> usize {
    match full * 2 >= records {
        true => records.div_ceil(10),
        false => records.div_ceil(3).max(3),
    }
}

fn median(numbers: &mut [usize]) -> usize {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

/// Where in a line a logger's prefix is.
struct Found {
    at: usize,
    entry: usize,
    says: usize,
}

/// Records that have the same in front, and a logger that is known behind it.
struct Group<'a> {
    front: Layout,
    members: Vec<(&'a Head<'a>, Found)>,
}

impl<'a> Group<'a> {
    /// The lines of those of them whose logger is this one, or of all, without what is in front.
    fn rests(&self, entry: Option<usize>) -> Vec<&'a [u8]> {
        let members = self.members.iter();
        let members = members.filter(|(_, found)| entry.is_none_or(|entry| entry == found.entry));
        members
            .map(|(head, found)| &head.line[found.at..])
            .collect()
    }
}

struct Search<'a> {
    heads: &'a [Head<'a>],
    known: Vec<Layout>,
    has_user: bool,
    shapes: Vec<Shape>,
    /// How much the one of them says that says most.
    says: usize,
}

impl<'a> Search<'a> {
    fn new(heads: &'a [Head<'a>], user: Option<&Layout>) -> Self {
        Search {
            heads,
            known: user.cloned().into_iter().chain(Layout::known()).collect(),
            has_user: user.is_some(),
            shapes: Vec::new(),
            says: 0,
        }
    }

    /// Takes the layouts of known loggers behind whatever is in front of them.
    fn take_known(&mut self) {
        let mut layouts = Vec::new();
        for group in self.groups() {
            let front = &group.front;
            layouts.extend(self.layouts(&group).into_iter().map(|(layout, rests)| {
                let mut says: Vec<_> = rests.iter().map(|rest| layout.says(rest)).collect();
                (median(&mut says), rests.len(), front.clone(), layout)
            }));
        }
        layouts.sort_by_key(|(says, count, ..)| std::cmp::Reverse((*says, *count)));
        let mut left = self.heads.len();
        let full = layouts.iter().filter(|(says, ..)| *says == FULL);
        let least = least(full.map(|(_, count, ..)| *count).sum(), left);
        for (says, count, front, layout) in &layouts {
            let same = layouts
                .iter()
                .filter(|(_, _, _, of)| of.name() == layout.name());
            let of_logger: usize = same.map(|(_, count, ..)| *count).sum();
            let is_user = layout.name() == "template";
            let is_enough = match *says {
                _ if is_user => true,
                FULL => of_logger >= least,
                // What says less could as well be a part of messages.
                2 => !front.is_empty() && count * 2 >= left,
                _ => false,
            };
            if !is_enough
                || self.shapes.len() >= MOST
                || !is_user && self.is_of_messages(front, *says, *count)
            {
                continue;
            }
            left = left.saturating_sub(*count);
            self.shapes.push(Shape::new(front.clone(), layout.clone()));
            self.says = self.says.max(*says);
        }
    }

    /// The layouts that the records of a group have, and what they were learnt from: one, if all have
    /// it.
    fn layouts(&self, group: &Group<'a>) -> Vec<(Layout, Vec<&'a [u8]>)> {
        let of_user = group.rests(Some(0));
        if self.has_user && !of_user.is_empty() {
            return vec![(self.known[0].clone(), of_user)];
        }
        let all = group.rests(None);
        let layout = Layout::logger(all.iter().copied());
        if !layout.is_empty() {
            return vec![(layout, all)];
        }
        let mut entries: Vec<_> = group.members.iter().map(|(_, found)| found.entry).collect();
        entries.sort_unstable();
        entries.dedup();
        let layouts = entries.into_iter().filter_map(|entry| {
            let rests = group.rests(Some(entry));
            Some((self.known[entry].clone().held_by(&rests)?, rests))
        });
        layouts.collect()
    }

    fn groups(&self) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for head in self.heads {
            let Some(found) = self.find(head.text()) else {
                continue;
            };
            let is_of = |group: &&mut Group<'_>| match group.front.is_empty() {
                true => found.at == 0,
                false => group.front.cut(head.line).len == found.at,
            };
            if let Some(group) = groups.iter_mut().find(is_of) {
                group.members.push((head, found));
            } else if groups.len() < 2 * MOST {
                groups.push(Group {
                    front: front(&head.line[..found.at]),
                    members: vec![(head, found)],
                });
            }
        }
        groups
    }

    /// The prefix of a known logger that says most, the leftmost of those.
    fn find(&self, text: &[u8]) -> Option<Found> {
        let mut best: Option<Found> = None;
        for at in starts(text) {
            if let Some(found) = self.find_at(text, at)
                && best.as_ref().is_none_or(|best| found.says > best.says)
            {
                let is_most = found.says > FULL;
                best = Some(found);
                if is_most {
                    break;
                }
            }
        }
        let mut found = best?;
        // What ran the program may write as loggers do.
        while found.says == FULL {
            let behind = found.at + self.known[found.entry].cut(&text[found.at..]).len;
            match self.find_at(text, behind) {
                Some(next) if next.says == FULL => found = next,
                _ => break,
            }
        }
        Some(found)
    }

    fn find_at(&self, text: &[u8], at: usize) -> Option<Found> {
        let rest = text.get(at..)?;
        let mut best: Option<Found> = None;
        for (entry, layout) in self.known.iter().enumerate() {
            let prefix = layout.cut(rest);
            let is_user = self.has_user && entry == 0;
            let says = match (prefix.len, prefix.level) {
                (0, _) => continue,
                _ if is_user => FULL + 1,
                (_, None) => continue,
                _ => layout.says(rest),
            };
            if says >= 2 && best.as_ref().is_none_or(|best| says > best.says) {
                best = Some(Found { at, entry, says });
            }
        }
        best
    }

    /// Whether too many other records have the same in front and something else behind it.
    fn is_of_messages(&self, front: &Layout, says: usize, members: usize) -> bool {
        let others = self.heads.iter().filter(|head| {
            let mut cut = front
                .templates
                .iter()
                .filter_map(|of| of.cut_short(head.line));
            let Some(len) = cut.next().filter(|len| *len <= head.end) else {
                return false;
            };
            let rest = &head.line[len..];
            let is_known = || self.known.iter().any(|known| known.cut(rest).len > 0);
            // There may be more in front of others.
            let is_full = || {
                self.find(head.text())
                    .is_some_and(|found| found.says >= FULL)
            };
            !is_continuation(rest) && !is_known() && !is_full()
        });
        match says {
            FULL => others.count() > members,
            _ => others.count() * 20 > members,
        }
    }
}

/// Where in a line a prefix may begin.
pub(super) fn starts(text: &[u8]) -> impl Iterator<Item = usize> {
    (0..text.len()).filter(|&at| {
        let is_behind_word =
            |at: usize| text[at - 1].is_ascii_alphanumeric() || text[at - 1] == b'_';
        at == 0 || text[at] == b' ' || !is_behind_word(at)
    })
}

/// The layout of what is in front.
fn front(text: &[u8]) -> Layout {
    if text.is_empty() {
        return Layout::default();
    }
    let mut pieces = pieces(text, false);
    if pieces.first() == Some(&Piece::Spaces) && pieces.len() == 1 {
        pieces = vec![Piece::Literal(Literal::new(text))];
    }
    Layout::learnt(Template::of(pieces))
}

/// Takes apart what may stand before a message.
fn pieces(text: &[u8], levels: bool) -> Vec<Piece> {
    tokens(text, levels)
        .into_iter()
        .map(|(piece, _)| piece)
        .collect()
}

/// Pieces, and where each ends.
fn tokens(text: &[u8], levels: bool) -> Vec<(Piece, usize)> {
    let mut tokens: Vec<(Piece, usize)> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let rest = &text[at..];
        if *byte == b' ' {
            at += spaces(rest);
            tokens.push((Piece::Spaces, at));
        } else if let Some(len) = time_len(rest) {
            at += len;
            tokens.push((Piece::Time, at));
        } else if levels && let Some((_, len)) = level(rest) {
            at += len;
            tokens.push((Piece::Level(0), at));
        } else if is_separator(*byte) {
            let skipped = group_len(rest);
            at += 1;
            push_literal(&mut tokens, &text[at - 1..at], at);
            if let Some(len) = skipped {
                at += len;
                tokens.push((Piece::Text(Field::Skip), at));
                at += 1;
                push_literal(&mut tokens, &text[at - 1..at], at);
            }
        } else {
            at += word_len(rest).max(1);
            tokens.push((Piece::Word, at));
        }
    }
    tokens
}

fn time_len(rest: &[u8]) -> Option<usize> {
    let (_, len) = Time::parse(rest)?;
    rest.get(len)
        .is_none_or(|byte| is_separator(*byte))
        .then_some(len)
}

/// How much is between brackets or quotes, if it is more than a word.
fn group_len(rest: &[u8]) -> Option<usize> {
    let close = match rest[0] {
        b'[' => b']',
        b'(' => b')',
        b'<' => b'>',
        b'{' => b'}',
        b'"' => b'"',
        _ => return None,
    };
    let len = memchr::memchr(close, &rest[1..])?;
    let inside = &rest[1..1 + len];
    let is_plain = time_len(inside).is_some() || word_len(inside) == len;
    (!is_plain).then_some(len)
}

fn push_literal(tokens: &mut Vec<(Piece, usize)>, text: &[u8], end: usize) {
    if let Some((Piece::Literal(literal), at)) = tokens.last_mut() {
        *literal = Literal::new(&[&literal.bytes, text].concat());
        *at = end;
        return;
    }
    tokens.push((Piece::Literal(Literal::new(text)), end));
}

/// The shape of records in which no logger was found behind something unknown.
fn rest_shape(heads: &[Head<'_>]) -> Option<Shape> {
    let host = Layout::host(heads.iter().map(|head| head.line));
    let behind = heads
        .iter()
        .map(|head| head.behind(host.cut(head.line).len));
    let behind: Vec<_> = behind.filter(|head| !head.continues()).collect();
    let layout = Layout::logger(behind.iter().map(|head| head.line));
    let layout = match layout.is_empty() {
        true => unknown(&behind).map(Layout::learnt).unwrap_or_default(),
        false => layout,
    };
    let shape = Shape::new(Layout::default(), layout);
    let layout = longer(shape, &behind).layout;
    (!host.is_empty() || !layout.is_empty()).then(|| Shape::new(host, layout))
}

/// The same shape, or that of a logger that is not known and writes more than one that is.
fn longer(shape: Shape, heads: &[Head<'_>]) -> Shape {
    let Some(template) = unknown(heads) else {
        return shape;
    };
    let learnt = Layout::learnt(template);
    let mut messages: Vec<&[u8]> = Vec::new();
    let mut shorter = 0;
    for head in heads {
        let len = learnt.cut(head.line).len;
        shorter += usize::from(len <= shape.layout.cut(head.line).len);
        let message = head.line.get(len..head.end).unwrap_or_default();
        if messages.len() < DISTINCT && !messages.contains(&message) {
            messages.push(message);
        }
    }
    match shorter * 50 <= heads.len() && messages.len() >= DISTINCT {
        true => Shape::new(shape.front, learnt),
        false => shape,
    }
}

/// How far all records are built alike.
fn unknown(heads: &[Head<'_>]) -> Option<Template> {
    let bounds = bounds(heads);
    let holds = |template: &Template| {
        let others = heads.iter().filter(|head| {
            let prefix = template.cut(head.line);
            prefix.is_none_or(|prefix| prefix.len > head.end)
        });
        others.count() * 50 <= heads.len()
    };
    let is_far = |template: &Template| {
        let near = bounds.iter().filter(|(head, bound)| {
            template
                .cut(heads[*head].line)
                .map_or(0, |prefix| prefix.len)
                < *bound
        });
        near.count() * 50 <= bounds.len()
    };
    let candidates = candidates(heads);
    // What differs between the lines of one span is no part of a message.
    let differs = bounds.iter().any(|(_, bound)| *bound > 0);
    let strong = candidates
        .iter()
        .filter(|(pieces, is_end)| *is_end && (differs || says_something(pieces)))
        .map(|(pieces, _)| Template::of(pieces.clone()))
        .find(|template| holds(template) && (is_far(template) || !differs));
    let mut found = match strong {
        Some(strong) => Some(strong),
        None if !differs => None,
        // The shortest that is as long as a start and its end differ.
        _ => candidates
            .iter()
            .rev()
            .map(|(pieces, _)| Template::of(pieces.clone()))
            .find(|template| holds(template) && is_far(template)),
    };
    while let Some(longer) = with_constant_word(found.as_ref(), heads) {
        found = Some(longer);
    }
    let mut found = found?;
    found = Template::of(with_fixed_end(found.pieces, heads));
    find_target(&mut found, heads);
    Some(found)
}

/// The same pieces, but for spaces at the end as many as there are at least: a message may begin with
/// some.
fn with_fixed_end(mut pieces: Vec<Piece>, heads: &[Head<'_>]) -> Vec<Piece> {
    if pieces.pop_if(|last| *last == Piece::Spaces).is_none() {
        return pieces;
    }
    let before = Template::of(pieces.clone());
    let spaces_behind = |head: &Head<'_>| {
        let len = before.cut(head.line)?.len;
        Some(spaces(&head.line[len..])).filter(|spaces| *spaces > 0)
    };
    let fewest = heads.iter().filter_map(spaces_behind).min();
    pieces.push(Piece::Literal(Literal::new(&vec![
        b' ';
        fewest.unwrap_or(1)
    ])));
    pieces
}

/// Prefixes of the first records, the longest first, and whether each ends as those of loggers do.
fn candidates(heads: &[Head<'_>]) -> Vec<(Vec<Piece>, bool)> {
    let mut candidates: Vec<(Vec<Piece>, bool)> = Vec::new();
    for head in heads.iter().take(8) {
        let pieces = pieces(head.text(), true);
        for len in 1..=pieces.len() {
            let is_end = ends_field(&pieces[..len]);
            let candidate = (pieces[..len].to_vec(), is_end);
            if (is_end || pieces[len - 1] == Piece::Spaces) && !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    candidates.sort_by_key(|(pieces, _)| std::cmp::Reverse(pieces.len()));
    candidates
}

/// Whether these are more than words.
fn says_something(pieces: &[Piece]) -> bool {
    let is_sure = |piece: &Piece| matches!(piece, Piece::Time | Piece::Level(_));
    pieces.iter().any(is_sure)
}

/// Whether a field ends here that is not the beginning of a message: behind a time or a level, or
/// behind what closes or separates.
fn ends_field(pieces: &[Piece]) -> bool {
    match pieces {
        [.., Piece::Time | Piece::Level(_), Piece::Spaces] => true,
        [.., Piece::Literal(literal), Piece::Spaces] | [.., Piece::Literal(literal)] => {
            let is_spaced = pieces.last() == Some(&Piece::Spaces);
            match literal.bytes.last() {
                Some(b']' | b')' | b'}' | b'>' | b'|' | b'\t') => true,
                Some(b':' | b';' | b',') => is_spaced,
                _ => false,
            }
        }
        [.., Piece::Spaces, Piece::Word, Piece::Spaces] => false,
        _ => false,
    }
}

/// How long the prefixes of starts are at least: those of their ends have the same name behind them.
fn bounds(heads: &[Head<'_>]) -> Vec<(usize, usize)> {
    let mut starts: HashMap<u64, usize> = HashMap::new();
    let mut bounds = Vec::new();
    for (index, head) in heads.iter().enumerate() {
        match head.kind {
            Kind::Start if head.span_id != 0 => {
                starts.insert(head.span_id, index);
            }
            Kind::End => {
                if let Some(start) = starts.remove(&head.span_id) {
                    let (a, b) = (heads[start].text(), head.text());
                    let same = a.iter().rev().zip(b.iter().rev());
                    let same = same.take_while(|(a, b)| a == b).count();
                    // What differs is a part of a word, which is no name.
                    let bound = a.len() - same;
                    bounds.push((start, bound));
                }
            }
            _ => {}
        }
    }
    // Two processes may have used one id: of another name nothing is learnt.
    bounds.retain(|(start, bound)| *bound < heads[*start].text().len());
    bounds
}

/// A prefix with one word more, if all records have the same word there, and go on with different
/// ones.
fn with_constant_word(found: Option<&Template>, heads: &[Head<'_>]) -> Option<Template> {
    let mut word: Option<&[u8]> = None;
    let mut next: Vec<&[u8]> = Vec::new();
    for head in heads {
        let at = found.map_or(Some(0), |template| Some(template.cut(head.line)?.len))?;
        let rest = head.text().get(at..)?;
        let len = word_len(rest);
        if len == 0
            || rest.get(len) != Some(&b' ')
            || *word.get_or_insert(&rest[..len]) != &rest[..len]
        {
            return None;
        }
        let behind = &rest[len + spaces(&rest[len..])..];
        let behind = &behind[..word_len(behind)];
        if !behind.is_empty() && !next.contains(&behind) {
            next.push(behind);
        }
    }
    if next.len() < DISTINCT {
        return None;
    }
    let mut pieces = found.map_or(Vec::new(), |template| template.pieces.clone());
    pieces.extend([Piece::Word, Piece::Spaces]);
    Some(Template::of(pieces))
}

/// So many messages that begin with different words prove that the word before is none of theirs.
const DISTINCT: usize = 3;

/// Takes a word that is a path of modules for the target.
fn find_target(template: &mut Template, heads: &[Head<'_>]) {
    let mut target = None;
    for head in heads {
        template.walk(head.line, |index, text| {
            if memchr::memmem::find(text, b"::").is_some() {
                target = Some(index);
            }
        });
    }
    template.target = target;
}
