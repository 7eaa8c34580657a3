//! No log is written over, and a file is there when it is whole.

use std::fs;

use crate::program::{COMMANDS, Folder, LOG, Ran};

fn assert_refused(folder: &Folder, ran: &Ran, name: &str) {
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let message = format!("async-log: {name}: it is a log that is read, and would be lost;");
    assert!(ran.err.starts_with(&message), "{ran:?}");
    assert!(ran.err.contains("name another file with -o"), "{ran:?}");
    assert_eq!(folder.read("a.log"), LOG, "nothing is lost");
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    for command in COMMANDS {
        let folder = Folder::with(LOG);
        let ran = folder.run(command.iter().chain(&["-o", "a.log", "a.log"]));
        assert_refused(&folder, &ran, "a.log");
        assert_eq!(ran.out, "");
        assert_eq!(folder.files(), ["a.log"]);
    }
    let folder = Folder::with(LOG);
    folder.write("b.log", LOG);
    let among_others = folder.run(["stats", "b.log", "./a.log", "--output=a.log"]);
    assert_refused(&folder, &among_others, "a.log");
}

/// The file that is read comes by the shell: its name is nowhere in the arguments.
#[test]
fn an_output_that_is_standard_input_is_refused() {
    let folder = Folder::with(LOG);
    let log = folder.path("a.log");
    for arguments in [
        &["stats", "-o", "a.log"][..],
        &["stats", "-o", "a.log", "-"],
        &["chrome", "-o", "./a.log", "-"],
    ] {
        let ran = folder.run_from(&log, arguments);
        assert_refused(&folder, &ran, arguments[2]);
    }
}

#[cfg(unix)]
#[test]
fn an_output_that_is_an_input_under_another_name_is_refused() {
    let folder = Folder::with(LOG);
    std::os::unix::fs::symlink("a.log", folder.path("soft.log")).unwrap();
    std::os::unix::fs::symlink("soft.log", folder.path("softer.log")).unwrap();
    fs::hard_link(folder.path("a.log"), folder.path("hard.log")).unwrap();
    for (input, output) in [
        ("a.log", "soft.log"),
        ("a.log", "softer.log"),
        ("softer.log", "a.log"),
        ("a.log", "hard.log"),
        ("hard.log", "softer.log"),
    ] {
        let ran = folder.run(["perfetto", input, "-o", output]);
        assert_refused(&folder, &ran, output);
        let ran = folder.run_from(&folder.path(input), ["stats", "-o", output]);
        assert_refused(&folder, &ran, output);
    }
    assert_eq!(
        folder.files(),
        ["a.log", "hard.log", "soft.log", "softer.log"]
    );
}

/// `async-log stats a.log >>a.log` would read what it writes.
#[cfg(unix)]
#[test]
fn a_redirection_onto_an_input_is_refused() {
    let folder = Folder::with(LOG);
    let log = fs::File::options()
        .append(true)
        .open(folder.path("a.log"))
        .unwrap();
    let mut command = folder.command();
    let output = command.args(["stats", "a.log"]).stdout(log).output();
    assert_refused(&folder, &output.unwrap().into(), "standard output");
}

/// It would wait for itself.
#[cfg(unix)]
#[test]
fn a_pipe_that_is_read_and_written_is_refused() {
    let folder = Folder::with(LOG);
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("pipe"))
        .status();
    assert!(made.unwrap().success());
    let ran = folder.run(["stats", "pipe", "-o", "pipe"]);
    assert_refused(&folder, &ran, "pipe");
}

#[test]
fn an_output_beside_the_inputs_is_written() {
    let folder = Folder::with(LOG);
    folder.write("out", "before");
    let ran = folder.run(["flame", "--folded", "a.log", "-o", "out"]);
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    assert_eq!(
        folder.read("out"),
        "load # 750000000\nload #;inner 250000000\n"
    );
    let new = folder.run_from(&folder.path("a.log"), ["stats", "-o", "new"]);
    assert_eq!(new.code, Some(0));
    assert!(folder.read("new").contains("inner"));
    assert_eq!(folder.files(), ["a.log", "new", "out"]);
}

#[cfg(unix)]
#[test]
fn devices_are_no_logs_to_be_lost() {
    let folder = Folder::with(LOG);
    let ran = folder.run(["stats", "a.log", "-o", "/dev/null"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = folder.run(["stats", "/dev/null", "-o", "/dev/null"]);
    assert_eq!(
        ran.code,
        Some(1),
        "an empty log has nothing to show: {ran:?}"
    );
}

/// A new file may be read by whoever may read new files; one behind a link is replaced there.
#[cfg(unix)]
#[test]
fn a_new_output_is_an_ordinary_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::with(LOG);
    folder.write("ordinary", "");
    fs::create_dir(folder.path("sub")).unwrap();
    folder.write("sub/target", "before");
    std::os::unix::fs::symlink("sub/target", folder.path("link")).unwrap();
    for output in ["new", "link"] {
        let ran = folder.run(["flame", "--folded", "a.log", "-o", output]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let mode = |name| {
        fs::metadata(folder.path(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("new"), mode("ordinary"));
    assert!(folder.read("sub/target").starts_with("load #"));
    assert!(
        fs::symlink_metadata(folder.path("link"))
            .unwrap()
            .is_symlink()
    );
}
