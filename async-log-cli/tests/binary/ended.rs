//! How it ends where somebody ends it.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Folder, LOG};

/// How long something may take that takes no time.
const LONG: Duration = Duration::from_secs(20);

fn send(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.expect("there is kill").success());
}

fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return status;
        }
        assert!(begun.elapsed() < LONG, "it does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Starts it with a log from a pipe that stays open, and waits until it has opened its output.
fn reading(folder: &Folder, arguments: &[&str]) -> Child {
    let mut command = folder.command();
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let input = child.stdin.as_mut().expect("a pipe");
    input.write_all(LOG.as_bytes()).expect("it reads");
    let begun = Instant::now();
    // What it reads is drained when it is at work; then its output is open.
    while !is_drained(&child) {
        assert!(begun.elapsed() < LONG, "it does not read");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(50));
    child
}

/// Whether nothing is left in the pipe.
fn is_drained(child: &Child) -> bool {
    let stdin = child.stdin.as_ref().expect("a pipe");
    rustix::io::ioctl_fionread(stdin).is_ok_and(|left| left == 0)
}

#[test]
fn a_signal_is_what_ended_it() {
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("KILL", 9)] {
        for arguments in [&["stats"][..], &["stats", "-o", "out"]] {
            let folder = Folder::new();
            let mut child = reading(&folder, arguments);
            send(&child, signal);
            let status = wait(&mut child);
            assert_eq!(status.signal(), Some(number), "{arguments:?} {status:?}");
            assert_eq!(folder.files(), [""; 0], "{signal} leaves nothing behind");
        }
    }
}

/// A growing log is read until somebody has enough of it: that is how it ends.
#[test]
fn an_interrupted_follower_writes_what_it_has() {
    for signal in ["INT", "TERM"] {
        let folder = Folder::new();
        let mut child = reading(&folder, &["flame", "--folded", "--follow", "-o", "out"]);
        send(&child, signal);
        let status = wait(&mut child);
        assert_eq!(status.code(), Some(0), "{signal}: {status:?}");
        assert_eq!(
            folder.read("out"),
            "load # 750000000\nload #;inner 250000000\n"
        );
    }
}

/// A reader of the output that goes away is no failure; one that has not read all gets all.
#[test]
fn what_was_written_before_a_signal_is_there() {
    let folder = Folder::new();
    let mut child = reading(&folder, &["task", "0", "--follow"]);
    let mut out = child.stdout.take().expect("a pipe");
    let mut first = [0; 12];
    out.read_exact(&mut first).expect("it writes as it reads");
    send(&child, "TERM");
    assert_eq!(wait(&mut child).code(), Some(0));
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("UTF-8");
    assert!(rest.contains("inner"), "{rest}");
}
