#![cfg(test)]
//! The public API as programs see it: over HTTP, with a key.

mod keys;
