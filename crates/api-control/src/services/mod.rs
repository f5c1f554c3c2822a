mod deregister;
mod heartbeat;
mod register;

pub(crate) use deregister::Deregister;
pub(crate) use heartbeat::Heartbeat;
pub(crate) use register::Register;

const SECTION: &str = "Services";

/// What a service is told that must end.
const SUPERSEDED: (&str, &str) = ("a newer incarnation has taken this service's place", "SERVICE_SUPERSEDED");
/// What a service is told that has ended.
const GONE: (&str, &str) = ("this incarnation has been deregistered", "SERVICE_GONE");
