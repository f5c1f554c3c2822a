use omni_domain::Invalid;

use crate::words::words;
use crate::{Capabilities, Generation, HealthEndpoint, Metadata, Port, Process, ServiceId, Terms};

words! {
    /// What a service is.
    ServiceType {
        /// Serves a chat platform. One incarnation at a time holds its slot.
        Channel => "channel",
        /// Processes media. Several may run under one name.
        Processor => "processor",
        /// Does other work. Several may run under one name.
        Worker => "worker",
    }
}

/// What a service says when it registers. Where it says so is the [`SlotKey`](crate::SlotKey).
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// What it is.
    pub service_type: ServiceType,
    /// Which process it is.
    pub process: Process,
    /// How to reach it, and what it can do.
    pub profile: Profile,
}

/// How to reach a service, and what it can do. What is absent was not said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    port: Option<Port>,
    health_endpoint: Option<HealthEndpoint>,
    capabilities: Option<Capabilities>,
    metadata: Option<Metadata>,
}

/// The answer to a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterReply {
    /// The service holds a lease.
    Accepted {
        /// Its id, for heartbeats and deregistration. The same for every registration of one incarnation.
        service: ServiceId,
        /// Its generation.
        generation: Generation,
        /// How often to beat, and how long the lease lasts without.
        terms: Terms,
    },
    /// A newer incarnation has taken the slot from this one, which must end.
    Superseded {
        /// The generation that this incarnation had.
        generation: Generation,
    },
    /// This incarnation has been deregistered. A spawn token is good for one life.
    Gone,
}

impl ServiceType {
    /// Whether one incarnation at a time holds the slot, so that a new one supersedes the old.
    #[must_use]
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Channel)
    }
}

impl Profile {
    /// Checks that the parts agree.
    ///
    /// # Errors
    /// When the health check is on another port than the service; the field is `healthEndpoint`.
    pub fn new(
        port: Option<Port>,
        health_endpoint: Option<HealthEndpoint>,
        capabilities: Option<Capabilities>,
        metadata: Option<Metadata>,
    ) -> Result<Self, Invalid> {
        if let (Some(port), Some(endpoint)) = (port, &health_endpoint)
            && !endpoint.is_on(port)
        {
            return Err(Invalid::new("healthEndpoint", format!("must be on the service's own port, {port}")));
        }
        Ok(Self { port, health_endpoint, capabilities, metadata })
    }

    /// The loopback port that it takes requests on.
    #[must_use]
    pub const fn port(&self) -> Option<Port> {
        self.port
    }

    /// Where to ask for its health.
    #[must_use]
    pub const fn health_endpoint(&self) -> Option<&HealthEndpoint> {
        self.health_endpoint.as_ref()
    }

    /// What it can do.
    #[must_use]
    pub const fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// What it says beyond the contract.
    #[must_use]
    pub const fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }

    /// The same service after a later registration: what that one says replaces, what it leaves out stays. So it does
    /// not matter whether the parent, which knows no port, registers before or after its child.
    ///
    /// A health check that was on the port which a later registration replaces goes with it.
    pub(crate) fn replaced_by(&self, later: Self) -> Result<Self, Invalid> {
        let port = later.port.or(self.port);
        let kept = self.health_endpoint.clone().filter(|endpoint| port.is_none_or(|port| endpoint.is_on(port)));
        Self::new(
            port,
            later.health_endpoint.or(kept),
            later.capabilities.or_else(|| self.capabilities.clone()),
            later.metadata.or_else(|| self.metadata.clone()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(port: Option<i64>, endpoint: Option<&str>) -> Result<Profile, Invalid> {
        let port = port.map(|port| Port::new(port).unwrap());
        Profile::new(port, endpoint.map(|endpoint| HealthEndpoint::new(endpoint).unwrap()), None, None)
    }

    #[test]
    fn the_health_check_is_on_the_services_own_port() {
        assert!(profile(Some(9001), Some("http://127.0.0.1:9001/health")).is_ok());
        assert!(profile(Some(80), Some("http://localhost/")).is_ok());
        assert!(profile(None, Some("http://127.0.0.1:9001/health")).is_ok());
        let error = profile(Some(9001), Some("http://127.0.0.1:5432/")).unwrap_err();
        assert_eq!(error.field, "healthEndpoint");
    }

    #[test]
    fn what_a_later_registration_leaves_out_stays_and_what_it_says_replaces() {
        let of = |channel: &str| {
            let capabilities = Capabilities::new(vec![channel.to_owned()], Vec::new()).unwrap();
            let object = serde_json::Map::from_iter([(channel.to_owned(), true.into())]);
            Profile::new(None, None, Some(capabilities), Some(Metadata::new(object).unwrap())).unwrap()
        };
        let kept = of("discord").replaced_by(Profile::default()).unwrap();
        assert_eq!(kept.capabilities().unwrap().channels(), ["discord"]);
        assert!(kept.metadata().unwrap().as_object().contains_key("discord"));
        assert_eq!(of("discord").replaced_by(of("slack")), Ok(of("slack")));
    }

    #[test]
    fn it_does_not_matter_whether_the_parent_or_the_child_is_first() {
        let child = profile(Some(9001), Some("http://127.0.0.1:9001/health")).unwrap();
        let parent = profile(None, None).unwrap();
        assert_eq!(child.replaced_by(parent.clone()), Ok(child.clone()));
        assert_eq!(parent.replaced_by(child.clone()), Ok(child));
    }

    #[test]
    fn a_new_port_takes_the_old_health_check_away() {
        let old = profile(Some(9001), Some("http://127.0.0.1:9001/health")).unwrap();
        let moved = old.replaced_by(profile(Some(9002), None).unwrap()).unwrap();
        assert_eq!(moved.health_endpoint(), None);
        let contradiction = old.replaced_by(profile(None, Some("http://127.0.0.1:9002/")).unwrap());
        assert_eq!(contradiction.unwrap_err().field, "healthEndpoint");
    }
}
