//! Running one program for one answer.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use omni_supervise::{Limits, Output, Spec, Supervisor};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;

use super::OcrSettings;
use crate::parser::this_program;
use crate::worker::{EXIT_UNCONFINED, OFFLINE_MARKER};
use crate::{Flaw, Unreadable};

/// Text of one page or picture; a densely printed page has 10 000 bytes.
const MAX_OUTPUT: usize = 4 * 1024 * 1024;
/// Bytes of a drawn page: gray, uncompressed, 5000 dots square.
const MAX_FILE: u64 = 64 * 1024 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Program {
    supervisor: Supervisor,
    path: PathBuf,
    deadline: Duration,
    limits: Limits,
    background: bool,
}

pub(super) fn find_program(supervisor: &Supervisor, settings: &OcrSettings, name: &str) -> Option<Program> {
    let path = settings.search.iter().map(|directory| directory.join(name)).find(|path| path.is_file())?;
    let limits = Limits {
        address_space: Some(settings.memory),
        cpu_seconds: Some(settings.processor_seconds),
        file_size: Some(MAX_FILE),
        open_files: Some(64),
    };
    Some(Program {
        supervisor: supervisor.clone(),
        path,
        deadline: settings.deadline,
        limits,
        background: settings.background,
    })
}

impl Program {
    /// Runs it to its end and gives what it printed. Dropping the future kills it.
    pub(super) async fn run<W: Into<OsString>>(
        &self,
        words: impl IntoIterator<Item = W>,
        directory: &Path,
    ) -> Result<String, Unreadable> {
        let (reader, writer) = std::io::pipe().map_err(Unreadable::Transfer)?;
        let spec = Spec::new("ocr", this_program()?)
            .arg(OFFLINE_MARKER)
            .arg(&self.path)
            .args(words)
            .cwd(directory)
            .env("TMPDIR", directory)
            // One thread per page: several slots use several processors.
            .env("OMP_THREAD_LIMIT", "1")
            .limits(self.limits)
            .background(self.background)
            .output(Output::Bytes(Arc::new(writer)));
        let work = async {
            let child = self.supervisor.spawn(spec).await?;
            let pipe = Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(Unreadable::Transfer)?;
            let mut output = Vec::new();
            let most = u64::try_from(MAX_OUTPUT).unwrap_or(u64::MAX).saturating_add(1);
            pipe.take(most).read_to_end(&mut output).await.map_err(Unreadable::Transfer)?;
            if output.len() > MAX_OUTPUT {
                return Err(Flaw::TooMuchText { limit: MAX_OUTPUT }.into());
            }
            let status = child.wait().await?;
            match status.code() {
                Some(0) => Ok(String::from_utf8_lossy(&output).into_owned()),
                Some(EXIT_UNCONFINED) => Err(Unreadable::Unconfined),
                _ => {
                    tracing::debug!(%status, program = %self.path.display(), "an OCR program failed");
                    Err(Unreadable::OcrFailed)
                }
            }
        };
        let too_long = Unreadable::TookTooLong { seconds: self.deadline.as_secs() };
        timeout(self.deadline, work).await.map_err(|_| too_long)?
    }
}
