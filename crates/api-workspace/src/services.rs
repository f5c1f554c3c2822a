use omni_http::TrustedProxies;
use omni_identity::{Accounts, Identity};
use omni_knowledge::Knowledge;
use omni_persistence::Store;
use omni_rbac::Authority;
use omni_turns::Turns;
use omni_workspace::Workspace;
use std::sync::Arc;
use url::Url;

/// What the endpoints work with.
#[derive(Debug)]
pub struct Services {
    /// The one mint of sessions and grants.
    pub authority: Arc<Authority>,
    /// Signing in and out.
    pub identity: Identity,
    /// What the operator does with other people's accounts.
    pub accounts: Accounts,
    /// Apps, AI services, agents and conversations.
    pub workspace: Workspace,
    /// Files, and what is found in them.
    pub knowledge: Arc<Knowledge>,
    /// Chat.
    pub turns: Arc<Turns>,
    /// Whether the database is there; everything else goes through the use cases.
    pub store: Store,
    /// Where a proxy says that this server is.
    pub public_url: Option<Url>,
    /// Whose word is taken for where a request comes from.
    pub proxies: TrustedProxies,
    /// What this installation is for.
    pub environment: Environment,
}

/// What an installation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// FAKE mode: nobody proves who they are, and only this machine is answered.
    Development,
    /// Everything else.
    Production,
}
