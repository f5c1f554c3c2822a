use std::fmt;
use std::sync::Arc;

use omni_domain::Clock;
use omni_http::TrustedProxies;
use omni_identity::Guesses;
use omni_persistence::Store;
use omni_rbac::Authority;

/// What the endpoints work with.
pub struct PublicState {
    /// The one mint of sessions and grants.
    pub authority: Arc<Authority>,
    /// The count of wrong guesses.
    pub guesses: Guesses,
    /// Where requests are counted.
    pub store: Store,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Whose word is taken for where a request comes from.
    pub proxies: TrustedProxies,
}

impl fmt::Debug for PublicState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicState").field("store", &self.store).finish_non_exhaustive()
    }
}
