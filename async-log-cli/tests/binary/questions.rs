//! `slow`, `failed`, `grep` and `diff`: what they say where they cannot answer, and what they hint at.

use std::fmt::Write;

use crate::program::{Folder, LOG, Ran, async_log, run_on};
use async_log_tests::shop::{self, Change};

fn assert_usage(ran: &Ran, says: &str) {
    assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains(says), "{says}: {ran:?}");
}

#[test]
fn a_pattern_that_is_none_says_where() {
    for (pattern, why) in [
        ("(", "unclosed group"),
        ("a[", "unclosed character class"),
        ("path~*", "repetition operator missing expression"),
    ] {
        let ran = run_on(LOG, &["grep", pattern]);
        assert_usage(&ran, "is no regular expression");
        assert!(ran.err.contains(why), "{ran:?}");
    }
    assert_usage(
        &run_on(LOG, &["tree", "--where", "user~["]),
        "is no regular expression",
    );
    assert_usage(
        &run_on(LOG, &["stats", "--where", "user"]),
        "a condition is KEY=VALUE",
    );
    let many = ["--where", "user=7"].repeat(33);
    assert_usage(
        &run_on(LOG, &[&["stats"], &many[..]].concat()),
        "32 times at most",
    );
}

/// A value that is a part of another is not that value, but a part of a message may be meant.
#[test]
fn grep_takes_fields_for_fields() {
    let log = "\
load, span_mark=start, span_id=1, span_at=1700000000.000000000, task_id=0, thread_id=1
answered, status=5003, span_id=1, task_id=0, thread_id=1
load, span_mark=end, span_id=1, span_elapsed=0.000000250, task_id=0, thread_id=1
";
    assert_eq!(run_on(log, &["grep", "status=500"]).code, Some(1));
    assert_eq!(run_on(log, &["grep", "status=5003"]).code, Some(0));
    assert_eq!(run_on(log, &["grep", "status>5000"]).code, Some(0));
    let whole = run_on(log, &["grep", "status=500."]);
    assert_eq!(whole.code, Some(1));
    assert!(whole.err.contains("say `status~500.`"), "{whole:?}");
    assert_eq!(run_on(log, &["grep", "status~500."]).code, Some(0));
    assert_eq!(run_on(log, &["grep", "^answered$"]).code, Some(0));
    let none = run_on(log, &["grep", "questioned"]);
    assert_eq!(none.code, Some(1));
    assert!(
        none.err.contains("no record matches, in 1 trace"),
        "{none:?}"
    );
}

/// The same log in JSON, where a line is not what the program wrote.
#[test]
fn grep_looks_behind_escapes() {
    let log = r#"{"message":"load","span_mark":"start","span_id":1,"span_at":"1700000000.000000000","task_id":0,"thread_id":1}
{"message":"say \"hi\"","path":"/a\tb","span_id":1,"task_id":0,"thread_id":1}
{"message":"load","span_mark":"end","span_id":1,"span_elapsed":"0.000000250","task_id":0,"thread_id":1}
"#;
    for pattern in [r#"say "hi""#, r"path~a\tb$", "^say", r"path~^/a\sb$"] {
        let ran = run_on(log, &["grep", pattern]);
        assert_eq!(ran.code, Some(0), "{pattern}: {ran:?}");
        assert!(ran.out.starts_with("1 match"), "{pattern}: {ran:?}");
    }
}

#[test]
fn nothing_failed_is_said() {
    let ran = run_on(LOG, &["failed"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("no failure in 1 trace"), "{ran:?}");
}

/// A trace of very many spans is kept in part, and the failure in it is still what it was.
#[test]
fn a_failure_in_a_large_trace_is_found() {
    let mut log = String::from(
        "serve, span_mark=start, span_id=1, span_at=1700000000.000000000, task_id=0, thread_id=1\n",
    );
    for id in 2..5000 {
        let (name, outcome) = match id {
            4000 => ("query", ", span_outcome=error"),
            _ => ("step", ""),
        };
        writeln!(log, "{name}, span_mark=start, span_id={id}, span_parent=1, span_at=1700000000.{id:09}, task_id=0, thread_id=1").unwrap();
        if id == 4000 {
            log.push_str("no rows, span_id=4000, task_id=0, thread_id=1\n");
        }
        writeln!(log, "{name}, span_mark=end, span_id={id}, span_elapsed=0.000000{:03}{outcome}, task_id=0, thread_id=1", id % 900).unwrap();
    }
    log.push_str(
        "serve, span_mark=end, span_id=1, span_elapsed=1.000000000, task_id=0, thread_id=1\n",
    );
    let ran = run_on(&log, &["failed"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("1 × query  error"), "{}", ran.out);
    assert!(ran.out.contains("in serve › query"), "{}", ran.out);
    let mut marked = ran.out.lines().filter(|line| line.contains(" > "));
    assert!(
        marked
            .next()
            .is_some_and(|line| line.contains("query  error"))
    );
    // All others are in one row, or in a sum.
    let before = |marker: &str| {
        let before = ran.out.split(marker).next().unwrap_or_default();
        let number = before.rsplit(' ').next().unwrap_or_default();
        number.replace(',', "").parse::<u64>().unwrap()
    };
    assert_eq!(
        before(" × step") + before(" more step"),
        4997,
        "{}",
        ran.out
    );
}

/// Of a large trace only what leads to the failure is open.
#[test]
fn a_large_trace_is_shown_where_it_failed() {
    let mut log = String::from(
        "serve, span_mark=start, span_id=1, span_at=1700000000.000000000, task_id=0, thread_id=1\n",
    );
    for n in 0..20 {
        let (id, inner) = (2 * n + 2, 2 * n + 3);
        let outcome = if n == 7 {
            ", span_outcome=panicked"
        } else {
            ""
        };
        writeln!(log, "request{n}x, span_mark=start, span_id={id}, span_parent=1, span_at=1700000000.00000000{}, task_id=0, thread_id=1", n % 10).unwrap();
        writeln!(log, "inner{n}x, span_mark=start, span_id={inner}, span_parent={id}, span_at=1700000000.00000000{}, task_id=0, thread_id=1", n % 10).unwrap();
        writeln!(log, "inner{n}x, span_mark=end, span_id={inner}, span_elapsed=0.500000000{outcome}, task_id=0, thread_id=1").unwrap();
        writeln!(log, "request{n}x, span_mark=end, span_id={id}, span_elapsed=0.600000000, task_id=0, thread_id=1").unwrap();
    }
    log.push_str(
        "serve, span_mark=end, span_id=1, span_elapsed=1.000000000, task_id=0, thread_id=1\n",
    );
    let out = run_on(&log, &["failed"]).out;
    assert!(out.contains("inner7x  panicked"), "{out}");
    assert!(out.contains("request8x  … 1 inside"), "{out}");
    assert!(!out.contains("inner8x"), "{out}");
}

/// Without times nothing is slower than anything else.
#[test]
fn a_log_without_times_has_nothing_slow() {
    let log = "\
load, span_mark=start, task_id=0, thread_id=1
load, span_mark=end, task_id=0, thread_id=1
";
    let ran = run_on(log, &["slow"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("all spans last 0 ns"), "{ran:?}");
    let folder = Folder::with(log);
    let ran = folder.run(["diff", "a.log", "a.log"]);
    assert_usage(&ran, "there is nothing to compare");
}

/// A span that never ended is as slow as the log is long.
#[test]
fn what_never_ended_is_slow() {
    let log = "\
quick, span_mark=start, span_id=1, span_at=1700000000.000000000, task_id=1, thread_id=1
hung, span_mark=start, span_id=2, span_at=1700000000.100000000, task_id=2, thread_id=1
lock, span_mark=start, span_id=3, span_parent=2, span_at=1700000000.200000000, task_id=2, thread_id=1
quick, span_mark=end, span_id=1, span_elapsed=9.000000000, task_id=1, thread_id=1
";
    let ran = run_on(log, &["slow", "2"]);
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines[0].starts_with("1. 9.00 s  quick"), "{ran:?}");
    assert!(ran.out.contains("2. 8.90 s  hung"), "{ran:?}");
    assert!(
        ran.out.contains("99 %, 8.80 s, in lock, which never ended"),
        "{ran:?}"
    );
}

/// Sampled logs say that they are, and are not compared.
#[test]
fn sampled_logs_are_no_wholes() {
    let mut log = String::new();
    for id in 1..=3 {
        writeln!(log, "load, span_mark=whole, span_id={id}, span_at=1700000000.00000000{id}, span_elapsed=0.00000025{id}, trace_kept=slow, process_id=7-1700000000000000000, task_id=0, thread_id=1").unwrap();
    }
    let folder = Folder::with(&log);
    let slow = folder.run(["slow", "a.log"]);
    assert!(
        slow.out
            .contains("the slowest 3 of 3 traces that were kept (3 slow)"),
        "{slow:?}"
    );
    assert!(
        slow.err.contains("3 traces that were kept (3 slow)"),
        "{slow:?}"
    );
    folder.write("b.log", LOG);
    for files in [["a.log", "b.log"], ["b.log", "a.log"], ["a.log", "a.log"]] {
        let ran = folder.run(["diff"].iter().chain(&files));
        assert_usage(&ran, "a.log: it has but the traces that were kept (3 slow)");
    }
}

#[test]
fn logs_of_different_programs_are_not_compared() {
    let folder = Folder::with(LOG);
    folder.write(
        "b.log",
        &LOG.replace("load 7", "other").replace("inner", "more"),
    );
    let ran = folder.run(["diff", "a.log", "b.log"]);
    assert_usage(&ran, "no name of a span in common");
    let missing = folder.run(["diff", "a.log", "c.log"]);
    assert_eq!(missing.code, Some(3), "{missing:?}");
    let same = folder.run(["diff", "a.log", "a.log"]);
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.err.contains("fewer than 20 traces"), "{same:?}");
    let none = folder.run(["diff", "a.log", "a.log", "--span", "nope"]);
    assert_eq!(none.code, Some(1), "{none:?}");
}

#[test]
fn a_limit_fails_only_what_is_more_than_noise() {
    let folder = Folder::new();
    folder.write("before", &shop::log(3000, 1, Change::None));
    folder.write("same", &shop::log(3000, 2, Change::None));
    folder.write("after", &shop::log(3000, 3, Change::Planted));
    let run = |after: &str, limit: &str| folder.run(["diff", "before", after, "--fail-on", limit]);
    let slower = run("after", "p99 > +20%");
    assert_eq!(slower.code, Some(1), "{slower:?}");
    assert!(
        slower.err.contains("async-log: render: p99 > +20%"),
        "{slower:?}"
    );
    assert_eq!(run("after", "p99 > +60%").code, Some(0));
    assert_eq!(run("same", "p99 > +0%").code, Some(0), "noise is none");
    assert_usage(&run("after", "p98 > +20%"), "`p98` is not compared");
}

/// The number stands before the files, unless it is one of them.
#[test]
fn slow_takes_a_number() {
    let folder = Folder::with(&shop::log(300, 1, Change::None));
    let traces = |arguments: &[&str]| {
        let ran = folder.run(["slow", "--json"].iter().chain(arguments));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out.lines().count()
    };
    assert_eq!(traces(&["a.log"]), 5);
    assert_eq!(traces(&["3", "a.log"]), 3);
    assert_eq!(traces(&["0", "a.log"]), 1);
    folder.write("7", LOG);
    assert_eq!(traces(&["7"]), 1);
}

/// The hint at the end, with the next command, is for a person at a terminal.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_a_hint() {
    let folder = Folder::with(&shop::log(2000, 1, Change::None));
    let on_terminal = |arguments: &str| {
        let program = async_log().get_program().to_owned();
        let command = format!("{} {arguments}", program.display());
        let output = std::process::Command::new("script")
            .args(["-q", "-e", "-c", &command, "/dev/null"])
            .current_dir(folder.path(""))
            .env("TERM", "dumb")
            .output()
            .expect("there is script");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for (arguments, hint) in [
        ("slow a.log", "async-log task 1201 a.log"),
        ("failed a.log", "async-log task 1501 a.log"),
        ("grep 'connection reset' a.log", "async-log task 1501 a.log"),
        (
            "tree --span render --limit 1 a.log",
            "async-log task 1 a.log",
        ),
        ("stats a.log", "async-log slow --span db::query a.log"),
        ("tasks --sort duration a.log", "async-log task 1201 a.log"),
    ] {
        let shown = on_terminal(arguments);
        assert!(shown.contains(hint), "{arguments}: {shown}");
        let quiet = on_terminal(&format!("{arguments} --quiet"));
        assert!(!quiet.contains("async-log "), "{arguments}: {quiet}");
        let words: Vec<_> = arguments.split('\'').collect();
        if words.len() == 1 {
            let piped = folder.run(arguments.split(' '));
            assert!(!piped.out.contains("async-log "), "{piped:?}");
        }
    }
}
