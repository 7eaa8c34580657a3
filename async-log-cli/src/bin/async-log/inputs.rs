//! Whether the output would be written over a log that is read.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Refuses an output that is one of the logs: through a link, a second name, or a redirection.
///
/// The error is the name of the output, to be said with what to do.
pub(crate) fn check_output(logs: &[PathBuf], output: Option<&Path>) -> Result<(), String> {
    let Some((identity, name)) = written(output) else {
        return Ok(());
    };
    let stdin = [PathBuf::from("-")];
    let logs = if logs.is_empty() { &stdin } else { logs };
    let is_output = |log: &PathBuf| read(log).is_some_and(|read| read == identity);
    match logs.iter().any(is_output) {
        true => Err(name),
        false => Ok(()),
    }
}

/// The file that is written, and what messages call it; none where no log can be lost by that.
fn written(output: Option<&Path>) -> Option<(Identity, String)> {
    match output {
        Some(path) => {
            let about = path.metadata().ok()?;
            let identity = Identity::of(&about, path).filter(|_| !is_device(&about))?;
            Some((identity, path.display().to_string()))
        }
        None => {
            let about = metadata(stdout()?)?;
            let identity = Identity::of(&about, Path::new("-"))?;
            about
                .is_file()
                .then(|| (identity, "standard output".to_owned()))
        }
    }
}

fn read(log: &Path) -> Option<Identity> {
    let about = match log == Path::new("-") {
        true => metadata(stdin()?)?,
        false => log.metadata().ok()?,
    };
    Identity::of(&about, log)
}

fn metadata(file: io::Result<File>) -> Option<Metadata> {
    file.ok()?.metadata().ok()
}

/// What makes a file the same under any of its names.
#[cfg(unix)]
#[derive(PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl Identity {
    fn of(about: &Metadata, _: &Path) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        Some(Identity {
            device: about.dev(),
            inode: about.ino(),
        })
    }
}

/// A terminal or `/dev/null`: both can be read and written at once.
#[cfg(unix)]
fn is_device(about: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    about.file_type().is_char_device()
}

#[cfg(unix)]
fn stdin() -> Option<io::Result<File>> {
    use std::os::fd::AsFd;
    Some(io::stdin().as_fd().try_clone_to_owned().map(File::from))
}

#[cfg(unix)]
fn stdout() -> Option<io::Result<File>> {
    use std::os::fd::AsFd;
    Some(io::stdout().as_fd().try_clone_to_owned().map(File::from))
}

/// Elsewhere a file is known by its path alone, with all links followed.
#[cfg(not(unix))]
#[derive(PartialEq, Eq)]
struct Identity(PathBuf);

#[cfg(not(unix))]
impl Identity {
    fn of(_: &Metadata, path: &Path) -> Option<Identity> {
        path.canonicalize().ok().map(Identity)
    }
}

#[cfg(not(unix))]
fn is_device(about: &Metadata) -> bool {
    !about.is_file()
}

#[cfg(not(unix))]
fn stdin() -> Option<io::Result<File>> {
    None
}

#[cfg(not(unix))]
fn stdout() -> Option<io::Result<File>> {
    None
}
