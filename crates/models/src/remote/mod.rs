//! Models at a provider: one HTTP request, and its body read as it arrives.

mod answer;
mod call;
mod complaint;
mod frames;
mod patience;
mod redact;

pub(crate) use call::{Remote, RemoteModel};
pub(crate) use complaint::Complaint;
pub(crate) use frames::Framing;
