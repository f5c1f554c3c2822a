use std::marker::PhantomData;

use omni_http::{ApiError, ByQuery, Call, Ctx, Endpoint, Example, InApp, Listed, Method, NoBody, Paging};
use omni_rbac::Viewer;

use super::Resource;
use crate::WorkspaceApi;

/// Lists an app's things of a kind, oldest first.
pub(crate) struct List<R>(PhantomData<R>);

impl<R: Resource> Endpoint for List<R> {
    type Plane = WorkspaceApi;
    type Access = InApp<ByQuery, Viewer>;
    type Path = ();
    type Query = Paging;
    type Body = NoBody;
    type Reply = Listed<R::Response>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = R::COLLECTION;
    const SECTION: &'static str = R::SECTION;
    const SUMMARY: &'static str = R::SUMMARIES.list;

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Paging, NoBody>) -> Result<Self::Reply, ApiError> {
        let page = call.query.of_short_list()?;
        let page = ctx.state.workspace.list::<R::Entity>(&ctx.granted.grant, page).await?;
        Ok(Listed(page.map(R::Response::from)))
    }
}
