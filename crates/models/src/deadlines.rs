use std::time::Duration;

/// How long a provider may take. Time that the reader takes for itself counts only towards `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// From the question to the head of the answer: connecting, sending, and the provider's first reaction.
    /// Default: 120 s, since a server at home loads its model first.
    pub first_byte: Duration,
    /// The longest silence after that. Anything that is sent ends it, a comment to keep the connection alive too.
    /// Default: 120 s, since some models think that long without a word.
    pub idle: Duration,
    /// From the question to the end of the answer. Default: 15 min.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(120),
            total: Duration::from_secs(15 * 60),
        }
    }
}
