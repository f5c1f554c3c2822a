//! Who a person is: signing in, sessions, the profile.
//!
//! [`Identity`] begins and ends sessions, in the one [`Mode`] that the operator chose. With an identity provider,
//! [`Identity::begin_sign_in`] sends the browser there and [`Identity::complete_sign_in`] takes it back. A session's secret
//! is 256 random bits that leave the process once, in the cookie; the database keeps its digest. What a session may do is
//! not decided here: the authority of `omni-rbac` looks it up at every request.

mod accounts;
mod error;
mod guesses;
mod mode;
mod sessions;
mod sign_in;

pub use accounts::Accounts;
pub use error::IdentityError;
pub use guesses::{Guess, Guesses};
pub use mode::{EmailTrust, Mode, SessionLimits};
pub use sessions::{Identity, SignedIn, Visitor};
pub use sign_in::{ATTEMPT_LIFETIME, Departure, Returned, attempt_tag};
