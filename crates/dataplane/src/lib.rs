//! A private PostgreSQL (with pgvector) and NATS (with JetStream), run as children for as long as their owner lives: what
//! a program uses when nobody gave it the address of either.
//!
//! [`DataPlane::start`] starts both below one data directory and returns when they answer. The programs come from the
//! pinned *bundle* in the machine's cache, which only [`Installation::ensure`] ever fetches, or else from the system.
//! PostgreSQL listens on a unix socket only and knows its owner by peer credentials; NATS listens on a loopback port of
//! its own choice behind a password made at every start. Neither can be reached by another account of the machine.
//!
//! The crate owns processes and directories. It knows no schema, no streams and nothing of the platform that uses them,
//! and must stay that way: a migration belongs to `omni-persistence`.

mod account;
mod bundle;
mod error;
mod installation;
mod lock;
mod nats;
mod options;
mod patience;
mod places;
mod plane;
mod postgres;
mod residents;
mod scratch;

pub use error::{Error, Server};
pub use installation::Installation;
pub use options::{Options, Profile};
pub use places::Places;
pub use plane::{DataPlane, Running};
