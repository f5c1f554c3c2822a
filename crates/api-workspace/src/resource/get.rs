use std::marker::PhantomData;

use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Viewer;

use super::Resource;
use crate::WorkspaceApi;

/// Shows one of an app's things.
pub(crate) struct Get<R>(PhantomData<R>);

impl<R: Resource> Endpoint for Get<R> {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<R::Id>, Viewer>;
    type Path = R::Id;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<R::Response>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = R::ITEM;
    const SECTION: &'static str = R::SECTION;
    const SUMMARY: &'static str = R::SUMMARIES.get;

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<R::Id, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(ctx.state.workspace.get::<R::Entity>(&ctx.granted.grant, call.path).await?.into()))
    }
}
