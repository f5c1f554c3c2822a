use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use http::StatusCode;
use omni_domain::error_chain;
use omni_egress::{Allow, Deadlines, Egress, EgressError, EgressPolicy, Redirects, Request};
use omni_process::Misconfigured;
use omni_wire::control::{
    ChannelStartupInfo, DeregistrationResult, HeartbeatResponse, RegistrationResult, ServiceDeregistration,
    ServiceHeartbeat, ServiceRegistration, SubprocessConfig,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

/// How long the control plane may take to answer.
const DEADLINES: Deadlines =
    Deadlines { headers: Duration::from_secs(5), idle: Duration::from_secs(5), total: Duration::from_secs(5) };
/// How long connecting may take: it is on this machine.
const CONNECTING: Duration = Duration::from_secs(2);
/// The largest answer.
const LARGEST: u64 = 1024 * 1024;

/// The control plane, as far as the gateway asks something of it.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    egress: Egress,
    root: Url,
    is_away: AtomicBool,
}

/// There was no answer that means anything. Whoever asked tries again, or goes on without.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It could not be asked.
    Unreachable(EgressError),
    /// It answered that it cannot answer now.
    Unwell(StatusCode),
}

/// An answer: the status, and what it says.
pub(crate) type Answered<T> = Result<(StatusCode, T), Unanswered>;

impl ControlPlane {
    /// The control plane at a URL, and the one address that its client will ever reach.
    pub(crate) fn at(url: &Url) -> anyhow::Result<Self> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let allow = Allow::parse(&format!("{host}:{port}"))
            .map_err(|error| Misconfigured(format!("OMNI_API_URL: {}", error_chain(&error))))?;
        let policy = EgressPolicy {
            allow,
            connect: CONNECTING,
            deadlines: DEADLINES,
            max_body: LARGEST,
            redirects: Redirects::Return,
            ..EgressPolicy::default()
        };
        let egress = Egress::new(policy)?;
        let mut root = url.clone();
        root.path_segments_mut()
            .map_err(|()| Misconfigured("OMNI_API_URL: has no path to go on from".to_owned()))?
            .pop_if_empty()
            .extend(["api", "v2", "_internal"]);
        egress.check(&root).context("OMNI_API_URL")?;
        Ok(Self { egress, root, is_away: AtomicBool::new(false) })
    }

    /// Where it is.
    pub(crate) const fn root(&self) -> &Url {
        &self.root
    }

    pub(crate) async fn subprocess_config(&self) -> Result<SubprocessConfig, Unanswered> {
        self.ask(Request::get(self.url(&["subprocess-config"]))).await.map(|(_, config)| config)
    }

    pub(crate) async fn channel_startup_info(&self) -> Result<ChannelStartupInfo, Unanswered> {
        self.ask(Request::get(self.url(&["channel-startup-info"]))).await.map(|(_, info)| info)
    }

    pub(crate) async fn register(&self, registration: &ServiceRegistration) -> Answered<RegistrationResult> {
        self.tell(&["services", "register"], registration).await
    }

    pub(crate) async fn heartbeat(&self, beat: &ServiceHeartbeat) -> Answered<HeartbeatResponse> {
        self.tell(&["services", "heartbeat"], beat).await
    }

    pub(crate) async fn deregister(&self, end: &ServiceDeregistration) -> Answered<DeregistrationResult> {
        self.tell(&["services", "deregister"], end).await
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    async fn tell<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Answered<T> {
        let request = Request::post(self.url(path)).json(body).map_err(Unanswered::Unreachable)?;
        self.ask(request).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: Request) -> Answered<T> {
        let answer = self.exchange(request).await;
        self.note(answer.as_ref().err());
        answer
    }

    async fn exchange<T: DeserializeOwned>(&self, request: Request) -> Answered<T> {
        let response = self.egress.send(request).await.map_err(Unanswered::Unreachable)?;
        let status = response.status();
        // What is wrong there is not wrong here; and a refusal has no body that is of use.
        if status.is_server_error() || status == StatusCode::FORBIDDEN || status == StatusCode::BAD_REQUEST {
            return Err(Unanswered::Unwell(status));
        }
        Ok((status, response.json().await.map_err(Unanswered::Unreachable)?))
    }

    /// Says in the log when the control plane goes away and when it is back, once each.
    fn note(&self, failure: Option<&Unanswered>) {
        match failure {
            Some(failure) if !self.is_away.swap(true, Ordering::Relaxed) => {
                tracing::warn!(url = %self.root, %failure, "the control plane does not answer; going on without it");
            }
            Some(failure) => tracing::debug!(%failure, "the control plane still does not answer"),
            None if self.is_away.swap(false, Ordering::Relaxed) => tracing::info!("the control plane answers again"),
            None => {}
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => f.write_str(&error_chain(error)),
            Self::Unwell(status) => write!(f, "it answered {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_below_the_configured_url() {
        for (url, root) in [
            ("http://127.0.0.1:8882", "http://127.0.0.1:8882/api/v2/_internal"),
            ("http://localhost:9000/omni/", "http://localhost:9000/omni/api/v2/_internal"),
            ("http://[::1]:8882", "http://[::1]:8882/api/v2/_internal"),
        ] {
            let plane = ControlPlane::at(&Url::parse(url).unwrap()).unwrap();
            assert_eq!(plane.root().as_str(), root);
            assert_eq!(plane.url(&["services", "register"]).as_str(), format!("{root}/services/register"));
        }
    }

    #[tokio::test]
    async fn nothing_but_the_control_plane_is_reached() {
        let plane = ControlPlane::at(&Url::parse("http://127.0.0.1:8882").unwrap()).unwrap();
        let elsewhere = Request::get(Url::parse("http://127.0.0.1:8881/").unwrap());
        let answer: Answered<RegistrationResult> = plane.ask(elsewhere).await;
        assert!(matches!(answer, Err(Unanswered::Unreachable(EgressError::Refused { .. }))), "{answer:?}");
    }
}
