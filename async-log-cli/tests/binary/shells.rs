//! What a shell completes when TAB is pressed, and the manual.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Folder, LOG, async_log};

/// A shell without anybody's settings, and what it needs to know of the command.
struct Shell {
    name: &'static str,
    start: &'static str,
    setup: &'static [&'static str],
}

const SHELLS: [Shell; 3] = [
    Shell {
        name: "bash",
        start: "bash --norc --noprofile -i",
        setup: &[
            "bind 'set bell-style none'",
            "source <(async-log completions bash)",
        ],
    },
    Shell {
        name: "zsh",
        start: "zsh -f -i",
        setup: &[
            "unsetopt beep",
            "autoload -U compinit; compinit -u -D",
            "source <(async-log completions zsh)",
        ],
    },
    Shell {
        name: "fish",
        start: "fish --no-config -i",
        setup: &["async-log completions fish | source"],
    },
];

/// The typed text, with TABs, and the resulting command line.
const LINES: [(&str, &str); 10] = [
    ("async-log sl\t", "async-log slow"),
    ("async-log diff --fail\t", "--fail-on"),
    ("async-log failed --outcome canc\t", "--outcome cancelled"),
    ("async-log sta\t", "async-log stats"),
    ("async-log stats --min-d\t", "--min-duration"),
    ("async-log stats --json --in-o\t", "--in-order"),
    ("async-log stats --sort tot\t", "--sort total"),
    ("async-log tree --format key\t", "--format key-value"),
    (
        "async-log perfetto --until 3 -o out.pf on\t",
        "only-one.log",
    ),
    ("async-log flame --fold\t", "--folded"),
];

/// How long a shell may take for anything.
const LONG: Duration = Duration::from_secs(15);

/// A shell on a terminal of its own, which `script` makes.
struct Terminal {
    child: std::process::Child,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    fn open(shell: &Shell, folder: &Folder) -> Terminal {
        let program = std::path::PathBuf::from(async_log().get_program());
        let bin = program.parent().expect("a folder").display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("script");
        command.args(["-q", "-f", "-e", "-c", shell.start, "/dev/null"]);
        command
            .current_dir(folder.path(""))
            .env("HOME", folder.path(""));
        command
            .env("PATH", format!("{bin}:{path}"))
            .env("TERM", "dumb")
            .env("LC_ALL", "C.UTF-8");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("there is script");
        let mut out = child.stdout.take().expect("a pipe");
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = out.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..len]);
                shown.lock().expect("nobody panics").push_str(&text);
            }
        });
        Terminal { child, screen }
    }

    fn press(&mut self, keys: &str) {
        let keyboard = self.child.stdin.as_mut().expect("a pipe");
        keyboard.write_all(keys.as_bytes()).expect("it is read");
        keyboard.flush().expect("it is read");
    }

    /// Waits until this is on the screen, behind so many bytes.
    fn sees(&self, text: &str, from: usize) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < LONG {
            let screen = self.screen.lock().expect("nobody panics");
            if screen
                .get(from..)
                .is_some_and(|screen| screen.contains(text))
            {
                return true;
            }
            drop(screen);
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn len(&self) -> usize {
        self.screen.lock().expect("nobody panics").len()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn complete(shell: &Shell) {
    let folder = Folder::with(LOG);
    folder.write("only-one.log", LOG);
    let mut terminal = Terminal::open(shell, &folder);
    for (number, line) in shell.setup.iter().enumerate() {
        // The answer is not what was typed.
        terminal.press(&format!("{line}; echo do\"\"ne-{number}\n"));
        assert!(
            terminal.sees(&format!("done-{number}"), 0),
            "{}: {line}",
            shell.name
        );
    }
    for (typed, expected) in LINES {
        let from = terminal.len();
        terminal.press(typed);
        let is_completed = terminal.sees(expected, from);
        let screen = terminal.screen.lock().expect("nobody panics")[from..].to_owned();
        assert!(is_completed, "{}: {typed:?} gives {screen:?}", shell.name);
        terminal.press("\u{3}\n");
        let from = terminal.len();
        terminal.press("echo ne\"\"xt\n");
        assert!(terminal.sees("next", from), "{}: it goes on", shell.name);
    }
}

/// TAB is really pressed. Where a shell is not installed that is said; `.ci/run` installs them all.
#[test]
fn shells_complete_behind_a_command() {
    let mut skipped = Vec::new();
    for shell in &SHELLS {
        let found = Command::new(shell.name)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        match found.is_ok_and(|found| found.success()) {
            true => complete(shell),
            false => skipped.push(shell.name),
        }
    }
    println!(
        "{} shells tried, {} skipped {skipped:?}",
        SHELLS.len() - skipped.len(),
        skipped.len()
    );
    let must = std::env::var_os("ALL_SHELLS").is_some();
    assert!(!must || skipped.is_empty(), "not installed: {skipped:?}");
}

/// The options of a command, as its help names them.
fn options(command: &str) -> Vec<String> {
    let help = async_log().args([command, "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let words = help
        .lines()
        .filter(|line| line.trim_start().starts_with('-'));
    let names =
        words.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    names
        .map(|name| name.trim_end_matches(',').to_owned())
        .collect()
}

#[test]
fn every_command_has_a_page_with_every_option() {
    let folder = Folder::new();
    let ran = folder.run(["manual", "--into", "man/man1"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let all = folder.read("man/man1/async-log.1");
    assert_eq!(all, folder.run(["manual"]).out);
    for command in [
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
    ] {
        let page = folder.read(&format!("man/man1/async-log-{command}.1"));
        assert_eq!(page, folder.run(["manual", command]).out);
        assert!(
            page.contains(&format!(".TH async-log-{command} 1")),
            "{page}"
        );
        assert!(page.contains("Examples:"), "{command}");
        let heading = format!(".SH \"ASYNC-LOG {}\"\n", command.to_uppercase());
        let (_, behind) = all.split_once(&heading).expect(command);
        let section = behind.split("\n.SH \"").next().unwrap();
        let options = options(command);
        assert!(!options.is_empty(), "{command}");
        for option in options {
            let written = option.replace('-', "\\-");
            assert!(page.contains(&written), "{command} {option}");
            assert!(section.contains(&written), "{command} {option}");
        }
    }
    let wrong = folder.run(["manual", "dance"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(
        wrong.err.starts_with("async-log: dance: it is no command;"),
        "{wrong:?}"
    );
}
