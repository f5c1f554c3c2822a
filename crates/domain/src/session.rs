use crate::{SessionId, Timestamp};

/// A session as its owner sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// The session's number.
    pub id: SessionId,
    /// When the person signed in.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// What the browser called itself at the sign-in.
    pub user_agent: Option<String>,
    /// Where the sign-in came from: the other end of the connection, which behind a proxy is the proxy.
    pub address: Option<String>,
    /// Whether it is the session that asks.
    pub is_current: bool,
}
