//! What every program of the house has to do with the system it runs on: the log, the clock, randomness, signals that ask
//! it to stop, exit codes, what it uses of the machine, and who else on the machine connects to it.
//!
//! Everything else takes these as arguments ([`Clock`](omni_domain::Clock), [`Entropy`](omni_domain::Entropy)), so that
//! the places where a program touches the system stand here and nowhere else. A `main` begins with [`begin_log`], waits for
//! [`StopSignals`], and answers with an exit code; [`Memory`], [`CpuTime`] and [`process_start`] say how it is doing, and
//! [`SocketTable`] whose a connection is.
//!
//! The crate makes no connection, and knows no database and no web framework.

mod exit;
mod log;
mod signals;
mod sockets;
mod system;
mod vitals;

pub use exit::{BAD_CONFIGURATION, BAD_USAGE, Misconfigured};
pub use log::{LogError, begin_log};
pub use signals::StopSignals;
pub use sockets::{SocketTable, own_account};
pub use system::{OperatingSystem, SystemClock};
pub use vitals::{CpuTime, Memory, process_start};
