//! Spans that are written when they have ended, or some time later, or not at all: section 12 of
//! `docs/format.md`.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::program::{Folder, Ran, run_on};
use async_log_tests::modes::{self, Mode};

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).expect("JSON")
}

/// A server as it writes starts and ends: each request is a root with a task in it.
fn server(requests: u64) -> String {
    let mut log = String::new();
    let mut line = |at: u64, level: &str, rest: String| {
        let (seconds, nanos) = (1_700_000_000 + at / 1_000_000_000, at % 1_000_000_000);
        let time = seconds - 1_699_999_980;
        writeln!(
            log,
            "[2023-11-14T22:13:{time:02}.{nanos:09}Z {level} shop] {rest}"
        )
        .unwrap();
    };
    let at = |at: u64| {
        format!(
            "{}.{:09}",
            1_700_000_000 + at / 1_000_000_000,
            at % 1_000_000_000
        )
    };
    for n in 0..requests {
        let (root, step, own) = (3 * n + 1, 3 * n + 2, 3 * n + 3);
        let (since, task) = (n * 1_000_000, n + 1);
        let here = "task_id=0, thread_id=1";
        let there = format!("task_id={task}, thread_id=2");
        line(
            since,
            "TRACE",
            format!(
                "request {n}, span_mark=start, req={n}, span_id={root}, span_at={}, process_id=7-1700000000000000000, {here}",
                at(since)
            ),
        );
        line(
            since + 10,
            "INFO ",
            format!("got it, n=1, req={n}, span_id={root}, {here}"),
        );
        line(
            since + 100,
            "TRACE",
            format!(
                "load, span_mark=start, req={n}, span_id={step}, span_parent={root}, span_at={}, {here}",
                at(since + 100)
            ),
        );
        line(
            since + 150,
            "WARN ",
            format!("slow disk, req={n}, span_id={step}, {here}"),
        );
        line(
            since + 200,
            "TRACE",
            format!(
                "worker, span_mark=start, req={n}, span_id={own}, span_parent={root}, span_at={}, task_parent_id=0, spawn_line=a.rs:1, {there}",
                at(since + 200)
            ),
        );
        line(
            since + 250,
            "INFO ",
            format!("at work, req={n}, span_id={own}, {there}"),
        );
        line(
            since + 300,
            "TRACE",
            format!(
                "load, span_mark=end, req={n}, span_id={step}, span_elapsed=0.000000200, {here}"
            ),
        );
        line(
            since + 400,
            "TRACE",
            format!(
                "worker, span_mark=end, req={n}, span_id={own}, span_elapsed=0.000000200, span_busy=0.000000150, span_polls=3, span_poll_max=0.000000100, {there}"
            ),
        );
        line(
            since + 900,
            "TRACE",
            format!(
                "request {n}, span_mark=end, req={n}, span_id={root}, span_elapsed=0.000000900, span_outcome=error, {here}"
            ),
        );
    }
    log
}

const TAIL: Mode = Mode::Tail {
    after: 5,
    drop_one_in: 0,
};

/// What `mode` makes of a log is drawn, counted and listed as the log itself.
#[test]
fn every_command_shows_the_same_in_every_mode() {
    let log = server(40);
    for mode in [
        Mode::AtEnd,
        TAIL,
        Mode::Tail {
            after: usize::MAX,
            drop_one_in: 0,
        },
    ] {
        let converted = modes::convert(&log, mode);
        for arguments in [
            &["stats", "--exact", "--json"][..],
            &["flame", "--folded"],
            &["flame", "--folded", "--spawned"],
            &["flame", "--folded", "--busy"],
            &["unfinished"],
            &["tree", "--span", "load"],
            &[
                "stats",
                "--json",
                "--where",
                "req=7",
                "--min-duration",
                "500ns",
            ],
        ] {
            let (plain, ran) = (run_on(&log, arguments), run_on(&converted, arguments));
            assert_eq!(
                (plain.code, ran.code),
                (Some(0), Some(0)),
                "{mode:?} {arguments:?}"
            );
            let ran = match ran.out.find(",\"kept_traces\"") {
                Some(at) => ran.out[..at].to_owned() + "}\n",
                None => ran.out,
            };
            assert_eq!(ran, plain.out, "{mode:?} {arguments:?}");
        }
        let tree = |log: &str, arguments: &[&str]| {
            let mut lines: Vec<_> = run_on(log, arguments)
                .out
                .lines()
                .map(|line| {
                    line.replace("  trace_kept=slow", "")
                        .replace("  trace_kept=failed", "")
                })
                .collect();
            lines.sort();
            lines
        };
        for arguments in [
            &["tree"][..],
            &["tree", "--spawned"],
            &["tree", "--level", "warn"],
        ] {
            assert_eq!(
                tree(&converted, arguments),
                tree(&log, arguments),
                "{mode:?} {arguments:?}"
            );
        }
        for command in ["chrome", "perfetto"] {
            assert_eq!(run_on(&converted, &[command]).code, Some(0));
        }
        let lines = |log: &str| run_on(log, &["task", "3"]).out.lines().count();
        assert_eq!(lines(&converted), lines(&log), "{mode:?}");
    }
}

/// Each slice, wherever it is in the file.
#[test]
fn traces_have_the_same_slices_in_every_mode() {
    let slices = |log: &str| {
        let trace: Value = serde_json::from_str(&run_on(log, &["chrome"]).out).unwrap();
        let events = trace["traceEvents"].as_array().unwrap().iter();
        let slices = events.filter(|event| event["ph"] == "X" || event["ph"] == "i");
        let mut slices: Vec<_> = slices
            .map(|event| {
                format!(
                    "{} {} {} {}",
                    event["name"], event["ts"], event["dur"], event["args"]["span_id"]
                )
            })
            .collect();
        slices.sort();
        slices
    };
    let log = server(20);
    for mode in [Mode::AtEnd, TAIL] {
        assert_eq!(
            slices(&modes::convert(&log, mode)),
            slices(&log),
            "{mode:?}"
        );
    }
}

#[test]
fn a_task_says_how_long_it_was_polled() {
    for mode in [None, Some(Mode::AtEnd), Some(TAIL)] {
        let log = mode.map_or(server(2), |mode| modes::convert(&server(2), mode));
        let tasks = json(&run_on(&log, &["tasks", "--json"]));
        let task = &tasks["tasks"][1];
        assert_eq!(
            (&task["busy_ns"], &task["polls"], &task["poll_max_ns"]),
            (&json!(150), &json!(3), &json!(100)),
            "{tasks}"
        );
        assert_eq!(tasks["tasks"][0]["busy_ns"], Value::Null);
        let table = run_on(&log, &["tasks"]).out;
        assert!(
            table.contains("busy") && table.contains("longest poll"),
            "{table}"
        );
        assert!(
            table.contains("150 ns") && table.contains("100 ns"),
            "{table}"
        );
        let stats = json(&run_on(&log, &["stats", "--json", "--sort", "busy"]));
        assert_eq!(stats["names"][0]["name"], "worker");
        assert_eq!(stats["names"][0]["busy_ns"], 300);
        assert_eq!(
            run_on(&log, &["flame", "--folded", "--busy"]).out,
            "worker 300\n"
        );
    }
    let none = run_on(crate::program::LOG, &["flame", "--busy"]);
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("span_busy"), "{none:?}");
    let none = run_on(crate::program::LOG, &["tasks"]).out;
    assert!(!none.contains("busy"), "a column of nothing: {none}");
}

#[test]
fn a_log_of_kept_traces_says_so() {
    let mode = Mode::Tail {
        after: 3,
        drop_one_in: 2,
    };
    let log = modes::convert(&server(10), mode);
    let stats = run_on(&log, &["stats", "--json"]);
    let kept = json(&stats)["kept_traces"].clone();
    assert_eq!(
        kept,
        json!({"slow": 4, "failed": 1, "sample": 0, "asked": 0})
    );
    let message = "async-log: this log has the spans of 5 traces that were kept (4 slow, 1 failed), and of no others\n";
    assert!(stats.err.contains(message), "{stats:?}");
    assert!(
        run_on(&log, &["stats"])
            .out
            .contains("of kept traces alone: 4 slow, 1 failed")
    );
    assert_eq!(run_on(&log, &["stats", "--quiet"]).err, "");
    let whole = run_on(&server(10), &["stats", "--json"]);
    assert!(!whole.out.contains("kept_traces") && whole.err.is_empty());
}

/// The records of traces that were not kept are shown under their roots.
#[test]
fn records_of_spans_that_are_not_there_are_under_their_roots() {
    for mode in [
        Mode::None,
        Mode::Tail {
            after: 3,
            drop_one_in: 1,
        },
    ] {
        let log = modes::convert(&server(5), mode);
        assert!(!log.contains("span_mark"));
        let ran = run_on(&log, &["tree", "--json"]);
        let trees: Vec<Value> = ran
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(trees.len(), 5, "{ran:?}");
        for (n, tree) in trees.iter().enumerate() {
            assert_eq!(tree["span_id"], 3 * n + 1);
            assert_eq!(tree["note"], "not_written");
            let inside = tree["inside"].as_array().unwrap().iter();
            let messages: Vec<_> = inside
                .map(|record| record["message"].as_str().unwrap())
                .collect();
            assert_eq!(messages, ["got it", "slow disk", "at work"]);
        }
        let message = "async-log: 15 records are in spans that are not in this log; they are shown under the roots of their traces alone\n";
        assert_eq!((ran.code, &*ran.err), (Some(0), message));
        let tasks = json(&run_on(&log, &["tasks", "--json"]));
        assert_eq!(tasks["tasks"].as_array().unwrap().len(), 6);
        assert!(run_on(&log, &["task", "3"]).out.contains("INFO at work"));
        let stats = run_on(&log, &["stats"]);
        assert_eq!(stats.code, Some(1), "{stats:?}");
        assert_eq!(run_on(&log, &["chrome"]).code, Some(0));
    }
}

/// Where there was no room a root says so, and its records are in it.
#[test]
fn records_of_dropped_spans_are_in_their_root() {
    let log = "\
[2023-11-14T22:13:20.1Z INFO  shop] inside, span_id=3, span_root=1, task_id=0, thread_id=1
[2023-11-14T22:13:20.2Z TRACE shop] slow one, span_mark=start, span_id=1, span_at=1700000000.000000000, trace_kept=slow, process_id=7-1700000000000000000, task_id=0, thread_id=1
[2023-11-14T22:13:20.3Z INFO  shop] deep inside, span_id=4, span_root=1, task_id=0, thread_id=1
[2023-11-14T22:13:20.4Z TRACE shop] slow one, span_mark=end, span_id=1, span_elapsed=0.900000000, spans_dropped=2, task_id=0, thread_id=1
";
    let whole = "\
[2023-11-14T22:13:20.1Z INFO  shop] inside, span_id=3, span_root=1, task_id=0, thread_id=1
[2023-11-14T22:13:20.3Z INFO  shop] deep inside, span_id=4, span_root=1, task_id=0, thread_id=1
[2023-11-14T22:13:20.4Z TRACE shop] slow one, span_mark=whole, span_id=1, span_at=1700000000.000000000, span_elapsed=0.900000000, trace_kept=slow, spans_dropped=2, process_id=7-1700000000000000000, task_id=0, thread_id=1
";
    for log in [log, whole] {
        let ran = run_on(log, &["tree", "--json"]);
        let tree = json(&ran);
        assert_eq!(
            (&tree["name"], &tree["fields"]["trace_kept"]),
            (&json!("slow one"), &json!("slow"))
        );
        let inside = tree["inside"].as_array().unwrap();
        assert_eq!(inside.len(), 2, "{ran:?}");
        assert!(
            ran.err
                .contains("2 spans of traces in this log were not kept"),
            "{ran:?}"
        );
        assert!(
            ran.err
                .contains("2 records are in spans that are not in this log"),
            "{ran:?}"
        );
    }
}

/// A root that is a part of no trace says what it was begun in; a trace from elsewhere says its name.
#[test]
fn links_and_trace_ids_are_shown() {
    let log = "\
accept, span_mark=start, span_id=1, span_at=1700000000.000000000, process_id=7-1700000000000000000, task_id=0, thread_id=1
request, span_mark=whole, span_id=2, span_link=1, span_at=1700000000.000000001, span_elapsed=0.000000005, trace_id=4bf92f3577b34da6a3ce929d0e0e4736, trace_parent=00f067aa0ba902b7, process_id=7-1700000000000000000, task_id=0, thread_id=1
accept, span_mark=end, span_id=1, span_elapsed=0.000000009, task_id=0, thread_id=1
";
    let tree = run_on(log, &["tree"]).out;
    let request = tree.lines().find(|line| line.contains("request")).unwrap();
    assert!(
        request.contains("5 ns  request  no task  22:13:20.000  span_link=1  trace_id=4bf92f3577b34da6a3ce929d0e0e4736"),
        "{tree}"
    );
    let found = run_on(
        log,
        &[
            "stats",
            "--json",
            "--where",
            "trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
        ],
    );
    assert_eq!(json(&found)["names"][0]["name"], "request");
}

/// The new keys in the other forms: JSON and key-values.
#[test]
fn whole_spans_are_read_in_every_form() {
    let json_form = r#"{"message":"inside","span_id":2,"span_root":1,"task_id":3,"thread_id":1,"level":"INFO","target":"a"}
{"message":"w \"x\"","span_mark":"whole","n":7,"span_id":2,"span_parent":1,"span_root":1,"span_at":"1700000000.000000001","span_elapsed":"0.000000005","span_busy":"0.000000004","span_polls":2,"span_poll_max":"0.000000003","task_parent_id":0,"spawn_line":"a \"b\".rs:1","task_id":3,"thread_id":1,"level":"TRACE","target":"a"}
{"message":"root","span_mark":"whole","span_id":1,"span_at":"1700000000.000000000","span_elapsed":"0.000000009","process_id":"7-1700000000000000000","task_id":0,"thread_id":1,"level":"TRACE","target":"a"}
"#;
    let key_values = "\
[2023-11-14T22:13:20Z INFO  a] inside span_id=2 span_root=1 task_id=3 thread_id=1
[2023-11-14T22:13:20Z TRACE a] w \"x\" span_mark=whole n=7 span_id=2 span_parent=1 span_root=1 span_at=1700000000.000000001 span_elapsed=0.000000005 span_busy=0.000000004 span_polls=2 span_poll_max=0.000000003 task_parent_id=0 spawn_line=a \"b\".rs:1 task_id=3 thread_id=1
[2023-11-14T22:13:20Z TRACE a] root span_mark=whole span_id=1 span_at=1700000000.000000000 span_elapsed=0.000000009 process_id=7-1700000000000000000 task_id=0 thread_id=1
";
    let mut in_message = String::new();
    for line in key_values.lines() {
        let text = line.split_once("] ").unwrap().1;
        let text = text
            .replace(" span_", ", span_")
            .replace(" task_", ", task_")
            .replace(" n=", ", n=");
        let text = text
            .replace(" thread_", ", thread_")
            .replace(" process_", ", process_");
        let text = text.replace(
            " spawn_line=a \"b\".rs:1",
            ", spawn_line=\"a \\\"b\\\".rs:1\"",
        );
        writeln!(
            in_message,
            "{}",
            json!({"level": "TRACE", "target": "a", "message": text})
        )
        .unwrap();
    }
    for log in [json_form, key_values, &in_message] {
        let tree = json(&run_on(log, &["tree", "--spawned", "--json"]));
        let task = &tree["inside"][0];
        assert_eq!(tree["name"], "root", "{log}");
        assert_eq!(
            (&task["name"], &task["duration_ns"]),
            (&json!("w \"x\""), &json!(5)),
            "{tree}"
        );
        assert_eq!(task["fields"], json!({"n": "7"}));
        assert_eq!(task["spawn_line"], "a \"b\".rs:1");
        assert_eq!(task["inside"][0]["message"], "inside");
        let tasks = json(&run_on(log, &["tasks", "--json"]));
        let rows = tasks["tasks"].as_array().unwrap();
        let row = rows.iter().find(|row| row["task_id"] == 3).unwrap();
        assert_eq!(
            (&row["busy_ns"], &row["records"]),
            (&json!(4), &json!(2)),
            "{tasks}"
        );
    }
}

/// Two loggers that write into one place double every line.
#[test]
fn a_doubled_whole_counts_once() {
    let log = modes::convert(&server(3), Mode::AtEnd);
    let doubled: String = log
        .lines()
        .flat_map(|line| [line, "\n", line, "\n"])
        .collect();
    let ran = run_on(&doubled, &["stats", "--json"]);
    assert!(ran.err.contains("9 spans start twice"), "{ran:?}");
    assert_eq!(ran.out, run_on(&log, &["stats", "--json"]).out);
}

/// A process that is killed: what had ended is there, under what had not.
#[test]
fn a_killed_program_leaves_what_had_ended() {
    let log = modes::convert(&server(2), Mode::AtEnd);
    let lines: Vec<_> = log.lines().collect();
    let killed = lines[..lines.len() - 1].join("\n") + "\n";
    let stats = json(&run_on(&killed, &["stats", "--json"]));
    let counts: Vec<_> = stats["names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 5, "{stats}");
    let tree = run_on(&killed, &["tree"]);
    assert_eq!(tree.code, Some(0));
    assert!(
        tree.out.contains("span 4") && tree.out.contains("it is not in the log"),
        "{tree:?}"
    );
}

/// A tracker holds no more than it may: what is given up is told, and sums stay right.
#[test]
fn what_waits_for_long_is_given_up() {
    let folder = Folder::new();
    let mut log = String::from("root, span_mark=start, span_id=0, task_id=0, thread_id=1\n");
    log.clear();
    let long = "x".repeat(2000);
    for id in 2..40_000u64 {
        let at = 1_700_000_000_000_000_000 + id * 1000;
        let (seconds, nanos) = (at / 1_000_000_000, at % 1_000_000_000);
        writeln!(log, "step, span_mark=whole, note={long}, span_id={id}, span_parent=1, span_root=1, span_at={seconds}.{nanos:09}, span_elapsed=0.000000500, task_id=0, thread_id=1").unwrap();
    }
    writeln!(log, "main, span_mark=whole, span_id=1, span_at=1700000000.000000000, span_elapsed=0.100000000, process_id=7-1700000000000000000, task_id=0, thread_id=1").unwrap();
    folder.write("a.log", &log);
    let output = folder
        .command()
        .args(["stats", "--json", "a.log"])
        .output()
        .unwrap();
    let ran = Ran::from(output);
    let stats = json(&ran);
    let row = |name: &str| {
        stats["names"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(row("step")["count"], 39_998);
    assert_eq!(
        row("main")["self_ns"],
        100_000_000 - 39_998 * 500,
        "{stats}"
    );
    assert!(
        ran.err
            .contains("spans are in a span that is not in this log"),
        "{:?}",
        ran.err
    );
}

/// Local times that do not name their zone, of two replicas with the same ids: spans that are written
/// when they have ended say what the zone is, and what is in front says whose they are.
#[test]
fn whole_spans_of_two_replicas_have_local_times() {
    let here = "task_id=0, thread_id=1";
    let mut log = String::new();
    let mut line = |web: u32, millis: u32, rest: &str| {
        let (seconds, millis) = (20 + millis / 1000, millis % 1000);
        let time = format!("2023-11-15 00:13:{seconds}.{millis:03}");
        writeln!(log, "web-{web} | [{time} INFO shop] {rest}, {here}").unwrap();
    };
    for n in 0..100 {
        for web in [1, 2] {
            let process = match n {
                0 => format!(", process_id=4{web}-1699999999000000000"),
                _ => String::new(),
            };
            line(
                web,
                10 * n,
                &format!("tick, span_id=2, span_root=1{process}"),
            );
        }
    }
    for web in [1, 2] {
        let times = "span_at=1700000000.000000000, span_elapsed";
        let step = format!("step {web}, span_mark=whole, span_id=2, span_parent=1, span_root=1");
        line(web, 1500, &format!("{step}, {times}=1.500000000"));
        let job = format!("job {web}, span_mark=whole, span_id=1");
        line(web, 2000, &format!("{job}, {times}=2.000000000"));
    }
    let ran = run_on(&log, &["tree", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let roots: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(roots.len(), 2, "{ran:?}");
    for (root, job) in roots.iter().zip(["job 1", "job 2"]) {
        assert_eq!(root["name"], job);
        let ticks = root["inside"][0]["inside"].as_array().unwrap();
        let times = ticks.iter().filter_map(|tick| tick["time"].as_str());
        let wanted = (0..100u64).map(|n| (1_700_000_000_000 + 10 * n) * 1_000_000);
        assert!(times.eq(wanted.map(|at| at.to_string())), "{root}");
    }
    assert_eq!(ran.err, "");
}

/// A log without its prefixes.
fn bare(log: &str) -> String {
    let message = |line: &str| line.split_once("] ").unwrap().1.to_owned() + "\n";
    log.lines().map(message).collect()
}

/// `journalctl -r` and some viewers write the newest lines first. A log without starts and ends says so
/// by its whole spans, which stand before what is in them then.
#[test]
fn whole_spans_say_that_a_log_is_reversed() {
    let reversed = |log: &str| -> String {
        let lines: Vec<_> = log.lines().rev().map(|line| format!("{line}\n")).collect();
        lines.concat()
    };
    for requests in [1, 2, 10, 2000] {
        let log = modes::convert(&server(requests), Mode::AtEnd);
        let wholes: String = log
            .lines()
            .filter(|line| line.contains("span_mark"))
            .flat_map(|line| [line, "\n"])
            .collect();
        for log in [log.clone(), bare(&log), wholes.clone(), bare(&wholes)] {
            // One trace without records, a time or an end of another could be either.
            if requests == 1 && !log.contains("slow disk") {
                continue;
            }
            for command in ["stats", "tasks"] {
                let forwards = run_on(&log, &[command, "--json"]);
                let backwards = run_on(&reversed(&log), &[command, "--json"]);
                assert_eq!(backwards.out, forwards.out, "{requests} {command}\n{log}");
            }
            let tree = run_on(&log, &["tree", "--limit", "0"]).out;
            assert_eq!(run_on(&reversed(&log), &["tree", "--limit", "0"]).out, tree);
        }
        let untold: String = modes::convert(&server(requests), TAIL);
        let forwards = run_on(&untold, &["stats", "--json"]);
        let backwards = run_on(&reversed(&untold), &["stats", "--json"]);
        assert_eq!(backwards.out, forwards.out, "{requests}\n{untold}");
    }
}
