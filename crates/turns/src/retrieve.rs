use std::fmt;

use futures::future::BoxFuture;
use omni_domain::{Citation, ErrorKind, Failure, SiloId};
use omni_rbac::{Grant, Viewer};
use thiserror::Error;

/// What finds passages for a question. The use cases of knowledge are one; this crate does not know them.
pub trait Retriever: fmt::Debug + Send + Sync {
    /// The passages of a silo of the grant's app that answer the question best, best first: as many as the silo says.
    ///
    /// # Errors
    /// [`RetrievalFailed`] in words for the person who asks.
    fn retrieve<'a>(
        &'a self,
        grant: &'a Grant<Viewer>,
        silo: SiloId,
        question: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Found>, RetrievalFailed>>;
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// How it is cited.
    pub citation: Citation,
    /// What it says, whole.
    pub text: String,
}

/// Why nothing could be looked up.
#[derive(Debug, Error)]
#[error("the agent's knowledge could not be searched: {source}")]
pub struct RetrievalFailed {
    kind: ErrorKind,
    code: &'static str,
    retry_after: Option<u32>,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl<F: Failure> From<F> for RetrievalFailed {
    fn from(failure: F) -> Self {
        Self {
            kind: failure.kind(),
            code: failure.code(),
            retry_after: failure.retry_after(),
            source: Box::new(failure),
        }
    }
}

impl RetrievalFailed {
    pub(crate) const fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) const fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }
}
