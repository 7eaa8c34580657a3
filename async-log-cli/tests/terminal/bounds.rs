//! What stays bounded, however long or strange a log is.

use std::fmt::Write as _;

use async_log_cli::track::Selection;
use async_log_cli::write::Look;
use async_log_cli::write::stats::{self, Stats};
use async_log_cli::write::task::{self, Task};
use async_log_cli::write::tasks::{self, Tasks};
use async_log_cli::write::tree::{self, Tree};
use async_log_cli::write::unfinished::{self, Unfinished};

use crate::golden::run;

/// A log, line by line.
#[derive(Default)]
struct Log {
    text: String,
}

impl Log {
    fn line(&mut self, text: &str, task: u64) {
        let _ = writeln!(
            self.text,
            "[2023-11-14T22:13:20Z TRACE shop] {text}, task_id={task}, thread_id=1"
        );
    }

    fn start(&mut self, name: &str, id: u64, parent: u64, at: u64, task: u64, of_task: bool) {
        let mut text = format!("{name}, span_mark=start, span_id={id}");
        if parent != 0 {
            let _ = write!(text, ", span_parent={parent}");
        }
        let _ = write!(text, ", span_at=1700000000.{at:09}");
        if of_task {
            text.push_str(", task_parent_id=0, spawn_line=src/main.rs:1");
        }
        self.line(&text, task);
    }

    fn end(&mut self, name: &str, id: u64, elapsed: u64, task: u64) {
        let text = format!("{name}, span_mark=end, span_id={id}, span_elapsed=0.{elapsed:09}");
        self.line(&text, task);
    }

    fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// A span with ten spans and five records right inside.
fn crowded() -> Log {
    let mut log = Log::default();
    log.start("all", 1, 0, 0, 0, false);
    for n in 0..10 {
        log.start(&format!("load {n}"), n + 2, 1, n, 0, false);
        log.end(&format!("load {n}"), n + 2, 1_000_000, 0);
    }
    for n in 0..5 {
        log.line(&format!("said {n}, span_id=1"), 0);
    }
    log.end("all", 1, 20_000_000, 0);
    log
}

fn tree(log: &Log, limit: usize) -> String {
    let mut options = tree::Options::default();
    options.limit = limit;
    let sink = run(
        log.bytes(),
        Tree::new(options, Vec::new()),
        Selection::default(),
    );
    text(sink.into_inner())
}

#[test]
fn the_rest_of_many_children_is_summed_up() {
    let expected = "\
20.0 ms  all  no task  22:13:20.000
1.00 ms  ├─ load 0
1.00 ms  ├─ load 1
1.00 ms  ├─ load 2
         ├─ … 5 more TRACE records
         └─ … 7 more load #  7.00 ms in all
";
    assert_eq!(tree(&crowded(), 3), expected);
    assert_eq!(tree(&crowded(), 0).lines().count(), 16);
    assert_eq!(tree(&crowded(), 15), tree(&crowded(), 0));
}

#[test]
fn what_is_left_out_takes_nothing_with_it_that_is_not() {
    let mut log = Log::default();
    log.start("short", 1, 0, 0, 0, false);
    log.start("shop::long", 2, 1, 1, 7, true);
    log.line("said, span_id=1", 0);
    log.end("short", 1, 10, 0);
    log.end("shop::long", 2, 50_000_000, 7);
    let mut options = tree::Options::default();
    options.spawned = true;
    options.selection.min_duration = 1_000_000;
    for prune in [false, true] {
        let mut options = options.clone();
        options.prune = prune;
        let tree = Tree::new(options, Vec::new());
        let sink = run(log.bytes(), tree, Selection::default());
        assert_eq!(
            text(sink.into_inner()),
            "50.0 ms  shop::long  task 7  22:13:20.000  spawned at src/main.rs:1\n"
        );
    }
}

#[test]
fn of_all_spans_that_are_open_only_so_much_is_kept() {
    // Each in one of many, so no limit of a single span is reached.
    let mut log = Log::default();
    log.start("all", 1, 0, 0, 0, false);
    let mut id = 2;
    for n in 0..700 {
        let around = id;
        log.start("some", around, 1, n, 0, false);
        for _ in 0..90 {
            id += 1;
            log.start("load", id, around, n, 0, false);
            log.end("load", id, 1, 0);
        }
        log.end("some", around, 1, 0);
        id += 1;
    }
    log.end("all", 1, 2_000, 0);
    let mut options = tree::Options::default();
    options.limit = 1000;
    let sink = run(
        log.bytes(),
        Tree::new(options, Vec::new()),
        Selection::default(),
    );
    let tree = text(sink.into_inner());
    assert!(tree.lines().count() < 51_000, "{}", tree.lines().count());
    assert!(tree.contains("more some"), "the rest is there as sums");
}

#[test]
fn spans_may_be_as_deep_as_they_like() {
    let mut log = Log::default();
    for id in 1..=20_000 {
        log.start("in", id, id - 1, id, 0, false);
    }
    for id in (10_000..=20_000).rev() {
        log.end("in", id, 1, 0);
    }
    let tree = tree(&log, 100);
    assert_eq!(tree.matches("too deep to be drawn inside").count(), 198);
    assert_eq!(tree.matches(" in").count() - 198, 20_000);

    let look = Look::new(false, Some(80));
    let mut options = unfinished::Options::default();
    options.look = look;
    let sink = run(
        log.bytes(),
        Unfinished::new(options, Vec::new()),
        Selection::default(),
    );
    let unfinished = text(sink.into_inner());
    assert_eq!(unfinished.lines().count(), 9_999 + 2);

    let mut options = task::Options::default();
    options.look = look;
    let sink = run(
        log.bytes(),
        Task::new(options, Vec::new()),
        Selection::default(),
    );
    let task = text(sink.into_inner());
    assert!(task.lines().all(|line| line.chars().count() <= 80));
}

/// Tasks one after another, each with a span of its own.
fn many_tasks(tasks: u64) -> Log {
    let mut log = Log::default();
    for task in 1..=tasks {
        log.start("shop::work", task, 0, task, task, true);
        log.end("shop::work", task, 1, task);
    }
    log
}

#[test]
fn tasks_are_written_when_many_have_ended() {
    let log = many_tasks(25_000);
    let sink = run(
        log.bytes(),
        Tasks::new(tasks::Options::default(), Vec::new()),
        Selection::default(),
    );
    let rows = text(sink.into_inner());
    let tasks: Vec<u64> = rows
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(tasks, (1..=25_000).collect::<Vec<_>>());
}

#[test]
fn a_process_that_is_heard_of_late_has_its_column() {
    let mut log = many_tasks(10_001);
    log.line(
        "again, span_mark=start, span_id=1, span_at=1700000009.000000000, process_id=9-1700000009000000000",
        0,
    );
    let sink = Tasks::new(tasks::Options::default(), Vec::new());
    let rows = text(run(log.bytes(), sink, Selection::default()).into_inner());
    let heads: Vec<_> = rows.lines().filter(|row| row.contains("spans")).collect();
    assert_eq!(heads.len(), 2);
    assert!(heads[1].contains("process"), "{}", heads[1]);
    assert!(rows.lines().last().unwrap().contains("9@22:13:29"));
}

#[test]
fn tasks_that_never_end_are_let_go() {
    // Numbers of another source: no task has a span of its own.
    let mut log = Log::default();
    log.start("main", 1, 0, 0, 0, false);
    for task in 1..=30_000 {
        log.line("working", task);
        log.line("working", 7);
    }
    let mut options = tasks::Options::default();
    options.json = true;
    let sink = run(
        log.bytes(),
        Tasks::new(options, Vec::new()),
        Selection::default(),
    );
    let json: serde_json::Value = serde_json::from_slice(&sink.into_inner()).unwrap();
    let rows = json["tasks"].as_array().unwrap();
    assert_eq!(rows.len(), 30_001);
    let records: u64 = rows
        .iter()
        .map(|row| row["records"].as_u64().unwrap())
        .sum();
    assert_eq!(records, 60_001);
    let busy: Vec<_> = rows.iter().filter(|row| row["task_id"] == 7).collect();
    assert_eq!(busy.len(), 1, "one that is heard of all the time stays");
}

#[test]
fn a_task_number_that_comes_again_is_another_task() {
    let mut log = Log::default();
    for n in 0..3 {
        log.start("shop::work", n + 1, 0, n, 5, true);
        log.end("shop::work", n + 1, 1, 5);
    }
    let sink = run(
        log.bytes(),
        Tasks::new(tasks::Options::default(), Vec::new()),
        Selection::default(),
    );
    assert_eq!(text(sink.into_inner()).lines().count(), 4);
}

#[test]
fn the_longest_duration_is_counted() {
    let mut log = Log::default();
    log.start("long", 1, 0, 0, 0, false);
    log.line(
        "long, span_mark=end, span_id=1, span_elapsed=18446744073.709551615",
        0,
    );
    log.line(
        "long, span_mark=end, span_id=2, span_elapsed=18446744073.709551615",
        0,
    );
    let mut options = stats::Options::default();
    options.json = true;
    let sink = run(
        log.bytes(),
        Stats::new(options, Vec::new()),
        Selection::default(),
    );
    let json: serde_json::Value = serde_json::from_slice(&sink.into_inner()).unwrap();
    assert_eq!(json["names"][0]["count"], 2);
    assert_eq!(json["names"][0]["total_ns"], u64::MAX);
    assert_eq!(json["names"][0]["max_ns"], u64::MAX);
}

#[test]
fn no_control_character_reaches_a_terminal() {
    let mut log = Log::default();
    let evil = "a\\u{1b}[31m\\u{9b}2J\\u{202e}b";
    log.start(evil, 1, 0, 0, 3, true);
    log.line(&format!("{evil}, x=\"\\u001b[2J\\u0085\", span_id=1"), 3);
    log.end(evil, 1, 1_000, 3);
    log.start(evil, 2, 0, 2_000, 3, false);
    log.line(&format!("{evil}, x=\"\\u001b[2J\", span_id=2"), 3);
    let bytes = log.bytes();
    let mut of_task = task::Options::default();
    of_task.task = 3;
    let outputs = [
        run(
            bytes,
            Tree::new(tree::Options::default(), Vec::new()),
            Selection::default(),
        )
        .into_inner(),
        run(
            bytes,
            Stats::new(stats::Options::default(), Vec::new()),
            Selection::default(),
        )
        .into_inner(),
        run(
            bytes,
            Tasks::new(tasks::Options::default(), Vec::new()),
            Selection::default(),
        )
        .into_inner(),
        run(bytes, Task::new(of_task, Vec::new()), Selection::default()).into_inner(),
        run(
            bytes,
            Unfinished::new(unfinished::Options::default(), Vec::new()),
            Selection::default(),
        )
        .into_inner(),
    ];
    for output in outputs {
        let output = text(output);
        assert!(output.contains("\\u{1b}"), "{output}");
        let bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!output.contains(bad), "{output:?}");
    }
}
