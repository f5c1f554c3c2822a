//! The directory of the unix socket.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::account::Account;
use crate::lock::OwnerLock;
use crate::{Error, Places};

/// The address of a unix socket has 108 bytes on Linux and 104 elsewhere; `/.s.PGSQL.5432` and its end take 15.
const LONGEST_PATH: usize = 104 - 15;
const PREFIX: &str = "omni-";

/// A directory that only the server's account (and root) can enter.
#[derive(Debug)]
pub(crate) enum SocketDir {
    /// `run` in the data directory.
    AtHome(PathBuf),
    /// A directory with a random name, because the data directory's path is too long or closed to the account. It is
    /// removed with the handle, or, if we are killed, by the next owner of the data directory.
    Away(TempDir),
}

impl SocketDir {
    pub(crate) fn prepare(
        data_dir: &Path,
        account: &Account,
        places: &Places,
        lock: &mut OwnerLock,
    ) -> Result<Self, Error> {
        if let Some(abandoned) = lock.left_behind.take() {
            remove_abandoned(&abandoned);
        }
        let home = data_dir.join("run");
        if home.as_os_str().len() <= LONGEST_PATH && account.can_reach(data_dir) {
            remove_sockets(&home);
            account.claim(&home)?;
            return Ok(Self::AtHome(home));
        }
        let away = Self::away(account, places)?;
        lock.note(Some(away.path()))?;
        Ok(away)
    }

    fn away(account: &Account, places: &Places) -> Result<Self, Error> {
        let mut refusal = Error::Unreachable {
            account: account.name().to_owned(),
            path: places.temp.clone(),
            hint: "it needs a short directory for PostgreSQL's socket; set XDG_RUNTIME_DIR or TMPDIR",
        };
        for parent in &places.runtime {
            match tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent) {
                Ok(directory) if directory.path().as_os_str().len() <= LONGEST_PATH && account.can_reach(parent) => {
                    account.claim(directory.path())?;
                    return Ok(Self::Away(directory));
                }
                Ok(_) => {}
                Err(error) => refusal = Error::io("make a directory in", parent)(error),
            }
        }
        Err(refusal)
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::AtHome(path) => path,
            Self::Away(directory) => directory.path(),
        }
    }
}

/// Removes what an owner that was killed left outside of the data directory: a directory of ours with dead sockets.
fn remove_abandoned(directory: &Path) {
    if directory.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX)) {
        remove_sockets(directory);
        // It may be gone already, or hold something that is not ours.
        let _ = fs::remove_dir(directory);
    }
}

/// The sockets and their lock files. PostgreSQL would take a lock file seriously if its process id runs again, as
/// somebody else.
fn remove_sockets(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().as_bytes().starts_with(b".s.PGSQL.") {
            let _ = fs::remove_file(entry.path());
        }
    }
}
