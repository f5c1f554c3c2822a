use std::marker::PhantomData;

use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_rbac::Editor;

use super::Resource;
use crate::WorkspaceApi;

/// Changes one of an app's things; what the request leaves out stays.
pub(crate) struct Update<R>(PhantomData<R>);

impl<R: Resource> Endpoint for Update<R> {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<R::Id>, Editor>;
    type Path = R::Id;
    type Query = NoQuery;
    type Body = Json<R::UpdateRequest>;
    type Reply = Answer<R::Response>;

    const METHOD: Method = Method::Put;
    const PATH: &'static str = R::ITEM;
    const SECTION: &'static str = R::SECTION;
    const SUMMARY: &'static str = R::SUMMARIES.update;

    fn example() -> Example {
        R::update_example()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<R::Id, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        Ok(Answer(R::update(&ctx.state, &ctx.granted.grant, call.path, request).await?.into()))
    }
}
