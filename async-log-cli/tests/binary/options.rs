//! Options do what they say, or are refused.

use std::fmt::Write;
use std::process::{Command, Stdio};

use crate::program::{COMMANDS, Folder, LOG, async_log, run_on};

/// Which of the options that not all commands know a command knows.
fn knows(command: &str, option: &str) -> bool {
    let drawn = ["chrome", "perfetto", "flame"].contains(&command);
    match option {
        "--json" | "--limit" => !drawn && command != "task",
        "--color" => !drawn,
        "--exact" => command == "stats" || command == "flame",
        "--level" => command != "stats" && command != "flame",
        "--task" => command != "task",
        other => panic!("{other}"),
    }
}

/// An option that a command would pass over is an error, not a surprise.
#[test]
fn an_option_that_changes_nothing_is_an_error() {
    for command in COMMANDS {
        for option in [
            &["--json"][..],
            &["--limit", "3"],
            &["--color", "never"],
            &["--exact"],
            &["--level", "info"],
            &["--task", "0"],
        ] {
            let ran = run_on(LOG, &[command, option].concat());
            let expected = match knows(command[0], option[0]) {
                true => 0,
                false => 2,
            };
            assert_eq!(ran.code, Some(expected), "{command:?} {option:?}: {ran:?}");
            let help = async_log().args([command[0], "--help"]).output().unwrap();
            let help = String::from_utf8(help.stdout).unwrap();
            let is_told = help.contains(&format!(" {}", option[0]));
            assert_eq!(is_told, expected == 0, "{command:?} {option:?}\n{help}");
        }
    }
    for arguments in [
        &["flame", "--folded", "--title", "x"][..],
        &["stats", "--json", "--color", "always"],
        &["completions", "bash", "--json"],
        &["manual", "--follow"],
    ] {
        let ran = run_on(LOG, arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn durations_of_days_are_durations() {
    let day = 86_400_000_000_000_u64;
    for (text, nanos) in [
        ("1d", day),
        ("1d 2h", day + 7_200_000_000_000),
        ("2w", 14 * day),
        ("1 day", day),
        ("90m", 5_400_000_000_000),
        ("1.5s", 1_500_000_000),
    ] {
        let mut log = String::new();
        for (id, name, elapsed) in [(1, "long", nanos), (2, "short", nanos - 1)] {
            let (seconds, rest) = (elapsed / 1_000_000_000, elapsed % 1_000_000_000);
            writeln!(log, "{name}, span_mark=start, span_id={id}, span_at=1700000000.000000000, task_id=0, thread_id=1").unwrap();
            writeln!(log, "{name}, span_mark=end, span_id={id}, span_elapsed={seconds}.{rest:09}, task_id=0, thread_id=1").unwrap();
        }
        let ran = run_on(&log, &["stats", "--json", "--min-duration", text]);
        assert_eq!(ran.code, Some(0), "{text}: {ran:?}");
        assert!(
            ran.out.contains("long") && !ran.out.contains("short"),
            "{text}: {ran:?}"
        );
    }
    for wrong in ["1 month", "1y", "-1d", "7", "d", ""] {
        let ran = run_on(LOG, &["stats", "--min-duration", wrong]);
        assert_eq!(ran.code, Some(2), "{wrong:?}: {ran:?}");
    }
}

/// A process, its only span, and its place in time.
fn process(number: u64) -> String {
    let at = 1_700_000_000 + number;
    format!(
        "p{number}x, span_mark=start, span_id=1, span_at={at}.000000000, process_id={number}-{at}000000000, task_id=0, thread_id=1\n\
         p{number}x, span_mark=end, span_id=1, span_elapsed=0.000000001, task_id=0, thread_id=1\n"
    )
}

#[test]
fn files_are_read_in_the_order_in_which_they_are_named() {
    let folder = Folder::new();
    let names = ["app.log", "app.log.1", "app.log.2"];
    for (number, name) in (1..).zip(names) {
        folder.write(name, &process(number));
    }
    let order = |arguments: &[&str]| -> Vec<String> {
        let ran = folder.run(["tree"].iter().chain(arguments).chain(&names));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let words = ran.out.split_whitespace();
        words
            .filter(|word| word.starts_with('p') && word.ends_with('x'))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(order(&[]), ["p3x", "p2x", "p1x"]);
    assert_eq!(order(&["--in-order"]), ["p1x", "p2x", "p3x"]);
}

/// Every file is read, however few may be open at once.
#[cfg(unix)]
#[test]
fn more_files_than_may_be_open_are_read() {
    let folder = Folder::new();
    let names: Vec<_> = (1..=300).map(|number| format!("{number:03}.log")).collect();
    for (number, name) in (1..).zip(&names) {
        folder.write(name, &process(number));
    }
    for limit in [16, 40, 150] {
        let mut shell = Command::new("sh");
        shell.current_dir(folder.path("")).stdin(Stdio::null());
        shell
            .arg("-c")
            .arg(format!("ulimit -n {limit}; exec \"$@\""))
            .arg("sh");
        shell.arg(async_log().get_program());
        let output = shell
            .args(["tasks", "--json", "-o", "out"])
            .args(&names)
            .output()
            .unwrap();
        assert!(output.status.success(), "{limit}: {output:?}");
        assert_eq!(folder.read("out").matches("\"task_id\":0").count(), 300);
    }
}

#[test]
fn help_is_a_command_too() {
    let plain = async_log().arg("help").output().unwrap();
    let text = String::from_utf8(plain.stdout).unwrap();
    assert!(
        plain.status.success() && text.contains("Exit codes:"),
        "{text}"
    );
    let of_stats = async_log().args(["help", "stats"]).output().unwrap();
    let text = String::from_utf8(of_stats.stdout).unwrap();
    assert!(
        of_stats.status.success() && text.contains("--sort"),
        "{text}"
    );
}
