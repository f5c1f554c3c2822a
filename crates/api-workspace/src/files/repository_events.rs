use omni_domain::RepositoryId;
use omni_http::{ApiError, Call, Ctx, Endpoint, EventStream, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Viewer;

use super::SECTION;
use super::events::{Watched, frames};
use crate::WorkspaceApi;

/// Tells how far the files of a repository are that are being processed, until none is.
pub(crate) enum RepositoryEvents {}

impl Endpoint for RepositoryEvents {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Viewer>;
    type Path = RepositoryId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = EventStream;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/repositories/{repo_id}/events";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Follow the processing of files";
    const DETAILS: &'static str = "`progress` whenever something changed of a file, and `done` last, when none waits or is being \
        processed.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<RepositoryId, NoQuery, NoBody>) -> Result<EventStream, ApiError> {
        let attended = ctx.state.turns.attend(&ctx.granted.session, &ctx.granted.grant);
        let watched = Watched { repository: call.path, files: Vec::new(), others: true };
        Ok(EventStream::new(attended.while_it_lasts(frames(ctx.state, ctx.granted.grant, watched))))
    }
}
