use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Json, Method, NoQuery};
use omni_registry::{Reason, ServiceId};
use omni_wire::control::{DeregistrationResult, ServiceDeregistration};
use serde_json::json;

use super::SECTION;
use crate::leases::tell;
use crate::{ControlApi, Loopback};

/// Ends a service's lease for good.
pub(crate) enum Deregister {}

impl Endpoint for Deregister {
    type Plane = ControlApi;
    type Access = Loopback;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<ServiceDeregistration>;
    type Reply = Answer<DeregistrationResult>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/api/v2/_internal/services/deregister";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Say that a service has ended";
    const DETAILS: &'static str = "The answer is the same for an id that has ended before or is nobody's.";

    fn example() -> Example {
        let body = json!({ "serviceId": "svc_discord_0123456789abcdef0123456789abcdef", "reason": "exited:0" });
        Example::body(body).answers(json!({ "success": true }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        if let Ok(id) = ServiceId::new(&request.service_id) {
            let reason = request.reason.as_deref().and_then(Reason::new);
            if let Some(told) = ctx.state.store.deregister_service(&id, reason).await? {
                tell(&told.events);
            }
        }
        Ok(Answer(DeregistrationResult { success: true }))
    }
}
