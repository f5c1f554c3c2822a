//! The control plane, `/api/v2/_internal/*`: what the programs of one machine ask of `omni-api`, and nobody else may.
//!
//! One file per endpoint, and [`ROUTES`], the table of them all. Nobody signs in: [`ControlApi`] lets in who is on this
//! machine, which takes more than one sign ([`Loopback`], [`Locality`]). [`ControlPlane`] is what the endpoints work with, and
//! [`keep_leases`] the work that goes on beside them.
//!
//! What a service may do and what becomes of it is decided by `omni-registry` and kept by `omni-persistence`; here it is
//! read, answered and logged. The crate must not know the workspace API, nor anything of what goes on in an app.

mod channel_startup_info;
mod channels;
mod health;
mod judged;
mod leases;
mod locality;
mod plane;
mod services;
mod setup;
mod state;
mod subprocess_config;
mod table;

pub use leases::keep_leases;
pub use locality::{Accounts, Local, Locality, Loopback};
pub use plane::ControlApi;
pub use state::ControlPlane;
pub use table::ROUTES;
