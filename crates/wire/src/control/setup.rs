use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What there is still to do before the installation can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetupStatus {
    /// Whether something is missing.
    pub setup_required: bool,
    /// Whether nothing is.
    pub setup_completed: bool,
    /// Whether everything is: nobody has begun.
    pub bootstrap_mode: bool,
    /// What was looked at.
    pub checks: SetupChecks,
    /// What to do next, if something is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested_step: Option<SetupStep>,
}

/// What a finished set-up has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetupChecks {
    /// PostgreSQL answers.
    pub database_connected: bool,
    /// NATS answers.
    pub nats_connected: bool,
    /// There is an API key.
    pub api_key_exists: bool,
    /// There is an instance of a channel.
    pub instances_exist: bool,
    /// There is an app.
    pub settings_initialized: bool,
}

/// A step of the set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetupStep {
    /// Make the database reachable.
    Database,
    /// Make an API key.
    ApiKeys,
    /// Connect the first instance of a channel.
    FirstInstance,
    /// Make the first app, which completes it.
    Complete,
}
