//! `slow`, `failed` and `grep` on the log of a shop whose truth is known: see `shop`.

use std::sync::LazyLock;

use async_log_cli::track::Selection;
use async_log_cli::write::Look;
use async_log_cli::write::failed::{self, Failed};
use async_log_cli::write::grep::{self, Grep, Wanted};
use async_log_cli::write::slow::{self, Slow};
use serde_json::Value;

use crate::golden::{check, run};
use async_log_tests::shop::{self, Change, FAILED, SLOW};

static LOG: LazyLock<Vec<u8>> = LazyLock::new(|| shop::log(10_000, 1, Change::None).into_bytes());

fn slow(change: impl FnOnce(&mut slow::Options)) -> String {
    let mut options = slow::Options::default();
    options.count = 7;
    change(&mut options);
    let sink = run(&LOG, Slow::new(options, Vec::new()), Selection::default());
    String::from_utf8(sink.into_inner()).unwrap()
}

fn failed(change: impl FnOnce(&mut failed::Options)) -> String {
    let mut options = failed::Options::default();
    change(&mut options);
    let sink = run(&LOG, Failed::new(options, Vec::new()), Selection::default());
    String::from_utf8(sink.into_inner()).unwrap()
}

fn grep(pattern: &str, change: impl FnOnce(&mut grep::Options)) -> String {
    let mut options = grep::Options::new(Wanted::parse(pattern).unwrap());
    change(&mut options);
    let sink = run(&LOG, Grep::new(options, Vec::new()), Selection::default());
    String::from_utf8(sink.into_inner()).unwrap()
}

fn json(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The number of the request that a trace is, which its start says.
fn request(trace: &Value) -> u64 {
    let start: u64 = trace["start_time"].as_str().unwrap().parse().unwrap();
    (start - 1_767_323_045_000_000_000) / 3_000_000
}

/// The looks that outputs are compared in.
fn looks() -> [(&'static str, Look); 3] {
    [
        ("80", Look::new(false, Some(80))),
        ("140", Look::new(false, Some(140))),
        ("colour", Look::new(true, Some(80))),
    ]
}

#[test]
fn slow_finds_what_is_slow_and_says_why() {
    let mut found: Vec<_> = json(&slow(|options| options.json = true))
        .iter()
        .map(request)
        .collect();
    found.sort_unstable();
    let mut planted: Vec<_> = SLOW.iter().map(|(number, _)| *number).collect();
    planted.sort_unstable();
    assert_eq!(found, planted);
    let text = slow(|_| {});
    let mut reasons: Vec<_> = text.lines().filter(|line| line.contains("%, ")).collect();
    for (number, reason) in SLOW {
        let at = reasons.iter().position(|line| line.contains(reason));
        let at = at.unwrap_or_else(|| panic!("{number}: {reason}\n{text}"));
        reasons.remove(at);
    }
    assert!(reasons.is_empty(), "{reasons:?}");
}

#[test]
fn slow_reads_well() {
    for (name, look) in looks() {
        let output = slow(|options| options.look = look);
        check(&format!("shop.slow.{name}.txt"), output.as_bytes());
    }
}

/// The spans of a name are traces too, and so are those of a route.
#[test]
fn slow_is_about_what_is_asked_for() {
    let of_query = slow(|options| {
        options.json = true;
        options.selection.span = Some(async_log_cli::track::name_like("db::*"));
    });
    let names: Vec<_> = json(&of_query)
        .iter()
        .map(|trace| trace["name"].clone())
        .collect();
    assert_eq!(names, ["db::query"; 7]);
    let first = &json(&of_query)[0];
    assert_eq!(first["duration_ns"], 1_200_000_000);
}

#[test]
fn failed_finds_what_failed_and_how() {
    let groups = json(&failed(|options| options.json = true));
    let found: u64 = groups
        .iter()
        .map(|group| group["count"].as_u64().unwrap())
        .sum();
    assert_eq!((groups.len(), found), (3, 5));
    for (number, span, outcome, message) in FAILED {
        let is_it = |group: &&Value| {
            let tasks = group["tasks"].as_array().unwrap();
            // Of the requests before it one has made a task.
            let is_of = |task: &Value| {
                task.as_u64()
                    .is_some_and(|task| (number + 1..=number + 2).contains(&task))
            };
            tasks.iter().any(is_of)
        };
        let group = groups.iter().find(is_it).expect("it is found");
        assert_eq!(group["name"], span);
        let word = group["outcome"].as_str().unwrap_or("ERROR");
        assert_eq!(word, outcome);
        assert!(group["message"].as_str().unwrap().contains(message));
    }
}

#[test]
fn failed_reads_well() {
    for (name, look) in looks() {
        let output = failed(|options| options.look = look);
        check(&format!("shop.failed.{name}.txt"), output.as_bytes());
    }
}

#[test]
fn grep_finds_whole_traces() {
    let found = json(&grep("connection reset", |options| options.json = true));
    let numbers: Vec<_> = found.iter().map(request).collect();
    assert_eq!(numbers, [1500, 6500]);
    let stock = json(&grep("stock is (there|wanted)", |options| {
        options.json = true
    }));
    assert_eq!(stock.len(), 1);
    assert_eq!(
        (&stock[0]["matches"], request(&stock[0])),
        (&2.into(), 3400)
    );
    let inside = stock[0]["inside"].as_array().unwrap();
    assert!(
        inside.iter().any(|inside| inside["name"] == "auth"),
        "the trace is whole"
    );
}

#[test]
fn grep_knows_fields() {
    let lines = LOG.split(|byte| *byte == b'\n');
    let is_of = |line: &&[u8]| {
        let line = String::from_utf8_lossy(line);
        line.contains("shop::request, span_mark=start") && line.contains(", user=77,")
    };
    let expected = lines.filter(is_of).count();
    assert!(expected > 3, "{expected}");
    let found = json(&grep("user=77", |options| options.json = true));
    assert_eq!(found.len(), expected);
    for trace in found {
        assert_eq!(trace["fields"]["user"], "77");
    }
    let panicked = json(&grep("span_outcome=panicked", |options| {
        options.json = true
    }));
    let numbers: Vec<_> = panicked.iter().map(request).collect();
    assert_eq!(numbers, [2500, 7500]);
    assert_eq!(
        json(&grep("span_elapsed>1", |options| options.json = true)).len(),
        2
    );
}

#[test]
fn grep_reads_well() {
    for (name, look) in looks() {
        let output = grep("stock|connection reset", |options| options.look = look);
        check(&format!("shop.grep.{name}.txt"), output.as_bytes());
    }
}
