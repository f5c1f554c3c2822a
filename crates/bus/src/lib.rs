//! The connection to NATS.
//!
//! A [`Bus`] is one connection of one program: it has the program's name, connects as soon as a server answers and again
//! whenever it is lost, and says so in the log, once each time. [`Bus::probe`] asks whether the server answers now.
//!
//! Whoever starts before the server, or outlives it, works on: nothing here waits for NATS but who asks something of it,
//! and that with a deadline. The crate must not know what is sent: events, jobs and channels are others' business.

mod bus;
mod error;

pub use bus::Bus;
pub use error::BusError;
