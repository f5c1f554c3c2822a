#![cfg(test)]
//! Turns and the processes that run them.

mod stopped;
