use futures::FutureExt;
use futures::future::BoxFuture;

use crate::KnowledgeError;

/// Who is told how far long work is, and may stop it.
pub trait Watch: Send + Sync {
    /// So much of `stage` is done, out of so much if that is known.
    ///
    /// # Errors
    /// [`KnowledgeError::Stopped`] if the work is to stop: somebody cancelled it, or somebody else has taken it over.
    fn step(&self, stage: &'static str, done: u64, total: Option<u64>) -> BoxFuture<'_, Result<(), KnowledgeError>>;
}

/// Nobody is.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn step(&self, _: &'static str, _: u64, _: Option<u64>) -> BoxFuture<'_, Result<(), KnowledgeError>> {
        async { Ok(()) }.boxed()
    }
}
