use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery};
use omni_wire::control::ChannelStartupInfo;
use serde_json::json;

use crate::{ControlApi, Loopback, channels};

/// Says which channel services are to run.
pub(crate) enum Show {}

impl Endpoint for Show {
    type Plane = ControlApi;
    type Access = Loopback;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<ChannelStartupInfo>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/api/v2/_internal/channel-startup-info";
    const SECTION: &'static str = "Gateway";
    const SUMMARY: &'static str = "Which channel services are to run, and how to start them";

    fn example() -> Example {
        Example::plain().answers(json!({
            "channels": [
                { "name": "telegram", "needed": false, "reason": "No active Telegram instances", "instances": [] },
            ],
            "startup": {
                "delayBetweenChannelsMs": 2_000,
                "maxConcurrentConnections": 5,
                "healthCheckTimeoutMs": 30_000,
            },
        }))
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(ChannelStartupInfo { channels: channels::known(), startup: ctx.state.startup }))
    }
}
