//! What is made of spans: the other side of a [`Tracker`](super::Tracker).

use std::io;

use super::open::{Open, OpenSpans};
use crate::read::{Outcome, ProcessId, View};

/// A process of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its place among the processes of the log, from 0.
    pub index: usize,
    /// Its name, where the log says it.
    pub id: Option<ProcessId>,
    /// The latest time that it said, in nanoseconds since 1970.
    pub last: u64,
}

/// A span starts.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The process.
    pub process: Process,
    /// The span. Where the log has no ids it has one that the tracker gave it.
    pub id: u64,
    /// The span around it, 0 if there is none.
    pub parent: u64,
    /// When, in nanoseconds since 1970.
    pub at: u64,
    /// It is a part of the span around it. A task is not, unless that was asked for.
    pub joined: bool,
    /// The selection takes it, unless its end says otherwise.
    pub selected: bool,
    /// Its end may still say that the selection takes it.
    pub may_be_selected: bool,
    /// The selection wants nothing that was over by now.
    pub early: bool,
    /// The record.
    pub view: View<'a>,
}

/// A span ends.
#[derive(Debug)]
pub struct End<'a, S> {
    /// The process.
    pub process: Process,
    /// The span.
    pub id: u64,
    /// What is known of it; none if its start is not in the log.
    pub span: Option<Open<S>>,
    /// When, in nanoseconds since 1970.
    pub at: u64,
    /// How long it was open, in nanoseconds.
    pub duration: u64,
    /// How long none of its children was open, in nanoseconds; tasks are none, unless that was asked for.
    pub self_time: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The selection takes it.
    pub selected: bool,
    /// The record.
    pub view: View<'a>,
}

/// A record that is neither start nor end.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The process.
    pub process: Process,
    /// The span that it is in, 0 if there is none.
    pub span: u64,
    /// The root of its trace, where that is known and the span is not; else 0.
    pub root: u64,
    /// When, in nanoseconds since 1970: by the logger's clock, held between the marks around it. 0 if
    /// nothing says it.
    pub at: u64,
    /// The record.
    pub view: View<'a>,
}

/// What is made of the spans of a log.
pub trait Sink {
    /// What is kept of a span while it is open.
    type Kept;

    /// Whether records are wanted that are neither start nor end.
    fn wants_events(&self) -> bool;

    /// Whether the name of a process is wanted before anything of it, if it comes at all soon.
    fn wants_names(&self) -> bool {
        false
    }

    /// Whether the time of a task counts for the span that spawned it.
    fn joins_tasks(&self) -> bool {
        false
    }

    /// Whether the self times of spans are wanted. If not, they are their durations.
    fn wants_self_times(&self) -> bool {
        true
    }

    /// Whether records are shown for themselves, so that a log without spans has something to show.
    fn shows_events(&self) -> bool {
        self.wants_events()
    }

    /// A span starts. `open` has those that are, this one not yet.
    fn start(
        &mut self,
        start: Start<'_>,
        open: &mut OpenSpans<Self::Kept>,
    ) -> io::Result<Self::Kept>;

    /// A record is written. Called for those that the selection takes.
    fn event(&mut self, event: Event<'_>, open: &mut OpenSpans<Self::Kept>) -> io::Result<()> {
        let _ = (event, open);
        Ok(())
    }

    /// A span ends. It is no longer among `open`.
    fn end(&mut self, end: End<'_, Self::Kept>, open: &mut OpenSpans<Self::Kept>)
    -> io::Result<()>;

    /// Records whose span is not in the log, of the trace of that root.
    fn lost(
        &mut self,
        process: Process,
        root: u64,
        events: &[Event<'_>],
        open: &mut OpenSpans<Self::Kept>,
    ) -> io::Result<()> {
        let _ = (process, root);
        events.iter().try_for_each(|event| self.event(*event, open))
    }

    /// No more records are at hand: somebody may be waiting for what was written.
    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// A process is over: the log ends, or another process begins. What is open has no end in the log.
    fn left_open(&mut self, process: Process, open: OpenSpans<Self::Kept>) -> io::Result<()>;

    /// The log is over.
    fn finish(&mut self) -> io::Result<()>;
}
