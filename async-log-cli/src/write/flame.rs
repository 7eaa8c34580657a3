//! `flame`: where the time goes, as folded stacks and as a picture.
//!
//! A frame is a span, its width the time in which none of the spans inside it was open. Frames are
//! named as in `stats`.

use std::io::{self, Write};

use hashbrown::HashMap;

use crate::track::{End, NameId, Names, OpenSpans, Process, Sink, Start};

/// How stacks are folded.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Keeps names apart that differ in numbers.
    pub exact: bool,
    /// The time in which tasks were polled, instead of self time: a frame is a task.
    pub busy: bool,
    /// The folded stacks instead of a picture.
    pub folded: bool,
    /// The heading of the picture.
    pub title: Option<String>,
}

/// Adds up the time of each stack of spans.
#[derive(Debug)]
pub struct Flame<W> {
    options: Options,
    out: W,
    names: Names,
    stacks: Vec<Stack>,
    inside: HashMap<(StackId, NameId), StackId>,
}

/// A place in the tree of all stacks; the first has no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StackId(u32);

const NONE: StackId = StackId(0);

#[derive(Debug)]
struct Stack {
    around: StackId,
    name: Option<NameId>,
    self_time: u64,
}

impl<W: Write> Flame<W> {
    /// Writes to `out` when the log is over.
    pub fn new(options: Options, out: W) -> Self {
        let root = Stack {
            around: NONE,
            name: None,
            self_time: 0,
        };
        Flame {
            names: Names::new(options.exact),
            options,
            out,
            stacks: vec![root],
            inside: HashMap::new(),
        }
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// All time that would be drawn, in nanoseconds.
    pub fn total(&self) -> u64 {
        let times = self.stacks.iter().map(|stack| stack.self_time);
        times.fold(0, u64::saturating_add)
    }

    fn stack(&mut self, around: StackId, name: NameId) -> StackId {
        *self.inside.entry((around, name)).or_insert_with(|| {
            let id = StackId(self.stacks.len() as u32);
            self.stacks.push(Stack {
                around,
                name: Some(name),
                self_time: 0,
            });
            id
        })
    }

    fn add(&mut self, stack: StackId, time: u64) {
        let sum = &mut self.stacks[stack.0 as usize].self_time;
        *sum = sum.saturating_add(time);
    }

    /// The folded stacks, sorted, as flame graphs want them: `a;b;c 123`, in nanoseconds.
    fn folded(&self) -> Vec<String> {
        let names = self.names.ids().map(|id| frame(&self.names.shown(id)));
        let names: Vec<_> = names.collect();
        let mut lines = Vec::new();
        for stack in self.stacks.iter().filter(|stack| stack.self_time > 0) {
            let mut frames = Vec::new();
            let mut at = stack;
            while let Some(name) = at.name {
                frames.push(&*names[name.index()]);
                at = &self.stacks[at.around.0 as usize];
            }
            frames.reverse();
            lines.push(format!("{} {}", frames.join(";"), stack.self_time));
        }
        lines.sort_unstable();
        lines
    }

    #[cfg(feature = "flame")]
    fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        use inferno::flamegraph::{self, Palette, color::BasicPalette};

        let mut options = flamegraph::Options::default();
        options.title = self
            .options
            .title
            .clone()
            .unwrap_or_else(|| match self.options.busy {
                true => "Time in which tasks were polled".to_owned(),
                false => "Time in spans".to_owned(),
            });
        options.count_name = "ms".to_owned();
        options.factor = 1e-6;
        options.colors = Palette::Basic(BasicPalette::Aqua);
        options.deterministic = true;
        let lines = lines.iter().map(String::as_str);
        flamegraph::from_lines(&mut options, lines, &mut self.out)
    }

    #[cfg(not(feature = "flame"))]
    fn draw(&mut self, _: &[String]) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this async-log was built without its feature `flame`; --folded gives what other programs draw",
        ))
    }
}

/// A name as a frame: a semicolon would part it, a line break would end it.
fn frame(name: &str) -> String {
    let replaced = |c: char| match c {
        ';' => ',',
        c if c.is_control() => ' ',
        c => c,
    };
    name.chars().map(replaced).collect()
}

impl<W: Write> Sink for Flame<W> {
    type Kept = StackId;

    fn wants_events(&self) -> bool {
        false
    }

    fn start(&mut self, start: Start<'_>, open: &mut OpenSpans<StackId>) -> io::Result<StackId> {
        let parent = if start.joined {
            open.get(start.parent)
        } else {
            None
        };
        let around = parent.map_or(NONE, |span| span.kept);
        let is_frame = !self.options.busy || start.view.record.task_parent_id.is_some();
        if !start.selected || !is_frame {
            return Ok(around);
        }
        let name = self.names.id(start.view);
        Ok(self.stack(around, name))
    }

    fn end(&mut self, end: End<'_, StackId>, _: &mut OpenSpans<StackId>) -> io::Result<()> {
        if let Some(span) = end.span.filter(|_| end.selected) {
            let time = match self.options.busy {
                true => end.view.record.busy,
                false => end.self_time,
            };
            self.add(span.kept, time);
        }
        Ok(())
    }

    fn left_open(&mut self, process: Process, open: OpenSpans<StackId>) -> io::Result<()> {
        // How long a task was polled is said when it ends.
        if self.options.busy {
            return Ok(());
        }
        for (_, span) in open.iter().filter(|(_, span)| span.selected) {
            self.add(span.kept, span.self_time(process.last));
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let lines = self.folded();
        // There is no picture of nothing.
        if lines.is_empty() {
            return Ok(());
        }
        if !self.options.folded {
            return self.draw(&lines);
        }
        for line in lines {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }
}
