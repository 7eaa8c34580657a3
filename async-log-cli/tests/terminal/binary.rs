//! The command writes what the library writes.

use std::path::Path;
use std::process::Command;

use crate::golden::{check, check_only};

/// What a command writes to standard output, which is no terminal.
fn output(log: &str, arguments: &[&str]) -> Vec<u8> {
    let log = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(log)
        .with_extension("log");
    let output = Command::new(env!("CARGO_BIN_EXE_async-log"))
        .args(arguments)
        .arg(log)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn the_command_writes_the_same() {
    let cases: [(&str, &[&str], &str); 13] = [
        ("server", &["stats"], "stats.plain.txt"),
        (
            "server",
            &["stats", "--sort", "count", "--limit", "2"],
            "stats.limit.txt",
        ),
        ("server", &["stats", "--json"], "stats.json"),
        ("server", &["tasks"], "tasks.plain.txt"),
        ("server", &["tasks", "--limit", "3"], "tasks.limit.txt"),
        ("server", &["tasks", "--json"], "tasks.json"),
        ("server", &["tree"], "tree.plain.txt"),
        ("server", &["tree", "--spawned"], "tree-spawned.plain.txt"),
        ("odd", &["tree", "--json"], "tree.json"),
        ("odd", &["unfinished"], "unfinished.plain.txt"),
        ("odd", &["unfinished", "--json"], "unfinished.json"),
        ("server", &["task", "8"], "task.plain.txt"),
        ("server", &["task", "1", "--tree"], "task-tree.plain.txt"),
    ];
    for (log, arguments, golden) in cases {
        let output = String::from_utf8(output(log, arguments)).unwrap();
        check_only(&format!("{log}.{golden}"), &output);
    }
}

#[test]
fn colours_are_there_when_they_are_wanted() {
    let output = output("server", &["stats", "--color", "always"]);
    check("server.stats.always.txt", &output);
}
