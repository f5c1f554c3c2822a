//! What is kept outside of the database goes once nothing in it refers to it any more. The transaction that deletes notes it,
//! and no request waits for more than that.

use std::sync::Arc;
use std::time::Duration;

use omni_blobs::BlobHash;
use omni_domain::{ErrorKind, Failure, error_chain};
use omni_persistence::ForgottenPoints;
use omni_qdrant::{Condition, Filter, PointId, QdrantError, Tenant};
use omni_rbac::SystemGrant;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::index::collection;
use crate::{Knowledge, KnowledgeError};

/// How often notes of other processes are looked for; deletions of this one wake whoever works them off.
const LOOK: Duration = Duration::from_secs(5);
/// How many notes are worked off between two looks.
const AT_ONCE: u32 = 200;

impl Knowledge {
    /// Has what is gone be gone everywhere soon: jobs stop whose subject there is no more, files and points go. Whoever
    /// deletes something calls it after the commit.
    pub fn something_was_deleted(&self) {
        self.cancels.notify_waiters();
        self.forgotten_blobs.notify_one();
        self.forgotten_points.notify_one();
    }

    /// Removes the files of documents that are gone, until `token` is cancelled.
    pub(crate) async fn tend_forgotten_blobs(self: Arc<Self>, token: CancellationToken) {
        let work = async {
            loop {
                if let Err(error) = self.forget_blobs().await {
                    tracing::warn!(error = error_chain(&error), "files of documents that are gone cannot be removed");
                }
                tokio::select! {
                    () = self.forgotten_blobs.notified() => {}
                    () = sleep(LOOK) => {}
                }
            }
        };
        token.run_until_cancelled(work).await;
    }

    /// Has the Qdrant server forget the points of passages that are gone, until `token` is cancelled.
    pub(crate) async fn tend_forgotten_points(self: Arc<Self>, token: CancellationToken) {
        let work = async {
            loop {
                if let Err(error) = self.forget_points().await {
                    tracing::warn!(error = error_chain(&error), "the Qdrant server does not forget what is gone");
                    // It gets the time to come back, whatever is deleted meanwhile.
                    sleep(LOOK).await;
                }
                tokio::select! {
                    () = self.forgotten_points.notified() => {}
                    () = sleep(LOOK) => {}
                }
            }
        };
        token.run_until_cancelled(work).await;
    }

    async fn forget_blobs(&self) -> Result<(), KnowledgeError> {
        let leave = SystemGrant::because("files of documents that are gone are removed");
        loop {
            let mut worked_off = false;
            for blob in self.parts.store.forgotten_blobs(&leave, AT_ONCE).await? {
                let removal = async {
                    self.parts.blobs.remove(&BlobHash::new(blob.hash)).await?;
                    Ok::<(), KnowledgeError>(())
                };
                worked_off |= self.parts.store.forget_blob(&leave, blob, removal).await?;
            }
            if !worked_off {
                return Ok(());
            }
        }
    }

    async fn forget_points(&self) -> Result<(), KnowledgeError> {
        // Without a server they wait for there to be one again.
        let Some(qdrant) = &self.parts.qdrant else { return Ok(()) };
        let leave = SystemGrant::because("points of passages that are gone are forgotten");
        loop {
            let mut failed = None;
            let mut worked_off = false;
            for points in self.parts.store.forgotten_points(&leave, AT_ONCE).await? {
                let (model, dimensions) = &points.embedded_with;
                match qdrant.delete_points(&collection(model, *dimensions)?, &filter(&points)).await {
                    Ok(()) | Err(QdrantError::NoCollection) => {
                        self.parts.store.points_are_gone(&leave, &points).await?;
                        worked_off = true;
                    }
                    Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::UpstreamTimeout) => {
                        return Err(error.into());
                    }
                    // What is wrong with these need not be wrong with the next.
                    Err(error) => failed = Some(error),
                }
            }
            match failed {
                Some(error) => return Err(error.into()),
                None if worked_off => {}
                None => return Ok(()),
            }
        }
    }
}

fn filter(points: &ForgottenPoints) -> Filter {
    let everything = Filter::everything_of(Tenant { app: points.app, silo: points.silo });
    match &points.chunks {
        Some(chunks) => {
            let ids = chunks.iter().map(|chunk| PointId::Number(chunk.get().unsigned_abs()));
            everything.and(Condition::Points(ids.collect()))
        }
        None => everything,
    }
}
