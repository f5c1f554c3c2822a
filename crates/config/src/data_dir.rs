use std::path::{Path, PathBuf};

/// The folder of everything that is kept (`OMNI_DATA_DIR`), as it was given: a relative one is relative to where the
/// program was started. Nothing here looks at the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Takes a folder that has a name: beside `/` or `.` there is no place for the logs.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let path = PathBuf::from(value);
        path.file_name().is_some().then_some(Self(path))
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The files of the embedded PostgreSQL.
    #[must_use]
    pub fn pg(&self) -> PathBuf {
        self.0.join("pg")
    }

    /// The streams of the embedded NATS.
    #[must_use]
    pub fn nats(&self) -> PathBuf {
        self.0.join("nats")
    }

    /// Uploaded files.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// The logins of channels.
    #[must_use]
    pub fn auth(&self) -> PathBuf {
        self.0.join("auth")
    }

    /// What channels sent and received besides text.
    #[must_use]
    pub fn media(&self) -> PathBuf {
        self.0.join("media")
    }

    /// Keys; nobody but the programs may read them.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Logs: beside the folder, not in it, because a backup does not need them.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.with_file_name("logs")
    }
}
