//! Secrets at rest: provider keys, and later MCP headers and channel tokens.
//!
//! A [`MasterKey`] lives in a file that only the operator can read; [`MasterKey::seal`] encrypts with AES-256-GCM and a
//! random nonce, and binds the result to a [`Place`]: a sealed value that is copied into another row does not open.
//! A copy of the database without the key file is worth nothing, and a backup needs both.
//!
//! The crate knows no database and no network.

mod error;
mod file;
mod key;

pub use error::SealingError;
pub use key::{MasterKey, Place};
