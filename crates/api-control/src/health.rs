use std::sync::atomic::Ordering;

use actix_web::http::StatusCode;
use omni_domain::{Failure, error_chain};
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery};
use omni_process::Memory;
use omni_wire::control::{HealthChecks, HealthStatus, InternalHealth, MemoryUse};
use serde_json::json;
use tokio::time::timeout;

use crate::judged::Judged;
use crate::state::PATIENCE;
use crate::{ControlApi, ControlPlane, Loopback};

/// Says how `omni-api` is, after asking everything that it depends on.
pub(crate) enum Health {}

impl Endpoint for Health {
    type Plane = ControlApi;
    type Access = Loopback;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Judged<InternalHealth>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/api/v2/_internal/health";
    const SECTION: &'static str = "Health";
    const SUMMARY: &'static str = "How the process is";
    const DETAILS: &'static str = "Each check is a question to whom it is about, with a deadline of two seconds. \
        `degraded`: NATS or a channel does not answer, or most services fell silent at once. `unhealthy`: the database does \
        not answer; the status code is 503 then.";

    fn example() -> Example {
        Example::plain().answers(json!({
            "status": "healthy",
            "service": "omni-api",
            "timestamp": "2025-01-29T12:00:00Z",
            "uptime": 86_400,
            "memory": { "used": 134_217_728, "total": 536_870_912, "percentage": 25.0 },
            "checks": { "database": true, "nats": true, "channels": { "whatsapp-baileys": true, "discord": true } },
        }))
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let state = &*ctx.state;
        let checks = check(state).await;
        let memory = Memory::measure().unwrap_or_default();
        let status = judge(&checks, state.mass_silence.load(Ordering::Relaxed));
        let health = InternalHealth {
            status,
            service: "omni-api".to_owned(),
            timestamp: state.clock.now(),
            uptime: state.started.elapsed().as_secs(),
            memory: MemoryUse { used: memory.used, total: memory.total, percentage: memory.percentage() },
            checks,
        };
        Ok(match status {
            HealthStatus::Unhealthy => Judged::unwell(StatusCode::SERVICE_UNAVAILABLE, health),
            HealthStatus::Healthy | HealthStatus::Degraded => Judged::well(health),
        })
    }
}

async fn check(state: &ControlPlane) -> HealthChecks {
    // The list of channels comes from the database, so that it comes at all is the check.
    let (channels, nats) = tokio::join!(timeout(PATIENCE, state.store.channel_services()), state.bus.probe(PATIENCE));
    let channels = match channels {
        Ok(Ok(channels)) => Some(channels.into_iter().collect()),
        Ok(Err(error)) => {
            tracing::debug!(code = error.code(), cause = error_chain(&error), "the database fails its check");
            None
        }
        Err(_) => None,
    };
    HealthChecks { database: channels.is_some(), nats: nats.is_ok(), channels: channels.unwrap_or_default() }
}

fn judge(checks: &HealthChecks, mass_silence: bool) -> HealthStatus {
    if !checks.database {
        HealthStatus::Unhealthy
    } else if checks.nats && !mass_silence && checks.channels.values().all(|is_up| *is_up) {
        HealthStatus::Healthy
    } else {
        HealthStatus::Degraded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_decides_over_life_and_the_rest_over_well_being() {
        let checks = |database, nats, channel| HealthChecks {
            database,
            nats,
            channels: [("discord".to_owned(), channel), ("slack".to_owned(), true)].into(),
        };
        for (checks, silence, status) in [
            (checks(true, true, true), false, HealthStatus::Healthy),
            (checks(true, true, true), true, HealthStatus::Degraded),
            (checks(true, true, false), false, HealthStatus::Degraded),
            (checks(true, false, true), false, HealthStatus::Degraded),
            (checks(false, true, true), false, HealthStatus::Unhealthy),
            (checks(false, false, false), true, HealthStatus::Unhealthy),
        ] {
            assert_eq!(judge(&checks, silence), status, "{checks:?}");
        }
    }
}
