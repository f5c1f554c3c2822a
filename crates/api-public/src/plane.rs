use actix_web::http::header::{HeaderName, HeaderValue};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use omni_domain::{ErrorKind, MinuteWindow, Origin};
use omni_http::{ApiError, Keys, Plane, Visit};
use omni_identity::Guess;
use omni_persistence::Allowance;
use omni_rbac::{ApiKeyDigest, Denied, KeyGrant, KnownKey};
use serde_json::{Value, json};

use crate::PublicState;

/// The public API.
#[derive(Debug)]
pub enum PublicApi {}

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

impl Plane for PublicApi {
    type State = PublicState;

    const NAME: &'static str = "public";
    const TITLE: &'static str = "Omni public API";

    /// No cookie opens anything here, so no page can make a browser act for somebody.
    fn screen(_state: &PublicState, _visit: &Visit) -> Result<(), ApiError> {
        Ok(())
    }

    fn origin(state: &PublicState, visit: &Visit) -> Origin {
        visit.origin(&state.proxies)
    }

    fn error_body(error: &ApiError) -> Value {
        json!({ "detail": error.detail(), "code": error.code() })
    }

    fn error_schema() -> Value {
        json!({
            "type": "object",
            "required": ["detail"],
            "properties": {
                "detail": { "type": "string", "description": "One sentence that a person understands." },
                "code": { "type": "string", "description": "A stable name for programs." },
            },
        })
    }
}

impl Keys for PublicApi {
    fn admit<'a>(
        state: &'a PublicState,
        visit: &'a Visit,
        digest: Option<ApiKeyDigest>,
    ) -> LocalBoxFuture<'a, Result<KeyGrant, ApiError>> {
        async move {
            let digest = digest.ok_or(Denied::UnknownKey)?;
            let origin = Self::origin(state, visit);
            let opened = state.authority.key(&digest, origin.clone()).await;
            if let Err(error @ Denied::UnknownKey) = &opened {
                state.guesses.miss(Guess::ApiKey, &origin, error).await?;
            }
            let grant = opened?;
            take_one(state, visit, grant.key()).await?;
            Ok(grant)
        }
        .boxed_local()
    }
}

/// Takes one of the requests that the key may make this minute, on all replicas together.
async fn take_one(state: &PublicState, visit: &Visit, key: &KnownKey) -> Result<(), ApiError> {
    if key.rate_limit == 0 {
        return Ok(());
    }
    let now = state.clock.now();
    let subject = key.id.to_string();
    let allowance = Allowance { kind: "api_key", subject: &subject, most: key.rate_limit };
    let taken = state.store.draw(allowance, now).await?;
    let resets_in = MinuteWindow::seconds_left(now);
    visit.set_header(LIMIT, HeaderValue::from(key.rate_limit));
    visit.set_header(REMAINING, HeaderValue::from(taken.map_or(0, |taken| key.rate_limit - taken)));
    visit.set_header(RESET, HeaderValue::from(resets_in));
    match taken {
        Some(_) => Ok(()),
        None => {
            let detail = format!("this key takes {} requests a minute; try again in {resets_in} s", key.rate_limit);
            Err(ApiError::new(ErrorKind::RateLimited, "rate_limited", detail).retry_in(resets_in))
        }
    }
}
