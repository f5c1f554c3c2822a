//! The egress client against servers on this machine that count what reaches them.
#![cfg(test)]

mod addresses;
mod allow_list;
mod corpus;
mod lent;
mod limits;
mod messages;
mod names;
mod rebinding;
mod redirects;
mod refusals;
mod reuse;
mod server;
mod tls;
