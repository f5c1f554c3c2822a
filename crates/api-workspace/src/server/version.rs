use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, Public};
use omni_wire::VersionResponse;

use crate::WorkspaceApi;
use crate::services::Environment;

/// Says what runs here.
pub(crate) enum Version {}

impl Endpoint for Version {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<VersionResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/version";
    const SECTION: &'static str = "Version";
    const SUMMARY: &'static str = "Get backend version info";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(VersionResponse {
            version: env!("CARGO_PKG_VERSION"),
            environment: match ctx.state.environment {
                Environment::Development => "development",
                Environment::Production => "production",
            },
            python_version: None,
            rust_version: env!("CARGO_PKG_RUST_VERSION"),
        }))
    }
}
