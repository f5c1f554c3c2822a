use std::marker::PhantomData;

use omni_domain::CollaborationId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Administrator;

use super::{SECTION, Spelling};
use crate::WorkspaceApi;

/// Removes a member, or takes an invitation back. It counts from their next request.
pub(crate) struct Remove<S>(PhantomData<S>);

impl<S: Spelling> Endpoint for Remove<S> {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<CollaborationId>, Administrator>;
    type Path = CollaborationId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = S::COLLABORATION;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Remove collaborator";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<CollaborationId, NoQuery, NoBody>) -> Result<Deleted, ApiError> {
        ctx.state.workspace.remove_collaboration(&ctx.granted.grant, call.path).await?;
        Ok(Deleted("Collaborator removed".to_owned()))
    }
}
