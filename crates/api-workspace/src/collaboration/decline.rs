use std::marker::PhantomData;

use omni_domain::CollaborationId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InvitedPerson, Method, NoBody, NoQuery};
use omni_wire::CollaborationResponse;

use super::{SECTION, Spelling};
use crate::WorkspaceApi;

/// Declines an invitation; only the invited person can.
pub(crate) struct Decline<S>(PhantomData<S>);

impl<S: Spelling> Endpoint for Decline<S> {
    type Plane = WorkspaceApi;
    type Access = InvitedPerson;
    type Path = CollaborationId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<CollaborationResponse>;

    const METHOD: Method = Method::Put;
    const PATH: &'static str = S::DECLINE;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Decline invitation";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<CollaborationId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(ctx.state.workspace.answer_invitation(&ctx.granted, false).await?.into()))
    }
}
