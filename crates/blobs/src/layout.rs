use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::BlobHash;

/// For the owner only, as is everything below.
const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// Where things are: blobs in `ab/cd/<hash>`, drafts in `drafts`, and the lock that a blob comes and goes under.
#[derive(Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes the folders that are not there yet.
    pub(crate) fn prepare(root: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(&root)?;
        if root.metadata()?.mode() & 0o777 != PRIVATE_FOLDER {
            std::fs::set_permissions(&root, Permissions::from_mode(PRIVATE_FOLDER))?;
        }
        let layout = Self { root };
        make_folder(&layout.drafts())?;
        layout.gate()?;
        sync_folder(&layout.root)?;
        Ok(layout)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn drafts(&self) -> PathBuf {
        self.root.join("drafts")
    }

    pub(crate) fn blob(&self, hash: &BlobHash) -> PathBuf {
        let [first, second, ..] = *hash.as_bytes();
        self.shard(first).join(format!("{second:02x}")).join(hash.to_string())
    }

    /// The folder of all blobs whose hash begins with this byte.
    pub(crate) fn shard(&self, first: u8) -> PathBuf {
        self.root.join(format!("{first:02x}"))
    }

    /// Moves a file that is on the disk to where the blob belongs, and returns when the disk knows that, too.
    pub(crate) fn place(&self, file: &Path, hash: &BlobHash) -> io::Result<()> {
        let [first, second, ..] = *hash.as_bytes();
        let outer = self.shard(first);
        let inner = outer.join(format!("{second:02x}"));
        make_folder(&outer)?;
        make_folder(&inner)?;
        let gate = self.gate()?;
        gate.lock_shared()?;
        std::fs::rename(file, self.blob(hash))?;
        drop(gate);
        // Whoever made the folders may not have come this far yet, so that they are everybody's to flush.
        [inner.as_path(), &outer, &self.root].into_iter().try_for_each(sync_folder)
    }

    /// The lock that decides between a blob that is written again and its removal as garbage: whoever places a blob holds
    /// it shared, whoever looks at one and removes it holds it alone.
    pub(crate) fn gate(&self) -> io::Result<File> {
        private_file().read(true).truncate(false).create(true).open(self.root.join("gate.lock"))
    }
}

/// How files are opened for writing here.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(PRIVATE_FILE);
    options
}

fn make_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(PRIVATE_FOLDER).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
