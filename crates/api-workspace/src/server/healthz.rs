use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, Public};
use omni_wire::AliveResponse;

use crate::WorkspaceApi;

/// Says that the process is alive.
pub(crate) enum Healthz {}

impl Endpoint for Healthz {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<AliveResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/healthz";
    const SECTION: &'static str = "Operation";
    const SUMMARY: &'static str = "Is the process alive";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(_ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(AliveResponse { status: "alive" }))
    }
}
