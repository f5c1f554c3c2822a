use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A service that registers, or whose parent registers it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRegistration {
    /// What it calls itself.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ServiceKind,
    /// Its process id.
    pub pid: i64,
    /// The loopback port that it takes requests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i64>,
    /// A loopback URL to ask for its health.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_endpoint: Option<String>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<ServiceCapabilities>,
    /// What else it says. `spawnToken`, `startTime` and `nodeId` tell its process from others; `singleton` tells those of
    /// the same name to shut down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
}

/// What a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// Serves a chat platform.
    Channel,
    /// Processes media.
    Processor,
    /// Does other work.
    Worker,
}

/// What a service can do.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceCapabilities {
    /// The channels that it serves.
    #[serde(default)]
    pub channels: Vec<String>,
    /// The media types that it processes.
    #[serde(default)]
    pub media_types: Vec<String>,
}

/// The answer to a registration. Without success there is an error instead of an id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResult {
    /// Whether the service holds a lease.
    pub success: bool,
    /// Its id, for heartbeats and deregistration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// How often to beat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_interval_ms: Option<u64>,
    /// The number of this incarnation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// How long the lease lasts without a beat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ttl_ms: Option<u64>,
    /// Why there is no lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'static, str>>,
    /// The same for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
}

/// A service that ends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDeregistration {
    /// Which.
    pub service_id: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// That a service is not registered, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeregistrationResult {
    /// Always true: nobody is told whether the id was one.
    pub success: bool,
}
