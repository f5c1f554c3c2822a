use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How `omni-api` is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InternalHealth {
    /// In one word.
    pub status: HealthStatus,
    /// Who answers: `omni-api`.
    pub service: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: time::OffsetDateTime,
    /// For how many seconds the process has run.
    pub uptime: u64,
    /// What it keeps in memory.
    pub memory: MemoryUse,
    /// What it asked, and whether there was a good answer.
    pub checks: HealthChecks,
}

/// Health in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// All is well.
    Healthy,
    /// It works, with less than it should have.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemoryUse {
    /// What the process keeps.
    pub used: u64,
    /// What it may have at the most.
    pub total: u64,
    /// The part that is used, in percent.
    pub percentage: f64,
}

/// Whether what the process depends on answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthChecks {
    /// PostgreSQL.
    pub database: bool,
    /// NATS.
    pub nats: bool,
    /// Every channel service that is registered.
    pub channels: BTreeMap<String, bool>,
}
