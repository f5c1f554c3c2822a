use omni_domain::{Role, Timestamp, User, UserId};
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
