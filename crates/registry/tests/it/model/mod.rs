//! The protocol at random: two replicas, some slots, processes that crash, hang and are replaced, a network that loses,
//! repeats and reorders, and clocks that are set. What must hold is checked after every step.

mod network;
mod process;
mod properties;
mod rows;
mod settle;
mod simulation;
mod step;
mod witness;
