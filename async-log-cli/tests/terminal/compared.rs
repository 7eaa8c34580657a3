//! `diff` on logs of a shop whose truth is known: see `shop`.

use async_log_cli::track::Selection;
use async_log_cli::write::Look;
use async_log_cli::write::diff::{self, Change as Of, Diff, Limit, Measured};

use crate::golden::{check, run};
use async_log_tests::shop::{self, Change};

fn measured(requests: u64, seed: u64, change: Change) -> Measured {
    let log = shop::log(requests, seed, change);
    run(
        log.as_bytes(),
        Measured::new(false, &[]),
        Selection::default(),
    )
}

fn compared(before: &Measured, after: &Measured, change: impl FnOnce(&mut diff::Options)) -> Diff {
    let mut options = diff::Options::default();
    options.files = ["before.log".to_owned(), "after.log".to_owned()];
    change(&mut options);
    Diff::new(before, after, options)
}

fn text(diff: &Diff) -> String {
    let mut out = Vec::new();
    diff.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_was_planted_is_found_and_nothing_else() {
    let before = measured(10_000, 1, Change::None);
    let after = measured(10_000, 2, Change::Planted);
    let limits = ["p99 > +20%", "p50 > +5%"].map(|limit| Limit::parse(limit).unwrap());
    let diff = compared(&before, &after, |options| options.fail_on = limits.to_vec());
    let mut changes: Vec<_> = diff.changes().collect();
    changes.sort_by_key(|(name, _)| *name);
    let expected: [(&str, &[Of]); 3] = [
        ("cache::lookup", &[Of::New]),
        ("legacy::audit", &[Of::Gone]),
        ("render", &[Of::Slower]),
    ];
    assert_eq!(changes, expected, "{}", text(&diff));
    assert_eq!(diff.failed(), ["render: p99 > +20%"]);
    for (name, width) in [("80", 80), ("140", 140)] {
        let diff = compared(&before, &after, |options| {
            options.look = Look::new(false, Some(width));
        });
        check(&format!("shop.diff.{name}.txt"), text(&diff).as_bytes());
    }
}

/// In 20 pairs of logs in which nothing has changed nothing is found.
#[test]
fn noise_is_noise() {
    let mut before = measured(1500, 100, Change::None);
    for seed in 101..=120 {
        let after = measured(1500, seed, Change::None);
        let limits = ["p99 > +0%", "p50 > +0%", "errors > +0%", "count > +0%"];
        let diff = compared(&before, &after, |options| {
            options.fail_on = limits.map(|limit| Limit::parse(limit).unwrap()).to_vec();
        });
        assert_eq!(diff.changes().count(), 0, "{seed}: {}", text(&diff));
        assert!(diff.failed().is_empty(), "{seed}");
        before = after;
    }
}

/// A change that is there, but of which the log has too few spans, is no change that is known.
#[test]
fn of_few_spans_nothing_is_said() {
    let before = measured(200, 1, Change::None);
    let after = measured(200, 2, Change::Planted);
    let diff = compared(&before, &after, |options| options.json = true);
    let json: serde_json::Value = serde_json::from_str(&text(&diff)).unwrap();
    let names = json["names"].as_array().unwrap();
    let render = names.iter().find(|row| row["name"] == "render").unwrap();
    assert_eq!(render["before"]["p99_ns"], serde_json::Value::Null);
    assert!(render["before"]["p50_ns"].is_u64(), "{render}");
    assert!(!diff.is_small());
    let tiny = measured(5, 1, Change::None);
    let diff = compared(&tiny, &tiny, |_| {});
    assert!(diff.is_small());
    assert_eq!(diff.changes().count(), 0);
}
