//! What was fetched from the provider and holds for a while.

use std::sync::Arc;

use omni_domain::Timestamp;
use time::Duration;
use tokio::sync::Mutex;

use crate::error::OidcError;

/// Something fetched, with its age. One request fetches for all who wait.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    value: Option<(Arc<T>, Timestamp)>,
    tried: Option<Timestamp>,
}

/// For so long nobody asks again a provider that did not answer. Else everybody who waits would wait for it in turn.
const BREATH: Duration = Duration::seconds(5);

/// How old what is kept may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Age {
    /// Older than this, it is fetched again.
    pub(crate) most: Duration,
    /// The least time between two tries to fetch it while something is kept.
    pub(crate) between: Duration,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { value: None, tried: None }) }
    }
}

impl<T> Kept<T> {
    /// What is kept, fetched if there is nothing or only something too old. While the provider cannot be reached, the old
    /// holds for twice its time.
    pub(crate) async fn get(
        &self,
        now: Timestamp,
        age: Age,
        fetch: impl AsyncFnOnce() -> Result<T, OidcError>,
    ) -> Result<Arc<T>, OidcError> {
        let mut state = self.state.lock().await;
        let Some((value, fetched)) = state.value.clone() else {
            if state.was_tried_since(now - BREATH) {
                return Err(OidcError::answered("discovery", "it did not answer a moment ago"));
            }
            return state.renew(now, fetch).await;
        };
        let is_fresh = now < fetched + age.most;
        if is_fresh || state.was_tried_since(now - age.between) && now < fetched + age.most * 2 {
            return Ok(value);
        }
        match state.renew(now, fetch).await {
            Err(error) if now < fetched + age.most * 2 => {
                tracing::warn!(error = omni_domain::error_chain(&error), "the identity provider's data is kept on");
                Ok(value)
            }
            renewed => renewed,
        }
    }

    /// What is kept now that `old` turned out not to be enough: somebody else's newer one, or one fetched for this
    /// question, unless one was asked for a moment ago.
    pub(crate) async fn newer_than(
        &self,
        old: &Arc<T>,
        now: Timestamp,
        age: Age,
        fetch: impl AsyncFnOnce() -> Result<T, OidcError>,
    ) -> Result<Arc<T>, OidcError> {
        let mut state = self.state.lock().await;
        match &state.value {
            Some((value, _)) if !Arc::ptr_eq(value, old) => Ok(Arc::clone(value)),
            Some((value, _)) if state.was_tried_since(now - age.between) => Ok(Arc::clone(value)),
            _ => state.renew(now, fetch).await,
        }
    }
}

impl<T> State<T> {
    fn was_tried_since(&self, moment: Timestamp) -> bool {
        self.tried.is_some_and(|tried| tried > moment)
    }

    async fn renew(
        &mut self,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<T, OidcError>,
    ) -> Result<Arc<T>, OidcError> {
        self.tried = Some(now);
        let value = Arc::new(fetch().await?);
        self.value = Some((Arc::clone(&value), now));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const AGE: Age = Age { most: Duration::hours(1), between: Duration::seconds(30) };
    const NOON: Timestamp = datetime!(2026-01-15 12:00 UTC);

    async fn away() -> Result<u32, OidcError> {
        Err(OidcError::answered("discovery", "503"))
    }

    #[tokio::test]
    async fn holds_for_its_time_and_is_fetched_again() {
        let kept = Kept::default();
        assert_eq!(*kept.get(NOON, AGE, async || Ok(1)).await.unwrap(), 1);
        assert_eq!(*kept.get(NOON + Duration::minutes(59), AGE, async || Ok(2)).await.unwrap(), 1);
        assert_eq!(*kept.get(NOON + Duration::minutes(60), AGE, async || Ok(2)).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_provider_that_is_away_is_not_asked_by_everybody_in_turn() {
        let kept = Kept::default();
        assert!(kept.get(NOON, AGE, away).await.is_err());
        assert!(kept.get(NOON, AGE, async || Ok(1)).await.is_err(), "nobody asks again at once");
        assert_eq!(*kept.get(NOON + BREATH, AGE, async || Ok(1)).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn the_old_serves_on_while_the_provider_is_away_and_not_for_ever() {
        let kept = Kept::default();
        kept.get(NOON, AGE, async || Ok(1)).await.unwrap();
        assert_eq!(*kept.get(NOON + Duration::minutes(119), AGE, away).await.unwrap(), 1);
        assert!(kept.get(NOON + Duration::minutes(121), AGE, away).await.is_err());
    }

    #[tokio::test]
    async fn what_is_not_enough_is_fetched_anew_but_not_at_every_question() {
        let kept = Kept::default();
        let old = kept.get(NOON, AGE, async || Ok(1)).await.unwrap();
        let soon = NOON + Duration::seconds(29);
        assert_eq!(*kept.newer_than(&old, soon, AGE, async || Ok(2)).await.unwrap(), 1, "asked a moment ago");
        let later = NOON + Duration::seconds(30);
        assert_eq!(*kept.newer_than(&old, later, AGE, async || Ok(2)).await.unwrap(), 2);
        assert_eq!(*kept.newer_than(&old, later, AGE, async || Ok(3)).await.unwrap(), 2, "somebody else's newer one");
    }
}
