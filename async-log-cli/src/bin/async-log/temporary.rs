//! A file that nobody sees before it is whole.
//!
//! On Linux it has no name until then, so nothing is left of it however this process ends. Elsewhere,
//! and on file systems that have no such files, it has a name of its own.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

const PREFIX: &str = ".async-log-";

#[derive(Debug)]
pub(crate) enum Temporary {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code))]
    Unnamed(File),
    Named(NamedTempFile),
}

impl Temporary {
    /// A file that can be put at `path`.
    pub(crate) fn beside(path: &Path) -> io::Result<Temporary> {
        let folder = folder(path);
        #[cfg(target_os = "linux")]
        if let Some(file) = unnamed::open(folder) {
            return Ok(Temporary::Unnamed(file));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            // Those may read it who may read a new file.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(folder).map(Temporary::Named)
    }

    /// Puts it at `path`, in the place of what is there.
    pub(crate) fn put(self, path: &Path) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Temporary::Unnamed(file) => unnamed::put(&file, path),
            #[cfg(not(target_os = "linux"))]
            Temporary::Unnamed(_) => Err(io::ErrorKind::Unsupported.into()),
            Temporary::Named(file) => {
                file.persist(path)?;
                Ok(())
            }
        }
    }

    /// Where it is, if it has a name.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match self {
            Temporary::Unnamed(_) => None,
            Temporary::Named(file) => Some(file.path().to_owned()),
        }
    }
}

fn folder(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Temporary::Unnamed(file) => file.write(bytes),
            Temporary::Named(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Temporary::Unnamed(file) => file.flush(),
            Temporary::Named(file) => file.flush(),
        }
    }
}

#[cfg(target_os = "linux")]
mod unnamed {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};

    use super::{PREFIX, folder};

    /// What gives a name to a file that has none.
    const OPEN_FILES: &str = "/proc/self/fd";

    /// A file without a name, where there is such a thing.
    pub(super) fn open(folder: &Path) -> Option<File> {
        if !Path::new(OPEN_FILES).exists() {
            return None;
        }
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = openat(CWD, folder, flags, Mode::from_raw_mode(0o666)).ok()?;
        Some(File::from(file))
    }

    /// Gives the file a name. It cannot take one that there is, so then it has another for a moment.
    pub(super) fn put(file: &File, path: &Path) -> io::Result<()> {
        let own = format!("{OPEN_FILES}/{}", file.as_raw_fd());
        let link = |to: &Path| linkat(CWD, &own, CWD, to, AtFlags::SYMLINK_FOLLOW);
        match link(path) {
            Err(rustix::io::Errno::EXIST) => {}
            other => return other.map_err(io::Error::from),
        }
        let named = tempfile::Builder::new()
            .prefix(PREFIX)
            .make_in(folder(path), |to| link(to).map_err(io::Error::from))?;
        named.into_temp_path().persist(path)?;
        Ok(())
    }
}
