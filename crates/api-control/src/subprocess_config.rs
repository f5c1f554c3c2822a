use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery};
use omni_wire::control::SubprocessConfig;
use serde_json::json;

use crate::{ControlApi, Loopback};

/// Says what the programs that the gateway starts have to know.
pub(crate) enum Show {}

impl Endpoint for Show {
    type Plane = ControlApi;
    type Access = Loopback;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<SubprocessConfig>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/api/v2/_internal/subprocess-config";
    const SECTION: &'static str = "Gateway";
    const SUMMARY: &'static str = "What a service that the gateway starts has to know";
    const DETAILS: &'static str = "As this process is configured. It holds secrets.";

    fn example() -> Example {
        Example::plain().answers(json!({
            "database": {
                "connectionUri": "postgresql://omni:secret@localhost:5432/omni",
                "provider": "postgresql",
                "maxConnections": 20,
            },
            "nats": { "url": "nats://localhost:4222", "tls": false },
            "auth": { "internalApiKey": "internal_sk_abc123" },
            "logging": { "level": "info", "format": "json" },
            "paths": {
                "dataDir": "/app/data",
                "authDir": "/app/data/auth",
                "mediaDir": "/app/data/media",
                "logsDir": "/app/logs",
            },
            "features": { "mediaProcessing": false, "agentRouting": false, "accessControl": false },
        }))
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(ctx.state.subprocess_config.clone()))
    }
}
