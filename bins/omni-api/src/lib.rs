//! Puts `omni-api` together: the one place that knows every crate, and decides nothing that they could decide.
//!
//! [`assemble`] makes the services of a store and a few choices, [`Api`] serves them, [`run`] does both as the
//! configuration says, with an embedded data plane where no other is named. Tests use the first two.

mod api;
mod arguments;
mod assembly;
mod data_plane;
mod exit;
mod logging;
mod reference;
mod run;
mod system;

pub use api::{Api, ApiOptions};
pub use arguments::{Arguments, Command};
pub use assembly::{Assembly, assemble};
pub use exit::{BAD_CONFIGURATION, BAD_USAGE, Misconfigured};
pub use reference::write_reference;
pub use run::{check, run};
pub use system::{OperatingSystem, SystemClock};
