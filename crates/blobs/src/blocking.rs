use std::io;

use tokio::task::{JoinError, spawn_blocking};

use crate::BlobError;

/// Does something with files on a thread that may wait for them.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(unfinished(error)))
}

/// The thread panicked, or the runtime stops before the work began.
pub(crate) fn unfinished(error: JoinError) -> BlobError {
    BlobError::Io { doing: "worked on to the end", source: io::Error::other(error) }
}
