#![cfg(test)]
//! The providers' adapters against a scripted model server, over real sockets and through the real egress client.

mod endings;
mod local;
mod oracle;
mod refusals;
mod setting;
mod targets;
mod wires;
