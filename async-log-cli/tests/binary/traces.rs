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
