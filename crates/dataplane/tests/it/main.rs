#![cfg(test)]
//! The real servers, from the real bundle: the first test that needs it fetches it into the machine's cache.

mod fetching;
mod owning;
mod refusing;
mod serving;
mod setting;
