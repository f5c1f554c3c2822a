use std::sync::Arc;
use std::time::Duration;

use omni_domain::error_chain;
use omni_persistence::INDEXED_FROM;
use omni_rbac::SystemGrant;
use tokio_util::sync::CancellationToken;

use crate::Knowledge;

/// How often it is looked whether a silo has grown large.
const LOOK: Duration = Duration::from_secs(60);

impl Knowledge {
    /// Builds an index for each silo that grows large, until `token` is cancelled.
    pub async fn tend_indexes(self: Arc<Self>, token: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let tending = async {
                looks.tick().await;
                let leave = SystemGrant::because("large silos have an index of their own");
                self.parts.store.tend_vector_indexes(&leave, INDEXED_FROM).await
            };
            match token.run_until_cancelled(tending).await {
                None => return,
                Some(Ok(0)) => {}
                Some(Ok(built)) => tracing::info!(built, "built indexes for large silos"),
                Some(Err(error)) => {
                    tracing::warn!(error = error_chain(&error), "large silos could not be given their index");
                }
            }
        }
    }
}
