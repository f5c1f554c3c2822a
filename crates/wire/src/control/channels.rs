use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Which channel services are to run, and how to start them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChannelStartupInfo {
    /// Every channel that this version knows.
    pub channels: Vec<ChannelStartup>,
    /// How to start those that are needed.
    pub startup: StartupOptions,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChannelStartup {
    /// The channel, such as `discord`.
    pub name: String,
    /// Whether its service is to run.
    pub needed: bool,
    /// Why, or why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The instances to connect at the start.
    pub instances: Vec<String>,
    /// What the channel is started with besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Map<String, Value>>,
}

/// How channel services are started, so that a start does not overrun the machine or the platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartupOptions {
    /// The pause between two starts.
    pub delay_between_channels_ms: u64,
    /// The most instances that connect at once.
    pub max_concurrent_connections: u32,
    /// How long a service may take until it is healthy.
    pub health_check_timeout_ms: u64,
}
