use actix_web::http::StatusCode;
use omni_domain::{Invalid, Timestamp};
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Json, Method, NoQuery};
use omni_registry::{Action, Command, CommandId, HeartbeatReply, Metrics, Seq, ServiceId, Status};
use omni_wire::control::{CommandData, CommandType, HealthStatus, HeartbeatResponse, ServiceCommand, ServiceHeartbeat};
use serde_json::json;

use super::{GONE, SECTION, SUPERSEDED};
use crate::judged::Judged;
use crate::leases::tell;
use crate::{ControlApi, Loopback};

/// Renews a service's lease.
pub(crate) enum Heartbeat {}

impl Endpoint for Heartbeat {
    type Plane = ControlApi;
    type Access = Loopback;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<ServiceHeartbeat>;
    type Reply = Judged<HeartbeatResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/api/v2/_internal/services/heartbeat";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Renew a service's lease, and hear what it is to do";
    const DETAILS: &'static str = "Commands are repeated until they are done, and each is for one generation only. 404: \
        nobody has this id; register anew after a random part of an interval. 409: a newer incarnation has taken the \
        place; shut down. 410: this incarnation has been deregistered. No answer at all is no reason to stop.";

    fn example() -> Example {
        let body = json!({
            "serviceId": "svc_discord_0123456789abcdef0123456789abcdef",
            "status": "healthy",
            "metrics": { "cpu": 1.5, "memory": 52_428_800, "activeConnections": 1, "messagesProcessed": 42 },
        });
        Example::body(body).answers(json!({ "acknowledged": true }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let beat = read(&request)?;
        // What cannot be an id is nobody's.
        let Ok(id) = ServiceId::new(&request.service_id) else {
            return Ok(unknown());
        };
        let Some(told) = ctx.state.store.heartbeat_service(&id, &beat).await? else {
            return Ok(unknown());
        };
        tell(&told.events);
        Ok(answer(told.reply, told.now))
    }
}

fn read(request: &ServiceHeartbeat) -> Result<omni_registry::Heartbeat, Invalid> {
    let status = match request.status {
        HealthStatus::Healthy => Status::Healthy,
        HealthStatus::Degraded => Status::Degraded,
        HealthStatus::Unhealthy => Status::Unhealthy,
    };
    let metrics = request.metrics.as_ref().map(|metrics| Metrics {
        cpu: metrics.cpu,
        memory: metrics.memory,
        active_connections: metrics.active_connections,
        messages_processed: metrics.messages_processed,
        scale: metrics.scale,
    });
    // An acknowledgement of what was never a command acknowledges nothing.
    let acks = request.command_acks.iter().filter_map(|ack| CommandId::new(ack).ok()).collect();
    Ok(omni_registry::Heartbeat { status, metrics, seq: request.seq.map(Seq::new).transpose()?, acks })
}

fn answer(reply: HeartbeatReply, now: Timestamp) -> Judged<HeartbeatResponse> {
    match reply {
        HeartbeatReply::Known { commands } => {
            let commands: Vec<_> = commands.iter().map(|command| told(command, now)).collect();
            Judged::well(HeartbeatResponse {
                acknowledged: true,
                commands: (!commands.is_empty()).then_some(commands),
                ..HeartbeatResponse::default()
            })
        }
        HeartbeatReply::Unknown => unknown(),
        HeartbeatReply::Superseded { generation } => {
            let data = CommandData {
                generation: Some(generation.get()),
                reason: Some("superseded".to_owned()),
                ..CommandData::default()
            };
            let shutdown = ServiceCommand { kind: CommandType::Shutdown, data };
            Judged::unwell(
                StatusCode::CONFLICT,
                HeartbeatResponse { commands: Some(vec![shutdown]), ..refused(SUPERSEDED) },
            )
        }
        HeartbeatReply::Gone => Judged::unwell(StatusCode::GONE, refused(GONE)),
    }
}

fn unknown() -> Judged<HeartbeatResponse> {
    Judged::unwell(StatusCode::NOT_FOUND, refused(("no service has this id; register anew", "SERVICE_UNKNOWN")))
}

fn refused((error, code): (&'static str, &'static str)) -> HeartbeatResponse {
    HeartbeatResponse { error: Some(error.into()), code: Some(code.into()), ..HeartbeatResponse::default() }
}

fn told(command: &Command, now: Timestamp) -> ServiceCommand {
    let (kind, target) = match command.action {
        Action::Shutdown => (CommandType::Shutdown, None),
        Action::Restart => (CommandType::Restart, None),
        Action::Scale { target } => (CommandType::Scale, Some(target)),
    };
    let remaining = (command.deadline - now).whole_milliseconds();
    let data = CommandData {
        command_id: Some(command.id.as_str().to_owned()),
        generation: Some(command.generation.get()),
        deadline_ms: Some(u64::try_from(remaining).unwrap_or_default()),
        target,
        reason: command.reason.as_ref().map(|reason| reason.as_str().to_owned()),
    };
    ServiceCommand { kind, data }
}
