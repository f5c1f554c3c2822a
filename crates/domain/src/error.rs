use thiserror::Error;

/// The kinds of failure that every crate of the house sorts its errors into; only the edge turns a kind into a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request itself is wrong; the message names the field.
    Invalid,
    /// Nobody is signed in.
    Unauthenticated,
    /// Signed in and a member, but the role is too low.
    Forbidden,
    /// It does not exist, or must not be seen.
    NotFound,
    /// It contradicts what is stored.
    Conflict,
    /// More bytes than allowed.
    TooLarge,
    /// A media type or a feature that is not spoken here.
    Unsupported,
    /// Too many requests; try again later.
    RateLimited,
    /// Somebody else's server failed (a model provider, an identity provider).
    Upstream,
    /// Somebody else's server did not answer in time.
    UpstreamTimeout,
    /// A dependency of ours (PostgreSQL, NATS) is away.
    Unavailable,
    /// The machine has no space left for what is to be stored; it works again once there is.
    StorageFull,
    /// A bug, or stored data that contradicts itself.
    Internal,
}

/// What every error of the house can say of itself. Its text is for the person who caused it, except where the kind is
/// [`ErrorKind::Internal`]: then it is for the log, and the person gets a general one.
pub trait Failure: std::error::Error + Send + Sync + 'static {
    /// What sort of failure it is.
    fn kind(&self) -> ErrorKind;

    /// A stable name for programs, in snake case.
    fn code(&self) -> &'static str;

    /// After how many seconds it makes sense to try again, if that is known.
    fn retry_after(&self) -> Option<u32> {
        None
    }
}

/// An error and all that is behind it, in one line for a log.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Transparent errors repeat what they wrap.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Input that breaks a rule: which field, and what is wrong with it, in words for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// The field as the caller spelled it in the request.
    pub field: &'static str,
    /// What is wrong, and where possible what would be right.
    pub problem: String,
}

impl Invalid {
    /// Says that `field` is wrong because of `problem`.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }

    /// A reference that resolves to nothing in the caller's app. It never tells whether the id exists elsewhere.
    pub fn unknown_reference(field: &'static str, id: i64) -> Self {
        Self::new(field, format!("nothing with the id {id} in this app"))
    }
}

impl Failure for Invalid {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn code(&self) -> &'static str {
        "invalid"
    }
}
