//! `omni-api` as its users meet it.
#![cfg(test)]

mod master_key;
mod readme;
mod reference;
