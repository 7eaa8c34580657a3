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

/// A span that spawns tasks one after another; an arrow leads to each unless there are too many.
fn spawner(tasks: u64, name: impl Fn(u64) -> String) -> String {
    let mut log = String::from(
        "serve, span_mark=start, span_id=1, span_at=1700000000.000000000, process_id=42-1700000000000000000, task_id=0, thread_id=1\n",
    );
    for n in 0..tasks {
        // They begin in another order than that of their numbers.
        let (id, task) = (n + 2, (n * 7) % tasks + 1);
        let name = name(task);
        writeln!(log, "{name}, span_mark=start, span_id={id}, span_parent=1, span_at=1700000000.{id:09}, task_parent_id=0, spawn_line=a.rs:1, task_id={task}, thread_id=1").unwrap();
        writeln!(log, "{name}, span_mark=end, span_id={id}, span_elapsed=0.000000001, task_id={task}, thread_id=1").unwrap();
    }
    log.push_str(
        "serve, span_mark=end, span_id=1, span_elapsed=0.100000000, task_id=0, thread_id=1\n",
    );
    log
}

fn worker(_: u64) -> String {
    "worker".into()
}

/// The names of the tracks, in the order that readers show them in: chrome://tracing by `sort_index`,
/// Perfetto's UI by `tid`.
fn tracks(events: &[Value]) -> Vec<String> {
    let of = |what: &str, key: &str| -> Vec<(u64, Value)> {
        let named = events.iter().filter(|event| event["name"] == what);
        named
            .map(|event| (event["tid"].as_u64().unwrap(), event["args"][key].clone()))
            .collect()
    };
    let mut names = of("thread_name", "name");
    names.sort_by_key(|(tid, _)| *tid);
    let mut ranks = of("thread_sort_index", "sort_index");
    ranks.sort_by_key(|(_, rank)| rank.as_u64());
    let tids = |of: &[(u64, Value)]| of.iter().map(|(tid, _)| *tid).collect::<Vec<_>>();
    assert_eq!(tids(&names), tids(&ranks), "both orders are the same");
    let name = |(_, name): &(u64, Value)| name.as_str().unwrap().to_owned();
    names.iter().map(name).collect()
}

#[test]
fn tracks_are_in_the_order_of_numbers() {
    let name = |task: u64| format!("worker {}", (b'a' + task as u8) as char);
    let tracks = tracks(&events(&spawner(25, name)));
    let expected: Vec<_> = (1..=25)
        .map(|task| format!("task {task} {}", name(task)))
        .collect();
    assert_eq!(tracks[0], "main");
    assert_eq!(tracks[1..], expected);
}

/// The tasks of a log, each with its name, its start and how long it takes, in nanoseconds. Each logs
/// when it starts, in no span, and once it has ended.
fn tasks(of: &[(&str, u64, u64)]) -> String {
    let mut lines = Vec::new();
    for ((name, start, length), task) in of.iter().zip(1_u64..) {
        let end = start + length;
        let at = |nanos: u64| format!("[2023-11-14T22:13:20.{nanos:09}Z TRACE app]");
        let ids = format!("task_id={task}, thread_id=1");
        lines.push((*start, format!("{} {name}, span_mark=start, span_id={task}, span_at=1700000000.{start:09}, task_parent_id=0, spawn_line=a.rs:1, process_id=42-1700000000000000000, {ids}\n", at(*start))));
        lines.push((
            end,
            format!(
                "{} {name}, span_mark=end, span_id={task}, span_elapsed=0.{length:09}, {ids}\n",
                at(end)
            ),
        ));
        lines.push((end, format!("{} dropped, {ids}\n", at(end))));
    }
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// 10,000 tracks are of no use to anybody.
#[test]
fn tasks_of_one_name_share_lanes() {
    let log = spawner(10_000, |task| format!("request {task}"));
    assert_eq!(
        tracks(&events(&log)),
        ["main", "request # (10,000 tasks)"],
        "one after another, and numbers do not count"
    );
    // Three at once, and another name in between.
    let mut of = vec![("serve", 0, 900_000_000)];
    for n in 0..300 {
        let at = 1000 + n / 3 * 1000;
        of.push(("request", at, 700 + n % 3));
        if n % 3 == 0 {
            of.push(("flush", at, 10));
        }
    }
    let events = events(&tasks(&of));
    assert_eq!(
        tracks(&events),
        [
            "task 1 serve",
            "request (300 tasks)",
            "request (2)",
            "request (3)",
            "flush (100 tasks)"
        ]
    );
    assert_eq!(
        events.iter().filter(|event| event["ph"] == "X").count(),
        401
    );
}

/// What a task logs outside of its span is not drawn in a span of another task.
#[test]
fn a_record_is_in_no_span_of_another_task() {
    let of: Vec<_> = (0..200)
        .map(|n| ("request", n * 500, 700 + n % 7 * 50))
        .collect();
    let events = events(&tasks(&of));
    let number = |event: &Value, key: &str| (event[key].as_f64().unwrap() * 1000.0).round() as u64;
    let spans: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
    let records: Vec<_> = events.iter().filter(|event| event["ph"] == "i").collect();
    assert_eq!((spans.len(), records.len()), (200, 200));
    for record in records {
        let at = number(record, "ts");
        let around = spans.iter().filter(|span| {
            let start = number(span, "ts");
            span["tid"] == record["tid"] && start <= at && at < start + number(span, "dur")
        });
        for span in around {
            assert_eq!(span["args"]["task_id"], record["args"]["task_id"]);
        }
    }
    assert!(tracks(&events).len() <= 4, "{:?}", tracks(&events));
}

/// Names that are all different do not make a track each either.
#[test]
fn thousands_of_names_and_threads_share_lanes() {
    let names: Vec<String> = (0..2000)
        .map(|n: u32| {
            let letter = |of: u32| (b'a' + (of % 26) as u8) as char;
            format!("job {}{}{}", letter(n), letter(n / 26), letter(n / 676))
        })
        .collect();
    let of: Vec<_> = (0..2000)
        .map(|n| (&*names[n], n as u64 * 1000, 500))
        .collect();
    let tracks = tracks(&events(&tasks(&of)));
    assert!(tracks.len() <= 257, "{} tracks", tracks.len());
    assert_eq!(tracks.last().unwrap(), "other names (1,744 tasks)");
    let mut log = String::new();
    for n in 1..=2000 {
        writeln!(log, "step, span_mark=start, span_id={n}, span_at=1700000000.{:09}, process_id=42-1700000000000000000, task_id=0, thread_id={n}", n * 1000).unwrap();
        writeln!(
            log,
            "step, span_mark=end, span_id={n}, span_elapsed=0.000000500, task_id=0, thread_id={n}"
        )
        .unwrap();
    }
    let tracks = self::tracks(&events(&log));
    assert!(tracks.len() <= 257, "{} tracks", tracks.len());
    assert_eq!(tracks[..2], ["main", "thread 2"]);
    assert_eq!(tracks.last().unwrap(), "other threads");
}

/// Thousands of arrows from one span would hide all that they lead to.
#[test]
fn a_span_has_only_so_many_arrows() {
    for (tasks, arrows) in [(3, 3), (64, 64), (5000, 64)] {
        let events = events(&spawner(tasks, worker));
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
