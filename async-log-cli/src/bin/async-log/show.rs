//! What each command makes of the logs that it reads.

use std::io;

use async_log_cli::track::{Selection, Sink, Tracker};
use async_log_cli::write::chrome::Chrome;
use async_log_cli::write::perfetto::Perfetto;
use async_log_cli::write::{
    Look, failed, flame, grep, slow, stats, task, tasks, trace, tree, unfinished,
};

use crate::args::{self, Command};
use crate::hint::Hint;
use crate::output::Output;
use crate::reading::Input;
use crate::report::Nothing;

impl Input {
    /// Reads the logs with what the command wants of them.
    pub(crate) fn draw(
        &mut self,
        command: &Command,
        look: Look,
        out: &mut Output,
    ) -> io::Result<()> {
        match command {
            Command::Slow(args) => self.show_slow(args, look, out),
            Command::Failed(args) => self.show_failed(args, look, out),
            Command::Grep(args) => self.show_grep(args, look, out),
            Command::Tree(args) => self.show_tree(args, look, out),
            Command::Tasks(args) => self.show_tasks(args, look, out),
            Command::Task(args) => {
                let mut options = task::Options::default();
                (options.look, options.task) = (look, args.id);
                (options.tree, options.time_of_day) = (args.tree, args.time_of_day);
                self.read(task::Task::new(options, out), |tracker| {
                    let is_there = tracker.sink().written() > 0;
                    (!is_there).then_some(Nothing::Task(args.id))
                })
                .map(drop)
            }
            Command::Stats(args) => self.show_stats(args, look, out),
            Command::Unfinished(table) => {
                let mut options = unfinished::Options::default();
                (options.look, options.json) = (look, table.rows.json);
                options.limit = table.rows.most();
                self.read(unfinished::Unfinished::new(options, out), no_span_taken)
                    .map(drop)
            }
            Command::Flame(args) => {
                self.join_tasks = args.spawned;
                self.read(flame::Flame::new(args.options(), out), |tracker| {
                    let has_time = tracker.sink().total() > 0;
                    let no_time = if args.busy {
                        Nothing::Busy
                    } else {
                        Nothing::Time
                    };
                    no_span_taken(tracker).or((!has_time).then_some(no_time))
                })
                .map(drop)
            }
            Command::Chrome(_) => self
                .read(Chrome::new(trace::Options::default(), out), nothing_taken)
                .map(drop),
            Command::Perfetto(_) => self
                .read(Perfetto::new(trace::Options::default(), out), nothing_taken)
                .map(drop),
            Command::Diff(_) | Command::Completions { .. } | Command::Manual { .. } => Ok(()),
        }
    }

    fn show_slow(&mut self, args: &args::Slow, look: Look, out: &mut Output) -> io::Result<()> {
        let mut options = slow::Options::default();
        (options.look, options.json) = (look, args.table.rows.json);
        options.count = args.count.unwrap_or(options.count).max(1);
        options.limit = args.table.rows.limit.unwrap_or(options.limit);
        options.selection = self.take_choice();
        let sink = self.read(slow::Slow::new(options, out), |tracker| {
            let sink = tracker.sink();
            let is_none = sink.taken() == 0;
            let none = is_none.then_some(Nothing::Taken { records: false });
            none.or((!sink.has_time()).then_some(Nothing::Time))
        })?;
        self.unknown_keys = sink.selection().conditions.unknown_keys();
        self.hint = match sink.crowded() {
            Some(name) => Hint::slow(args.count, &name),
            None => Hint::task(sink.task()),
        };
        Ok(())
    }

    fn show_failed(&mut self, args: &args::Failed, look: Look, out: &mut Output) -> io::Result<()> {
        let mut options = failed::Options::default();
        (options.look, options.json) = (look, args.table.rows.json);
        options.limit = args.table.rows.limit.unwrap_or(options.limit);
        options.selection = self.take_choice();
        let asked = std::mem::take(&mut options.selection.outcomes);
        if !asked.is_all() {
            options.outcomes = asked;
        }
        let sink = self.read(failed::Failed::new(options, out), |tracker| {
            let sink = tracker.sink();
            let (traces, _) = sink.counts();
            match (sink.groups(), traces) {
                (0, 0) => Some(Nothing::Taken { records: false }),
                (0, traces) => Some(Nothing::Failed { traces }),
                _ => None,
            }
        })?;
        self.unknown_keys = sink.selection().conditions.unknown_keys();
        self.hint = Hint::task(sink.task());
        Ok(())
    }

    fn show_grep(&mut self, args: &args::Grep, look: Look, out: &mut Output) -> io::Result<()> {
        let mut options = grep::Options::new(args.pattern.clone());
        (options.look, options.json) = (look, args.table.rows.json);
        options.limit = args.table.rows.limit.unwrap_or(options.limit);
        options.selection = self.take_choice();
        let sink = self.read(grep::Grep::new(options, out), |tracker| {
            let sink = tracker.sink();
            match (sink.found(), sink.taken()) {
                (0, 0) => Some(Nothing::Taken { records: true }),
                (0, traces) => Some(Nothing::Found { traces }),
                _ => None,
            }
        })?;
        self.unknown_keys = sink.selection().conditions.unknown_keys();
        if sink.found() == 0 {
            self.unknown_keys.extend(sink.doubts());
        }
        self.hint = Hint::task(sink.task());
        Ok(())
    }

    fn show_tree(&mut self, args: &args::Tree, look: Look, out: &mut Output) -> io::Result<()> {
        let mut options = tree::Options::default();
        (options.look, options.json) = (look, args.table.rows.json);
        (options.spawned, options.prune, options.outside) =
            (args.spawned, args.prune, args.outside);
        options.limit = args.table.rows.limit.unwrap_or(options.limit);
        options.selection = self.take_choice();
        let sink = self.read(tree::Tree::new(options, out), |tracker| {
            let sink = tracker.sink();
            match (sink.taken(), sink.hidden()) {
                (0, 0) => Some(Nothing::Taken { records: true }),
                (0, hidden) => Some(Nothing::Outside(hidden)),
                _ => None,
            }
        })?;
        self.unknown_keys = sink.selection().conditions.unknown_keys();
        self.hint = match sink.hidden() {
            0 => Hint::task(sink.task()),
            hidden => Hint::outside(hidden),
        };
        Ok(())
    }

    fn show_tasks(&mut self, args: &args::Tasks, look: Look, out: &mut Output) -> io::Result<()> {
        let mut options = tasks::Options::default();
        (options.look, options.json) = (look, args.table.rows.json);
        (options.sort, options.limit) = (args.sort, args.table.rows.most());
        // How a task ended is how its own span did.
        options.outcomes = std::mem::take(&mut self.selection.outcomes);
        let sink = self.read(tasks::Tasks::new(options, out), |tracker| {
            let is_none = tracker.sink().shown() == 0;
            nothing_taken(tracker).or(is_none.then_some(Nothing::Taken { records: false }))
        })?;
        self.hint = Hint::task(sink.first());
        Ok(())
    }

    fn show_stats(&mut self, args: &args::Stats, look: Look, out: &mut Output) -> io::Result<()> {
        let sink = self.read(stats::Stats::new(args.options(look), out), no_span_taken)?;
        self.hint = match sink.first() {
            Some(name) => Hint::slow(None, &name),
            None => Hint::default(),
        };
        let by = sink.unknown_keys().into_iter();
        self.unknown_keys
            .extend(by.map(|key| format!("no record has the key `{key}`")));
        Ok(())
    }

    /// Which traces are wanted. Of records in them the level alone decides.
    fn take_choice(&mut self) -> Selection {
        let mut of_records = Selection::default();
        of_records.level = self.selection.level;
        std::mem::replace(&mut self.selection, of_records)
    }
}

fn nothing_taken<S: Sink>(tracker: &Tracker<S>) -> Option<Nothing> {
    let taken = tracker.taken();
    let is_nothing = taken.spans == 0 && taken.records == 0;
    is_nothing.then_some(Nothing::Taken { records: true })
}

/// As above, of a command that shows no records.
pub(crate) fn no_span_taken<S: Sink>(tracker: &Tracker<S>) -> Option<Nothing> {
    let is_nothing = tracker.taken().spans == 0;
    is_nothing.then_some(Nothing::Taken { records: false })
}

impl args::Rows {
    /// How many rows at most.
    pub(crate) fn most(&self) -> Option<usize> {
        self.limit.filter(|&rows| rows > 0)
    }
}

impl args::Stats {
    fn options(&self, look: Look) -> stats::Options {
        let mut options = stats::Options::default();
        (options.look, options.json) = (look, self.rows.json);
        (options.limit, options.exact) = (self.rows.most(), self.names.exact);
        options.sort = self.sort;
        options.by.clone_from(&self.by.by);
        options
    }
}

impl args::Flame {
    fn options(&self) -> flame::Options {
        let mut options = flame::Options::default();
        (options.exact, options.folded) = (self.names.exact, self.folded);
        options.busy = self.busy;
        options.title.clone_from(&self.title);
        options
    }
}
