//! The rows of the tables: who does the work, and into which sink.

use log::{LevelFilter, Log};

use crate::by_hand::{ByHand, KeyValues, SameText, Wrapper};
use crate::emit::Emit;
use crate::logforth::Logforth;
use crate::ours::Ours;
use crate::plain::Plain;
use crate::sink::{Silent, Text, Writer};
use crate::slog::Slog;
use crate::tracing::Tracing;
use crate::work::{run, Operation, Work};
use crate::{emit, logforth, slog, tracing};

/// A row.
pub struct Entry {
    pub name: &'static str,
    pub form: Form,
    /// Installs the peer. At `Info` it is to filter spans out and let records through.
    pub start: fn(LevelFilter),
    pub run: fn(Operation, u64),
    /// Waits for what is done in the background.
    pub finish: fn(),
    pub emits: Emits,
    /// How often an operation is done more in one of two runs whose difference is taken: more often where a run is not
    /// the same twice.
    pub repeats: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Silent,
}

/// What reaches the sink.
#[derive(Clone, Copy)]
pub struct Emits {
    /// Lines of a record.
    pub record: usize,
    /// Lines of a span.
    pub span: usize,
    /// Lines of a span with a record in it.
    pub both: usize,
    /// Whether the record in it has the span's fields.
    pub context: bool,
    /// Whether an annotated function shows its second argument.
    pub both_arguments: bool,
}

/// A record is a line, a span is two.
const LINES: Emits = Emits {
    record: 1,
    span: 2,
    both: 3,
    context: true,
    both_arguments: true,
};

fn entry<W: Work>(name: &'static str, form: Form, start: fn(LevelFilter)) -> Entry {
    Entry {
        name,
        form,
        start,
        run: run::<W>,
        finish: || (),
        emits: LINES,
        repeats: 1000,
    }
}

impl Entry {
    fn emitting(self, emits: Emits) -> Self {
        Entry { emits, ..self }
    }

    #[cfg(feature = "fastrace")]
    fn finishing(self, finish: fn()) -> Self {
        Entry { finish, ..self }
    }

    #[cfg(feature = "fastrace")]
    fn repeating(self, repeats: u64) -> Self {
        Entry { repeats, ..self }
    }
}

fn install(logger: impl Log + 'static, level: LevelFilter) {
    log::set_boxed_logger(Box::new(logger)).expect("no logger is set");
    log::set_max_level(level);
}

fn env_logger(level: LevelFilter) -> env_logger::Logger {
    env_logger::Builder::new()
        .filter_level(level)
        .format_timestamp(None)
        .write_style(env_logger::WriteStyle::Never)
        .target(env_logger::Target::Pipe(Box::new(Writer)))
        .build()
}

fn wrap<L: Log>(logger: L) -> async_log::Logger<L> {
    async_log::Logger::wrap(logger, async_log::task_id)
}

/// The row that is taken off all others.
pub const PLAIN: &str = "nothing";
/// The row that nanoseconds are compared with.
pub const BY_HAND: &str = "`log` by hand, no ids";
/// Ours and the same text by hand.
pub const OURS: &str = "**async-log 3**";
pub const SAME_TEXT: &str = "`log` by hand, our text";

/// All rows that this program has.
pub fn all() -> Vec<Entry> {
    let nothing = Emits {
        record: 0,
        span: 0,
        both: 0,
        ..LINES
    };
    let mut entries = vec![entry::<Plain>(PLAIN, Form::Silent, |_| ()).emitting(nothing)];
    entries.extend(texts());
    entries.extend(silents());
    entries.extend(with_value_bag());
    entries.extend(with_fastrace());
    entries
}

fn texts() -> Vec<Entry> {
    use Form::Text as Written;
    let one_event = Emits {
        span: 1,
        both: 2,
        ..LINES
    };
    let no_spans = Emits {
        span: 0,
        both: 1,
        ..LINES
    };
    vec![
        entry::<ByHand>(BY_HAND, Written, |level| install(Text, level)),
        entry::<KeyValues>("`log` by hand, key-values", Written, |level| {
            install(Text, level)
        }),
        entry::<KeyValues>("the same in the thinnest wrapper", Written, |level| {
            install(Wrapper(Text), level)
        }),
        entry::<SameText>(SAME_TEXT, Written, |level| install(Text, level)),
        entry::<Ours>(OURS, Written, |level| install(wrap(Text), level)),
        entry::<Ours>("**async-log 3**, minimal", Written, |level| {
            install(wrap(Text).with_minimal_keys(), level)
        }),
        entry::<Ours>("**async-log 3**, key-values", Written, |level| {
            install(wrap(Text).with_key_values(), level)
        }),
        entry::<ByHand>("env_logger by hand, no ids", Written, |level| {
            install(env_logger(level), level)
        }),
        entry::<Ours>("**async-log 3** around env_logger", Written, |level| {
            install(wrap(env_logger(level)), level)
        }),
        entry::<Tracing>("tracing + fmt", Written, tracing::format).emitting(no_spans),
        entry::<Tracing>(
            "tracing + fmt, spans printed",
            Written,
            tracing::format_spans,
        ),
        entry::<Emit>("emit", Written, emit::text).emitting(one_event),
        entry::<Slog>("slog by hand", Written, slog::text),
        entry::<Slog>("slog by hand + slog-term", Written, slog::term),
        entry::<KeyValues>("logforth by hand, key-values", Written, logforth::text),
        entry::<Logforth>("logforth by hand, diagnostics", Written, logforth::text),
    ]
}

fn silents() -> Vec<Entry> {
    use Form::Silent as Unformatted;
    let one_event = Emits {
        span: 1,
        both: 2,
        ..LINES
    };
    vec![
        entry::<ByHand>(BY_HAND, Unformatted, |level| install(Silent, level)),
        entry::<KeyValues>("`log` by hand, key-values", Unformatted, |level| {
            install(Silent, level)
        }),
        entry::<KeyValues>("the same in the thinnest wrapper", Unformatted, |level| {
            install(Wrapper(Silent), level)
        }),
        entry::<Ours>("**async-log 3**, key-values", Unformatted, |level| {
            install(wrap(Silent).with_key_values(), level)
        }),
        entry::<Tracing>(
            "tracing, a layer that does nothing",
            Unformatted,
            tracing::silent,
        ),
        entry::<Emit>("emit", Unformatted, emit::silent).emitting(one_event),
        entry::<Slog>("slog by hand", Unformatted, slog::silent),
        entry::<KeyValues>(
            "logforth by hand, key-values",
            Unformatted,
            logforth::silent,
        ),
    ]
}

#[cfg(not(feature = "value-bag"))]
fn with_value_bag() -> Vec<Entry> {
    Vec::new()
}

#[cfg(feature = "value-bag")]
fn with_value_bag() -> Vec<Entry> {
    use crate::async_log_2::AsyncLog2;
    use crate::context_logger::{self, WithContext};
    let old = Emits {
        context: false,
        both_arguments: false,
        ..LINES
    };
    let context = "context-logger, spans by hand";
    vec![
        entry::<WithContext>(context, Form::Text, |level| {
            context_logger::start(Text, level)
        }),
        entry::<WithContext>(context, Form::Silent, |level| {
            context_logger::start(Silent, level)
        }),
        entry::<AsyncLog2>("async-log 2.0", Form::Text, |level| {
            ::async_log_2::start(Text, level)
        })
        .emitting(old),
        entry::<AsyncLog2>("async-log 2.0", Form::Silent, |level| {
            ::async_log_2::start(Silent, level)
        })
        .emitting(old),
    ]
}

#[cfg(not(feature = "fastrace"))]
fn with_fastrace() -> Vec<Entry> {
    Vec::new()
}

#[cfg(feature = "fastrace")]
fn with_fastrace() -> Vec<Entry> {
    use crate::fastrace::{finish, later, silent, text, Fastrace};
    let name = "fastrace, child spans";
    let none = Emits {
        record: 0,
        span: 0,
        both: 0,
        ..LINES
    };
    let entries = vec![
        // The batch is a span, and a record is part of it.
        entry::<Fastrace>(name, Form::Text, text)
            .finishing(finish)
            .emitting(Emits { both: 2, ..LINES }),
        // The batch and the records in it are counted too.
        entry::<Fastrace>(name, Form::Silent, silent)
            .finishing(finish)
            .emitting(Emits { record: 2, ..LINES }),
        // The same without what is done in the background: nothing has been reported when it is over.
        entry::<Fastrace>("fastrace, child spans, reported later", Form::Silent, later)
            .emitting(none),
    ];
    entries
        .into_iter()
        .map(|entry| entry.repeating(50_000))
        .collect()
}
