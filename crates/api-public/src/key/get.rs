use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, HoldsKey, Method, NoBody, NoQuery};
use omni_wire::KeyResponse;

use super::SECTION;
use crate::PublicApi;

/// Says what the request's own key is: for a program to check that it is set up.
pub(crate) enum Get {}

impl Endpoint for Get {
    type Plane = PublicApi;
    type Access = HoldsKey;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<KeyResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/public/v1/key";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Show the key of this request";
    const DETAILS: &'static str = "`X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` (seconds) come with \
        every answer to a key that has a limit.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let key = ctx.granted.key();
        Ok(Answer(KeyResponse { key_id: key.id, name: key.name.clone(), app_id: key.app, rate_limit: key.rate_limit }))
    }
}
