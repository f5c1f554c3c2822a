//! The protocol of registration, heartbeats and commands, told as stories and then tried at random.
#![cfg(test)]

mod beating;
mod commanding;
mod fencing;
mod leaving;
mod memory;
mod model;
mod registering;
mod storing;
mod sweeping;
mod world;
