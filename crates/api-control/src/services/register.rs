use std::time::Duration;

use actix_web::http::StatusCode;
use omni_domain::Invalid;
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Json, Method, NoQuery};
use omni_persistence::Succession;
use omni_registry::{
    Capabilities, HealthEndpoint, Hints, Metadata, NodeId, Pid, Port, Process, Profile, RegisterReply, Registration,
    ServiceName, ServiceType, SlotKey,
};
use omni_wire::control::{RegistrationResult, ServiceKind, ServiceRegistration};
use serde_json::{Value, json};

use super::{GONE, SECTION, SUPERSEDED};
use crate::judged::Judged;
use crate::leases::tell;
use crate::{ControlApi, Loopback};

/// Gives a service a lease.
pub(crate) enum Register {}

impl Endpoint for Register {
    type Plane = ControlApi;
    type Access = Loopback;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<ServiceRegistration>;
    type Reply = Judged<RegistrationResult>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/api/v2/_internal/services/register";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Register a service";
    const DETAILS: &'static str = "The same process gets the same id however often it, or its parent, registers it: they \
        meet on `metadata.spawnToken`, else on the name, the pid and `metadata.startTime`. A channel that registers takes \
        the place of the one before it; other services stand beside each other, unless `metadata.singleton` is true: then \
        those before it are told to shut down. 409: this incarnation has been superseded. 410: it has been deregistered, \
        and its spawn token is good for one life only.";

    fn example() -> Example {
        let body = json!({
            "name": "discord",
            "type": "channel",
            "pid": 4711,
            "port": 9001,
            "healthEndpoint": "http://127.0.0.1:9001/health",
            "capabilities": { "channels": ["discord"] },
        });
        Example::body(body).answers(json!({
            "success": true,
            "serviceId": "svc_discord_0123456789abcdef0123456789abcdef",
            "heartbeatIntervalMs": 10_000,
            "generation": 1,
            "leaseTtlMs": 30_000,
        }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let state = &*ctx.state;
        let Asked { key, registration, succession } = read(request, &state.node)?;
        let told = state.store.register_service(&state.terms, &key, registration, succession, &*state.entropy).await?;
        tell(&told.events);
        Ok(answer(told.reply))
    }
}

/// What a registration comes to.
struct Asked {
    key: SlotKey,
    registration: Registration,
    succession: Succession,
}

fn read(request: ServiceRegistration, here: &NodeId) -> Result<Asked, Invalid> {
    let name = ServiceName::new(&request.name)?;
    let pid = Pid::new(request.pid)?;
    let (metadata, hints) = request.metadata.map(Metadata::with_hints).transpose()?.unzip();
    let Hints { node, token, started } = hints.unwrap_or_default();
    let is_singleton =
        metadata.as_ref().is_some_and(|metadata| metadata.as_object().get("singleton") == Some(&Value::Bool(true)));
    let profile = Profile::new(
        request.port.map(Port::new).transpose()?,
        request.health_endpoint.as_deref().map(HealthEndpoint::new).transpose()?,
        request.capabilities.map(|can| Capabilities::new(can.channels, can.media_types)).transpose()?,
        metadata,
    )?;
    let service_type = match request.kind {
        ServiceKind::Channel => ServiceType::Channel,
        ServiceKind::Processor => ServiceType::Processor,
        ServiceKind::Worker => ServiceType::Worker,
    };
    Ok(Asked {
        key: SlotKey { node: node.unwrap_or_else(|| here.clone()), name },
        registration: Registration { service_type, process: Process { pid, token, started }, profile },
        succession: if is_singleton { Succession::Instead } else { Succession::Beside },
    })
}

fn answer(reply: RegisterReply) -> Judged<RegistrationResult> {
    let refused = |(error, code): (&'static str, &'static str)| RegistrationResult {
        error: Some(error.into()),
        code: Some(code.into()),
        ..RegistrationResult::default()
    };
    match reply {
        RegisterReply::Accepted { service, generation, terms } => Judged::well(RegistrationResult {
            success: true,
            service_id: Some(service.as_str().to_owned()),
            heartbeat_interval_ms: Some(milliseconds(terms.heartbeat_interval())),
            generation: Some(generation.get()),
            lease_ttl_ms: Some(milliseconds(terms.lease_ttl())),
            ..RegistrationResult::default()
        }),
        RegisterReply::Superseded { .. } => Judged::unwell(StatusCode::CONFLICT, refused(SUPERSEDED)),
        RegisterReply::Gone => Judged::unwell(StatusCode::GONE, refused(GONE)),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
