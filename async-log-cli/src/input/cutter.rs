//! Cuts the bytes of sources into batches of whole records.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::InputError;
use super::rotated::ordered;
use super::source::{Got, Source};
use crate::read::{Batch, Dialect, Form, Layout, Unreadable, Why, trim_end};

/// How much of a log one batch holds, unless a record is longer.
const BATCH: usize = 256 << 10;

/// How much of a log is looked at at once to find out its dialect.
const SAMPLE: usize = 256 << 10;

/// A longer line is passed over.
const MAX_LINE: usize = 8 << 20;

/// So many files are kept open from the beginning, so that one that is rotated meanwhile is read to
/// its end. Processes may have 1024 open, often 256.
const KEPT_OPEN: usize = 128;

/// How logs are read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The form of the records; none: it is found out.
    pub form: Option<Form>,
    /// What stands before each message; none: it is found out.
    pub prefix: Option<Layout>,
    /// Files are read as they are named; else those of a rotated log in the order of time.
    pub in_order: bool,
    /// The last file grows, until this is set.
    pub follow: Option<Arc<AtomicBool>>,
    /// How many bytes a batch has; a longer record makes it longer.
    pub batch_len: usize,
    /// How long a line, and a record, may be.
    pub max_line: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            form: None,
            prefix: None,
            in_order: false,
            follow: None,
            batch_len: BATCH,
            max_line: MAX_LINE,
        }
    }
}

/// Fills batches with whole records, one source after another.
#[derive(Debug)]
pub struct Cutter {
    sources: Vec<Source>,
    options: Options,
    current: usize,
    /// Of the current source: what was read and not given yet.
    ahead: Vec<u8>,
    /// Of the current source: the lines that were given or passed over.
    lines: u64,
    /// Of the current source; none while no record was found.
    dialect: Option<Arc<Dialect>>,
    troubles: Vec<InputError>,
    /// The sources that are read from their ends.
    reversed: Vec<usize>,
}

/// How far a batch was filled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filled {
    /// As far as was asked for.
    Full,
    /// With all that is there at the moment.
    Paused,
    /// With all that there is.
    Ended,
}

impl Cutter {
    /// Opens all of these files, rotated ones in the order of time unless told otherwise; standard input if there are none.
    ///
    /// An error is said before anything is read.
    pub fn open(paths: &[PathBuf], options: Options) -> Result<Cutter, InputError> {
        if paths.is_empty() && std::io::stdin().is_terminal() {
            let advice = "name the log files, or pipe a log into this";
            let what = "no file is named, and standard input is a terminal";
            return Err(InputError::new("standard input", what, advice));
        }
        let mut paths = match options.in_order {
            true => paths.to_vec(),
            false => ordered(paths),
        };
        if paths.is_empty() {
            paths.push("-".into());
        }
        let sources = open_all(&paths, options.follow.as_ref())?;
        if sources.iter().all(|source| source.total() == Some(0)) {
            return Err(InputError::is_empty(sources[0].name()));
        }
        Ok(Cutter::new(sources, options))
    }

    /// Reads these sources, in this order.
    pub fn new(sources: Vec<Source>, mut options: Options) -> Cutter {
        options.batch_len = options.batch_len.clamp(1, options.max_line.max(1));
        Cutter {
            sources,
            options,
            current: 0,
            ahead: Vec::new(),
            lines: 0,
            dialect: None,
            troubles: Vec::new(),
            reversed: Vec::new(),
        }
    }

    /// The sources, in the order in which they are read. [`Batch::source`] is an index of this.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What could not be read to its end. What stands before was given.
    pub fn troubles(&self) -> &[InputError] {
        &self.troubles
    }

    /// The sources whose newest lines are first, and that were read from their ends.
    pub fn reversed(&self) -> impl Iterator<Item = &Source> {
        self.reversed
            .iter()
            .filter_map(|index| self.sources.get(*index))
    }

    /// How many bytes are stored in all of the sources, if that is known of all.
    pub fn total(&self) -> Option<u64> {
        self.sources.iter().map(Source::total).sum()
    }

    /// How many of the stored bytes were read.
    pub fn consumed(&self) -> u64 {
        self.sources.iter().map(Source::consumed).sum()
    }

    /// Fills `batch` with the next lines; false at the end of all sources, with nothing in it.
    pub fn next(&mut self, batch: &mut Batch) -> bool {
        while self.current < self.sources.len() {
            if self.next_of_source(batch) {
                return true;
            }
        }
        batch.begin(self.current, 0);
        batch.bytes.clear();
        false
    }

    /// Fills `batch` with the next lines of the current source; at its end, goes on to the next one.
    fn next_of_source(&mut self, batch: &mut Batch) -> bool {
        batch.begin(self.current, self.lines);
        let mut len = self.put_back(&mut batch.bytes);
        let mut wanted = self.options.batch_len;
        loop {
            let filled = self.fill(&mut batch.bytes, &mut len, wanted);
            if self.detect(&batch.bytes[..len]) {
                len = 0;
                continue;
            }
            let limit = match &self.dialect {
                Some(_) => len.min(wanted),
                None => len,
            };
            let is_last = filled == Filled::Ended && limit == len;
            let mut end = match is_last {
                true => behind_last_line(&batch.bytes[..len]),
                false => self.cut(&batch.bytes[..limit]),
            };
            if end == 0 && !is_last && limit > self.options.max_line {
                end = behind_last_line(&batch.bytes[..limit]);
                if end == 0 {
                    len = self.skip_line(batch);
                    wanted = self.options.batch_len;
                    continue;
                }
            }
            if end > 0 || is_last {
                self.give(batch, end, len);
                batch.pauses = filled == Filled::Paused;
                if is_last {
                    self.end_source(batch);
                }
                return end > 0 || batch.passed_over.lines > 0;
            }
            if filled != Filled::Paused || wanted < len {
                wanted = wanted.saturating_mul(2).min(self.options.max_line + 1);
            }
        }
    }

    /// Puts what was read ahead into the beginning of `bytes`, whose length is left as it is if it can
    /// be, and says how much that is.
    fn put_back(&mut self, bytes: &mut Vec<u8>) -> usize {
        let len = self.ahead.len();
        if bytes.len() < len {
            bytes.resize(len, 0);
        }
        bytes[..len].copy_from_slice(&self.ahead);
        self.ahead.clear();
        len
    }

    /// Reads behind the first `len` bytes, until there are `wanted` or no more. Of a source of which
    /// nothing is known enough is read to find that out.
    fn fill(&mut self, bytes: &mut Vec<u8>, len: &mut usize, wanted: usize) -> Filled {
        let wanted = match &self.dialect {
            Some(_) => wanted,
            None => wanted.max(SAMPLE.min(self.options.max_line + 1)),
        };
        if bytes.len() < wanted {
            bytes.resize(wanted, 0);
        }
        let source = &mut self.sources[self.current];
        while *len < wanted {
            match source.get(&mut bytes[*len..wanted]) {
                Ok(Got::Bytes(read)) => *len += read,
                Ok(Got::Nothing) => return Filled::Paused,
                Ok(Got::End) => return Filled::Ended,
                Err(error) => {
                    self.troubles.push(error);
                    return Filled::Ended;
                }
            }
        }
        Filled::Full
    }

    /// Finds out the dialect. True if all that was read is to be read again, in another order.
    fn detect(&mut self, bytes: &[u8]) -> bool {
        let end = behind_last_line(bytes);
        if self.dialect.is_some() || end == 0 {
            return false;
        }
        let prefix = self.options.prefix.as_ref();
        let found = Dialect::detect_with(&bytes[..end], self.options.form, prefix);
        self.dialect = found.map(Arc::new);
        match self.dialect.clone().filter(|dialect| dialect.is_reversed) {
            Some(dialect) => self.reverse(bytes, dialect),
            None => false,
        }
    }

    fn reverse(&mut self, bytes: &[u8], dialect: Arc<Dialect>) -> bool {
        let source = &mut self.sources[self.current];
        let reversed = source.reverse(bytes, dialect, self.options.max_line);
        let error = match reversed {
            Some(Ok(())) => {
                self.reversed.push(self.current);
                return true;
            }
            Some(Err(error)) => error,
            None => {
                let advice = "turn it round first, with `tac`, or leave the option out that did it";
                InputError::new(source.name(), "its newest lines are first", advice)
            }
        };
        self.troubles.push(error);
        false
    }

    /// Where a batch can end: behind a record, or before a line that cannot go on with one.
    fn cut(&self, bytes: &[u8]) -> usize {
        let text = Dialect::default();
        let dialect = self.dialect.as_deref().unwrap_or(&text);
        if let Some(whole) = dialect.container.whole_until(bytes) {
            let is_record = |end: &&usize| {
                let begin = behind_last_line(&bytes[..**end - 1]);
                dialect.is_record(trim_end(&bytes[begin..**end - 1]))
            };
            let end = whole.iter().find(is_record).or(whole.first());
            return end.copied().unwrap_or_default();
        }
        let mut end = behind_last_line(bytes);
        while end > 0 {
            let begin = behind_last_line(&bytes[..end - 1]);
            let line = trim_end(&bytes[begin..end - 1]);
            if dialect.is_record(line) {
                break;
            }
            end = begin;
            if !dialect.may_continue(line) {
                break;
            }
        }
        end
    }

    /// Passes over the line that fills all of the batch, in the room that it takes there. Says how
    /// much was read behind it.
    fn skip_line(&mut self, batch: &mut Batch) -> usize {
        self.lines += 1;
        batch.lines_before = self.lines;
        batch.passed_over.add(self.lines, 1, Why::Long);
        loop {
            let mut len = 0;
            let filled = self.fill(&mut batch.bytes, &mut len, self.options.batch_len);
            if let Some(at) = memchr::memchr(b'\n', &batch.bytes[..len]) {
                batch.bytes.copy_within(at + 1..len, 0);
                return len - at - 1;
            }
            if filled == Filled::Ended {
                return 0;
            }
        }
    }

    /// Hands out the first `end` of `len` bytes, and keeps the rest.
    fn give(&mut self, batch: &mut Batch, end: usize, len: usize) {
        self.lines += memchr::memchr_iter(b'\n', &batch.bytes[..end]).count() as u64;
        self.ahead.extend_from_slice(&batch.bytes[end..len]);
        batch.lines_len = end;
        batch.bytes.truncate(end);
        batch.dialect = self.dialect.clone().unwrap_or_default();
    }

    /// What is left has no line break: it is torn. The next source begins.
    fn end_source(&mut self, batch: &mut Batch) {
        if !self.ahead.is_empty() {
            batch.passed_over.add(self.lines + 1, 1, Why::Torn);
        }
        self.ahead.clear();
        self.lines = 0;
        if !self.sources[self.current].begin_next() {
            self.dialect = None;
            self.sources[self.current].close();
            self.current += 1;
        }
    }
}

/// Opens all files, and keeps as many open as this process may have.
fn open_all(
    paths: &[PathBuf],
    follow: Option<&Arc<AtomicBool>>,
) -> Result<Vec<Source>, InputError> {
    let mut sources: Vec<Source> = Vec::with_capacity(paths.len());
    let mut kept_open = KEPT_OPEN;
    while let Some(path) = paths.get(sources.len()) {
        let is_last = sources.len() + 1 == paths.len();
        let opened = match follow.filter(|_| is_last) {
            Some(stop) => Source::follow(path, Arc::clone(stop)),
            None => Source::open(path),
        };
        match opened {
            // Room for half as many more: for the output, and for who reads compressed files.
            Err(error) if error.is_crowd() && kept_open > 0 => {
                kept_open = sources.len().min(kept_open) / 2;
                for (source, path) in sources.iter_mut().zip(paths).skip(kept_open) {
                    source.shut(path);
                }
            }
            Err(error) => return Err(error),
            Ok(mut source) => {
                if sources.len() >= kept_open {
                    source.shut(path);
                }
                sources.push(source);
            }
        }
    }
    Ok(sources)
}

/// Where the last line of `bytes` ends that has a line break.
fn behind_last_line(bytes: &[u8]) -> usize {
    memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1)
}

impl Batch {
    fn begin(&mut self, source: usize, lines_before: u64) {
        self.records.clear();
        self.lines_len = 0;
        self.source = source;
        self.lines_before = lines_before;
        self.passed_over = Unreadable::default();
        self.unreadable = Unreadable::default();
        self.pauses = false;
    }
}
