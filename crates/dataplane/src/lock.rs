//! One owner per data directory.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::Error;

/// The lock file in the data directory.
const NAME: &str = "dataplane.lock";

/// The right to start servers in a data directory; the kernel takes it back when the owner ends, however it ends.
///
/// The file says who owns the directory, and where the owner has put the socket if that is not in the directory itself,
/// so that the next owner can clear it away.
#[derive(Debug)]
pub(crate) struct OwnerLock {
    file: File,
    path: PathBuf,
    /// The directory outside of the data directory that an earlier owner may have left behind.
    pub(crate) left_behind: Option<PathBuf>,
}

impl OwnerLock {
    pub(crate) fn acquire(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(NAME);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        let taken = file.try_lock();
        let mut note = Vec::new();
        file.read_to_end(&mut note).map_err(Error::io("read", &path))?;
        let mut lines = note.split(|byte| *byte == b'\n');
        let pid = lines.next().and_then(|line| str::from_utf8(line).ok()).and_then(|line| line.parse().ok());
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { data_dir: data_dir.to_owned(), pid }),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        let left_behind = lines.next().filter(|line| !line.is_empty()).map(<[u8]>::to_vec);
        let left_behind = left_behind.map(|path| PathBuf::from(std::ffi::OsString::from_vec(path)));
        let mut lock = Self { file, path, left_behind };
        lock.note(None)?;
        Ok(lock)
    }

    /// Writes down that we are the owner and where our socket is.
    pub(crate) fn note(&mut self, socket_dir: Option<&Path>) -> Result<(), Error> {
        let mut note = format!("{}\n", std::process::id()).into_bytes();
        note.extend(socket_dir.map(|path| path.as_os_str().as_bytes()).unwrap_or_default());
        note.push(b'\n');
        let mut write = || {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(&note)
        };
        write().map_err(Error::io("write", &self.path))
    }

    /// Whether `data_dir` has been owned and no longer is.
    pub(crate) fn is_abandoned(data_dir: &Path) -> bool {
        File::open(data_dir.join(NAME)).is_ok_and(|file| file.try_lock_shared().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_owner_learns_the_first_ones_id() {
        let dir = tempfile::tempdir().unwrap();
        let first = OwnerLock::acquire(dir.path()).unwrap();
        let refusal = OwnerLock::acquire(dir.path()).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("{} is in use by process {}", dir.path().display(), std::process::id())
        );
        assert!(!OwnerLock::is_abandoned(dir.path()));
        drop(first);
        assert!(OwnerLock::is_abandoned(dir.path()));
        OwnerLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn the_next_owner_learns_where_the_socket_was() {
        let dir = tempfile::tempdir().unwrap();
        OwnerLock::acquire(dir.path()).unwrap().note(Some(Path::new("/run/omni-x"))).unwrap();
        let next = OwnerLock::acquire(dir.path()).unwrap();
        assert_eq!(next.left_behind.as_deref(), Some(Path::new("/run/omni-x")));
        drop(next);
        assert_eq!(OwnerLock::acquire(dir.path()).unwrap().left_behind, None);
    }
}
