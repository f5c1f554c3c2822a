use std::io;
use std::net::SocketAddr;

use omni_http::{ApiError, Visit};
use omni_process::{SocketTable, own_account};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::state::PATIENCE;

const ROOT: u32 = 0;

/// The accounts whose programs the control plane answers: the one that this process runs as, and root.
///
/// The kernel says whose a connection is, so nothing that the caller sends can change it. A program that passes on what
/// others tell it lends them its account.
#[derive(Debug, Clone)]
pub struct Accounts {
    sockets: SocketTable,
    own: u32,
}

impl Accounts {
    /// Those of this process.
    ///
    /// # Errors
    /// If the system does not tell whose a connection is; only Linux does.
    pub fn of_this_process() -> io::Result<Self> {
        Ok(Self { sockets: SocketTable::open()?, own: own_account() })
    }

    /// Lets in who comes from one of them.
    pub(super) async fn admit(&self, visit: &Visit) -> Result<(), ApiError> {
        let owner = match (visit.peer(), visit.near_end()) {
            (Some(peer), Some(near)) => self.owner(peer, near).await?,
            _ => None,
        };
        if self.have(owner) {
            return Ok(());
        }
        tracing::debug!(uid = owner, "a program of another account asks");
        Err(ApiError::forbidden(
            "other_account",
            "for programs of the account that runs omni-api, and of root; run this one as that account",
        ))
    }

    /// Whether the owner of a connection is one of them. What is nobody's any more is not theirs.
    fn have(&self, owner: Option<u32>) -> bool {
        owner.is_some_and(|uid| uid == self.own || uid == ROOT)
    }

    async fn owner(&self, peer: SocketAddr, near: SocketAddr) -> Result<Option<u32>, ApiError> {
        let sockets = self.sockets.clone();
        let looked_up = timeout(PATIENCE, spawn_blocking(move || sockets.owner(peer, near))).await;
        looked_up.map_err(ApiError::internal)?.map_err(ApiError::internal)?.map_err(ApiError::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_account_and_root_are_let_in_and_nobody_else() {
        let accounts = |own| Accounts { own, ..Accounts::of_this_process().unwrap() };
        for (own, owner, is_let_in) in [
            (1_000, Some(1_000), true),
            (1_000, Some(ROOT), true),
            (1_000, Some(1_001), false),
            (1_000, Some(65_534), false),
            (1_000, None, false),
            (ROOT, Some(ROOT), true),
            (ROOT, Some(1_000), false),
            (ROOT, None, false),
        ] {
            assert_eq!(accounts(own).have(owner), is_let_in, "{owner:?} asks {own}");
        }
    }
}
