//! Regression tests: small logs that were read wrongly once, through the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn path(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    directory.join(format!("{name}.log"))
}

fn run(arguments: &[&str], log: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_async-log"))
        .args(arguments)
        .arg(log)
        .output()
        .unwrap()
}

/// What a command writes of a log, and what it says about it.
///
/// Of trees also what is in no span, and without the times of day, which are those of the spans.
fn written(arguments: &[&str], log: &Path) -> (String, String) {
    let outside: &[&str] = if arguments[0] == "tree" {
        &["--outside"]
    } else {
        &[]
    };
    let output = run(&[arguments, outside].concat(), log);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let place = regex::Regex::new(r"(  no task)?  \d\d:\d\d:\d\d\.\d{3}").unwrap();
    let out = text(output.stdout);
    (
        place.replace_all(&out, "").into_owned(),
        text(output.stderr),
    )
}

/// The same for a log in the source of the test.
fn written_of(arguments: &[&str], log: impl AsRef<[u8]>) -> (String, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), log).unwrap();
    written(arguments, file.path())
}

fn tree(name: &str) -> String {
    written(&["tree"], &path(name)).0
}

/// When the records of a log were written that are no marks, in seconds.
fn times(log: impl AsRef<[u8]>) -> Vec<(String, f64)> {
    fn collect(value: &Value, times: &mut Vec<(String, f64)>) {
        if let Some(message) = value["message"].as_str() {
            let time: u64 = value["time"].as_str().unwrap().parse().unwrap();
            times.push((message.to_owned(), time as f64 / 1e9));
        }
        for inside in value["inside"].as_array().into_iter().flatten() {
            collect(inside, times);
        }
    }
    let (json, _) = written_of(&["tree", "--json", "--limit", "0"], log);
    let mut times = Vec::new();
    for line in json.lines() {
        collect(&serde_json::from_str(line).unwrap(), &mut times);
    }
    times
}

const BASE: &str = "\
10.0 ms  job
         ├─ INFO hello
3.00 ms  └─ step
";

#[test]
fn what_is_in_front_or_around_changes_nothing() {
    for name in [
        "base",
        "crlf",
        "fluentbit",
        "flyio",
        "journal-null",
        "journal-seq",
        "journal-sse",
        "ts",
    ] {
        for arguments in [&["stats", "--json"][..], &["tasks", "--json"], &["tree"]] {
            let expected = written(arguments, &path("base")).0;
            assert_eq!(written(arguments, &path(name)).0, expected, "{name}");
        }
    }
    assert_eq!(tree("base"), BASE);
    assert_eq!(tree("ts-min"), "10.0 ms  job\n3.00 ms  └─ step\n");
    assert_eq!(
        tree("journal-est-min"),
        "   0 ns  job  unfinished ← was here\n"
    );
    assert!(tree("rfc5424-min").starts_with("43.7 µs  server::serve  unfinished"));
}

#[test]
fn objects_over_several_lines_are_read() {
    let base = fs::read_to_string(path("base")).unwrap();
    let object = |line: &str| {
        let line = serde_json::to_string(line).unwrap();
        format!("{{\n\t\"__CURSOR\" : \"s=1\",\n\t\"MESSAGE\" : {line},\n\t\"_PID\" : \"42\"\n}}\n")
    };
    let log: String = base.lines().map(object).collect();
    assert_eq!(written_of(&["tree"], log).0, BASE);
}

#[test]
fn shippers_change_nothing_of_a_server_s_log() {
    let stats = written(&["stats", "--json"], &path("multilog-t")).0;
    assert_eq!(
        written(&["stats", "--json"], &path("rfc5424-rsyslog")).0,
        stats
    );
    let names = ["server::serve", "server::connection", "request", "accept"];
    for name in names {
        assert!(stats.contains(&format!("\"name\":\"{name}\"")), "{stats}");
    }
}

#[test]
fn parts_of_lines_are_joined() {
    assert_eq!(tree("cri-min"), "10.0 ms  job\n");
    let (json, said) = written(&["stats", "--json"], &path("docker-split-start"));
    let (names, said): (Vec<_>, _) = (json.matches("\"name\":\"nnnn").collect(), said);
    assert_eq!((names.len(), &*said), (1, ""), "{json}");
    // Lines of the other stream are in between, whole ones and parts.
    let between = "\
2023-11-14T22:13:20.1Z stderr P [2023-11-14T22:13:20Z TRACE app] job, span_mark=start, span_id=7
2023-11-14T22:13:20.1Z stdout F something else, task_id=0, thread_id=1
2023-11-14T22:13:20.1Z stdout P some
2023-11-14T22:13:20.2Z stderr P 001, span_at=1700000000.000000000, task_id=0, thread
2023-11-14T22:13:20.2Z stdout F thing
2023-11-14T22:13:20.2Z stderr F _id=1
2023-11-14T22:13:20.3Z stderr F [2023-11-14T22:13:20Z TRACE app] job, span_mark=end, span_id=7001, span_elapsed=0.010000000, task_id=0, thread_id=1
";
    let (tree, said) = written_of(&["tree"], between);
    assert_eq!(tree, "         · something else\n10.0 ms  job\n");
    assert!(said.contains(":5: this line is no record"), "{said}");
}

#[test]
fn a_line_unlike_the_others_changes_nothing_about_them() {
    let torn = tree("docker-tornhead");
    let whole = "9.00 ms  job\n         ├─ INFO hello 1\n3.00 ms  └─ step\n";
    assert!(torn.contains(whole), "{torn}");
    let hole = format!("{BASE}\n5.00 ms  job\n1.00 ms  └─ step\n");
    let (tree, said) = written(&["tree"], &path("nulhole"));
    assert_eq!((tree, &*said), (hole, ""));
    // What was being written when it crashed is no record, and the line behind it is.
    let log = fs::read_to_string(path("base")).unwrap();
    let log = log.replacen(
        "[2023-11-14T22:13:20Z INFO",
        "[2023-11-14T22\0\0\0[2023-11-14T22:13:20Z INFO",
        1,
    );
    let (tree, said) = written_of(&["tree"], log);
    assert_eq!(tree, BASE);
    assert!(said.contains(":2: this line is no record"), "{said}");
}

#[test]
fn a_record_of_several_lines_is_one_whatever_became_of_its_tab() {
    assert_eq!(
        tree("journal-short-multi"),
        "10.0 ms  job\n         └─ ERROR panicked at a.rs:1: no entry\n"
    );
    for indent in ["    \t", "\t", "    #011", "#011", "            "] {
        for front in ["Nov 14 22:13:20 host app[42]: ", "web-7d4f9 app ", "12:"] {
            let log = [
                "[2023-11-14T22:13:20Z TRACE app] job, span_mark=start, span_id=1, span_at=1700000000.000000000, task_id=0, thread_id=1",
                "[2023-11-14T22:13:20Z ERROR app] panicked at a.rs:1:",
                &format!("{indent}no entry, span_id=1, task_id=0, thread_id=1"),
                "[2023-11-14T22:13:20Z TRACE app] job, span_mark=end, span_id=1, span_elapsed=0.010000000, task_id=0, thread_id=1",
            ];
            let log: String = log.iter().map(|line| format!("{front}{line}\n")).collect();
            let (tree, said) = written_of(&["tree"], &log);
            let expected = "10.0 ms  job\n         └─ ERROR panicked at a.rs:1: no entry\n";
            assert_eq!((&*tree, &*said), (expected, ""), "{log}");
        }
    }
}

#[test]
fn replicas_are_told_apart_by_what_is_in_front() {
    let (json, said) = written(&["stats", "--json"], &path("replicas-min"));
    assert!(!json.contains("unfinished\":1"), "{json}");
    assert_eq!(said, "");
    let tree = tree("replicas-min");
    assert!(tree.contains("10.0 ms  job A  panicked\n"), "{tree}");
    assert!(tree.contains("2.00 ms  job B\n"), "{tree}");
    let stern = self::tree("stern");
    for name in ["a", "b"] {
        let job = format!("10.0 ms  job\n         ├─ INFO {name} hello\n3.00 ms  └─ step\n");
        assert!(stern.contains(&job), "{stern}");
    }
}

#[test]
fn replicas_that_nothing_tells_apart_are_not_mixed_up() {
    let log = fs::read_to_string(path("replicas-min")).unwrap();
    let log: String = log
        .lines()
        .map(|line| line.split_once("| ").unwrap().1.to_owned() + "\n")
        .collect();
    let (tree, said) = written_of(&["tree"], log);
    assert!(tree.contains("2.00 ms  job B\n"), "{tree}");
    assert!(!tree.contains("panicked"), "{tree}");
    assert!(said.contains("Logger::with_process_id"), "{said}");
}

/// Two processes at once, each with a job and a step in it of the same ids. `line` writes a record of
/// the process of that number: its message, and its pairs.
fn two_replicas(named: bool, line: impl Fn(usize, &str, &str) -> String) -> String {
    let process = |of: usize| match named {
        true => format!(", process_id={}-169999999900000000{of}", of + 10),
        false => String::new(),
    };
    let task = "task_id=0, thread_id=1";
    let job = |of: usize| ["job A", "job B"][of];
    let start = |of: usize, at: u64| {
        line(
            of,
            job(of),
            &format!(
                "span_mark=start, span_id=1, span_at=1700000000.{at}00000000{}, {task}",
                process(of)
            ),
        )
    };
    let step = |of: usize, pairs: &str| line(of, "step", &format!("{pairs}, {task}"));
    let outcome = ["", ", span_outcome=error"];
    let end = |of: usize, elapsed: &str| {
        line(
            of,
            job(of),
            &format!(
                "span_mark=end, span_id=1, span_elapsed={elapsed}{}, {task}",
                outcome[of]
            ),
        )
    };
    let lines = [
        start(0, 0),
        start(1, 1),
        step(
            0,
            "span_mark=start, span_id=2, span_parent=1, span_at=1700000000.200000000",
        ),
        step(
            1,
            "span_mark=start, span_id=2, span_parent=1, span_at=1700000000.300000000",
        ),
        step(0, "span_mark=end, span_id=2, span_elapsed=0.400000000"),
        step(1, "span_mark=end, span_id=2, span_elapsed=0.500000000"),
        end(1, "0.800000000"),
        end(0, "1.000000000"),
    ];
    lines.map(|line| line + "\n").concat()
}

/// A JSON object with those pairs, behind `first` and before `last`.
fn json_record(first: &str, message: &str, pairs: &str, last: &str) -> String {
    let mut members = vec![format!("\"level\":\"TRACE\",\"message\":\"{message}\"")];
    for pair in pairs.split(", ") {
        let (key, value) = pair.split_once('=').unwrap();
        let is_number = value.parse::<f64>().is_ok();
        members.push(match is_number {
            true => format!("\"{key}\":{value}"),
            false => format!("\"{key}\":\"{value}\""),
        });
    }
    format!("{{{first}{}{last}}}", members.join(","))
}

#[test]
fn replicas_are_told_apart_by_members_of_json() {
    let pods = ["web-1", "web-2"];
    for named in [true, false] {
        let logs = [
            two_replicas(named, |of, message, pairs| {
                json_record(&format!("\"pod\":\"{}\",", pods[of]), message, pairs, "")
            }),
            two_replicas(named, |of, message, pairs| {
                json_record(
                    "\"host.name\":\"same\",",
                    message,
                    pairs,
                    &format!(",\"container_id\":\"{}\"", pods[of]),
                )
            }),
            two_replicas(named, |of, message, pairs| {
                json_record(
                    "",
                    message,
                    pairs,
                    &format!(",\"meta\":{{\"k8s\":{{\"pod\":\"{}\"}}}}", pods[of]),
                )
            }),
            two_replicas(named, |of, message, pairs| {
                format!("{} | {message}, {pairs}", pods[of])
            }),
        ];
        for log in logs {
            assert_replicas(&log);
        }
    }
    // A name that says nothing of what it is, which differs as the processes do.
    let log = two_replicas(true, |of, message, pairs| {
        json_record(&format!("\"who\":\"{}\",", pods[of]), message, pairs, "")
    });
    assert_replicas(&log);
}

#[track_caller]
fn assert_replicas(log: &str) {
    let (json, said) = written_of(&["tasks", "--json"], log);
    assert_eq!(said, "", "{log}");
    assert!(!json.contains("unfinished"), "{json}\n{log}");
    let (tree, _) = written_of(&["tree"], log);
    let jobs: Vec<_> = tree
        .lines()
        .filter(|line| line.contains(" ms ") || line.contains(" s "))
        .collect();
    assert_eq!(jobs.len(), 4, "{tree}\n{log}");
    for (job, step) in [
        ("800 ms  job B  error", "500 ms  └─ step"),
        ("1.00 s   job A", "400 ms  └─ step"),
    ] {
        let at = jobs.iter().position(|line| line.trim().starts_with(job));
        let at = at.unwrap_or_else(|| panic!("{job}: {tree}\n{log}"));
        assert!(jobs[at + 1].trim().starts_with(step), "{tree}\n{log}");
    }
}

/// One process whose spans have fields that differ is one process.
#[test]
fn fields_of_spans_are_no_writers() {
    let mut log = String::new();
    for (id, host) in [(1, "a"), (2, "b"), (3, "a")] {
        let field = format!("\"host\":\"{host}\",");
        let task = "task_id=0, thread_id=1";
        let pairs = format!(
            "span_mark=start, span_id={id}, span_at=1700000000.{id}00000000, process_id=7-1699999999000000000, {task}"
        );
        log += &(json_record(&field, "fetch", &pairs, "") + "\n");
        let pairs = format!("span_mark=end, span_id={id}, span_elapsed=0.050000000, {task}");
        log += &(json_record(&field, "fetch", &pairs, "") + "\n");
    }
    let (json, said) = written_of(&["stats", "--json"], &log);
    assert_eq!(said, "");
    assert!(json.contains("\"count\":3"), "{json}");
    let (tree, _) = written_of(&["tree"], &log);
    assert_eq!(tree.matches("process").count(), 0, "{tree}");
}

/// Where no line names a process and nothing differs.
#[test]
fn replicas_without_any_name_are_not_mixed_up() {
    for log in [
        two_replicas(false, |_, message, pairs| format!("{message}, {pairs}")),
        two_replicas(false, |_, message, pairs| json_record("", message, pairs, "")),
        // What tells comes late.
        (100..1200)
            .map(|id| format!("a, span_mark=start, span_id={id}, span_at=1699999999.000000000, task_id=0, thread_id=1\na, span_mark=end, span_id={id}, span_elapsed=0.000000100, task_id=0, thread_id=1\n"))
            .collect::<String>()
            + &two_replicas(false, |_, message, pairs| format!("{message}, {pairs}")),
    ] {
        let (tree, said) = written_of(&["tree"], &log);
        assert!(said.contains("Logger::with_process_id"), "{said}");
        let is_late = log.contains("span_id=1199");
        assert!(is_late || !tree.contains("error"), "{tree}");
    }
    // The same line twice is no other process.
    let line =
        "job, span_mark=start, span_id=1, span_at=1700000000.000000000, task_id=0, thread_id=1\n";
    let (_, said) = written_of(&["tree"], [line, line].concat());
    assert!(said.contains("starts twice"), "{said}");
}

/// A span from `start` on, with records at these times of the logger's clock, and its end.
fn clocked(start: (&str, u64), records: &[&str], end: (&str, u64)) -> String {
    let (begun, at) = start;
    let mut log = format!(
        "{begun} [TRACE] (1) app: job, span_mark=start, span_id=1, span_at={at}.000000000, task_id=1, thread_id=1\n"
    );
    for (index, time) in records.iter().enumerate() {
        log += &format!("{time} [INFO] (1) record {index}, span_id=1, task_id=1, thread_id=1\n");
    }
    let elapsed = end.1 - at;
    log + &format!(
        "{} [TRACE] (1) app: job, span_mark=end, span_id=1, span_elapsed={elapsed}.000000000, task_id=1, thread_id=1\n",
        end.0
    )
}

#[test]
fn clocks_are_read_near_the_marks() {
    let seconds = |log: String| -> Vec<f64> { times(log).into_iter().map(|(_, at)| at).collect() };
    let of_case = |name: &str| -> Vec<f64> {
        let log = fs::read(path(name)).unwrap();
        times(log).into_iter().map(|(_, at)| at).collect()
    };
    assert_eq!(of_case("newyear-min"), [1_704_067_205.0, 1_704_067_206.0]);
    assert_eq!(of_case("dst-forward-min"), [1_679_792_405.0]);
    // Local time goes back an hour.
    let back = clocked(
        ("2023-10-29 02:59:50", 1_698_541_190),
        &["2023-10-29 02:59:55", "2023-10-29 02:00:05"],
        ("2023-10-29 02:00:10", 1_698_541_210),
    );
    assert_eq!(seconds(back), [1_698_541_195.0, 1_698_541_205.0]);
    // Midnight, where no day is written, with nothing behind it.
    let midnight = clocked(
        ("23:59:58", 1_699_999_198),
        &["23:59:59", "00:00:01"],
        ("00:00:02", 1_699_999_202),
    );
    let open = midnight
        .lines()
        .take(3)
        .map(|line| line.to_owned() + "\n")
        .collect();
    for log in [midnight, open] {
        assert_eq!(seconds(log), [1_699_999_199.0, 1_699_999_201.0]);
    }
    // A clock that counts from the program's start.
    let relative = clocked(
        ("00:00:01", 1_700_000_123),
        &["00:00:02", "00:07:31"],
        ("00:10:01", 1_700_000_723),
    );
    assert_eq!(seconds(relative), [1_700_000_124.0, 1_700_000_573.0]);
}

#[test]
fn lines_that_changed_places_are_read_in_theirs() {
    let base = fs::read_to_string(path("base")).unwrap();
    let lines: Vec<_> = base.lines().collect();
    // A child's start before its parent's; a record before its span; an end before its start.
    for order in [[2, 0, 1, 3, 4], [1, 0, 2, 3, 4], [0, 1, 3, 2, 4]] {
        let log: String = order
            .iter()
            .map(|index| format!("{}\n", lines[*index]))
            .collect();
        for jobs in ["1", "3"] {
            let (tree, said) = written_of(&["tree", "--jobs", jobs], &log);
            assert_eq!(tree, BASE, "{log}");
            assert!(
                said.contains("is behind a record that it is before"),
                "{said}"
            );
        }
    }
}

/// A log with two spans of two lines each, at two times.
fn two_jobs(front: &str) -> Vec<String> {
    let mut entries = Vec::new();
    for (index, second) in [(1, 20), (2, 25)] {
        let prefix = format!("{front}[2023-11-14T22:13:{second}Z");
        let at = 1_699_999_980 + second;
        entries.push(format!("{prefix} TRACE app] job {index}, span_mark=start, span_id={index}, span_at={at}.000000000, process_id=42-1690000000000000000, task_id=0, thread_id=1\n"));
        entries.push(format!("{prefix} ERROR app] panicked at a.rs:{index}:\n{front}    \tno entry, span_id={index}, task_id=0, thread_id=1\n"));
        entries.push(format!("{prefix} TRACE app] job {index}, span_mark=end, span_id={index}, span_elapsed=0.010000000, task_id=0, thread_id=1\n"));
    }
    entries
}

#[test]
fn a_log_with_its_newest_lines_first_is_read_from_its_end() {
    for front in ["", "Nov 14 22:13:20 host app[42]: "] {
        let entries = two_jobs(front);
        let (tree, _) = written_of(&["tree"], entries.concat());
        assert_eq!(tree.matches("ERROR panicked at a.rs:").count(), 2, "{tree}");
        // As `journalctl -r` has it, and as `tac` does.
        let entrywise: String = entries.iter().rev().map(String::as_str).collect();
        let whole = entries.concat();
        let linewise: String = whole
            .lines()
            .rev()
            .map(|line| format!("{line}\n"))
            .collect();
        for log in [entrywise, linewise] {
            let (turned, said) = written_of(&["tree"], &log);
            assert_eq!(turned, tree, "{log}");
            assert!(said.contains("its newest lines are first"), "{said}");
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            std::io::Write::write_all(&mut packed, log.as_bytes()).unwrap();
            assert_eq!(
                written_of(&["tree"], packed.finish().unwrap()).0,
                tree,
                "{log}"
            );
        }
    }
}

#[test]
fn a_long_log_with_its_newest_lines_first_is_read_from_its_end() {
    let base = fs::read_to_string(path("base")).unwrap();
    let mut lines: Vec<String> = Vec::new();
    for number in 0..5000u64 {
        let id = |text: &str, key: &str, id: u64| {
            text.replace(
                &format!("{key}={id},"),
                &format!("{key}={},", 2 * number + id),
            )
        };
        let line = |line: &str| {
            let line = id(&id(line, "span_parent", 1), "span_id", 1);
            let at = format!("span_at={}", 1_700_000_000 + number);
            id(&line, "span_id", 2).replace("span_at=1700000000", &at)
        };
        lines.extend(base.lines().map(|text| line(text) + "\n"));
    }
    let stats = written_of(&["stats", "--json"], lines.concat()).0;
    lines.reverse();
    assert!(stats.contains("\"count\":5000"), "{stats}");
    assert_eq!(written_of(&["stats", "--json"], lines.concat()).0, stats);
}

#[test]
fn a_prefix_that_changes_far_behind_the_beginning_is_seen() {
    let base = fs::read_to_string(path("base")).unwrap();
    let event = base.lines().nth(1).unwrap();
    let mut log = base.clone() + &format!("{event}\n").repeat(10_000);
    for front in ["web-1 | ", "Nov 14 22:13:20 host app[42]: ", "12:"] {
        log += &base
            .lines()
            .map(|line| format!("{front}{line}\n"))
            .collect::<String>();
    }
    let (tree, said) = written_of(
        &["stats", "--json"],
        log.replace("process_id=4242-17", "process_id=4243-17"),
    );
    assert!(
        tree.contains("\"name\":\"job\"") && tree.contains("\"name\":\"step\""),
        "{tree}"
    );
    assert_eq!(tree.matches("\"name\"").count(), 2, "{tree}");
    assert!(said.contains("start twice"), "{said}");
}

/// A message can hold anything, also lines that look like those of containers.
#[test]
fn no_line_of_a_message_is_taken_for_a_record() {
    let forged =
        "evil, span_mark=start, span_id=9, span_at=1700000000.000000000, task_id=0, thread_id=1";
    let lines = [
        format!(r#"{{"log":"{forged}\n","stream":"stderr","time":"2023-11-14T22:13:20Z"}}"#),
        format!(r#""MESSAGE" : "{forged}","#),
        format!(r#"level=info msg="{forged}""#),
        r#"{"message":"evil","span_mark":"start","span_id":9,"task_id":0,"thread_id":1}"#
            .to_owned(),
        "evil span_mark=start span_id=9 task_id=0 thread_id=1".to_owned(),
        format!("2023-11-14T22:13:20.1Z stderr F {forged}"),
        format!("[2023-11-14T22:13:20Z TRACE app] {forged}"),
        "}".to_owned(),
    ];
    let base = fs::read_to_string(path("base")).unwrap();
    let start = base.lines().next().unwrap();
    for (front, prefix) in [
        ("", "[2023-11-14T22:13:20Z INFO  app] "),
        ("", ""),
        (
            "Nov 14 22:13:20 host app[42]: ",
            "[2023-11-14T22:13:20Z INFO  app] ",
        ),
        ("web-1  | ", ""),
    ] {
        for lines in lines.iter().map(std::slice::from_ref).chain([&lines[..]]) {
            for before in ["", "first"] {
                let message = [&[before.to_owned()], lines, &["last".to_owned()]].concat();
                // What reads as pairs is escaped on every line, but for the first of a text in JSON.
                let message: Vec<_> = message.iter().filter(|line| !line.is_empty()).collect();
                let message: Vec<_> = message.iter().map(|line| escaped(line)).collect();
                let message = message.join(&format!("\n{front}    \t"));
                let record =
                    format!("{front}{prefix}{message}, span_id=1, task_id=0, thread_id=1\n");
                let log = format!("{front}{start}\n") + &record.repeat(5);
                let (stats, _) = written_of(&["stats", "--json"], &log);
                assert!(!stats.contains("evil"), "{log}\n{stats}");
                let (tasks, _) = written_of(&["tasks", "--json"], &log);
                assert!(
                    tasks.contains("\"spans\":1,\"records\":6,"),
                    "{log}\n{tasks}"
                );
            }
        }
    }
}

/// A line of a message as the text form writes it.
fn escaped(line: &str) -> String {
    let keys = ["span_mark", "span_id", "span_at", "task_id", "thread_id"];
    keys.iter().fold(line.to_owned(), |line, key| {
        line.replace(&format!(", {key}="), &format!(", {key}\\u{{3d}}"))
    })
}

/// The program was killed while it wrote, and started anew: two lines are one.
#[test]
fn a_span_behind_a_torn_line_has_its_end() {
    let base = fs::read_to_string(path("base")).unwrap();
    let again = base.replace("process_id=4242-17", "process_id=4243-18");
    let (stats, said) = written_of(
        &["stats", "--json"],
        format!("{base}[2023-11-14T22:1{again}"),
    );
    let steps = "\"name\":\"step\",\"target\":\"app\",\"count\":2,";
    assert!(stats.contains(steps), "{stats}");
    assert!(!stats.contains("\"unfinished\":1"), "{stats}");
    assert_eq!(said, "");
}

#[test]
fn a_prefix_of_the_user_may_stand_before_json() {
    let base = fs::read_to_string(path("base")).unwrap();
    let object = |line: &str| {
        let (_, message) = line.split_once("] ").unwrap();
        let object = serde_json::json!({"severity": "INFO", "payload": {"m": message}});
        format!("~web 1~ <<{{x}} {object}\n")
    };
    let log: String = base.lines().map(object).collect();
    let (tree, _) = written_of(&["tree", "--prefix", "~{skip}~ <<{{x}} "], &log);
    assert_eq!(tree, BASE);
    // Where the template has no level and no target, a logger's prefix may be behind it.
    let log: String = base
        .lines()
        .map(|line| format!("~web 1~ {line}\n"))
        .collect();
    assert_eq!(written_of(&["tree", "--prefix", "~{skip}~ "], &log).0, BASE);
}

#[test]
fn several_loggers_in_one_file_are_each_read() {
    let base = fs::read_to_string(path("base")).unwrap();
    let json = r#"{"level":"INFO","message":"started","target":"app","task_id":0,"thread_id":1,"timestamp":1700000000000}"#;
    let key_value = "[2023-11-14T22:13:20Z INFO  app] listening port=80 task_id=0 thread_id=1";
    let pretty = " INFO  app > ready, task_id=0, thread_id=1";
    let behind = "Nov 14 22:13:20 host app[42]: ";
    let mut log = format!("{json}\n{key_value}\n{pretty}\nsomething else\n");
    log += &base;
    log += &base
        .lines()
        .map(|line| format!("{behind}{line}\n"))
        .collect::<String>();
    let (tree, said) = written_of(&["tree"], log);
    for message in [
        "INFO started\n",
        "INFO listening  port=80\n",
        "INFO ready\n",
        BASE,
    ] {
        assert!(tree.contains(message), "{message} in {tree}");
    }
    assert!(said.contains(":4: this line is no record"), "{said}");
}
