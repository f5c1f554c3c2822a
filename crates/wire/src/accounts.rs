use omni_domain::{Account, AccountPatch, Patch, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A change of somebody's account; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateAccountRequest {
    /// Another name.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub name: Patch<String>,
    /// Whether the person is let in; who is deactivated is signed out everywhere.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub is_active: Patch<bool>,
}

impl From<UpdateAccountRequest> for AccountPatch {
    fn from(request: UpdateAccountRequest) -> Self {
        Self { name: request.name, is_active: request.is_active }
    }
}

/// An account as the operator sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub user_id: UserId,
    /// Its address.
    pub email: String,
    /// What others see.
    pub name: String,
    /// Whether the person is let in.
    pub is_active: bool,
    /// Whether the operator's configuration names this person.
    pub is_omniadmin: bool,
    /// How many apps the person owns.
    pub owned_apps_count: u64,
    /// In how many apps of others the person has a place.
    pub memberships_count: u64,
    /// How many API keys the person made.
    pub api_keys_count: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
}

impl AccountResponse {
    /// Makes the answer.
    #[must_use]
    pub fn new(account: Account, is_omniadmin: bool) -> Self {
        let Account { user, counts } = account;
        Self {
            user_id: user.id,
            email: user.email,
            name: user.name,
            is_active: user.is_active,
            is_omniadmin,
            owned_apps_count: counts.owned_apps,
            memberships_count: counts.memberships,
            api_keys_count: counts.api_keys,
            create_date: user.created,
        }
    }
}
