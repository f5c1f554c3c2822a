//! `omni-api` as its users meet it.
#![cfg(test)]

mod canaries;
mod control_locality;
mod fake_mode;
mod master_key;
mod program;
mod readme;
mod reference;
