use std::io;

use tokio::time::Instant;

use crate::http::Http;
use crate::play::{FLOOD_WORD, Played, flood, left, refuse, wait_until};
use crate::script::{Flaw, Refusal, Script};
use crate::wire::Inquiry;

/// Answers with one document, or as the script says. An error is a client that left before the end.
pub(crate) async fn deliver(http: &mut Http, inquiry: &Inquiry, script: Script) -> io::Result<Played> {
    match script.before_headers {
        Some(pause) => wait_until(http, Instant::now() + pause).await?,
        None => return left(http).await,
    }
    if let Some(Refusal { status, retry_after, message }) = script.refusal {
        return refuse(http, inquiry.wire, status, retry_after, &message.replace("{key}", &inquiry.key)).await;
    }
    let document = inquiry.document(&script).to_string();
    match script.flaw {
        Some(Flaw::Page) => http.respond_as("text/html", b"<html>Welcome</html>"),
        Some(Flaw::Nothing) => http.respond(200, None, b""),
        Some(Flaw::Half) => {
            http.begin("application/json");
            http.body(&[document.as_bytes().get(..document.len() / 2).unwrap_or_default()]);
            http.flush().await?;
            return Ok(Played::Cut);
        }
        Some(Flaw::Flood) => {
            http.begin("application/json");
            return flood(http, |http| http.body(&[&[b' '; FLOOD_WORD]])).await;
        }
        _ => http.respond(200, None, document.as_bytes()),
    }
    http.flush().await.map(|()| Played::Whole)
}
