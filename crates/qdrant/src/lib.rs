//! A vector store over the REST API of Qdrant (<https://api.qdrant.tech>), from version 1.11 on.
//!
//! One collection holds the chunks of many tenants. Every point carries the app and the silo it belongs to, and so does
//! every [`Filter`]: there is no way to write a search, a count or a deletion that is not within one [`Tenant`]. What comes
//! back is checked against it once more.
//!
//! [`Qdrant`] is the server, [`Collection`] a collection of vectors of one length, [`Search`] a question and [`Hit`] an
//! answer. Writes return when they can be read. Every call has a deadline and a limit on the answer's size; those that do
//! the same when they are done twice are tried again when the server is away. [`QdrantError`] tells apart who has to act.
//!
//! Requests leave through `omni-egress`, so that the operator lists the server in `OMNI_EGRESS_ALLOW` unless its address is
//! public. The crate knows no other store, no database and no web framework.

mod call;
mod collection;
mod error;
mod filter;
mod point;
mod qdrant;
mod search;

pub use collection::Collection;
pub use error::QdrantError;
pub use filter::{Condition, Filter, Tenant};
pub use point::{Point, PointId};
pub use qdrant::Qdrant;
pub use search::{Hit, Search};
