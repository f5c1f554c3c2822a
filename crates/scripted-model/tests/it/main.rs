#![cfg(test)]
//! The server as a client sees it: over a socket, byte by byte.

mod client;
mod documents;
mod endings;
mod wires;
