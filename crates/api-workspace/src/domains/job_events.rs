use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use omni_domain::DomainId;
use omni_http::{ApiError, Call, Ctx, Endpoint, EventStream, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::{Grant, Viewer};
use omni_wire::JobResponse;

use super::{JobPath, SECTION};
use crate::{Services, WorkspaceApi};

/// How often it is looked how far a visit is: another process may be making it.
const LOOK: Duration = Duration::from_millis(500);

/// Tells how far a visit of a domain is, until it is over.
pub(crate) enum JobEvents {}

impl Endpoint for JobEvents {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Viewer>;
    type Path = JobPath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = EventStream;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/domains/{domain_id}/jobs/{job_id}/events";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Follow crawl job";
    const DETAILS: &'static str = "The job as `progress` whenever it has changed, and as `done` when it is over, whatever it \
        came to; then the stream ends.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<JobPath, NoQuery, NoBody>) -> Result<EventStream, ApiError> {
        let JobPath { domain, job } = call.path;
        ctx.state.knowledge.crawl_job(&ctx.granted.grant, domain, job).await?;
        let attended = ctx.state.turns.attend(&ctx.granted.session, &ctx.granted.grant);
        let following =
            Following { services: ctx.state, grant: ctx.granted.grant, path: call.path, told: None, is_over: false };
        Ok(EventStream::new(attended.while_it_lasts(frames(following))))
    }
}

struct Following {
    services: Arc<Services>,
    grant: Grant<Viewer>,
    path: JobPath,
    told: Option<JobResponse>,
    is_over: bool,
}

/// The frames: the job whenever it has changed.
fn frames(following: Following) -> impl Stream<Item = Bytes> {
    futures::stream::unfold(following, |mut following| async move {
        if following.is_over {
            return None;
        }
        loop {
            if let Some(frame) = following.look().await {
                return Some((frame, following));
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

impl Following {
    /// What changed since the last look.
    async fn look(&mut self) -> Option<Bytes> {
        let JobPath { domain, job } = self.path;
        let job = match self.services.knowledge.crawl_job(&self.grant, domain, job).await {
            Ok(job) => job,
            Err(error) => {
                tracing::debug!(%error, "a visit cannot be followed any longer");
                self.is_over = true;
                return Some(frame(
                    "error",
                    &serde_json::json!({ "detail": "the job cannot be read; ask for it again" }),
                ));
            }
        };
        self.is_over = job.status.is_over();
        let job = JobResponse::from(job);
        if self.told.as_ref() == Some(&job) {
            return None;
        }
        let frame = frame(if self.is_over { "done" } else { "progress" }, &job);
        self.told = Some(job);
        Some(frame)
    }
}

fn frame(event: &str, data: &impl serde::Serialize) -> Bytes {
    match serde_json::to_string(data) {
        Ok(data) => format!("event: {event}\ndata: {data}\n\n").into(),
        Err(error) => {
            tracing::error!(%error, "an event cannot be written");
            Bytes::new()
        }
    }
}
