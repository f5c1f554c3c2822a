//! The relying party of OpenID Connect: what Omni is to the identity provider that says who somebody is.
//!
//! A [`RelyingParty`] sends a browser to the provider with [`RelyingParty::authorization_url`] and turns what the browser
//! brings back into a [`Person`] with [`RelyingParty::redeem`]: authorization code flow with PKCE, state and nonce. What the
//! provider says of itself and its keys are fetched when they are needed and kept for an hour, so a program starts whether
//! or not the provider is there. Nothing that a provider says is believed before its signature, its issuer, its audience,
//! its times and its nonce are checked; [`OidcError`] says which of them failed.
//!
//! The crate keeps no state of a sign-in and makes no secret: an [`Attempt`] comes from its caller, who remembers it. It
//! knows no database and no web framework, and reaches the network through `omni-egress` alone.

mod authorization;
mod claims;
mod client;
mod error;
mod jwk;
mod jws;
mod kept;
mod metadata;

pub use authorization::Attempt;
pub use client::{Answered, Person, RelyingParty, Settings};
pub use error::{Flaw, OidcError};
