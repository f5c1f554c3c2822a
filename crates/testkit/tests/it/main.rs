#![cfg(test)]
//! Rules of the house that no compiler keeps, and the kit's own promises.

mod architecture;
mod kit;
mod sources;
