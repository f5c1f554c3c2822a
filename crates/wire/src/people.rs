use omni_domain::{OpenSession, Role, SessionId, Timestamp, User, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who to sign in as, in FAKE mode.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct DevLoginRequest {
    /// The person's e-mail address; an account is made if there is none.
    pub email: String,
}

/// Who has been signed in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignedInResponse {
    /// Who.
    pub user: ProfileResponse,
    /// When the session ends at the latest.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// What there is to say of a sign-out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignedOutResponse {
    /// What was done.
    pub message: String,
    /// Where the browser may go to sign out of the identity provider, too; null where there is no such place.
    #[schema(required)]
    pub logout_url: Option<String>,
}

/// One session of the caller.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionResponse {
    /// The session's number, to end it by.
    #[schema(value_type = i64)]
    pub session_id: SessionId,
    /// When the caller signed in.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it was last used, to the minute.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// When it ends at the latest.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// What the browser called itself at the sign-in.
    #[schema(required)]
    pub user_agent: Option<String>,
    /// Where the sign-in came from: the other end of the connection, or behind a proxy of `OMNI_TRUSTED_PROXIES` whom that
    /// names.
    #[schema(required)]
    pub address: Option<String>,
    /// Whether it is the session that asks.
    pub is_current: bool,
}

impl From<OpenSession> for SessionResponse {
    fn from(session: OpenSession) -> Self {
        Self {
            session_id: session.id,
            create_date: session.created,
            last_seen: session.last_seen,
            expires_at: session.expires,
            user_agent: session.user_agent,
            address: session.address,
            is_current: session.is_current,
        }
    }
}

/// Who the caller is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MeResponse {
    /// The account's number.
    #[schema(value_type = i64)]
    pub user_id: UserId,
    /// The account's address.
    pub email: String,
    /// What others see.
    pub name: String,
    /// The role outside every app: `user` or `omniadmin`.
    #[schema(value_type = String)]
    pub role: Role,
    /// Whether the operator's configuration names this person.
    pub is_omniadmin: bool,
}

impl MeResponse {
    /// Makes the answer.
    #[must_use]
    pub fn new(user: &User, role: Role) -> Self {
        Self {
            user_id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            role,
            is_omniadmin: role == Role::Omniadmin,
        }
    }
}

/// A person's account, for themselves.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProfileResponse {
    /// The account's number.
    #[schema(value_type = i64)]
    pub user_id: UserId,
    /// The account's address.
    pub email: String,
    /// What others see.
    pub name: String,
    /// When the account was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
}

impl From<&User> for ProfileResponse {
    fn from(user: &User) -> Self {
        Self { user_id: user.id, email: user.email.clone(), name: user.name.clone(), create_date: user.created }
    }
}

/// A change of the caller's own account.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateProfileRequest {
    /// Another name; left out, it stays.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
}
