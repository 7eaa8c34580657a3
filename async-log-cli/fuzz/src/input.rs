//! Bytes as they are stored, into batches.

use std::io::{self, Cursor, Read, Write};

use async_log_cli::input::{Cutter, Options, Source};
use async_log_cli::read::Batch;

use super::Numbers;
use super::records::{Seen, views};

/// How much is unpacked of what is packed.
const UNPACKED: usize = 1 << 20;

/// Sources of any kind, read in pieces of any length and given in batches of any.
pub fn input(stored: &[u8]) {
    let mut numbers = Numbers::of(stored);
    let (log, error) = unpacked(source(stored), 1 << 16);
    let pieces = Pieces::of(stored, &mut numbers);
    let small = 1 + numbers.below(3000);
    let (again, again_error) = unpacked(Source::from_reader("bytes", pieces), small);
    assert_eq!(error, again_error, "in pieces");
    // How much stands before what is broken depends on how much was unpacked at once.
    match error {
        None => assert_eq!(log, again, "in pieces"),
        Some(_) => assert!(log.starts_with(&again) || again.starts_with(&log)),
    }
    if is_plain(&log) {
        let whole = read(vec![source(&log)], &options(&log));
        lines_are_counted(&log, &whole);
        batches_of_any_length(&log, &whole, &mut numbers);
        packed(&log, &whole, &mut numbers);
        several(&log, &mut numbers);
        long_lines(&log, &mut numbers);
    }
}

/// No line of this log is too long.
fn options(log: &[u8]) -> Options {
    let mut options = Options::default();
    options.max_line = log.len() + 1;
    options
}

/// All that was read.
#[derive(Clone, Debug, Default, PartialEq)]
struct Log {
    records: Vec<(usize, u64, Seen)>,
    unreadable: u64,
    first: Option<(usize, u64)>,
    troubles: Vec<String>,
}

fn read(sources: Vec<Source>, options: &Options) -> Log {
    let mut cutter = Cutter::new(sources, options.clone());
    let (mut log, mut batch) = (Log::default(), Batch::default());
    while cutter.next(&mut batch) {
        let room = options.max_line.max(options.batch_len) + 1;
        assert!(batch.bytes.len() <= room && batch.bytes.len() == batch.lines_len);
        batch.parse();
        for view in views(&batch) {
            let seen = Seen::of(view);
            log.records.push((batch.source, view.record.line, seen));
        }
        log.unreadable += batch.unreadable.lines;
        let first = batch.unreadable.first.map(|(line, _)| (batch.source, line));
        log.first = log.first.or(first);
    }
    assert!(!cutter.next(&mut batch), "there is nothing behind the end");
    log.troubles = cutter.troubles().iter().map(ToString::to_string).collect();
    log
}

fn source(bytes: &[u8]) -> Source {
    Source::from_reader("bytes", Cursor::new(bytes.to_vec()))
}

/// What comes out of a source, in steps of this length, and how that ends.
fn unpacked(mut source: Source, step: usize) -> (Vec<u8>, Option<String>) {
    let (mut log, mut buffer) = (Vec::new(), vec![0; step]);
    while log.len() < UNPACKED {
        match source.read(&mut buffer) {
            Ok(0) => return (log, None),
            Ok(len) => log.extend_from_slice(&buffer[..len]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return (log, Some(error.to_string())),
        }
    }
    log.truncate(UNPACKED);
    (log, None)
}

/// Whether nothing that these bytes begin with looks like an encoding.
fn is_plain(log: &[u8]) -> bool {
    let open = [0x1f, 0x28, 0xef, 0xfd, b'B', 0x04, 0xff, 0xfe];
    let is_open = |byte: &u8| open.contains(byte) || (0x50..=0x5f).contains(byte);
    !log.first().is_some_and(is_open) && log.len() < UNPACKED
}

/// Every line is one of a record, or counted; a last one without line break is torn.
fn lines_are_counted(log: &[u8], read: &Log) {
    // What is kept in other lines, or has zeros in it, has other lines than there are.
    let is_kept = |bytes: &[u8]| log.windows(bytes.len()).any(|at| at == bytes);
    if [&b"\0"[..], b"\"", b" stderr ", b" stdout "]
        .into_iter()
        .any(is_kept)
    {
        return;
    }
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let texts = read
        .records
        .iter()
        .map(|(_, _, seen)| lines(&seen.text) + 1);
    let torn = log.last().is_some_and(|byte| *byte != b'\n');
    let all = lines(log) + u64::from(torn);
    assert_eq!(texts.sum::<u64>() + read.unreadable, all);
}

fn batches_of_any_length(log: &[u8], whole: &Log, numbers: &mut Numbers) {
    let small = 1 + numbers.below(300);
    for batch_len in [1, small, log.len() / 2 + 1] {
        let mut options = options(log);
        options.batch_len = batch_len;
        let pieces = Pieces::of(log, numbers);
        let source = Source::from_reader("bytes", pieces);
        assert_eq!(
            &read(vec![source], &options),
            whole,
            "batches of {batch_len}"
        );
    }
}

fn packed(log: &[u8], whole: &Log, numbers: &mut Numbers) {
    let (first, second) = log.split_at(numbers.below(log.len() + 1));
    let members = [gzip(first), gzip(second)].concat();
    let frames = [zstd(first), zstd(second)].concat();
    for packed in [members, frames] {
        let mut options = options(log);
        options.batch_len = 1 + numbers.below(300);
        assert_eq!(&read(vec![source(&packed)], &options), whole, "packed");
        // Cut anywhere, but where nothing says yet what it is, it gives what stands before.
        let cut = &packed[..numbers.below(packed.len()).max(6)];
        let (before, _) = unpacked(source(cut), 1 << 16);
        assert!(log.starts_with(&before));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Two sources are read as each of them alone.
fn several(log: &[u8], numbers: &mut Numbers) {
    let halves = log.split_at(numbers.below(log.len() + 1));
    let halves = [halves.0, halves.1];
    if !halves.iter().all(|half| is_plain(half)) {
        return;
    }
    let options = options(log);
    let both = read(halves.map(source).into(), &options);
    let alone = halves.map(|half| read(vec![source(half)], &options));
    let records = alone.iter().enumerate().flat_map(|(index, log)| {
        let records = log.records.iter().cloned();
        records.map(move |(_, line, seen)| (index, line, seen))
    });
    assert_eq!(both.records, records.collect::<Vec<_>>());
    let unreadable: u64 = alone.iter().map(|log| log.unreadable).sum();
    assert_eq!(both.unreadable, unreadable);
}

/// Where a line may not be long, no batch is, and what is read does not depend on its length.
fn long_lines(log: &[u8], numbers: &mut Numbers) {
    let mut options = Options::default();
    options.max_line = 1 + numbers.below(300);
    options.batch_len = options.max_line;
    let large = read(vec![source(log)], &options);
    options.batch_len = 1 + numbers.below(options.max_line);
    let small = read(vec![source(log)], &options);
    assert_eq!(small.records.len(), large.records.len());
    assert_eq!(small, large);
    let pauses = Pieces {
        pauses: true,
        ..Pieces::of(log, numbers)
    };
    read(vec![Source::from_reader("pauses", pauses)], &options);
}

/// Gives bytes in pieces, with pauses between them or without.
struct Pieces {
    bytes: Cursor<Vec<u8>>,
    lengths: [usize; 4],
    next: usize,
    pauses: bool,
}

impl Pieces {
    fn of(bytes: &[u8], numbers: &mut Numbers) -> Self {
        Pieces {
            bytes: Cursor::new(bytes.to_vec()),
            lengths: [7, 50, 300, 3000].map(|len| 1 + numbers.below(len)),
            next: 0,
            pauses: false,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.next += 1;
        if self.pauses && self.next.is_multiple_of(2) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = self.lengths[self.next % 4].min(into.len());
        self.bytes.read(&mut into[..len])
    }
}
