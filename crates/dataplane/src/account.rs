//! The operating-system account that the servers run as.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User, getegid, geteuid};
use omni_supervise::Identity;
use tempfile::NamedTempFile;

use crate::Error;

/// Who runs the servers when root starts them: the first of these that exists.
const UNPRIVILEGED: [&str; 3] = ["omni", "postgres", "nobody"];

/// Ourselves, or, when we are root, somebody unprivileged.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    name: String,
    uid: u32,
    gid: u32,
    switch: bool,
}

impl Account {
    /// Whoever owns `directory` if root asks and it is somebody else's already, so that the account never changes under
    /// existing data; else the first of the well-known unprivileged accounts. Anybody but root is always themselves.
    pub(crate) fn for_directory(directory: &Path) -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Self::ourselves(directory);
        }
        match owner_of(directory)? {
            None | Some(0) => Self::unprivileged(),
            Some(uid) => {
                let user = user_by_id(Uid::from_raw(uid))?;
                Ok(Self::somebody_else(&user))
            }
        }
    }

    fn ourselves(directory: &Path) -> Result<Self, Error> {
        let us = geteuid();
        if let Some(owner) = owner_of(directory)?.filter(|owner| *owner != us.as_raw()) {
            return Err(Error::ForeignDirectory { path: directory.to_owned(), owner, us: us.as_raw() });
        }
        let user = user_by_id(us)?;
        Ok(Self { name: user.name, uid: us.as_raw(), gid: getegid().as_raw(), switch: false })
    }

    fn unprivileged() -> Result<Self, Error> {
        let known = UNPRIVILEGED.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = known.ok_or_else(|| Error::NoAccount { candidates: UNPRIVILEGED.join(", ") })?;
        Ok(Self::somebody_else(&user))
    }

    fn somebody_else(user: &User) -> Self {
        Self { name: user.name.clone(), uid: user.uid.as_raw(), gid: user.gid.as_raw(), switch: true }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What a child must become, if it is not what we are.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.switch.then_some(Identity { uid: self.uid, gid: self.gid })
    }

    /// Makes sure that `directory` exists, is this account's, and is closed to everybody else.
    pub(crate) fn claim(&self, directory: &Path) -> Result<(), Error> {
        match DirBuilder::new().mode(0o700).create(directory) {
            Ok(()) => self.hand_over(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.claim_existing(directory),
            Err(error) => Err(Error::io("create", directory)(error)),
        }
    }

    fn claim_existing(&self, directory: &Path) -> Result<(), Error> {
        let owner = owner_of(directory)?.unwrap_or(self.uid);
        if owner != self.uid {
            if !is_empty(directory)? {
                return Err(Error::ForeignDirectory { path: directory.to_owned(), owner, us: self.uid });
            }
            self.hand_over(directory)?;
        }
        fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(Error::io("close", directory))
    }

    fn hand_over(&self, path: &Path) -> Result<(), Error> {
        if self.switch {
            chown(path, Some(self.uid), Some(self.gid)).map_err(Error::io("change the owner of", path))?;
        }
        Ok(())
    }

    /// Replaces the file `name` in a directory of this account, readable by it only.
    ///
    /// Whatever stands under that name is replaced, not opened: the account could have put a link there that leads root
    /// astray.
    pub(crate) fn write_file(&self, directory: &Path, name: &str, contents: &str) -> Result<(), Error> {
        let path = directory.join(name);
        let write = || {
            let mut file = NamedTempFile::new_in(directory)?;
            file.write_all(contents.as_bytes())?;
            if self.switch {
                fchown(file.as_file(), Some(self.uid), Some(self.gid))?;
            }
            file.persist(&path).map_err(|error| error.error).map(drop)
        };
        write().map_err(Error::io("write", &path))
    }

    /// Whether this account may pass every directory on the way to `path`, and `path` itself if it is one.
    pub(crate) fn can_reach(&self, path: &Path) -> bool {
        let Ok(real) = fs::canonicalize(path) else { return false };
        real.ancestors().all(|step| fs::metadata(step).is_ok_and(|step| !step.is_dir() || self.may_pass(&step)))
    }

    fn may_pass(&self, directory: &fs::Metadata) -> bool {
        let bit = if directory.uid() == self.uid {
            0o100
        } else if directory.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        directory.mode() & bit != 0
    }

    /// The path under which the account finds a directory of its own that it stands in: the real one, or, below a
    /// directory that is closed to it (a clone under `/root`), the kernel's name for the current directory.
    pub(crate) fn own_name_of(&self, directory: &Path) -> Result<PathBuf, Error> {
        if self.can_reach(directory) {
            Ok(directory.to_owned())
        } else if cfg!(target_os = "linux") {
            Ok(PathBuf::from("/proc/self/cwd"))
        } else {
            let hint = "move the data directory below one that others may pass";
            Err(Error::Unreachable { account: self.name.clone(), path: directory.to_owned(), hint })
        }
    }
}

/// The name that PostgreSQL's peer authentication will see us under.
pub(crate) fn our_name() -> Result<String, Error> {
    user_by_id(geteuid()).map(|user| user.name)
}

fn user_by_id(uid: Uid) -> Result<User, Error> {
    User::from_uid(uid).ok().flatten().ok_or(Error::NamelessAccount { uid: uid.as_raw() })
}

fn owner_of(directory: &Path) -> Result<Option<u32>, Error> {
    match fs::metadata(directory) {
        Ok(metadata) => Ok(Some(metadata.uid())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("look at", directory)(error)),
    }
}

/// Whether a directory has no entries.
pub(crate) fn is_empty(directory: &Path) -> Result<bool, Error> {
    let mut entries = fs::read_dir(directory).map_err(Error::io("list", directory))?;
    Ok(entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger() -> Account {
        Account { name: "stranger".to_owned(), uid: 4_000_000, gid: 4_000_000, switch: false }
    }

    #[test]
    fn reach_ends_at_the_first_closed_directory() {
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(&inner, Permissions::from_mode(0o711)).unwrap();
        for (mode, reachable) in [(0o700, false), (0o711, true), (0o710, false), (0o755, true)] {
            fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
            assert_eq!(stranger().can_reach(&inner), reachable, "{mode:o}");
        }
        assert!(!stranger().can_reach(&inner.join("missing")));
    }

    #[test]
    fn a_link_in_place_of_a_file_is_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join("postgresql.conf")).unwrap();

        stranger().write_file(dir.path(), "postgresql.conf", "port = 1").unwrap();

        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        let written = dir.path().join("postgresql.conf");
        assert_eq!(fs::read_to_string(&written).unwrap(), "port = 1");
        assert_eq!(fs::symlink_metadata(&written).unwrap().mode() & 0o7777, 0o600);
    }
}
