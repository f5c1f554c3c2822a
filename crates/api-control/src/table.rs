use omni_http::RouteSpec;

use crate::{ControlApi, channel_startup_info, health, services, setup, subprocess_config};

/// Every endpoint of the control plane. What is not here is not served.
pub static ROUTES: &[RouteSpec<ControlApi>] = &[
    RouteSpec::of::<health::Health>(),
    RouteSpec::of::<setup::Status>(),
    RouteSpec::of::<subprocess_config::Show>(),
    RouteSpec::of::<channel_startup_info::Show>(),
    RouteSpec::of::<services::Register>(),
    RouteSpec::of::<services::Heartbeat>(),
    RouteSpec::of::<services::Deregister>(),
];
