use std::marker::PhantomData;

use omni_http::{ApiError, ByQuery, Call, Created, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery};
use omni_rbac::Editor;

use super::Resource;
use crate::WorkspaceApi;

/// Makes one of an app's things.
pub(crate) struct Create<R>(PhantomData<R>);

impl<R: Resource> Endpoint for Create<R> {
    type Plane = WorkspaceApi;
    type Access = InApp<ByQuery, Editor>;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<R::CreateRequest>;
    type Reply = Created<R::Response>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = R::COLLECTION;
    const SECTION: &'static str = R::SECTION;
    const SUMMARY: &'static str = R::SUMMARIES.create;

    fn example() -> Example {
        R::create_example()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        Ok(Created(R::create(&ctx.state, &ctx.granted.grant, request).await?.into()))
    }
}
