use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HealthStatus;

/// A sign of life.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceHeartbeat {
    /// Whose.
    pub service_id: String,
    /// How it is.
    pub status: HealthStatus,
    /// What it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<ServiceMetrics>,
    /// The number of this beat, counted up from the registration; makes late and repeated beats harmless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The commands that it has heard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command_acks: Vec<String>,
}

/// What a service measures of itself, in its own units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceMetrics {
    /// Its use of processors; the house's own services tell percent of one.
    pub cpu: f64,
    /// Its use of memory; the house's own services tell bytes.
    pub memory: f64,
    /// Its open connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_connections: Option<u64>,
    /// The messages that it has processed since it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_processed: Option<u64>,
    /// How many units of work it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
}

/// The answer to a sign of life.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatResponse {
    /// Whether the lease stands.
    pub acknowledged: bool,
    /// What is to be done; left out if there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<ServiceCommand>>,
    /// Why the lease does not stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'static, str>>,
    /// The same for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
}

/// Something that a service is told to do. It is repeated until it is done, and is for one incarnation only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceCommand {
    /// What to do.
    #[serde(rename = "type")]
    pub kind: CommandType,
    /// What there is to know about it.
    #[serde(default)]
    pub data: CommandData,
}

/// What a service can be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CommandType {
    /// End, and stay away.
    Shutdown,
    /// End, and be replaced.
    Restart,
    /// Run as many units of work as `data.target` says.
    Scale,
}

/// What there is to know about a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandData {
    /// Its id, for `commandAcks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    /// The incarnation that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// In how many milliseconds it must be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// How many units of work `scale` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u32>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
