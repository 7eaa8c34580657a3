//! What a reader finds out about every record at once. All else is read where it is asked for: see
//! [`View`](super::View).

use std::ops::Range;

use super::dialect::Form;

/// A part of a [`Batch`](super::Batch)'s bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The offset of its first byte.
    pub start: u32,
    /// The offset behind its last byte.
    pub end: u32,
}

impl Part {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        // A batch is far smaller than 4 GiB.
        Part {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// How far behind the start of a record something is, kept small; `FAR` if it is too far for that.
pub(crate) type Offset = u16;

/// What is farther than an [`Offset`] can say.
pub(crate) const FAR: Offset = Offset::MAX;

/// What a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The start of a span.
    Start,
    /// The end of a span.
    End,
    /// Any other record.
    #[default]
    Event,
}

/// How a span ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It just ended.
    #[default]
    Finished,
    /// Its function returned an error.
    Error,
    /// Its future was dropped before it was done.
    Cancelled,
    /// It was left by a panic.
    Panicked,
    /// A word that this version does not know.
    Other,
}

impl Outcome {
    pub(crate) fn from_word(word: &[u8]) -> Self {
        match word {
            b"error" => Outcome::Error,
            b"cancelled" => Outcome::Cancelled,
            b"panicked" => Outcome::Panicked,
            _ => Outcome::Other,
        }
    }

    /// The word in the log; of a span that just ended there is none.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Outcome::Finished => None,
            Outcome::Error => Some("error"),
            Outcome::Cancelled => Some("cancelled"),
            Outcome::Panicked => Some("panicked"),
            Outcome::Other => Some("other"),
        }
    }
}

/// Why the spans of a trace were written, where not all are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TraceKept {
    /// It is not said.
    #[default]
    Unsaid,
    /// It took long.
    Slow,
    /// Something in it failed.
    Failed,
    /// It is one of so many.
    Sample,
    /// The program wanted it.
    Asked,
    /// A word that this version does not know.
    Other,
}

impl TraceKept {
    pub(crate) fn from_word(word: &[u8]) -> Self {
        match word {
            b"slow" => TraceKept::Slow,
            b"failed" => TraceKept::Failed,
            b"sample" => TraceKept::Sample,
            b"asked" => TraceKept::Asked,
            _ => TraceKept::Other,
        }
    }
}

/// `PID-NANOS`: a process, and when it first read the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId {
    /// The operating system's number.
    pub pid: u64,
    /// Nanoseconds since 1970.
    pub start: u64,
}

impl std::fmt::Display for ProcessId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.pid, self.start)
    }
}

/// The level of a record, where the logger writes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// What happens.
    Info,
    /// For who looks for a mistake.
    Debug,
    /// All there is; spans, usually.
    Trace,
}

impl Level {
    /// The level that a logger wrote as `word`, in any case.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        // Once a record, so it is compared with one word alone.
        let (name, level) = match (word.first()?.to_ascii_lowercase(), word.len()) {
            (b'e', 5) => ("error", Level::Error),
            (b'w', 4) => ("warn", Level::Warn),
            (b'w', 7) => ("warning", Level::Warn),
            (b'i', 4) => ("info", Level::Info),
            (b'd', 5) => ("debug", Level::Debug),
            (b't', 5) => ("trace", Level::Trace),
            (b'c', 8) => ("critical", Level::Error),
            (b'f', 5) => ("fatal", Level::Error),
            _ => return None,
        };
        word.eq_ignore_ascii_case(name.as_bytes()).then_some(level)
    }

    /// The level in capitals.
    pub fn word(self) -> &'static str {
        match self {
            Level::Error => "ERROR",
            Level::Warn => "WARN",
            Level::Info => "INFO",
            Level::Debug => "DEBUG",
            Level::Trace => "TRACE",
        }
    }
}

/// The keys of `docs/format.md`, section 5, of one record, and where in the batch the record is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record {
    /// What it is.
    pub kind: Kind,
    /// Of a start: it is the end too, written when the span had ended.
    pub is_whole: bool,
    /// Of an end: how the span ended.
    pub outcome: Outcome,
    /// 0 where there is none.
    pub span_id: u64,
    /// Of a start; 0 where there is none.
    pub span_parent: u64,
    /// Of a start: when, in nanoseconds since 1970.
    pub at: Option<u64>,
    /// Of an end: how long, in nanoseconds.
    pub elapsed: Option<u64>,
    /// The root of its trace, where the record says it; 0 if it does not.
    pub span_root: u64,
    /// Of the end of a task: how long it was polled, in nanoseconds, how often, and the longest of
    /// these times. 0 where it is not said.
    pub busy: u64,
    /// See `busy`.
    pub polls: u64,
    /// See `busy`.
    pub poll_max: u64,
    /// Of the end of a root: how many spans of its trace were not written.
    pub spans_dropped: u32,
    /// Of the first record of a trace: why it was written.
    pub trace_kept: TraceKept,
    /// The task.
    pub task_id: u64,
    /// The thread that wrote it.
    pub thread_id: u64,
    /// Of the start of a task: who made it.
    pub task_parent_id: Option<u64>,
    /// Of the start of a task: where it was made.
    pub spawn_line: Part,
    /// The process, where the record names one.
    pub process: Option<ProcessId>,
    /// All of its lines, without the last line's end.
    pub text: Part,
    /// How its message and its pairs are written. A logger that writes JSON may have text in it.
    pub form: Form,
    /// Its level, where a logger wrote it as a field of its own.
    pub level: Option<Level>,
    /// Where in its line a logger wrote its time as a field of its own; 0 if there is none.
    pub(crate) time_at: Offset,
    /// Where in its line a logger wrote its target as a field of its own; 0 if there is none.
    pub(crate) target_at: Offset,
    /// The last line of its message, where the pairs are.
    pub last_line: u32,
    /// Where that line ends.
    pub last_line_end: u32,
    /// Where its own pairs begin to be ours alone: nothing of the program is behind.
    pub tail: u32,
    /// Of the text form: from where on all pairs are the writer's own.
    pub(crate) ours_at: u32,
    /// Of a start: its message, as it is written. Of others it is found when it is asked for.
    pub message: Option<Part>,
    /// The number of its first line in its file, from 1.
    pub line: u64,
}

impl Record {
    /// Whether a start or an end is one that only a process writes that writes its spans later.
    #[inline]
    pub(crate) fn is_late(&self) -> bool {
        self.is_whole
            || self.span_root != 0
            || self.spans_dropped != 0
            || self.trace_kept != TraceKept::Unsaid
    }
}
