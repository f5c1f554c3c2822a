#![cfg(test)]
//! Real processes: what they print, how they end, and that none is left.

mod launching;
mod owning;
mod setting;
mod stopping;
