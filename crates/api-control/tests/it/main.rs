#![cfg(test)]
//! The control plane as programs on this machine and others see it: over HTTP, on a real database. Rows are those of the
//! project's list of what it must survive.

mod accounts;
mod bash;
mod browsers;
mod forwarding;
mod health_endpoints;
mod hosts;
mod networks;
mod plane;
mod registry;
mod secrets;
