use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use tokio::time::timeout;

/// The most bytes that are read of an error.
const LONGEST_COMPLAINT: usize = 64 * 1024;
/// How long an error may take, once its head is there.
const COMPLAINT_DEADLINE: Duration = Duration::from_secs(10);

/// As much of a body as is worth reading for an error's message; whatever goes wrong, what was read is enough.
pub(super) async fn start_of_body<E>(body: impl Stream<Item = Result<Bytes, E>>) -> Vec<u8> {
    let mut body = pin!(body);
    let mut start = Vec::new();
    let reading = async {
        while let Some(Ok(chunk)) = body.next().await {
            let room = LONGEST_COMPLAINT - start.len();
            start.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
    };
    // Late or not, the status was there already.
    let _ = timeout(COMPLAINT_DEADLINE, reading).await;
    start
}

/// The media type of a body, without its parameters.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}
