/// A moment in UTC.
pub type Timestamp = time::OffsetDateTime;

/// Where the time comes from. The programs hand in the system's clock, tests one that they set.
pub trait Clock: Send + Sync {
    /// The present moment in UTC.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from. The programs hand in the operating system's generator, tests a seeded one.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with unpredictable values.
    fn fill(&self, bytes: &mut [u8]);
}
