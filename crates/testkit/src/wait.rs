use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take in a test before it counts as not happening.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until there is an answer.
///
/// # Panics
/// If there is none within [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "this did not happen within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
