//! The adapter against a fake Qdrant, over real sockets and through the real egress client.
#![cfg(test)]

mod collections;
mod mishaps;
mod points;
mod searching;
mod setting;
mod tenants;
