//! How much code a span becomes.

use std::fs;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = "\
fn main() {
    let (user, path) = (7, \"/tmp\");
    async_log::span!(user, path; \"load\", {
        drop(user);
    });
}
";

/// A whole file with one span of two fields, macros expanded. `log` with two pairs has 23 lines.
#[test]
fn stays_short() {
    let crates = env!("CARGO_MANIFEST_DIR");
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("expansion");
    fs::create_dir_all(project.join("src")).unwrap();
    fs::write(project.join("src/main.rs"), SOURCE).unwrap();
    fs::copy(
        Path::new(crates).join("Cargo.lock"),
        project.join("Cargo.lock"),
    )
    .unwrap();
    let manifest = format!(
        "[package]\nname = \"expansion\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
         [workspace]\n\n[dependencies]\nasync-log = {{ path = {crates:?} }}\n"
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
        .env("CARGO_TARGET_DIR", project.join("target"))
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        println!("skipped: this compiler does not print expansions:\n{error}");
        return;
    }
    let expanded = String::from_utf8(output.stdout).unwrap();
    let lines = expanded.lines().count();
    println!("{lines} lines:\n{expanded}");
    assert!(expanded.contains("Start::new"), "{error}");
    assert!(lines < 40, "{lines} lines:\n{expanded}");
}
