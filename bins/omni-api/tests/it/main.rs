//! `omni-api` as its users meet it.
#![cfg(test)]

mod readme;
mod reference;
