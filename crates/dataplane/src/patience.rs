//! Waiting for a condition that only asking can tell.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The first pause between two questions; each is twice the one before, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer. `Err` holds the last refusal if `limit` passed without one.
pub(crate) async fn ask_until<T, R>(limit: Duration, mut ask: impl AsyncFnMut() -> Result<T, R>) -> Result<T, R> {
    let deadline = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(refusal) if Instant::now() >= deadline => return Err(refusal),
            Err(_) => sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
