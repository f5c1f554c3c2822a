//! Throw-away data directories.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::Error;
use crate::lock::OwnerLock;
use crate::options::Layout;

const PREFIX: &str = "omni-scratch-";
/// A directory younger than this may not have its lock yet.
const STALE_AFTER: Duration = Duration::from_secs(600);

/// Makes a new directory, which goes when it is dropped, and removes those whose owners were killed.
pub(crate) fn make(temp: &Path) -> Result<TempDir, Error> {
    sweep(temp);
    let scratch =
        tempfile::Builder::new().prefix(PREFIX).tempdir_in(temp).map_err(Error::io("make a directory in", temp))?;
    // Another account, which the servers run as if we are root, has to pass it; listing it stays ours.
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o711)).map_err(Error::io("open", scratch.path()))?;
    Ok(scratch)
}

fn sweep(temp: &Path) {
    for entry in fs::read_dir(temp).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if ours && is_stale(&entry.path()) && OwnerLock::is_abandoned(&Layout::within(&entry.path()).data) {
            // Somebody else's directory cannot be removed, and need not be.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_stale(scratch: &Path) -> bool {
    let age = fs::symlink_metadata(scratch).and_then(|entry| entry.modified()).map(|modified| modified.elapsed());
    matches!(age, Ok(Ok(age)) if age > STALE_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a scratch directory as a killed owner leaves it, last touched `age` ago.
    fn abandoned(temp: &Path, age: Duration) -> std::path::PathBuf {
        let scratch = make(temp).unwrap().keep();
        let data = Layout::within(&scratch).data;
        fs::create_dir(&data).unwrap();
        drop(OwnerLock::acquire(&data).unwrap());
        let then = fs::metadata(&scratch).unwrap().modified().unwrap() - age;
        fs::File::open(&scratch).unwrap().set_modified(then).unwrap();
        scratch
    }

    #[test]
    fn only_old_directories_without_an_owner_are_swept() {
        let temp = tempfile::tempdir().unwrap();
        let old = abandoned(temp.path(), STALE_AFTER * 2);
        let young = abandoned(temp.path(), Duration::ZERO);
        let owned = abandoned(temp.path(), STALE_AFTER * 2);
        let _owner = OwnerLock::acquire(&Layout::within(&owned).data).unwrap();

        make(temp.path()).unwrap();

        assert_eq!((old.exists(), young.exists(), owned.exists()), (false, true, true));
    }
}
