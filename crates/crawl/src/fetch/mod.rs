//! Asking for pages.

mod media;
mod outcome;
mod retry_after;
mod robots;
mod sitemaps;

use std::{sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, USER_AGENT},
};
use omni_domain::Clock;
use omni_egress::{Deadlines, Egress, Request, Response};
use url::Url;

use crate::{
    agent::Agent,
    origin::Origin,
    pacer::{Pacer, Turn},
    page_url::PageUrl,
    scope::Scope,
};
use media::Media;
pub use outcome::{FetchFailure, Fetched, Page, Validators};
use robots::RobotsCache;
pub use sitemaps::{FoundSitemaps, SitemapProblem};

/// The longest validator that is kept, in bytes.
const MAX_VALIDATOR: usize = 512;

/// What one visit may cost, and what it may bring.
#[derive(Debug, Clone)]
pub struct FetchLimits {
    /// The most bytes of a page, unpacked. Default: 5 MB.
    pub max_bytes: u64,
    /// From asking to the last byte, redirects included; waiting for one's turn does not count. Default: 60 s.
    pub deadline: Duration,
    /// The longest wait for one's turn. Default: 5 minutes.
    pub patience: Duration,
    /// The media types that are taken, in lower case. Default: HTML, XHTML, plain text, Markdown and PDF.
    pub media_types: Vec<String>,
}

impl Default for FetchLimits {
    fn default() -> Self {
        let media_types =
            ["text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/x-markdown", "application/pdf"];
        Self {
            max_bytes: 5_000_000,
            deadline: Duration::from_secs(60),
            patience: Duration::from_secs(300),
            media_types: media_types.map(str::to_owned).to_vec(),
        }
    }
}

/// The visitor of one crawl. It goes through egress, keeps the pace, and remembers the `robots.txt` of each origin.
pub struct Fetcher {
    parts: FetcherParts,
    robots: RobotsCache,
}

/// What a [`Fetcher`] is made of.
pub struct FetcherParts {
    /// The way out.
    pub egress: Egress,
    /// The process's sense of pace.
    pub pacer: Arc<Pacer>,
    /// What time it is, for servers that say until when they want to be left alone.
    pub clock: Arc<dyn Clock>,
    /// What belongs to the crawl, to judge redirects by.
    pub scope: Arc<Scope>,
    /// The pause between two requests to one origin ([`CrawlPolicy::pause`](crate::CrawlPolicy::pause)); a server's
    /// crawl-delay makes it longer.
    pub pause: Duration,
    /// Who visits.
    pub agent: Agent,
    /// What a visit may cost.
    pub limits: FetchLimits,
}

impl Fetcher {
    /// A visitor that has seen nothing yet.
    #[must_use]
    pub fn new(parts: FetcherParts) -> Self {
        Self { parts, robots: RobotsCache::default() }
    }

    /// Visits a page, when it is its server's turn. `validators` are those of the last visit, or empty.
    ///
    /// Whether the page belongs to the crawl is for the caller to decide before ([`Scope::decide`]); where the server
    /// redirects to is judged here.
    pub async fn fetch(&self, page: &PageUrl, validators: &Validators) -> Fetched {
        if self.parts.scope.respects_robots() {
            // They say how slowly the server wants to be asked.
            self.robots(&page.origin()).await;
        }
        let Some(turn) = self.turn(&page.origin()).await else { return Fetched::failed(FetchFailure::Postponed) };
        let request = self.page_request(page, validators);
        match self.parts.egress.send(request).await {
            Ok(answer) => self.judge(page, validators, answer, turn).await,
            Err(error) => {
                tracing::debug!(origin = %page.origin(), error = omni_domain::error_chain(&error), "page not fetched");
                Fetched::of_error(&error)
            }
        }
    }

    async fn judge(&self, page: &PageUrl, validators: &Validators, answer: Response, turn: Turn) -> Fetched {
        let status = answer.status();
        if let Some(wait) = retry_after::wait(status, answer.headers(), self.parts.clock.now()) {
            turn.back_off(wait);
            return Fetched::failed(FetchFailure::Throttled(status.as_u16()));
        }
        let final_url = match PageUrl::from_url(answer.url().clone()) {
            Ok(url) => url,
            Err(error) => return Fetched::RedirectedOut { to: None, reason: error.into() },
        };
        // Held until the body has arrived, except across a redirect: waiting for a second server's turn while holding
        // the first one's could be waiting for each other.
        let _turn = if final_url.origin() == page.origin() { Some(turn) } else { None };
        if let Err(reason) = self.decide_redirect(page, &final_url).await {
            return Fetched::RedirectedOut { to: Some(final_url), reason };
        }
        match status {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => self.read(final_url, answer).await,
            StatusCode::NOT_MODIFIED if !validators.is_empty() => Fetched::NotModified,
            StatusCode::NOT_FOUND | StatusCode::GONE => Fetched::Gone,
            StatusCode::REQUEST_TIMEOUT => Fetched::failed(FetchFailure::ServerError(status.as_u16())),
            status if status.is_server_error() => Fetched::failed(FetchFailure::ServerError(status.as_u16())),
            status => Fetched::Refused { status: status.as_u16() },
        }
    }

    async fn decide_redirect(&self, from: &PageUrl, to: &PageUrl) -> crate::scope::Decision {
        if from.address() == to.address() {
            return Ok(());
        }
        self.parts.scope.decide_redirect(from, to, None)?;
        if !self.parts.scope.respects_robots() {
            return Ok(());
        }
        let robots = self.robots(&to.origin()).await;
        self.parts.scope.decide_redirect(from, to, Some(&robots))
    }

    async fn read(&self, final_url: PageUrl, answer: Response) -> Fetched {
        let media = Media::stated(answer.headers());
        if !self.parts.limits.media_types.contains(&media.essence) {
            return Fetched::Unsupported { media_type: media.essence };
        }
        let validators = Validators {
            etag: validator(answer.headers(), &ETAG),
            last_modified: validator(answer.headers(), &LAST_MODIFIED),
        };
        let bytes = match answer.bytes().await {
            Ok(bytes) => bytes,
            Err(error) => return Fetched::of_error(&error),
        };
        if let Some(shown) = media::contradiction(&media.essence, &bytes) {
            return Fetched::Unsupported { media_type: shown.to_owned() };
        }
        Fetched::Page(Page { final_url, media_type: media.essence, charset: media.charset, bytes, validators })
    }

    fn page_request(&self, page: &PageUrl, validators: &Validators) -> Request {
        let mut request = self.request(page.address().clone(), self.parts.limits.max_bytes);
        if let Ok(accepted) = HeaderValue::from_str(&self.parts.limits.media_types.join(", ")) {
            request = request.header(ACCEPT, accepted);
        }
        for (name, value) in [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)] {
            // One that no header can hold is not what the server gave.
            if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                request = request.header(name, value);
            }
        }
        request
    }

    fn request(&self, url: Url, max_bytes: u64) -> Request {
        let deadline = self.parts.limits.deadline;
        Request::get(url)
            .header(USER_AGENT, self.parts.agent.header())
            .deadlines(Deadlines { headers: deadline, idle: deadline, total: deadline })
            .max_body(max_bytes)
    }

    /// Waits for the origin's turn, at the pace of the policy or the slower one of its `robots.txt`, if that is known.
    async fn turn(&self, origin: &Origin) -> Option<Turn> {
        let delay = self.robots.known(origin).and_then(|robots| robots.crawl_delay()).unwrap_or_default();
        self.parts.pacer.turn(origin, self.parts.pause.max(delay), self.parts.limits.patience).await
    }
}

fn validator(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (!value.is_empty() && value.len() <= MAX_VALIDATOR).then(|| value.to_owned())
}
