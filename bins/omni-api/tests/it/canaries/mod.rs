//! Secrets that are planted, failures that are provoked by the hundred, and everything that is said about them: in none
//! of it is one of the secrets.

mod canary;
mod heard;
mod provoking;
mod setting;
mod signing_in;
mod starting;

use crate::canaries::heard::Heard;
use crate::canaries::setting::Setting;

/// How many failures are provoked at the least, by both ways of signing in together.
const FAILURES: usize = 500;

async fn search(level: &str) {
    let setting = Setting::new().await;
    let (mut heard, mut said) = (Heard::default(), Vec::new());
    provoking::provoke(&setting, level, &mut heard, &mut said).await;
    signing_in::provoke(&setting, level, &mut heard, &mut said).await;
    assert!(heard.failures() >= FAILURES, "only {} failures", heard.failures());
    for log in &said {
        assert!(log.contains(&format!("\"level\":\"{}\"", level.to_ascii_uppercase())), "the log is kept at {level}");
    }
    let failed_ours = said.iter().map(|log| log.matches("a request failed").count()).sum::<usize>();
    assert!(failed_ours > 3, "the log has what failed, with its cause");
    for canary in setting.canaries().iter().chain(heard.canaries()) {
        for log in &said {
            canary.assert_absent("the log", log);
        }
        heard.assert_without(canary);
    }
}

/// Row 21, as logs are by default.
#[tokio::test(flavor = "multi_thread")]
async fn no_failure_tells_a_secret_at_level_info() {
    search("info").await;
}

/// Row 21, with everything in the log that any library has to say.
#[tokio::test(flavor = "multi_thread")]
async fn no_failure_tells_a_secret_at_level_trace() {
    search("trace").await;
}
