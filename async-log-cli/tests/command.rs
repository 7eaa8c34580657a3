//! The binary: exit codes, messages, and what becomes of its output.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const LOG: &str = "\
[2026-01-02T03:04:05Z TRACE shop] load 7, span_mark=start, user=7, span_id=1, span_at=1767323045.000000000, process_id=42-1767323045000000000, task_id=0, thread_id=1
[2026-01-02T03:04:05Z INFO  shop] found, bytes=512, user=7, span_id=1, task_id=0, thread_id=1
[2026-01-02T03:04:05Z TRACE shop] inner, span_mark=start, span_id=2, span_parent=1, span_at=1767323045.100000000, task_id=0, thread_id=1
[2026-01-02T03:04:05Z TRACE shop] inner, span_mark=end, span_id=2, span_elapsed=0.250000000, task_id=0, thread_id=1
[2026-01-02T03:04:06Z TRACE shop] load 7, span_mark=end, user=7, span_id=1, span_elapsed=1.000000000, task_id=0, thread_id=1
";

/// What the examples of the help ask for.
const EXAMPLE: &str = "\
[2026-01-02T03:04:05Z TRACE shop] request 7, span_mark=start, route=/cart, span_id=3, span_at=1767323045.000000000, task_parent_id=0, spawn_line=src/main.rs:1, task_id=7, thread_id=1
[2026-01-02T03:04:05Z TRACE shop] hung, span_mark=start, span_id=4, span_at=1767323045.000000000, task_id=0, thread_id=1
[2026-01-02T03:04:06Z TRACE shop] wait, span_mark=start, route=/cart, span_id=5, span_parent=3, span_at=1767323046.000000000, task_id=7, thread_id=1
[2026-01-02T03:04:06Z TRACE shop] wait, span_mark=end, route=/cart, span_id=5, span_elapsed=0.500000000, span_outcome=cancelled, task_id=7, thread_id=1
[2026-01-02T03:04:08Z ERROR shop] connection reset, status=500, route=/cart, span_id=3, task_id=7, thread_id=1
[2026-01-02T03:04:08Z TRACE shop] request 7, span_mark=end, route=/cart, span_id=3, span_elapsed=3.000000000, span_outcome=error, task_id=7, thread_id=1
";

const COMMANDS: [&str; 14] = [
    "slow",
    "failed",
    "grep",
    "diff",
    "tasks",
    "task",
    "tree",
    "stats",
    "unfinished",
    "flame",
    "chrome",
    "perfetto",
    "completions",
    "manual",
];

fn async_log() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_async-log"));
    command.env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

/// Runs it on a log that comes from standard input.
fn run(arguments: &[&str], log: &str) -> Output {
    let mut child = async_log()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let log = log.to_owned();
    let writer = std::thread::spawn(move || drop(input.write_all(log.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn folded_stacks_have_self_time_in_nanoseconds() {
    let output = run(&["flame", "--folded"], LOG);
    assert_eq!(
        stdout(&output),
        "load # 750000000\nload #;inner 250000000\n"
    );
    assert_eq!((code(&output), stderr(&output)), (0, ""));
    let exact = run(&["flame", "--folded", "--exact"], LOG);
    assert!(stdout(&exact).starts_with("load 7 750000000\n"));
}

#[test]
fn a_selection_takes_what_it_says() {
    let folded = |arguments: &[&str]| {
        let arguments = [&["flame", "--folded"], arguments].concat();
        let output = run(&arguments, LOG);
        let is_empty = output.stdout.is_empty();
        assert_eq!(code(&output), i32::from(is_empty), "{}", stderr(&output));
        stdout(&output).to_owned()
    };
    let (outer, inner) = ("load # 750000000\n", "load #;inner 250000000\n");
    let both = [outer, inner].concat();
    assert_eq!(folded(&["--span", "inn?r"]), "inner 250000000\n");
    assert_eq!(folded(&["--span", "load*"]), both);
    assert_eq!(folded(&["--where", "user=7"]), outer);
    assert_eq!(folded(&["--where", "user=8"]), "");
    assert_eq!(folded(&["--min-duration", "300ms"]), outer);
    assert_eq!(folded(&["--task", "0"]), both);
    assert_eq!(folded(&["--task", "1"]), "");
    assert_eq!(folded(&["--since", "2026-01-02T03:04:05.5Z"]), outer);
    assert_eq!(folded(&["--since", "03:04:05.5"]), outer);
    assert_eq!(folded(&["--until", "1767323045.05"]), outer);
    assert_eq!(folded(&["--until", "2026-01-02 03:04"]), "");
    let tree = |level| {
        let output = run(&["tree", "--level", level], LOG);
        stdout(&output).contains("found")
    };
    assert!(tree("info") && !tree("warn"));
}

/// A layout that no table has: without a word of it the name takes a part of the prefix along.
#[test]
fn a_prefix_that_is_told_is_taken_off() {
    let log = LOG
        .replace("[2026", "shop/2/<2026")
        .replace("Z TRACE shop] ", "Z> ~~ ");
    let told = ["flame", "--folded", "--prefix", "shop/{skip}/<{time}> ~~ "];
    assert_eq!(
        stdout(&run(&told, &log)),
        "load # 750000000\nload #;inner 250000000\n"
    );
    let found = run(&told[..2], &log);
    assert_ne!(stdout(&found), stdout(&run(&told, &log)));
}

#[test]
fn a_log_without_spans_says_what_to_do() {
    let events = "[2026-01-02T03:04:05Z INFO  shop] hello, task_id=0, thread_id=1\n";
    let output = run(&["stats"], events);
    assert_eq!((code(&output), stdout(&output)), (1, ""));
    assert!(stderr(&output).contains("1 record") && stderr(&output).contains("RUST_LOG=trace"));

    let output = run(&["stats"], "hello\nworld\n");
    assert_eq!((code(&output), stdout(&output)), (1, ""));
    let message = stderr(&output);
    assert!(
        message.contains("standard input:1: it does not end with task_id and thread_id"),
        "{message}"
    );
    assert!(message.contains("Logger::wrap") && message.contains("--format"));
}

#[test]
fn lines_that_are_no_records_are_counted_once() {
    let log = format!("starting\n{LOG}torn, task_id=");
    let output = run(&["flame", "--folded"], &log);
    assert_eq!(code(&output), 0);
    assert_eq!(
        stderr(&output),
        "async-log: 2 lines are no records and were passed over; the first is standard input:1: \
         it does not end with task_id and thread_id\n"
    );
    let output = run(&["flame", "--folded", "--quiet"], &log);
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (path, what) in [
        (folder.path().join("none.log"), "there is no such file"),
        (folder.path().to_owned(), "it is a directory"),
    ] {
        let output = async_log().arg("stats").arg(&path).output().unwrap();
        assert_eq!((code(&output), stdout(&output)), (3, ""));
        let expected = format!("async-log: {}: {what}", path.display());
        assert!(
            stderr(&output).starts_with(&expected),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn wrong_arguments_are_errors_of_their_own() {
    for arguments in [
        &["stats", "--since", "yesterday"][..],
        &["stats", "--where", "user"],
        &["stats", "--min-duration", "soon"],
        &["task"],
        &["task", "seven"],
        &["stats", "--prefix", "{tim} "],
        &["stats", "--jobs", "0"],
        &["dance"],
    ] {
        let output = run(arguments, LOG);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).starts_with("error:"), "{}", stderr(&output));
    }
}

#[test]
fn every_command_says_how_it_is_used() {
    let output = async_log().arg("--help").output().unwrap();
    assert!(stdout(&output).contains("Exit codes:"));
    for command in COMMANDS {
        assert!(
            stdout(&output).contains(&format!("  {command} ")),
            "{command}"
        );
        let help = async_log().args([command, "--help"]).output().unwrap();
        let (_, examples) = stdout(&help).split_once("Examples:\n").expect(command);
        let commands = examples
            .lines()
            .filter(|line| line.starts_with("  async-log "));
        assert_eq!(commands.count(), 2, "{command}");
    }
}

/// The words of a command line, up to what a shell does with them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
            continue;
        }
        let own = part.split(['|', '>']).next().unwrap_or_default();
        words.extend(own.split_whitespace().map(str::to_owned));
        if own.len() < part.len() {
            break;
        }
    }
    words
}

/// The commands in the examples of the help, but for what a shell does with them.
#[test]
fn examples_of_the_help_run() {
    let folder = tempfile::tempdir().unwrap();
    for log in [
        "server.log",
        "app.log",
        "app.log.1",
        "before.log",
        "after.log",
    ] {
        fs::write(folder.path().join(log), [LOG, EXAMPLE].concat()).unwrap();
    }
    let gz = Command::new("gzip")
        .arg("-k")
        .arg("app.log")
        .current_dir(folder.path())
        .status();
    let has_gzip = gz.is_ok_and(|status| status.success());
    if has_gzip {
        fs::rename(
            folder.path().join("app.log.gz"),
            folder.path().join("app.log.2.gz"),
        )
        .unwrap();
    }
    let mut run = 0;
    for command in COMMANDS {
        let help = async_log().args([command, "--help"]).output().unwrap();
        for line in stdout(&help)
            .lines()
            .filter_map(|line| line.strip_prefix("  async-log "))
        {
            if line.contains(".gz") && !has_gzip {
                continue;
            }
            let arguments = words(line);
            let output = async_log()
                .args(arguments)
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert_eq!(code(&output), 0, "{line}: {}", stderr(&output));
            run += 1;
        }
    }
    assert!(run >= 18, "{run} examples");
}

#[test]
fn an_output_file_is_there_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let to_file = |log: &str| run(&["flame", "--folded", "-o", path.to_str().unwrap()], log);

    assert_eq!(code(&to_file("nothing\n")), 1);
    assert_eq!(
        files(folder.path()),
        [""; 0],
        "nothing is left of what has no span"
    );

    assert_eq!(code(&to_file(LOG)), 0);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "load # 750000000\nload #;inner 250000000\n"
    );

    assert_eq!(code(&to_file("nothing\n")), 1);
    assert!(
        fs::read_to_string(&path).unwrap().starts_with("load"),
        "what was there stays"
    );
    assert_eq!(files(folder.path()), ["out"]);

    let missing = run(&["stats", "-o", "/no/such/folder/out"], LOG);
    assert_eq!(code(&missing), 3);
    assert!(stderr(&missing).starts_with("async-log: /no/such/folder/out: cannot be written"));
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[cfg(unix)]
#[test]
fn devices_are_written_as_they_are() {
    use std::os::unix::fs::FileTypeExt;

    let output = run(&["chrome", "-o", "/dev/null"], LOG);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    for command in [
        &["chrome"][..],
        &["perfetto"],
        &["stats"],
        &["tree"],
        &["flame"],
        &["flame", "--folded"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut child = async_log()
            .args(command)
            .stdin(Stdio::piped())
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(LOG.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 3, "{command:?}");
        assert!(
            stderr(&output)
                .starts_with("async-log: standard output: cannot be written: No space left"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut log = LOG.to_owned();
    for id in 3..20_000 {
        log += &format!(
            "a, span_mark=start, span_id={id}, span_at=1767323045.000000000, task_id={id}, thread_id=1\n"
        );
        log += &format!(
            "a, span_mark=end, span_id={id}, span_elapsed=0.000000001, task_id={id}, thread_id=1\n"
        );
    }
    for command in ["chrome", "perfetto", "tree", "tasks"] {
        let mut child = async_log()
            .arg(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut input = child.stdin.take().unwrap();
        let _ = input.write_all(log.as_bytes());
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert_eq!((code(&output), stderr(&output)), (0, ""), "{command}");
    }
}

#[test]
fn completions_and_the_manual_come_from_the_arguments() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = async_log().args(["completions", shell]).output().unwrap();
        assert!(stdout(&output).contains("min-duration"), "{shell}");
    }
    let output = async_log().arg("manual").output().unwrap();
    assert!(stdout(&output).starts_with(".ie") && stdout(&output).contains("async\\-log"));
}

/// Several threads give what one gives.
#[test]
fn jobs_change_nothing() {
    let mut log = String::new();
    for id in 1..30_000u64 {
        let at = format!("1767323045.{:09}", id * 1000);
        log += &format!(
            "a {}, span_mark=start, span_id={id}, span_at={at}, task_id={}, thread_id=1\n",
            id % 7,
            id % 5
        );
        if id % 3 != 0 {
            log += &format!(
                "a {}, span_mark=end, span_id={id}, span_elapsed=0.000000{:03}, task_id={}, thread_id=1\n",
                id % 7,
                id % 999,
                id % 5
            );
        }
    }
    for command in [
        &["stats", "--json", "--exact"][..],
        &["tree", "--json"],
        &["unfinished", "--json"],
        &["chrome"],
        &["perfetto"],
    ] {
        let with = |jobs| {
            let arguments = [command, &["--jobs", jobs]].concat();
            let output = run(&arguments, &log);
            assert_eq!(code(&output), 0);
            output.stdout
        };
        let one = with("1");
        assert!(one.len() > 500);
        assert!(with("2") == one && with("5") == one, "{command:?}");
    }
}
