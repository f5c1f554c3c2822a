use std::time::Duration;

use omni_domain::ErrorKind;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, Public};
use omni_wire::ReadyResponse;

use crate::WorkspaceApi;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says whether the process can do its work: the database answers, its schema is up to date, and nobody has asked the
/// process to stop. Where only files cannot be taken in it says so, and goes on to be asked for all else.
pub(crate) enum Readyz {}

impl Endpoint for Readyz {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<ReadyResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/readyz";
    const SECTION: &'static str = "Operation";
    const SUMMARY: &'static str = "Can the process do its work";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let not_ready = |detail: &str| ApiError::new(ErrorKind::Unavailable, "not_ready", detail).retry_in(1);
        if ctx.state.turns.is_closing() {
            return Err(not_ready("the server is about to stop"));
        }
        match tokio::time::timeout(PATIENCE, ctx.state.store.is_migrated()).await {
            Ok(Ok(true)) => {
                let looked = tokio::time::timeout(PATIENCE, ctx.state.knowledge.has_room()).await;
                let files = matches!(looked, Ok(Ok(true)));
                let status = if files { "ready" } else { "degraded" };
                Ok(Answer(ReadyResponse { status, database: true, files }))
            }
            Ok(Ok(false)) => Err(not_ready("the database's schema is not up to date")),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(not_ready("the database does not answer")),
        }
    }
}
