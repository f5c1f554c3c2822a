#![cfg(test)]
//! The providers' adapters against a scripted model server, over real sockets and through the real egress client.

mod embedding;
mod embedding_failures;
mod endings;
mod images;
mod local;
mod oracle;
mod refusals;
mod rerank;
mod retries;
mod setting;
mod targets;
mod wires;
