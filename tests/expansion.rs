//! How much code a span and an annotated function become.

use std::fs;
use std::path::Path;
use std::process::Command;

const SPAN: &str = "\
fn main() {
    let (user, path) = (7, \"/tmp\");
    async_log::span!(user, path; \"load\", {
        drop(user);
    });
}
";

const FUNCTION: &str = "\
#[async_log::instrument]
fn load(user: u32, path: &str) -> usize {
    user as usize + path.len()
}

fn main() {
    load(7, \"/tmp\");
}
";

/// A whole file with one span of two fields. `log` with two pairs has 23 lines.
#[test]
fn a_span_stays_short() {
    let expanded = expand("span", SPAN);
    let lines = expanded.lines().count();
    println!("{lines} lines:\n{expanded}");
    assert!(expanded.contains("Start::new"));
    assert!(lines <= 40, "{lines} lines:\n{expanded}");
}

/// A function with two arguments, from its signature to its brace.
#[test]
fn an_annotated_function_stays_short() {
    let expanded = expand("function", FUNCTION);
    let function = expanded
        .lines()
        .skip_while(|line| !line.starts_with("fn load"));
    let lines = function.take_while(|line| *line != "}").count() + 1;
    println!("{lines} lines:\n{expanded}");
    assert!(expanded.contains("of_function"));
    assert!(lines <= 25, "{lines} lines:\n{expanded}");
}

/// The source of a program with its macros expanded.
fn expand(name: &str, source: &str) -> String {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("expansion-{name}"));
    fs::create_dir_all(project.join("src")).unwrap();
    fs::write(project.join("src/main.rs"), source).unwrap();
    fs::copy(library.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    let manifest = format!(
        "[package]\nname = \"expansion\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
         [workspace]\n\n[dependencies]\nasync-log = {{ path = {library:?} }}\n"
    );
    fs::write(project.join("Cargo.toml"), manifest).unwrap();

    let output = Command::new(env!("CARGO"))
        .args([
            "rustc",
            "--offline",
            "--quiet",
            "--profile=check",
            "--",
            "-Zunpretty=expanded",
        ])
        .current_dir(&project)
        .env(
            "CARGO_TARGET_DIR",
            project.with_file_name("expansion-target"),
        )
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "the compiler does not print the expansion:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
