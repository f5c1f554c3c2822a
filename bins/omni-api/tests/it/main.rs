//! `omni-api` as its users meet it.
#![cfg(test)]

mod fake_mode;
mod master_key;
mod readme;
mod reference;
