use omni_domain::{AppId, Collaboration, CollaborationId, InvitationStatus, Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An invitation to an app.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct InviteRequest {
    /// The person's e-mail address; they need not have signed in yet.
    pub email: String,
    /// `administrator`, `editor` (if left out), `viewer` or `user`; not above the inviter's own.
    #[serde(default)]
    pub role: Option<String>,
}

/// A change of a member's role.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ChangeRoleRequest {
    /// `administrator`, `editor`, `viewer` or `user`.
    pub role: String,
}

/// A person's place in an app.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CollaborationResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub collab_id: CollaborationId,
    /// The app.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// The app's name.
    pub app_name: String,
    /// The person; null until somebody with this address accepts.
    #[schema(value_type = Option<i64>)]
    pub user_id: Option<UserId>,
    /// The address that was invited.
    pub user_email: String,
    /// The person's name, once they have accepted.
    pub user_name: Option<String>,
    /// What they may do once they have accepted.
    #[schema(value_type = String)]
    pub role: Role,
    /// `pending`, `accepted` or `declined`.
    #[schema(value_type = String)]
    pub status: InvitationStatus,
    /// Who invited them; null if that account is gone.
    #[schema(value_type = Option<i64>)]
    pub invited_by: Option<UserId>,
    /// The inviter's address.
    pub invited_by_email: Option<String>,
    /// The inviter's name.
    pub invited_by_name: Option<String>,
    /// When they were invited.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub invited_at: Timestamp,
    /// When they accepted.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub accepted_at: Option<Timestamp>,
}

impl From<Collaboration> for CollaborationResponse {
    fn from(collaboration: Collaboration) -> Self {
        let inviter = collaboration.inviter;
        Self {
            collab_id: collaboration.id,
            app_id: collaboration.app,
            app_name: collaboration.app_name,
            user_id: collaboration.user,
            user_email: collaboration.email,
            user_name: collaboration.name,
            role: collaboration.role,
            status: collaboration.status,
            invited_by: inviter.as_ref().map(|inviter| inviter.id),
            invited_by_email: inviter.as_ref().map(|inviter| inviter.email.clone()),
            invited_by_name: inviter.map(|inviter| inviter.name),
            invited_at: collaboration.invited,
            accepted_at: collaboration.accepted,
        }
    }
}
