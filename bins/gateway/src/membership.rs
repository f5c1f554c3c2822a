//! The gateway's place in the service registry: registered, kept by beats, given up at the end.

use std::time::{Duration, Instant};

use http::StatusCode;
use omni_domain::Entropy;
use omni_process::{CpuTime, Memory, process_start};
use omni_wire::control::{
    CommandType, HealthStatus, HeartbeatResponse, ServiceCommand, ServiceDeregistration, ServiceHeartbeat, ServiceKind,
    ServiceMetrics, ServiceRegistration,
};
use serde_json::{Map, Value};

use crate::control_plane::ControlPlane;
use crate::needs::Needs;
use crate::pace::{Backoff, about, part_of};

/// The variable in which whoever started the gateway may say by which token it is known.
pub(crate) const SPAWN_TOKEN: &str = "SPAWN_TOKEN";

/// How long the goodbye may take; the lease ends by itself if it is not heard.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why the gateway ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It was told to.
    Shutdown,
    /// It was told to, and to begin anew.
    Restart,
    /// Another gateway has taken its place.
    Superseded,
    /// It has been deregistered by whoever started it.
    Gone,
}

/// A lease that the control plane gave.
#[derive(Debug, Clone)]
struct Lease {
    service: String,
    interval: Duration,
    beats: i64,
}

/// What a beat comes to.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// The lease stands.
    Fine,
    /// Nobody knows the lease.
    Unknown,
    /// The lease was ended by somebody else.
    Ended(Ending),
}

/// The gateway as the service registry knows it.
pub(crate) struct Membership<'a> {
    control: &'a ControlPlane,
    needs: &'a Needs,
    entropy: &'a dyn Entropy,
    token: Option<String>,
    lease: Option<Lease>,
    measured: Option<(CpuTime, Instant)>,
}

impl<'a> Membership<'a> {
    pub(crate) const fn new(
        control: &'a ControlPlane,
        needs: &'a Needs,
        entropy: &'a dyn Entropy,
        token: Option<String>,
    ) -> Self {
        Self { control, needs, entropy, token, lease: None, measured: None }
    }

    /// Registers, beats, and registers anew when it is not known any more, until there is a reason to end. That the
    /// control plane is away is none.
    pub(crate) async fn hold(&mut self) -> Ending {
        loop {
            if let Err(ending) = self.register().await {
                return ending;
            }
            if let Some(ending) = self.beat_until_unknown().await {
                return ending;
            }
            let interval = self.lease.take().map_or(Duration::ZERO, |lease| lease.interval);
            tracing::warn!("the control plane does not know this gateway any more; registering anew");
            tokio::time::sleep(part_of(interval, self.entropy)).await;
        }
    }

    /// Gives the lease up, if there is one.
    pub(crate) async fn end(self, reason: &str) {
        let Some(lease) = self.lease else { return };
        let goodbye = ServiceDeregistration { service_id: lease.service, reason: Some(reason.to_owned()) };
        match tokio::time::timeout(GOODBYE, self.control.deregister(&goodbye)).await {
            Ok(Ok(_)) => tracing::info!("deregistered"),
            Ok(Err(_)) | Err(_) => tracing::info!("the goodbye was not heard; the lease will end by itself"),
        }
    }

    async fn register(&mut self) -> Result<(), Ending> {
        let mut backoff = Backoff::default();
        loop {
            match self.control.register(&self.registration()).await {
                Ok((StatusCode::CONFLICT, _)) => return Err(Ending::Superseded),
                Ok((StatusCode::GONE, _)) => return Err(Ending::Gone),
                Ok((_, result)) => {
                    if let (Some(service), Some(interval)) = (result.service_id, result.heartbeat_interval_ms) {
                        tracing::info!(generation = result.generation, interval_ms = interval, "registered");
                        let interval = Duration::from_millis(interval.max(1));
                        self.lease = Some(Lease { service, interval, beats: 0 });
                        return Ok(());
                    }
                    tracing::debug!(error = ?result.error, "not registered");
                }
                Err(_) => {}
            }
            tokio::time::sleep(backoff.next(self.entropy)).await;
        }
    }

    fn registration(&self) -> ServiceRegistration {
        let mut metadata = Map::new();
        metadata.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
        // There is one gateway on a machine: those before it are to leave.
        metadata.insert("singleton".to_owned(), Value::Bool(true));
        if let Some(token) = &self.token {
            metadata.insert("spawnToken".to_owned(), token.clone().into());
        }
        if let Ok(start) = process_start() {
            metadata.insert("startTime".to_owned(), start.into());
        }
        ServiceRegistration {
            name: "gateway".to_owned(),
            kind: ServiceKind::Worker,
            pid: std::process::id().into(),
            port: None,
            health_endpoint: None,
            capabilities: None,
            metadata: Some(metadata),
        }
    }

    /// Beats until the lease is not known, or there is a reason to end.
    async fn beat_until_unknown(&mut self) -> Option<Ending> {
        let interval = self.lease.as_ref()?.interval;
        let mut backoff = Backoff::default();
        let mut pause = part_of(interval, self.entropy);
        loop {
            tokio::time::sleep(pause).await;
            let beat = self.next_beat()?;
            pause = match self.control.heartbeat(&beat).await {
                Ok((status, answer)) => match heard(status, &answer, self.token.is_some()) {
                    Heard::Fine => {
                        backoff.reset();
                        about(interval, self.entropy)
                    }
                    Heard::Unknown => return None,
                    Heard::Ended(ending) => return Some(ending),
                },
                Err(_) => backoff.next(self.entropy).min(interval),
            };
        }
    }

    fn next_beat(&mut self) -> Option<ServiceHeartbeat> {
        let metrics = self.measure();
        let lease = self.lease.as_mut()?;
        lease.beats += 1;
        Some(ServiceHeartbeat {
            service_id: lease.service.clone(),
            status: if self.needs.is_unmet() { HealthStatus::Degraded } else { HealthStatus::Healthy },
            metrics,
            seq: Some(lease.beats),
            command_acks: Vec::new(),
        })
    }

    /// What the gateway uses: percent of one processor since the last beat, and bytes of memory.
    fn measure(&mut self) -> Option<ServiceMetrics> {
        let (memory, cpu, now) = (Memory::measure().ok()?, CpuTime::measure().ok()?, Instant::now());
        let busy = self
            .measured
            .replace((cpu, now))
            .map_or(0.0, |(earlier, then)| cpu.percent_since(earlier, now.duration_since(then)));
        // Kibibytes fit, and so the product is exact.
        let memory = u32::try_from(memory.used / 1_024).map_or(f64::MAX, |kib| f64::from(kib) * 1_024.0);
        Some(ServiceMetrics { cpu: busy, memory, active_connections: None, messages_processed: None, scale: None })
    }
}

fn heard(status: StatusCode, answer: &HeartbeatResponse, has_token: bool) -> Heard {
    match status {
        StatusCode::NOT_FOUND => Heard::Unknown,
        StatusCode::CONFLICT => Heard::Ended(Ending::Superseded),
        // A token is good for one life. Without one nobody has spoken for this process, which is alive.
        StatusCode::GONE if has_token => Heard::Ended(Ending::Gone),
        StatusCode::GONE => Heard::Unknown,
        _ => answer.commands.iter().flatten().find_map(obey).map_or(Heard::Fine, Heard::Ended),
    }
}

/// What a command comes to. Shutting down and restarting are carried out by ending; the gateway has nothing to scale.
fn obey(command: &ServiceCommand) -> Option<Ending> {
    let reason = command.data.reason.as_deref();
    match command.kind {
        CommandType::Shutdown if reason == Some("superseded") => Some(Ending::Superseded),
        CommandType::Shutdown => Some(Ending::Shutdown),
        CommandType::Restart => Some(Ending::Restart),
        CommandType::Scale => {
            tracing::debug!("told to scale, which a gateway does not");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use omni_wire::control::CommandData;

    use super::*;

    fn told(kind: CommandType, reason: Option<&str>) -> HeartbeatResponse {
        let data = CommandData { reason: reason.map(str::to_owned), ..CommandData::default() };
        let commands = Some(vec![ServiceCommand { kind, data }]);
        HeartbeatResponse { acknowledged: true, commands, ..HeartbeatResponse::default() }
    }

    #[test]
    fn every_answer_to_a_beat_means_one_thing() {
        let nothing = HeartbeatResponse::default();
        for (status, answer, has_token, heard_as) in [
            (StatusCode::OK, &nothing, false, Heard::Fine),
            (StatusCode::NOT_FOUND, &nothing, true, Heard::Unknown),
            (StatusCode::CONFLICT, &nothing, false, Heard::Ended(Ending::Superseded)),
            (StatusCode::GONE, &nothing, true, Heard::Ended(Ending::Gone)),
            (StatusCode::GONE, &nothing, false, Heard::Unknown),
            (StatusCode::OK, &told(CommandType::Shutdown, None), false, Heard::Ended(Ending::Shutdown)),
            (StatusCode::OK, &told(CommandType::Shutdown, Some("superseded")), false, Heard::Ended(Ending::Superseded)),
            (StatusCode::OK, &told(CommandType::Restart, None), false, Heard::Ended(Ending::Restart)),
            (StatusCode::OK, &told(CommandType::Scale, None), false, Heard::Fine),
        ] {
            assert_eq!(heard(status, answer, has_token), heard_as, "{status} {answer:?}");
        }
    }
}
