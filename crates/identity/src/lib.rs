//! Who a person is: signing in, sessions, the profile.
//!
//! [`Identity`] begins and ends sessions. A session's secret is 256 random bits that leave the process once, in the cookie;
//! the database keeps its digest. What a session may do is not decided here: the authority of `omni-rbac` looks it up at
//! every request.

mod accounts;
mod error;
mod sign_in;

pub use accounts::Accounts;
pub use error::IdentityError;
pub use sign_in::{Identity, SignedIn};
