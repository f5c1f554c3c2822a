use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// A log file that never takes more than twice [`max_bytes`](LogFile::max_bytes): when it is full it becomes `<path>.1`,
/// replacing the one before, and a new one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    path: PathBuf,
    max_bytes: u64,
}

impl LogFile {
    /// A file at `path`, of at most 8 MiB. It is continued if it exists; readable by its owner only.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), max_bytes: 8 * 1024 * 1024 }
    }

    /// The size in bytes at which it is put aside.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn open(self) -> io::Result<OpenLog> {
        let file = append_to(&self.path).await?;
        let bytes = file.metadata().await?.len();
        Ok(OpenLog { settings: self, file, bytes, failing: false })
    }
}

/// A log file being written.
pub(crate) struct OpenLog {
    settings: LogFile,
    file: File,
    bytes: u64,
    failing: bool,
}

impl OpenLog {
    /// Appends `lines`. A disk that refuses them (full, gone) is reported once and costs the lines, never the child:
    /// its output must be read on, or it would stop at its next write.
    pub(crate) async fn append(&mut self, lines: &[String]) {
        let outcome = self.write(lines).await;
        if let (Err(error), false) = (&outcome, self.failing) {
            tracing::warn!(path = %self.settings.path.display(), %error, "a child's log cannot be written");
        }
        self.failing = outcome.is_err();
    }

    async fn write(&mut self, lines: &[String]) -> io::Result<()> {
        for line in lines {
            let length = u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
            if self.bytes > 0 && self.bytes.saturating_add(length) > self.settings.max_bytes {
                self.rotate().await?;
            }
            self.bytes = self.bytes.saturating_add(length);
            self.file.write_all(format!("{line}\n").as_bytes()).await?;
        }
        self.file.flush().await
    }

    async fn rotate(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        let mut aside = self.settings.path.clone().into_os_string();
        aside.push(".1");
        fs::rename(&self.settings.path, aside).await?;
        self.file = append_to(&self.settings.path).await?;
        self.bytes = 0;
        Ok(())
    }
}

async fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stays_within_twice_its_limit_and_keeps_the_newest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("child.log");
        let mut log = LogFile::new(&path).max_bytes(1000).open().await.unwrap();
        for n in 0..200 {
            log.append(&[format!("line number {n:04}")]).await;
        }
        let (new, old) = (std::fs::read(&path).unwrap(), std::fs::read(dir.path().join("child.log.1")).unwrap());
        assert!(new.len() <= 1000 && old.len() <= 1000, "{} {}", new.len(), old.len());
        assert!(String::from_utf8(new).unwrap().ends_with("line number 0199\n"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn goes_on_where_the_last_run_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("child.log");
        for word in ["first", "second"] {
            LogFile::new(&path).open().await.unwrap().append(&[word.to_owned()]).await;
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\nsecond\n");
    }
}
