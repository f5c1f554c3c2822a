//! One chat turn: a question, and the answer as it is written.
//!
//! ```text
//!  ask ─► plan ─► open ─► assemble ─► model ─► log ─► readers (SSE, JSON, and who comes back)
//!         one     one                    │
//!         round trip each                └─► ledger ─► stored with whatever ends at the same moment
//! ```
//!
//! [`Turns::begin`] answers as soon as the turn has its rows; the rest is a task of its own, which goes on whether anybody
//! reads or not. What it says is a [`TurnLog`]: each [`Reader`] has its own place in it, so a reader can leave, come back
//! and miss nothing. Between opening and ending, a turn holds no database connection.
//!
//! The crate knows no web framework and no SQL.

mod ask;
mod assemble;
mod attendance;
mod drive;
mod error;
mod event;
mod ledger;
mod live;
mod log;
mod pace;
mod retrieve;
mod turns;

pub use ask::{Ask, Attachment};
pub use attendance::Attended;
pub use error::TurnError;
pub use event::{Done, Event, Metadata, TokenUsage, UsedFile};
pub use live::Turn;
pub use log::{Reader, TurnLog};
pub use retrieve::{Found, RetrievalFailed, Retriever};
pub use turns::{Settings, Turns};
