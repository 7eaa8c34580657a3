//! Logs that are torn, mixed and wrong: nothing panics, and nothing is wider than the terminal.

use async_log_cli::track::{Selection, Sink};
use async_log_cli::write::Look;
use async_log_cli::write::stats::{self, Stats};
use async_log_cli::write::task::{self, Task};
use async_log_cli::write::tasks::{self, Tasks};
use async_log_cli::write::tree::{self, Tree};
use async_log_cli::write::unfinished::{self, Unfinished};

use crate::golden::{log, run};

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// The lines of the logs, some of them twice, elsewhere, missing, or with other numbers in them.
fn strange(lines: &[String], numbers: &mut Numbers) -> Vec<u8> {
    let mut out = vec![lines[0].clone()];
    let from = numbers.below(lines.len());
    for at in from..lines.len() {
        let line = match numbers.below(12) {
            0 => continue,
            1 => lines[numbers.below(lines.len())].clone(),
            2 => with_number(&lines[at], "span_parent=", &numbers.below(12).to_string()),
            3 => with_number(&lines[at], "span_id=", &numbers.below(12).to_string()),
            4 => with_number(&lines[at], "task_id=", &u64::MAX.to_string()),
            5 => with_number(&lines[at], "span_at=", "18446744073.709551615"),
            6 => with_number(&lines[at], "span_elapsed=", "18446744073.709551615"),
            7 => with_number(
                &lines[at],
                "task_parent_id=",
                &numbers.below(12).to_string(),
            ),
            _ => lines[at].clone(),
        };
        out.push(line);
    }
    out.push(String::new());
    out.join("\n").into_bytes()
}

/// The line with another value behind the first `key`.
fn with_number(line: &str, key: &str, number: &str) -> String {
    let Some((before, value)) = line.split_once(key) else {
        return line.to_owned();
    };
    let rest = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    format!("{before}{key}{number}{rest}")
}

fn check<S: Sink>(
    log: &[u8],
    look: Look,
    sink: S,
    output: impl Fn(S) -> Vec<u8>,
    selection: Selection,
) {
    let output = String::from_utf8(output(run(log, sink, selection))).unwrap();
    let Some(width) = look.width else { return };
    for line in output.lines() {
        let columns = unicode_width::UnicodeWidthStr::width(line);
        assert!(columns <= width, "{columns} > {width}: {line}");
    }
}

#[test]
fn whatever_a_log_says() {
    let logs = ["server", "odd", "killed"].map(log);
    let logs = logs.map(|log| String::from_utf8(log).unwrap());
    let lines: Vec<_> = logs
        .iter()
        .flat_map(|log| log.lines())
        .map(str::to_owned)
        .collect();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..100 {
        let log = strange(&lines, &mut numbers);
        let look = Look::new(false, Some(numbers.below(100)));
        let chosen = |numbers: &mut Numbers| {
            let mut selection = Selection::default();
            if numbers.below(2) == 0 {
                selection.min_duration = numbers.below(1_000_000) as u64;
            }
            selection
        };
        let selection = chosen(&mut numbers);
        let mut options = stats::Options::default();
        options.look = look;
        check(
            &log,
            look,
            Stats::new(options, Vec::new()),
            Stats::into_inner,
            selection.clone(),
        );
        let mut options = tasks::Options::default();
        options.look = look;
        check(
            &log,
            look,
            Tasks::new(options, Vec::new()),
            Tasks::into_inner,
            selection.clone(),
        );
        let mut options = unfinished::Options::default();
        options.look = look;
        check(
            &log,
            look,
            Unfinished::new(options, Vec::new()),
            Unfinished::into_inner,
            selection.clone(),
        );
        let mut options = task::Options::default();
        options.look = look;
        options.task = numbers.below(12) as u64;
        options.tree = round % 2 == 0;
        check(
            &log,
            look,
            Task::new(options, Vec::new()),
            Task::into_inner,
            selection.clone(),
        );
        let mut options = tree::Options::default();
        options.look = look;
        options.spawned = round % 2 == 0;
        options.limit = numbers.below(4);
        check(
            &log,
            look,
            Tree::new(options, Vec::new()),
            Tree::into_inner,
            selection,
        );
    }
}
