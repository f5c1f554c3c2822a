//! The crawler against servers on this machine, and against sites that exist only as rules.
#![cfg(test)]

mod frontier;
mod hostile;
mod memory;
mod pages;
mod redirects;
mod robots;
mod scope;
mod server;
mod sitemaps;
mod trap;
mod urls;
mod whole;
