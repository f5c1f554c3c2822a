//! The only HTTP client that leaves the machine.
//!
//! People who use Omni choose many of the URLs it requests: pages to crawl, webhooks, model and MCP servers, identity
//! providers. This crate lets those requests reach the public internet, and of the private networks only what the
//! operator listed. The check is part of making the connection, so nothing can come between the two:
//!
//! * a URL is parsed once; an address written in it is checked as it stands ([`Egress::check`]);
//! * a name is resolved once per connection, and the connection goes to the addresses of that answer that passed;
//! * every redirect is a new URL and passes the same way.
//!
//! [`Egress::send`] sends a [`Request`] and answers with a [`Response`] whose body is bounded in bytes and in time.
//! [`Egress::client_for`] lends a [`reqwest::Client`] with the same guard to libraries that bring their own protocol.
//! [`Allow`] is the operator's list, [`EgressPolicy`] the list and all limits, [`EgressError`] what can go wrong, and
//! [`globally_reachable`] the table of addresses underneath.
//!
//! The crate knows nothing of what it carries: it depends on no other adapter, on no database and on no web framework.

mod address;
mod allow;
mod clients;
mod egress;
mod error;
mod lent;
mod names;
mod policy;
mod ports;
mod redirect;
mod request;
mod response;
mod target;

pub use address::globally_reachable;
pub use allow::Allow;
pub use egress::Egress;
pub use error::{EgressError, NotJson, TimedOut};
pub use names::{Resolver, SystemResolver};
pub use policy::{Deadlines, EgressPolicy, Redirects};
pub use request::Request;
pub use response::Response;
