use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use omni_domain::Entropy;

/// Where the randomness of pauses comes from; without any, every pause is as long as it may be.
#[derive(Clone, Default)]
pub(crate) struct Chance(Option<Arc<dyn Entropy>>);

impl Chance {
    pub(crate) fn of(entropy: Arc<dyn Entropy>) -> Self {
        Self(Some(entropy))
    }

    /// A random part of an interval.
    pub(crate) fn part_of(&self, interval: Duration) -> Duration {
        let Some(entropy) = &self.0 else { return interval };
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        interval.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chance").field(&self.0.is_some()).finish()
    }
}
