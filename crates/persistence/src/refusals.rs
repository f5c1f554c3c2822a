//! The directory over a store, and who writes down whom it refused.

use std::future::Future;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use omni_domain::{AppId, CollaborationId, Provenance, Timestamp, User, UserId, error_chain};
use omni_rbac::{ApiKeyDigest, Directory, DirectoryError, KnownKey, Scope, SessionKey, Standing};
use tokio::sync::mpsc;

use crate::Store;

/// How many refusals wait to be written at most. More than that in the time of a few commits is nobody's mistake, and of
/// one caller the trail keeps no more than a handful anyway.
const WAITING: usize = 1_024;

/// The directory that answers from a store. Whoever is refused is answered at once, and the trail told afterwards: were the
/// answer to wait for that, it would take longer where there is something to be refused than where there is nothing.
#[derive(Debug)]
pub struct StoreDirectory {
    store: Store,
    refusals: mpsc::Sender<Refusal>,
}

/// Refusals that wait to be written down.
#[derive(Debug)]
pub struct Refusals {
    store: Store,
    waiting: mpsc::Receiver<Refusal>,
}

#[derive(Debug)]
struct Refusal {
    app: Option<AppId>,
    by: Arc<Provenance>,
    code: &'static str,
}

impl StoreDirectory {
    /// A directory, and what is to be kept of whom it refuses.
    #[must_use]
    pub fn new(store: Store) -> (Self, Refusals) {
        let (refusals, waiting) = mpsc::channel(WAITING);
        (Self { store: store.clone(), refusals }, Refusals { store, waiting })
    }
}

impl Refusals {
    /// Writes them down as they come, until `stopped` resolves; then those that wait, and no more.
    pub async fn keep(mut self, stopped: impl Future<Output = ()> + Send) {
        let mut stopped = std::pin::pin!(stopped.fuse());
        loop {
            let next = tokio::select! {
                () = &mut stopped => {
                    self.waiting.close();
                    continue;
                }
                next = self.waiting.recv() => next,
            };
            let Some(Refusal { app, by, code }) = next else { return };
            // That it could not be kept makes it no less of a refusal.
            if let Err(error) = self.store.keep_refusal(app, &by, code).await {
                tracing::warn!(error = error_chain(&error), "a refusal is missing in the audit trail");
            }
        }
    }
}

impl Directory for StoreDirectory {
    fn person<'a>(
        &'a self,
        session: &'a SessionKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<User>, DirectoryError>> {
        async move { Ok(self.store.find_person(session, now).await?) }.boxed()
    }

    fn standing<'a>(
        &'a self,
        user: UserId,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Option<Standing>, DirectoryError>> {
        async move { Ok(self.store.find_standing(user, scope).await?) }.boxed()
    }

    fn standings<'a>(
        &'a self,
        pairs: &'a [(UserId, AppId)],
    ) -> BoxFuture<'a, Result<Vec<(User, Standing)>, DirectoryError>> {
        async move { Ok(self.store.find_standings(pairs).await?) }.boxed()
    }

    fn owner(&self, app: AppId) -> BoxFuture<'_, Result<Option<UserId>, DirectoryError>> {
        async move { Ok(self.store.find_owner(app).await?) }.boxed()
    }

    fn is_invited<'a>(
        &'a self,
        person: &'a User,
        invitation: CollaborationId,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        async move { Ok(self.store.find_invitation(person, invitation).await?) }.boxed()
    }

    fn ended<'a>(
        &'a self,
        sessions: &'a [SessionKey],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionKey>, DirectoryError>> {
        async move { Ok(self.store.find_ended(sessions, now).await?) }.boxed()
    }

    fn key<'a>(
        &'a self,
        digest: &'a ApiKeyDigest,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<KnownKey>, DirectoryError>> {
        async move { Ok(self.store.find_key(digest, now).await?) }.boxed()
    }

    fn refused(&self, app: Option<AppId>, by: &Arc<Provenance>, code: &'static str) {
        if let Err(error) = self.refusals.try_send(Refusal { app, by: Arc::clone(by), code }) {
            tracing::warn!(%error, "a refusal is missing in the audit trail");
        }
    }
}
