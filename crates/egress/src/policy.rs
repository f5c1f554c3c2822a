//! What outgoing requests may do, and how much of it.

use std::time::Duration;

use rustls::pki_types::CertificateDer;

use crate::allow::Allow;

/// What holds for every request; a [`Request`](crate::Request) may ask for other deadlines, size and redirects.
#[derive(Debug, Clone)]
pub struct EgressPolicy {
    /// The private addresses that may be reached.
    pub allow: Allow,
    /// How long resolving, connecting and the TLS handshake may take together. Default: 10 s.
    pub connect: Duration,
    /// How long an answer may take. Default: see [`Deadlines::default`].
    pub deadlines: Deadlines,
    /// The most bytes of a body, counted after decompression. Default: 10 MiB.
    pub max_body: u64,
    /// What becomes of a redirect. Default: up to 5 are followed.
    pub redirects: Redirects,
    /// The longest silence that a client of [`Egress::client_for`](crate::Egress::client_for) waits through, for the
    /// head of the answer and within its body. Default: 300 s, since a model may think for minutes.
    pub lent_silence: Duration,
    /// The `User-Agent` of requests that bring none. Default: `omni/` and the version.
    pub user_agent: String,
    /// Certificate authorities to trust beside those of the system. Default: none.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

impl Default for EgressPolicy {
    fn default() -> Self {
        Self {
            allow: Allow::nothing(),
            connect: Duration::from_secs(10),
            deadlines: Deadlines::default(),
            max_body: 10 * 1024 * 1024,
            redirects: Redirects::Follow(5),
            lent_silence: Duration::from_secs(300),
            user_agent: concat!("omni/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_roots: Vec::new(),
        }
    }
}

/// How long the answer to a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// From sending a request, or the request that follows a redirect, to the head of its answer. Default: 30 s.
    pub headers: Duration,
    /// The longest silence within the body. Time the reader takes for itself does not count. Default: 30 s.
    pub idle: Duration,
    /// From the first request to the last byte, with every redirect. Default: 60 s.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { headers: Duration::from_secs(30), idle: Duration::from_secs(30), total: Duration::from_secs(60) }
    }
}

/// What becomes of an answer that redirects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// It is the answer.
    Return,
    /// It is followed, at most so many times; one more is [`TooManyRedirects`](crate::EgressError::TooManyRedirects).
    Follow(u8),
}
