//! Runs the binary.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Two spans in one process, with a record.
pub(crate) const LOG: &str = "\
[2026-01-02T03:04:05Z TRACE shop] load 7, span_mark=start, user=7, span_id=1, span_at=1767323045.000000000, process_id=42-1767323045000000000, task_id=0, thread_id=1
[2026-01-02T03:04:05Z INFO  shop] found, bytes=512, user=7, span_id=1, task_id=0, thread_id=1
[2026-01-02T03:04:05Z TRACE shop] inner, span_mark=start, span_id=2, span_parent=1, span_at=1767323045.100000000, task_id=0, thread_id=1
[2026-01-02T03:04:05Z TRACE shop] inner, span_mark=end, span_id=2, span_elapsed=0.250000000, task_id=0, thread_id=1
[2026-01-02T03:04:06Z TRACE shop] load 7, span_mark=end, user=7, span_id=1, span_elapsed=1.000000000, task_id=0, thread_id=1
";

/// The commands that read logs, with what each needs to be said.
pub(crate) const COMMANDS: [&[&str]; 11] = [
    &["slow"],
    &["failed", "--outcome", "finished"],
    &["grep", "found"],
    &["tasks"],
    &["task", "0"],
    &["tree"],
    &["stats"],
    &["unfinished"],
    &["flame"],
    &["chrome"],
    &["perfetto"],
];

/// One of the logs in `tests/cases`, which were read wrongly once.
pub(crate) fn case(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

pub(crate) fn async_log() -> Command {
    let own = env!("CARGO_BIN_EXE_async-log").into();
    let mut command = Command::new(std::env::var_os("ASYNC_LOG_BINARY").unwrap_or(own));
    command.env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

/// A directory with logs in it.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().expect("a directory"))
    }

    /// A directory with one log, `a.log`.
    pub(crate) fn with(log: &str) -> Self {
        let folder = Folder::new();
        folder.write("a.log", log);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("it can be written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it can be read")
    }

    /// The names of all files, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = async_log();
        command.current_dir(self.0.path());
        command
    }

    pub(crate) fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Ran {
        let output = self.command().args(arguments).output();
        output.expect("it starts").into()
    }

    /// Runs it with one of the files as standard input.
    pub(crate) fn run_from<I: AsRef<OsStr>>(
        &self,
        stdin: &Path,
        arguments: impl IntoIterator<Item = I>,
    ) -> Ran {
        let mut command = self.command();
        command
            .args(arguments)
            .stdin(File::open(stdin).expect("a file"));
        command.output().expect("it starts").into()
    }
}

/// Runs it on a log.
pub(crate) fn run_on(log: &str, arguments: &[&str]) -> Ran {
    let folder = Folder::with(log);
    folder.run(arguments.iter().chain(&["a.log"]))
}
