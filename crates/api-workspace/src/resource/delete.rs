use std::marker::PhantomData;

use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Editor;

use super::Resource;
use crate::WorkspaceApi;

/// Removes one of an app's things and all that belongs to it.
pub(crate) struct Delete<R>(PhantomData<R>);

impl<R: Resource> Endpoint for Delete<R> {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<R::Id>, Editor>;
    type Path = R::Id;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = R::ITEM;
    const SECTION: &'static str = R::SECTION;
    const SUMMARY: &'static str = R::SUMMARIES.delete;

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<R::Id, NoQuery, NoBody>) -> Result<Deleted, ApiError> {
        ctx.state.workspace.delete::<R::Entity>(&ctx.granted.grant, call.path).await?;
        R::after_delete(&ctx.state, call.path);
        Ok(Deleted(format!("{} deleted", R::ONE)))
    }
}
