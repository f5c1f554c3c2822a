use std::sync::Arc;

use omni_knowledge::Knowledge;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The work that outlives its request, in this process.
#[derive(Debug)]
pub(crate) struct Jobs {
    /// Dropping it stops the work, too.
    token: DropGuard,
    working: JoinHandle<()>,
}

impl Jobs {
    pub(crate) fn start(knowledge: &Arc<Knowledge>) -> Self {
        let token = CancellationToken::new();
        let work = Arc::clone(knowledge).run_jobs(token.clone());
        #[expect(clippy::disallowed_methods, reason = "owned by this struct, which waits for it in `stop`")]
        let working = tokio::spawn(work);
        Self { token: token.drop_guard(), working }
    }

    /// Stops; what was being worked on goes back to where it was.
    pub(crate) async fn stop(self) {
        drop(self.token);
        if let Err(error) = self.working.await {
            tracing::error!(%error, "the work on jobs ended before its time");
        }
    }
}
