//! Sending requests.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, field::Empty};
use url::Url;

use crate::{
    clients::{self, Clients, Parts, Purpose},
    error::{EgressError, TimedOut},
    lent::Lent,
    names::{Resolver, SystemResolver},
    policy::{EgressPolicy, Redirects},
    redirect,
    request::{Limits, Request},
    response::Response,
    target,
};

/// The client. It is made once, at the start of the program; clones share its connections.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Arc<EgressPolicy>,
    fetch: Clients,
    lent: Lent,
}

impl Egress {
    /// A client that resolves names as the operating system does.
    ///
    /// # Errors
    /// [`EgressError::Setup`] if the machine's CA certificates cannot be loaded.
    pub fn new(policy: EgressPolicy) -> Result<Self, EgressError> {
        Self::with_resolver(policy, Arc::new(SystemResolver::default()))
    }

    /// A client that resolves names as `names` says.
    ///
    /// # Errors
    /// [`EgressError::Setup`] if the machine's CA certificates cannot be loaded.
    pub fn with_resolver(policy: EgressPolicy, names: Arc<dyn Resolver>) -> Result<Self, EgressError> {
        let (allow, tls) = (Arc::new(policy.allow.clone()), clients::tls(&policy)?);
        let policy = Arc::new(policy);
        let parts = Parts { policy: Arc::clone(&policy), allow, names, tls };
        let (fetch, lent) = (Clients::new(&parts, Purpose::Fetch)?, Lent::new(parts)?);
        Ok(Self { inner: Arc::new(Inner { policy, fetch, lent }) })
    }

    /// Reads a URL that somebody wrote, and checks it as [`Egress::check`] does.
    ///
    /// # Errors
    /// [`EgressError::Url`] and [`EgressError::Refused`].
    pub fn parse(&self, url: &str) -> Result<Url, EgressError> {
        let url = Url::parse(url).map_err(|_| EgressError::Url { problem: "it is not a URL" })?;
        self.check(&url)?;
        Ok(url)
    }

    /// Checks a URL before it is stored or used: scheme, user name, host, port, and an address in it. A name is not
    /// resolved here, since its answer may be another by the time of the request; it is checked when connecting.
    ///
    /// # Errors
    /// [`EgressError::Url`] and [`EgressError::Refused`].
    pub fn check(&self, url: &Url) -> Result<(), EgressError> {
        target::check(&self.inner.policy.allow, url).map(drop)
    }

    /// Lends a client that connects to wherever `url` leads, for a library that needs one of its own. It keeps
    /// connections alive, follows no redirect and knows no proxy; it gives up when connecting takes too long or after
    /// [`EgressPolicy::lent_silence`]. Deadlines for the whole and limits of size are the borrower's.
    ///
    /// Take it anew for each call, with the URL of that call: that costs well under a microsecond and finds the same
    /// connections, as long as it is taken on the same runtime. A client used for another URL than it was lent for reaches no
    /// address that is not allowed. Its errors become [`EgressError`] by `From`.
    ///
    /// # Errors
    /// As [`Egress::check`], and [`EgressError::Setup`] on a runtime's first call.
    pub fn client_for(&self, url: &Url) -> Result<reqwest::Client, EgressError> {
        let port = target::check(&self.inner.policy.allow, url)?;
        self.inner.lent.for_port(port)
    }

    /// Sends a request, follows its redirects, and answers when the head of the answer has arrived.
    ///
    /// # Errors
    /// Every [`EgressError`] but [`EgressError::AllowList`], [`EgressError::Setup`] and those of the body. A status is
    /// not an error.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        // The origin alone: paths and queries hold secrets (a bot's token, a webhook's).
        let span = tracing::debug_span!(
            "egress",
            method = %request.method,
            origin = %request.url.origin().ascii_serialization(),
            status = Empty,
            redirects = Empty,
        );
        let answer = Box::pin(self.follow(request)).instrument(span.clone()).await;
        if let Ok(answer) = &answer {
            span.record("status", answer.status().as_u16());
        }
        answer
    }

    async fn follow(&self, mut request: Request) -> Result<Response, EgressError> {
        let limits = request.limits(&self.inner.policy);
        let total = after(limits.deadlines.total);
        let mut answer = self.attempt(&request, limits, total).await?;
        let mut followed = 0;
        while redirect::is_redirect(answer.status(), answer.headers()) {
            match limits.redirects {
                Redirects::Return => break,
                Redirects::Follow(limit) if followed == limit => return Err(EgressError::TooManyRedirects { limit }),
                Redirects::Follow(_) => followed += 1,
            }
            tracing::Span::current().record("redirects", followed);
            redirect::advance(&mut request, answer.status(), answer.headers())?;
            answer = self.attempt(&request, limits, total).await.map_err(EgressError::of_redirect)?;
        }
        Ok(Response::new(answer, request.url, limits, total))
    }

    async fn attempt(
        &self,
        request: &Request,
        limits: Limits,
        total: Instant,
    ) -> Result<reqwest::Response, EgressError> {
        let port = target::check(&self.inner.policy.allow, &request.url)?;
        let answer = self.inner.fetch.for_port(port).execute(request.on_the_wire());
        let headers = after(limits.deadlines.headers);
        match timeout_at(headers.min(total), answer).await {
            Ok(answer) => Ok(answer?),
            Err(_) if total <= headers => Err(EgressError::TimedOut(TimedOut::Total)),
            Err(_) => Err(EgressError::TimedOut(TimedOut::Headers)),
        }
    }
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").field("policy", &self.inner.policy).finish_non_exhaustive()
    }
}

/// The instant `wait` from now; for a wait beyond what the clock can count, one far enough away.
pub(crate) fn after(wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    Instant::now() + wait.min(FAR)
}
