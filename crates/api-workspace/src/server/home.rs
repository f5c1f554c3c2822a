use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, Public, Redirect};

use crate::WorkspaceApi;

/// Sends whoever opens the server's bare address to what there is to see.
pub(crate) enum Home {}

impl Endpoint for Home {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Redirect;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/";
    const SECTION: &'static str = "Operation";
    const SUMMARY: &'static str = "Where to begin";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(_ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Redirect, ApiError> {
        Ok(Redirect("/docs/internal".to_owned()))
    }
}
