use omni_persistence::Refusals;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Who writes down whom this process refused.
#[derive(Debug)]
pub(crate) struct Trail {
    /// Dropping it ends the writing, too, with what waits by then.
    token: DropGuard,
    keeping: JoinHandle<()>,
}

impl Trail {
    pub(crate) fn start(refusals: Refusals) -> Self {
        let token = CancellationToken::new();
        let keep = refusals.keep(token.clone().cancelled_owned());
        #[expect(clippy::disallowed_methods, reason = "owned by this struct, which waits for it in `stop`")]
        let keeping = tokio::spawn(keep);
        Self { token: token.drop_guard(), keeping }
    }

    /// Stops once all that waits is written.
    pub(crate) async fn stop(self) {
        drop(self.token);
        if let Err(error) = self.keeping.await {
            tracing::error!(%error, "the trail of refusals ended before its time");
        }
    }
}
