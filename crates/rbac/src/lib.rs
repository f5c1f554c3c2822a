//! Permission as an argument.
//!
//! A [`Grant`] proves that its holder may act in one app at one rank; a [`Session`] proves who is signed in; a
//! [`PlatformGrant`] proves a rank above all apps; an [`Invited`] that an invitation is the caller's own; a [`KeyGrant`]
//! that a program holds one of an app's keys. None has a public constructor: one [`Authority`] per process mints them,
//! after it has looked the membership up through its [`Directory`]. Functions that touch an app's rows take a grant and
//! filter by the grant's app, so a forgotten check does not compile and another tenant's id finds nothing.
//!
//! What is minted carries who acts and from where, so that whatever changes something can say so in the audit trail; what
//! is refused is told to the directory on the spot.
//!
//! Ranks are types. [`Editor`] implements [`AtLeast<Viewer>`], so an editor's grant can be lent where a viewer's is
//! enough, and never the other way round.
//!
//! The crate knows neither SQL nor a web framework: whoever embeds it implements [`Directory`] on its own store.

mod api_key;
mod authority;
mod denied;
mod directory;
mod grant;
mod rank;
mod session;

pub use api_key::ApiKeyDigest;
pub use authority::{Authority, Omniadmins};
pub use denied::Denied;
pub use directory::{Directory, DirectoryError, Member, Scope, Standing};
pub use grant::{Grant, Invited, KeyGrant, KnownKey, PlatformGrant, SystemGrant};
pub use rank::{Administrator, AtLeast, Editor, Omniadmin, Owner, Rank, User, Viewer};
pub use session::{Session, SessionKey};
