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
    for command in ["stats", "flame", "unfinished"] {
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
    let records_alone = run_on(LOG, &["tree", "--min-duration", "1h"]);
    assert_eq!(records_alone.code, Some(0), "{records_alone:?}");
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
