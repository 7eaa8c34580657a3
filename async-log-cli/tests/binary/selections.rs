//! A selection that takes nothing says so, and so does what cannot be drawn.

use crate::program::{COMMANDS, Folder, LOG, Ran, case, run_on};

fn assert_nothing(ran: &Ran, option: &str) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<_> = ran.err.lines().collect();
    assert_eq!(lines.len(), 1, "{ran:?}");
    assert!(lines[0].starts_with("async-log: a.log: no "), "{ran:?}");
    assert!(lines[0].contains(option), "{option}: {ran:?}");
}

#[test]
fn a_selection_that_takes_nothing_says_so() {
    for command in COMMANDS {
        for (selection, option) in [
            (&["--span", "nope*"][..], "--span 'nope*'"),
            (&["--where", "user=8"], "--where 'user=8'"),
            (&["--since", "2027-01-01T00:00Z"], "--since"),
            (&["--until", "2020-01-01T00:00Z"], "--until"),
            (
                &["--span", "load 7", "--where", "x=y"],
                "--span 'load 7' --where 'x=y'",
            ),
        ] {
            let ran = run_on(LOG, &[command, selection].concat());
            // A name is one of the spans it was asked for, and a task is followed by what it wrote.
            assert_nothing(&ran, option);
        }
        if command[0] != "task" {
            assert_nothing(
                &run_on(LOG, &[command, &["--task", "9"][..]].concat()),
                "--task 9",
            );
        }
    }
    for command in ["stats", "flame", "unfinished", "tree", "slow"] {
        let ran = run_on(LOG, &[command, "--min-duration", "1h"]);
        assert_nothing(&ran, "--min-duration");
    }
    let one = run_on(LOG, &["task", "9"]);
    assert_nothing(&one, "no record of task 9");
    assert_eq!(one.out, "");
}

/// Programs that read the output get an empty result; a file stays what it was.
#[test]
fn an_empty_result_is_still_a_result() {
    for (command, empty) in [
        ("stats", "{\"names\":[\n],\"more_names\":0}\n"),
        ("tasks", "{\"tasks\":[],\"more_tasks\":0}\n"),
        ("tree", ""),
    ] {
        let ran = run_on(LOG, &[command, "--json", "--span", "nope"]);
        assert_eq!((ran.code, &*ran.out), (Some(1), empty));
    }
    let folder = Folder::with(LOG);
    folder.write("out", "before");
    let ran = folder.run(["stats", "a.log", "-o", "out", "--span", "nope"]);
    assert_nothing(&ran, "--span 'nope'");
    assert_eq!(folder.read("out"), "before");
    assert_eq!(folder.files(), ["a.log", "out"]);
}

/// Nothing unfinished is an answer, not a selection that takes nothing.
#[test]
fn what_is_taken_and_is_well_is_an_answer() {
    let ran = run_on(LOG, &["unfinished", "--span", "load*"]);
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    assert!(ran.out.starts_with("nothing is unfinished"), "{ran:?}");
    let records_alone = run_on(LOG, &["tree", "--min-duration", "1h", "--prune"]);
    assert_eq!(records_alone.code, Some(1), "{records_alone:?}");
}

/// What spans say at their ends alone, and what our own keys say.
const ENDS: &str = "\
[2026-01-02T03:04:05Z TRACE shop] load 7, span_mark=start, route=/cart, span_id=1, span_at=1767323045.000000000, process_id=42-1767323045000000000, task_id=3, thread_id=1
[2026-01-02T03:04:05Z TRACE shop] query, span_mark=start, route=/cart, span_id=2, span_parent=1, span_at=1767323045.100000000, task_id=3, thread_id=1
[2026-01-02T03:04:05Z TRACE shop] query, span_mark=end, route=/cart, rows=12, span_id=2, span_elapsed=0.250000000, span_outcome=error, task_id=3, thread_id=1
[2026-01-02T03:04:06Z TRACE shop] load 7, span_mark=end, route=/cart, status=500, span_id=1, span_elapsed=1.000000000, task_id=3, thread_id=1
[2026-01-02T03:04:06Z TRACE shop] load 8, span_mark=start, route=/item, span_id=3, span_at=1767323046.000000000, task_id=4, thread_id=1
[2026-01-02T03:04:06Z TRACE shop] load 8, span_mark=end, route=/item, status=200, span_id=3, span_elapsed=0.010000000, span_outcome=cancelled, task_id=4, thread_id=1
[2026-01-02T03:04:06Z TRACE shop] load 9, span_mark=start, span_id=4, span_at=1767323046.100000000, task_id=5, thread_id=1
";

/// How many spans `stats` counts, ended and not.
fn counted(arguments: &[&str]) -> u64 {
    let ran = run_on(ENDS, &[&["stats", "--json"], arguments].concat());
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let names = json["names"].as_array().unwrap().iter();
    let number = |row: &serde_json::Value, key: &str| row[key].as_u64().unwrap();
    names
        .map(|row| number(row, "count") + number(row, "unfinished"))
        .sum()
}

#[test]
fn conditions_hold_for_all_keys() {
    for (condition, spans) in [
        ("route=/cart", 2),
        ("route!=/cart", 1),
        ("route~^/(cart|item)$", 3),
        ("status=500", 1),
        ("status!=500", 1),
        ("status>=200", 2),
        ("status<500", 1),
        ("rows>11.5", 1),
        ("span_outcome=error", 1),
        ("span_outcome!=finished", 2),
        ("span_elapsed>0.2", 2),
        ("span_id=4", 1),
        ("span_parent=1", 1),
        ("task_id=3", 2),
        ("process_id~^42-", 1),
    ] {
        assert_eq!(counted(&["--where", condition]), spans, "{condition}");
    }
    let both = ["--where", "route=/cart", "--where", "status=500"];
    assert_eq!(
        counted(&both),
        1,
        "one is said at the start, one at the end"
    );
    for (outcome, spans) in [
        ("error", 1),
        ("error,cancelled", 2),
        ("finished", 1),
        ("unfinished", 1),
        ("panicked", 0),
    ] {
        assert_eq!(counted(&["--outcome", outcome]), spans, "{outcome}");
    }
}

/// A flame and a trace have what only the end of a span says is wanted.
#[test]
fn ends_select_what_is_drawn() {
    let folded = |option: &str, value: &str| {
        let ran = run_on(ENDS, &["flame", "--folded", option, value]);
        (ran.code, ran.out)
    };
    let query = (Some(0), "load #;query 250000000\n".to_owned());
    assert_eq!(folded("--where", "rows=12").1.lines().count(), 1);
    assert!(folded("--outcome", "error") == query);
    for command in ["chrome", "perfetto"] {
        let ran = run_on(ENDS, &[command, "--where", "rows=12"]);
        assert!(ran.code == Some(0) && ran.out.contains("query"), "{ran:?}");
    }
    let chrome = run_on(ENDS, &["chrome", "--where", "rows=12"]).out;
    assert!(!chrome.contains("load 7"), "{chrome}");
}

#[test]
fn tasks_are_chosen_by_how_they_ended_and_sorted() {
    let mut log = String::new();
    for (task, elapsed, outcome) in [(1, 5, ""), (2, 9, ", span_outcome=panicked"), (3, 7, "")] {
        log.push_str(&format!(
            "work, span_mark=start, span_id={task}, span_at=1700000000.00000000{task}, task_parent_id=0, spawn_line=a.rs:1, task_id={task}, thread_id=1\n\
             work, span_mark=end, span_id={task}, span_elapsed=0.00000000{elapsed}{outcome}, task_id={task}, thread_id=1\n"
        ));
    }
    let ids = |arguments: &[&str]| -> Vec<u64> {
        let ran = run_on(&log, &[&["tasks", "--json"], arguments].concat());
        let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let tasks = json["tasks"].as_array().unwrap().iter();
        tasks
            .map(|task| task["task_id"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(ids(&[]), [1, 2, 3]);
    assert_eq!(ids(&["--sort", "duration"]), [2, 3, 1]);
    assert_eq!(ids(&["--sort", "duration", "--limit", "2"]), [2, 3]);
    assert_eq!(ids(&["--outcome", "panicked"]), [2]);
    let none = run_on(&log, &["tasks", "--outcome", "error"]);
    assert_nothing(&none, "--outcome");
}

#[test]
fn stats_has_a_row_for_each_value() {
    let ran = run_on(ENDS, &["stats", "--json", "--by", "route,status"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rows = json["names"].as_array().unwrap();
    let row = |name: &str, route: &str| {
        let is_it = |row: &&serde_json::Value| row["name"] == name && row["by"]["route"] == route;
        rows.iter().find(is_it).unwrap()
    };
    assert_eq!(row("load #", "/cart")["by"]["status"], "500");
    assert_eq!(row("load #", "/item")["by"]["status"], "200");
    assert_eq!(
        row("query", "/cart")["by"]["status"],
        serde_json::Value::Null
    );
    let text = run_on(ENDS, &["stats", "--by", "route"]).out;
    assert!(text.contains("route=/item"), "{text}");
    let unknown = run_on(ENDS, &["stats", "--by", "rout"]);
    assert!(
        unknown.err.contains("no record has the key `rout`"),
        "{unknown:?}"
    );
}

/// A key that no record has is said, with those that look like it.
#[test]
fn an_unknown_key_names_those_that_are_like_it() {
    for (arguments, similar) in [
        (
            &["stats", "--where", "statsu=500"][..],
            "similar keys: status",
        ),
        (&["tree", "--where", "Route=/cart"], "similar keys: route"),
        (
            &["slow", "--where", "span_outcom=error"],
            "similar keys: span_outcome",
        ),
        (&["grep", "statuz=500"], "similar keys: status"),
        (&["tasks", "--where", "xyzzy>1"], "there are: "),
    ] {
        let ran = run_on(ENDS, arguments);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains("no record has the key `"), "{ran:?}");
        assert!(ran.err.contains(similar), "{arguments:?}: {ran:?}");
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    }
    let known = run_on(ENDS, &["stats", "--where", "status=404"]);
    assert!(!known.err.contains("no record has"), "{known:?}");
}

/// `tree` chooses roots, and shows them whole.
#[test]
fn trees_are_whole_unless_they_are_pruned() {
    let lines = |arguments: &[&str]| {
        let ran = run_on(ENDS, &[&["tree"], arguments].concat());
        ran.out.lines().filter(|line| !line.is_empty()).count()
    };
    assert_eq!(lines(&[]), 4);
    assert_eq!(
        lines(&["--min-duration", "300ms"]),
        2,
        "the query is shown too"
    );
    assert_eq!(lines(&["--min-duration", "300ms", "--prune"]), 1);
    assert_eq!(lines(&["--where", "status=500"]), 2);
    assert_eq!(
        lines(&["--outcome", "error"]),
        1,
        "the innermost is the root"
    );
    assert_eq!(lines(&["--span", "query", "--where", "rows=12"]), 1);
    let root = run_on(ENDS, &["tree", "--where", "status=200"]).out;
    assert!(root.contains("task 4  03:04:06.000"), "{root}");
}

#[test]
fn records_in_no_span_are_shown_when_they_are_wanted() {
    let log = format!("{LOG}[2026-01-02T03:04:07Z INFO  shop] alone, task_id=0, thread_id=1\n");
    let hidden = run_on(&log, &["tree"]);
    assert!(!hidden.out.contains("alone"), "{hidden:?}");
    assert!(hidden.out.contains("found"), "it is in a span: {hidden:?}");
    let shown = run_on(&log, &["tree", "--outside"]);
    assert!(shown.out.contains("alone"), "{shown:?}");
    let alone = "[2026-01-02T03:04:07Z INFO  shop] alone, span_id=7, task_id=0, thread_id=1\n";
    let ran = run_on(alone, &["tree"]);
    assert!(
        ran.code == Some(1) && ran.err.contains("--outside"),
        "{ran:?}"
    );
}

#[test]
fn the_exit_code_is_in_the_help() {
    let help = run_on(LOG, &["help"]);
    assert_eq!(help.code, Some(2), "it takes no file");
    let help = crate::program::async_log().arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(text.contains("1  there is nothing to show"), "{text}");
}

#[test]
fn spans_that_all_last_nothing_are_no_flames() {
    let minimal = case("minimal-flame.log");
    let alone =
        "a, span_mark=start, span_id=1, span_at=1700000000.000000000, task_id=0, thread_id=1\n";
    let zero = format!(
        "{alone}a, span_mark=end, span_id=1, span_elapsed=0.000000000, task_id=0, thread_id=1\n"
    );
    for log in [&minimal, &zero, alone] {
        for arguments in [
            &["flame"][..],
            &["flame", "--folded"],
            &["flame", "--spawned"],
        ] {
            let ran = run_on(log, arguments);
            assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
            let message = "async-log: a.log: all spans last 0 ns, so there is nothing to draw; ";
            assert!(ran.err.contains(message), "{ran:?}");
        }
    }
    let hint = run_on(&minimal, &["flame", "--quiet"]).err;
    assert!(hint.contains("smaller parts of a second"), "{hint}");
    let all_selected_away = run_on(&minimal, &["flame", "--span", "nope"]);
    assert!(
        all_selected_away.err.contains("--span 'nope'"),
        "{all_selected_away:?}"
    );
}
