//! Child processes that never outlive their owner.
//!
//! A [`Supervisor`] starts programs as [`Child`]ren: in a session of their own, under another account and with limits if
//! asked for, with their output captured and bounded, and with a *death signal* that the kernel sends them when the
//! owner is gone, however it went. No `unsafe` is involved: what a child has to do to itself before its program runs
//! (change the account, ask for the death signal) is done by the [`launcher`], which is our own executable started
//! once more and then replaced by the program.
//!
//! Every program that owns children calls [`launcher::intercept`] as the first thing in `main`; `examples/owner.rs` is such
//! a program, whole.
//!
//! What the kernel guarantees, it guarantees on Linux. Elsewhere (macOS) there is no death signal: children are stopped
//! when their handles are dropped, but a `kill -9` of the owner leaves them running.
//!
//! The crate knows processes and nothing of what runs in them: no PostgreSQL, no channels, no restarts.

mod child;
mod error;
pub mod launcher;
mod log_file;
mod order;
mod output;
mod spec;
mod supervisor;

pub use child::Child;
pub use error::Error;
pub use log_file::LogFile;
pub use nix::sys::signal::Signal;
pub use output::Output;
pub use spec::{Identity, Limits, Spec};
pub use supervisor::Supervisor;
