//! The public API, `/public/v1/*`: what programs do with an app's API keys.
//!
//! A request carries its key in `X-API-KEY` or as a Bearer token. [`PublicApi`] asks the authority what it opens, slows
//! whoever guesses, and takes one of the key's requests of the minute; what a handler gets is a
//! [`KeyGrant`](omni_rbac::KeyGrant), whose app is the only one that it can reach.

mod key;
mod plane;
mod state;
mod table;

pub use plane::PublicApi;
pub use state::PublicState;
pub use table::ROUTES;
