//! Puts `omni-api` together: the one place that knows every crate, and decides nothing that they could decide.
//!
//! [`assemble`] makes the services of a store and a few choices, [`Api`] serves them and [`Control`] the control plane,
//! [`run`] does all of it as the configuration says, with an embedded data plane where no other is named. Tests use the first
//! two.

mod api;
mod arguments;
mod assembly;
mod control;
mod data_plane;
mod jobs;
mod library;
mod master_key;
mod node;
mod reference;
mod retriever;
mod run;
mod sign_in;
mod subprocesses;
mod trail;

pub use api::{Api, ApiOptions, Served};
pub use arguments::{Arguments, Command};
pub use assembly::{Assembly, Library, assemble};
pub use control::Control;
pub use master_key::master_key;
pub use omni_process::{BAD_CONFIGURATION, BAD_USAGE, Misconfigured, OperatingSystem, SystemClock};
pub use reference::write_reference;
pub use run::{check, run};
pub use sign_in::redirect_uri;
