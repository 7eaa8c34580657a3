//! What a trace says to who opens it.

use std::fmt::Write;

use serde_json::Value;

use crate::program::{LOG, run_on};

fn events(log: &str) -> Vec<Value> {
    let ran = run_on(log, &["chrome"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let trace: Value = serde_json::from_str(&ran.out).expect("JSON");
    trace["traceEvents"].as_array().expect("events").clone()
}

fn assert_pid(events: &[Value], pid: u64) {
    for event in events {
        assert_eq!(event["pid"], pid, "{event}");
    }
    let names: Vec<_> = events
        .iter()
        .filter(|event| event["name"] == "process_name")
        .collect();
    assert_eq!(names.len(), 1, "it is named once");
    assert_eq!(names[0]["args"]["name"], format!("process {pid}"));
}

/// A log begins with records of `main`, before any span: they are of the process that is named later.
#[test]
fn the_process_has_its_number_from_the_first_record_on() {
    for records in [1, 1000, 20_000] {
        let mut log = String::new();
        for n in 0..records {
            writeln!(
                log,
                "[2026-01-02T03:04:05Z INFO  shop] starting {n}, task_id=0, thread_id=1"
            )
            .unwrap();
        }
        log.push_str(LOG);
        let events = events(&log);
        assert!(events.len() > records);
        assert_pid(&events, 42);
    }
    let cut: String = LOG.lines().skip(1).flat_map(|line| [line, "\n"]).collect();
    let later = LOG
        .replace("span_id=", "span_id=7")
        .replace("span_parent=", "span_parent=7");
    assert_pid(&events(&(cut + &later)), 42);
}

/// A log that names no process is drawn all the same, and so is one that names it very late.
#[test]
fn a_process_without_a_name_is_drawn() {
    let nameless = LOG.replace(", process_id=42-1767323045000000000", "");
    let events = events(&nameless);
    assert!(events.iter().all(|event| event["pid"] == 1));
    assert_eq!(events.iter().filter(|event| event["ph"] == "X").count(), 2);
}

/// A span that spawns tasks: each is a track, and an arrow leads to it unless there are too many.
fn spawner(tasks: u64) -> String {
    let mut log = String::from(
        "serve, span_mark=start, span_id=1, span_at=1700000000.000000000, process_id=42-1700000000000000000, task_id=0, thread_id=1\n",
    );
    for n in 0..tasks {
        // They begin in another order than that of their numbers.
        let (id, task) = (n + 2, (n * 7) % tasks + 1);
        writeln!(log, "worker, span_mark=start, span_id={id}, span_parent=1, span_at=1700000000.{id:09}, task_parent_id=0, spawn_line=a.rs:1, task_id={task}, thread_id=1").unwrap();
        writeln!(log, "worker, span_mark=end, span_id={id}, span_elapsed=0.000000001, task_id={task}, thread_id=1").unwrap();
    }
    log.push_str(
        "serve, span_mark=end, span_id=1, span_elapsed=0.100000000, task_id=0, thread_id=1\n",
    );
    log
}

#[test]
fn tracks_are_in_the_order_of_numbers() {
    let events = events(&spawner(25));
    let of = |what: &str, key: &str| -> Vec<(u64, Value)> {
        let named = events.iter().filter(|event| event["name"] == what);
        named
            .map(|event| (event["tid"].as_u64().unwrap(), event["args"][key].clone()))
            .collect()
    };
    let names = of("thread_name", "name");
    let mut ranks = of("thread_sort_index", "sort_index");
    ranks.sort_by_key(|(_, rank)| rank.as_u64());
    let ordered: Vec<_> = ranks
        .iter()
        .map(|(tid, _)| {
            let (_, name) = names.iter().find(|(of, _)| of == tid).unwrap();
            name.as_str().unwrap().to_owned()
        })
        .collect();
    let expected: Vec<_> = (1..=25).map(|task| format!("task {task} worker")).collect();
    assert_eq!(ordered[0], "main");
    assert_eq!(ordered[1..], expected);
}

/// Thousands of arrows from one span would hide all that they lead to.
#[test]
fn a_span_has_only_so_many_arrows() {
    for (tasks, arrows) in [(3, 3), (64, 64), (5000, 64)] {
        let events = events(&spawner(tasks));
        for end in ["s", "f"] {
            let count = events.iter().filter(|event| event["ph"] == end).count();
            assert_eq!(count, arrows, "of {tasks} tasks");
        }
        let told = events.iter().filter(|event| {
            event["args"]["span_parent"] == 1 && event["args"]["spawn_line"] == "a.rs:1"
        });
        assert_eq!(
            told.count() as u64,
            tasks,
            "who spawned a task is in its arguments"
        );
    }
}

#[test]
fn a_trace_on_a_terminal_is_refused() {
    let folder = crate::program::Folder::with(LOG);
    let program = crate::program::async_log().get_program().to_owned();
    for arguments in [
        "chrome a.log",
        "perfetto a.log",
        "flame a.log",
        "chrome a.log -o /dev/tty",
    ] {
        let line = format!("{} {arguments}", program.to_string_lossy());
        let output = std::process::Command::new("script")
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .current_dir(folder.path(""))
            .stdin(std::process::Stdio::null())
            .output()
            .expect("there is script");
        let screen = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {screen}");
        assert!(screen.contains("it is a terminal"), "{arguments}: {screen}");
        assert!(
            !screen.contains("traceEvents") && !screen.contains("<svg"),
            "{screen}"
        );
    }
}
