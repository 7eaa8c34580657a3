//! The reader finds the records in bytes of any source.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use async_log_cli::input::{Cutter, InputError, Options, Source, ordered};
use async_log_cli::read::{Batch, Dialect, Why};
use proptest::prelude::*;

/// All records with their source and line, and all skipped lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    records: Vec<(usize, u64, String)>,
    bad_lines: u64,
    first_bad: Option<(usize, u64, Why)>,
}

impl Seen {
    fn take(&mut self, batch: &mut Batch) {
        batch.parse();
        for record in &batch.records {
            let text = &batch.bytes[record.text.start as usize..record.text.end as usize];
            let text = String::from_utf8_lossy(text).into_owned();
            self.records.push((batch.source, record.line, text));
        }
        self.bad_lines += batch.unreadable.lines;
        let first = batch.unreadable.first;
        let first = first.map(|(line, why)| (batch.source, line, why));
        self.first_bad = self.first_bad.or(first);
    }

    fn texts(&self) -> Vec<&str> {
        self.records.iter().map(|(_, _, text)| &**text).collect()
    }
}

fn see(mut cutter: Cutter) -> (Seen, Vec<InputError>) {
    let (mut seen, mut batch) = (Seen::default(), Batch::default());
    while cutter.next(&mut batch) {
        seen.take(&mut batch);
    }
    assert!(!cutter.next(&mut batch));
    (seen, cutter.troubles().to_vec())
}

fn options(batch_len: usize) -> Options {
    let mut options = Options::default();
    options.batch_len = batch_len;
    options
}

fn see_file(path: &Path) -> (Seen, Vec<InputError>) {
    see(Cutter::open(&[path.to_owned()], Options::default()).unwrap())
}

fn see_bytes(bytes: Vec<u8>, options: Options) -> (Seen, Vec<InputError>) {
    let source = Source::from_reader("bytes", io::Cursor::new(bytes));
    see(Cutter::new(vec![source], options))
}

/// The content of a log, found without the batcher.
fn truth(log: &[u8]) -> Seen {
    let whole = log.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let mut batch = Batch {
        bytes: log[..whole].to_vec(),
        lines_len: whole,
        dialect: Arc::new(Dialect::detect(&log[..whole], None).unwrap_or_default()),
        ..Batch::default()
    };
    let mut seen = Seen::default();
    seen.take(&mut batch);
    if whole < log.len() {
        let lines = log[..whole].iter().filter(|byte| **byte == b'\n').count();
        seen.bad_lines += 1;
        let torn = (0, lines as u64 + 1, Why::Torn);
        seen.first_bad.get_or_insert(torn);
    }
    seen
}

fn record(number: usize) -> String {
    format!("[2026-01-02T03:04:05Z INFO  shop] record {number}, task_id=1, thread_id=1\n")
}

fn log(records: usize) -> Vec<u8> {
    (0..records).map(record).collect::<String>().into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

const SKIPPABLE: [u8; 11] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a', b'b', b'c'];

fn write(directory: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Gives bytes in pieces of these lengths, with pauses where one is 0.
struct Pieces {
    bytes: io::Cursor<Vec<u8>>,
    lengths: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.lengths.next().unwrap().min(into.len());
        if len == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.bytes.read(&mut into[..len])
    }
}

// Any log, read in any way.

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..1000usize).prop_map(|n| record(n).into_bytes()),
        2 => (1..6usize).prop_map(|lines| {
            let more = "    \tmore\n".repeat(lines);
            format!("[x] first\n{more}\tlast, task_id=0, thread_id=1\n").into_bytes()
        }),
        2 => Just(b"another program's line\n".to_vec()),
        1 => Just(b"\tat a.b.C(D.java)\n".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => Just(b"windows, task_id=0, thread_id=1\r\n".to_vec()),
        1 => Just(b"\0\0\x01\xff\n".to_vec()),
        1 => (1..5000usize).prop_map(|len| [vec![b'x'; len], vec![b'\n']].concat()),
    ]
}

fn any_log() -> impl Strategy<Value = Vec<u8>> {
    let torn = prop_oneof![Just(&b""[..]), Just(&b"torn, task_id=1, thread_id=1"[..])];
    let begin = record(0).into_bytes();
    (prop::collection::vec(piece(), 0..60), torn)
        .prop_map(move |(pieces, torn)| [&begin[..], &pieces.concat(), torn].concat())
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let any = prop::collection::vec(prop_oneof![1..20usize, 1..2000usize], 1..8);
    any.prop_map(|mut lengths| {
        lengths.insert(0, 300);
        lengths
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_batch_size_and_any_split_give_the_same(
        log in any_log(), lengths in lengths(), batch_len in 1..3000usize
    ) {
        let truth = truth(&log);
        let pieces = Pieces { bytes: io::Cursor::new(log), lengths: lengths.into_iter().cycle() };
        let source = Source::from_reader("pieces", pieces);
        let (seen, troubles) = see(Cutter::new(vec![source], options(batch_len)));
        prop_assert_eq!(troubles, vec![]);
        prop_assert_eq!(seen, truth);
    }

    #[test]
    fn pauses_change_nothing(log in any_log(), mut lengths in lengths(), batch_len in 1..3000usize) {
        let truth = truth(&log);
        lengths.extend([0, 0]);
        let pieces = Pieces { bytes: io::Cursor::new(log), lengths: lengths.into_iter().cycle() };
        let source = Source::from_reader("pieces", pieces);
        let (seen, _) = see(Cutter::new(vec![source], options(batch_len)));
        prop_assert_eq!(seen, truth);
    }

    #[test]
    fn packed_logs_give_the_same(log in any_log(), at in 0..100usize, lengths in lengths()) {
        let truth = truth(&log);
        let (first, second) = log.split_at(log.len() * at / 100);
        let members = [gzip(first), gzip(b""), gzip(second)].concat();
        let padded = [&members[..], &[0; 600]].concat();
        let frames = [&SKIPPABLE[..], &zstd(first), &SKIPPABLE, &zstd(second)].concat();
        for packed in [members, padded, frames] {
            let bytes = io::Cursor::new(packed);
            let pieces = Pieces { bytes, lengths: lengths.clone().into_iter().cycle() };
            let source = Source::from_reader("packed", pieces);
            let (seen, troubles) = see(Cutter::new(vec![source], options(500)));
            prop_assert_eq!(troubles, vec![]);
            prop_assert_eq!(&seen, &truth);
        }
    }

    #[test]
    fn long_lines_and_records_are_the_same_for_any_batch_size(
        log in any_log(), batch_len in 1..200usize
    ) {
        let limited = |batch_len| {
            let mut options = options(batch_len);
            options.max_line = 200;
            see_bytes(log.clone(), options).0
        };
        prop_assert_eq!(limited(batch_len), limited(200));
    }
}

#[test]
fn a_log_that_begins_with_a_megabyte_of_something_else_is_read() {
    let noise = "compiling some crate or other\n".repeat(40_000);
    let log = [noise.as_bytes(), &log(10)].concat();
    for batch_len in [4096, 256 << 10] {
        let (seen, _) = see_bytes(log.clone(), options(batch_len));
        assert_eq!(seen.records.len(), 10);
        assert_eq!(seen.records[0].1, 40_001);
        assert_eq!(seen.bad_lines, 40_000);
        assert_eq!(seen.first_bad, Some((0, 1, Why::NoTask)));
    }
}

#[test]
fn an_endless_line_takes_bounded_memory() {
    let begin = io::Cursor::new(record(1).into_bytes());
    let endless = io::repeat(b'x').take(100 << 20);
    let end = io::Cursor::new([b"\n", record(2).as_bytes()].concat());
    let source = Source::from_reader("endless", begin.chain(endless).chain(end));
    let mut cutter = Cutter::new(vec![source], Options::default());
    let (mut seen, mut batch) = (Seen::default(), Batch::default());
    while cutter.next(&mut batch) {
        assert!(batch.bytes.capacity() <= 17 << 20);
        seen.take(&mut batch);
    }
    let lines: Vec<_> = seen.records.iter().map(|(_, line, _)| *line).collect();
    assert_eq!(lines, [1, 3]);
    assert_eq!(seen.first_bad, Some((0, 2, Why::Long)));
    assert_eq!(seen.bad_lines, 1);
}

#[test]
fn the_first_of_what_is_wrong_is_the_first_in_the_log() {
    let log = [
        b"noise\n",
        record(1).as_bytes(),
        b"torn, task_id=1, thread_id=1",
    ]
    .concat();
    let (seen, _) = see_bytes(log, Options::default());
    assert_eq!(seen.first_bad, Some((0, 1, Why::NoTask)));
    assert_eq!(seen.bad_lines, 2);
}

#[test]
fn binary_data_is_called_so() {
    for junk in [&b"a\0b\n"[..], &b"\x01\xff\n"[..]] {
        let log = [record(1).as_bytes(), junk].concat();
        let (seen, _) = see_bytes(log, Options::default());
        assert_eq!(seen.first_bad, Some((0, 2, Why::Binary)));
    }
    // Latin-1 and colours are text.
    for text in [&b"gr\xfc\xdfe\n"[..], &b"\x1b[31mred\x1b[0m\n"[..]] {
        let log = [record(1).as_bytes(), text].concat();
        let (seen, _) = see_bytes(log, Options::default());
        assert_eq!(seen.first_bad, Some((0, 2, Why::NoTask)));
    }
}

#[test]
fn a_mark_of_utf_8_is_no_part_of_the_log() {
    let log = ["\u{feff}", &record(1)].concat();
    let (seen, _) = see_bytes(log.into_bytes(), Options::default());
    assert_eq!(seen.texts(), [record(1).trim_end()]);
}

// Files.

#[test]
fn lines_are_counted_in_each_file() {
    let directory = directory();
    let paths = [
        ("a", log(3)),
        ("b.gz", gzip(&log(2))),
        ("c.zst", zstd(&log(2))),
    ]
    .map(|(name, bytes)| write(&directory, name, &bytes));
    let cutter = Cutter::open(&paths, Options::default()).unwrap();
    let sizes = paths.map(|path| fs::metadata(path).unwrap().len());
    assert_eq!(cutter.total(), Some(sizes.iter().sum()));
    let (seen, _) = see(cutter);
    let places: Vec<_> = seen
        .records
        .iter()
        .map(|(source, line, _)| (*source, *line))
        .collect();
    assert_eq!(
        places,
        [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (2, 1), (2, 2)]
    );
}

#[test]
fn all_that_is_stored_was_read_at_the_end() {
    let directory = directory();
    let path = write(&directory, "log.gz", &gzip(&log(5000)));
    let mut cutter = Cutter::open(&[path], Options::default()).unwrap();
    let mut batch = Batch::default();
    assert_eq!(cutter.consumed(), 0);
    while cutter.next(&mut batch) {}
    assert_eq!(Some(cutter.consumed()), cutter.total());
}

#[test]
fn what_is_compressed_is_found_whatever_its_name() {
    let directory = directory();
    for (name, bytes) in [
        ("a.log", gzip(&log(3))),
        ("b.log", zstd(&log(3))),
        ("c.gz", log(3)),
    ] {
        let (seen, troubles) = see_file(&write(&directory, name, &bytes));
        assert_eq!((seen.records.len(), troubles.len()), (3, 0), "{name}");
    }
}

#[test]
fn more_files_than_may_be_open_are_read() {
    let directory = directory();
    let name = |number| format!("{number:04}.log");
    let paths: Vec<_> = (0..300)
        .map(|n| write(&directory, &name(n), &log(1)))
        .collect();
    let cutter = Cutter::open(&paths, Options::default()).unwrap();
    fs::remove_file(&paths[0]).unwrap();
    fs::remove_file(&paths[299]).unwrap();
    let (seen, troubles) = see(cutter);
    assert_eq!(seen.records.len(), 299);
    let name = paths[299].display();
    let text = format!("{name}: there is no such file; check the path");
    assert_eq!(troubles[0].to_string(), text);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_like_a_file() {
    let (reader, mut writer) = io::pipe().unwrap();
    let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    let cutter = Cutter::open(&[path.into()], Options::default()).unwrap();
    assert_eq!(cutter.total(), None);
    let thread = std::thread::spawn(move || writer.write_all(&gzip(&log(20_000))).unwrap());
    let (seen, _) = see(cutter);
    thread.join().unwrap();
    assert_eq!(seen.records.len(), 20_000);
}

#[cfg(unix)]
#[test]
fn a_stream_that_pauses_hands_over_what_is_there() {
    let (reader, mut writer) = io::pipe().unwrap();
    let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    let mut cutter = Cutter::open(&[path.into()], Options::default()).unwrap();
    drop(reader);
    let mut batch = Batch::default();
    for number in 0..3 {
        writer.write_all(record(number).as_bytes()).unwrap();
        assert!(cutter.next(&mut batch));
        assert_eq!(batch.bytes, record(number).as_bytes());
    }
    drop(writer);
    assert!(!cutter.next(&mut batch));
}

// What cannot be read.

fn refusal(paths: &[PathBuf]) -> String {
    Cutter::open(paths, Options::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn what_cannot_be_read_is_said_before_anything_is_read() {
    let directory = directory();
    let good = write(&directory, "good.log", &log(1));
    let missing = directory.path().join("missing.log");
    let empty = write(&directory, "empty.log", b"");
    let xz = write(&directory, "log.xz", b"\xfd7zXZ\0more");
    let wide = write(&directory, "wide.log", b"\xff\xfe[\0");
    let cases = [
        (&missing, "there is no such file; check the path".to_owned()),
        (
            &directory.path().to_owned(),
            "it is a directory; name the log files in it".to_owned(),
        ),
        (
            &xz,
            format!(
                "it is compressed with xz; read it by `xz -dc {} | async-log …`",
                xz.display()
            ),
        ),
        (
            &wide,
            format!(
                "it is text in UTF-16; read it by `iconv -f UTF-16 -t UTF-8 {} | async-log …`",
                wide.display()
            ),
        ),
    ];
    for (path, text) in cases {
        let message = refusal(&[good.clone(), path.clone()]);
        assert_eq!(message, format!("{}: {text}", path.display()));
    }
    let advice = "check where the program writes its log, and whether that was rotated";
    let message = refusal(std::slice::from_ref(&empty));
    assert_eq!(
        message,
        format!("{}: it is empty; {advice}", empty.display())
    );
    // A log that was rotated just now is no reason to refuse the older ones.
    let (seen, _) = see(Cutter::open(&[good, empty], Options::default()).unwrap());
    assert_eq!(seen.records.len(), 1);
}

/// Cuts a packed log at each length; what comes out grows with it, and one trouble is told.
fn cut_everywhere(packed: &[u8], whole: usize, what: &str) {
    let mut before = 0;
    for len in 6..packed.len() {
        let (seen, troubles) = see_bytes(packed[..len].to_vec(), Options::default());
        assert!(seen.records.len() >= before, "cut at {len}");
        before = seen.records.len();
        assert_eq!(troubles.len(), 1, "cut at {len}");
        let advice = "what stands before that was read; copy or rotate the file again";
        assert_eq!(
            troubles[0].to_string(),
            format!("bytes: it ends in the middle of a {what}; {advice}")
        );
    }
    assert_eq!(before, whole);
}

#[test]
fn what_stands_before_the_cut_of_a_gzip_file_is_read() {
    cut_everywhere(&gzip(&log(100)), 100, "gzip member");
}

#[test]
fn what_stands_before_the_cut_of_a_zstd_file_is_read() {
    let packed = zstd(&log(100));
    // One block, of which nothing is there before its end; the frame's checksum comes last.
    cut_everywhere(&packed, 100, "zstd frame");
}

#[test]
fn blocks_before_the_cut_of_a_zstd_frame_are_read() {
    let packed = zstd(&log(10_000));
    let (seen, troubles) = see_bytes(packed[..packed.len() / 2].to_vec(), Options::default());
    assert!(seen.records.len() > 1000, "{}", seen.records.len());
    assert_eq!(troubles.len(), 1);
    for (number, (_, line, text)) in seen.records.iter().enumerate() {
        assert_eq!(text, record(number).trim_end());
        assert_eq!(*line, number as u64 + 1);
    }
}

#[test]
fn a_corrupt_byte_never_panics() {
    for packed in [gzip(&log(50)), zstd(&log(50))] {
        for at in 0..packed.len() {
            for bit in [1, 0x80] {
                let mut corrupt = packed.clone();
                corrupt[at] ^= bit;
                let (_, troubles) = see_bytes(corrupt, Options::default());
                assert!(troubles.len() <= 1);
            }
        }
    }
}

#[test]
fn a_wrong_checksum_is_told_of_and_the_next_file_is_read() {
    let directory = directory();
    let (gzip, zstd) = (gzip(&log(10)), zstd(&log(10)));
    // gzip has a length behind its checksum.
    for (mut packed, behind) in [(gzip, 8), (zstd, 1)] {
        let at = packed.len() - behind;
        packed[at] ^= 1;
        let paths = [
            write(&directory, "a", &packed),
            write(&directory, "b", &log(5)),
        ];
        let (seen, troubles) = see(Cutter::open(&paths, Options::default()).unwrap());
        assert_eq!(seen.records.len(), 15);
        assert_eq!(troubles.len(), 1);
        assert_eq!(troubles[0].name(), paths[0].display().to_string());
        assert!(troubles[0].to_string().contains("corrupt"));
    }
}

#[test]
fn a_batch_is_no_larger_than_it_was_asked_to_be() {
    let source = Source::from_reader("log", io::Cursor::new(log(10_000)));
    let mut cutter = Cutter::new(vec![source], options(4096));
    let mut batch = Batch::default();
    while cutter.next(&mut batch) {
        assert!(batch.lines_len <= 4096);
    }
}

#[test]
fn what_stands_behind_compressed_data_is_told_of() {
    for packed in [gzip(&log(3)), zstd(&log(3))] {
        let (seen, troubles) = see_bytes([packed, log(3)].concat(), Options::default());
        assert_eq!(seen.records.len(), 3);
        assert!(
            troubles[0].to_string().contains("stands something else"),
            "{troubles:?}"
        );
    }
}

// Rotated sets.

fn in_order(names: &[&str]) -> Vec<String> {
    let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    let ordered = ordered(&paths).into_iter();
    ordered.map(|path| path.display().to_string()).collect()
}

#[test]
fn rotated_files_are_put_in_the_order_of_time() {
    let cases: [(&[&str], &[&str]); 10] = [
        (
            &["app.log", "app.log.1", "app.log.2.gz", "app.log.10.gz"],
            &["app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log"],
        ),
        (
            &["a/app.1.log", "a/app.log", "a/app.2.log"],
            &["a/app.2.log", "a/app.1.log", "a/app.log"],
        ),
        (
            &["app_rCURRENT.log", "app_r00002.log", "app_r00010.log.gz"],
            &["app_r00002.log", "app_r00010.log.gz", "app_rCURRENT.log"],
        ),
        (
            &[
                "app_rCURRENT.log",
                "app_r2026-01-01_12-00-00.restart-0001.log",
                "app_r2026-01-01_12-00-00.log",
            ],
            &[
                "app_r2026-01-01_12-00-00.log",
                "app_r2026-01-01_12-00-00.restart-0001.log",
                "app_rCURRENT.log",
            ],
        ),
        (
            &["app.log", "app.log-20260201.gz", "app.log-20260101"],
            &["app.log-20260101", "app.log-20260201.gz", "app.log"],
        ),
        (
            &["app.log.2026-01-02", "app.log.2026-01-01", "app.log"],
            &["app.log.2026-01-01", "app.log.2026-01-02", "app.log"],
        ),
        (
            &[
                "app.2026-01-02-10.log.zst",
                "app.2026-01-02-9.log",
                "app.log",
            ],
            &[
                "app.2026-01-02-9.log",
                "app.2026-01-02-10.log.zst",
                "app.log",
            ],
        ),
        // Several logs are in the order of their first files.
        (
            &[
                "z.log",
                "b/app.log",
                "other",
                "a/app.log.1",
                "b/app.log.1",
                "z.log.1",
            ],
            &[
                "z.log.1",
                "z.log",
                "b/app.log.1",
                "b/app.log",
                "other",
                "a/app.log.1",
            ],
        ),
        // Versions and names that hold numbers are none of this.
        (
            &[
                "app-1.2.3.log",
                "app-1.2.4.log",
                "b-1.log",
                "b-2.log",
                "http2.log",
                "x_request.log",
            ],
            &[
                "app-1.2.3.log",
                "app-1.2.4.log",
                "b-1.log",
                "b-2.log",
                "http2.log",
                "x_request.log",
            ],
        ),
        (
            &["-", "app.log", "..", "9.log"],
            &["-", "app.log", "..", "9.log"],
        ),
    ];
    for (given, wanted) in cases {
        assert_eq!(in_order(given), wanted);
    }
}

#[test]
fn a_rotated_set_is_read_oldest_first() {
    let directory = directory();
    let paths = [
        write(&directory, "app.log", record(3).as_bytes()),
        write(&directory, "app.log.1", record(2).as_bytes()),
        write(&directory, "app.log.2.gz", &gzip(record(1).as_bytes())),
    ];
    let (seen, _) = see(Cutter::open(&paths, Options::default()).unwrap());
    assert_eq!(
        seen.texts(),
        [1, 2, 3]
            .map(record)
            .iter()
            .map(|r| r.trim_end())
            .collect::<Vec<_>>()
    );
}

// Growing files.

/// A file that is followed by a thread, which sends each record, and at last what was wrong.
struct Followed {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    records: mpsc::Receiver<(u64, String)>,
    thread: std::thread::JoinHandle<Seen>,
}

impl Followed {
    fn new(path: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut options = Options::default();
        options.follow = Some(Arc::clone(&stop));
        let mut cutter = Cutter::open(&[path.to_owned()], options).unwrap();
        let (sender, records) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let (mut seen, mut batch) = (Seen::default(), Batch::default());
            while cutter.next(&mut batch) {
                let known = seen.records.len();
                seen.take(&mut batch);
                for (_, line, text) in &seen.records[known..] {
                    let _ = sender.send((*line, text.clone()));
                }
            }
            seen
        });
        let path = path.to_owned();
        Followed {
            path,
            stop,
            records,
            thread,
        }
    }

    fn append(&self, text: &str) {
        append(&self.path, text);
    }

    fn expect(&self, line: u64, number: usize) {
        let wanted = (line, record(number).trim_end().to_owned());
        assert_eq!(self.records.recv(), Ok(wanted));
    }

    fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn append(path: &Path, text: &str) {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_growing_file_is_read_on() {
    let directory = directory();
    let log = Followed::new(&write(&directory, "app.log", b""));
    log.append(&record(1));
    log.expect(1, 1);
    let second = record(2);
    let (half, rest) = second.split_at(20);
    log.append(half);
    log.append(&[rest, &record(3)].concat());
    log.expect(2, 2);
    log.expect(3, 3);
    assert_eq!(log.stop().bad_lines, 0);
}

#[test]
fn a_truncated_file_is_read_from_its_beginning() {
    let directory = directory();
    let log = Followed::new(&write(&directory, "app.log", b""));
    log.append(&[record(1), record(2)].concat());
    log.expect(1, 1);
    log.expect(2, 2);
    File::create(&log.path).unwrap();
    log.append(&record(3));
    log.expect(1, 3);
    log.stop();
}

#[test]
fn a_file_that_is_truncated_and_rewritten_longer_is_read_from_its_beginning() {
    let directory = directory();
    let log = Followed::new(&write(&directory, "app.log", b""));
    log.append(&[record(1), record(2)].concat());
    log.expect(1, 1);
    log.expect(2, 2);
    // Before anybody looks again it is longer than it was.
    fs::write(
        &log.path,
        [record(3), record(4), record(5), record(6)].concat(),
    )
    .unwrap();
    for (line, number) in (1..).zip(3..=6) {
        log.expect(line, number);
    }
    let seen = log.stop();
    assert_eq!((seen.bad_lines, seen.first_bad), (0, None));
}

#[test]
fn a_replaced_file_is_read_to_its_end_before_the_new_one() {
    let directory = directory();
    let log = Followed::new(&write(&directory, "app.log", b""));
    log.append(&record(1));
    log.expect(1, 1);
    let old = directory.path().join("app.log.1");
    fs::rename(&log.path, &old).unwrap();
    append(&old, &[&record(2), "torn"].concat());
    log.append(&record(3));
    log.expect(2, 2);
    log.expect(1, 3);
    let seen = log.stop();
    assert_eq!(
        (seen.bad_lines, seen.first_bad),
        (1, Some((0, 3, Why::Torn)))
    );
}

#[test]
fn a_compressed_file_is_not_followed() {
    let directory = directory();
    let path = write(&directory, "app.log.gz", &gzip(&log(1)));
    let mut options = Options::default();
    options.follow = Some(Arc::default());
    let error = Cutter::open(std::slice::from_ref(&path), options).unwrap_err();
    let text = "it is compressed; leave --follow out: a compressed file does not grow";
    assert_eq!(error.to_string(), format!("{}: {text}", path.display()));
}
