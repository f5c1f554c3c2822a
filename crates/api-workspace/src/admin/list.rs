use omni_domain::AccountFilter;
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, Paged, Paging, Platform};
use omni_rbac::Omniadmin;
use omni_wire::AccountResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{COLLECTION, SECTION, shown};
use crate::WorkspaceApi;

/// Lists everybody's accounts, in the order of their addresses.
pub(crate) enum List {}

/// Which accounts are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// The number of the page, from 1.
    #[serde(default)]
    page: Option<u32>,
    /// How many items a page has.
    #[serde(default)]
    per_page: Option<u32>,
    /// A part of the address or the name, in any case.
    #[serde(default)]
    search: Option<String>,
    /// Only those who are let in, or only those who are not.
    #[serde(default)]
    is_active: Option<bool>,
}

impl Endpoint for List {
    type Plane = WorkspaceApi;
    type Access = Platform<Omniadmin>;
    type Path = ();
    type Query = Wanted;
    type Body = NoBody;
    type Reply = Paged<AccountResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = COLLECTION;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List all users";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Wanted, NoBody>) -> Result<Self::Reply, ApiError> {
        let Wanted { page, per_page, search, is_active } = call.query;
        let page = Paging { page, per_page }.of_long_list()?;
        let search = search.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty());
        let found = ctx.state.accounts.list(&ctx.granted.grant, &AccountFilter { search, is_active }, page).await?;
        Ok(Paged(found.map(|account| shown(&ctx.state, account))))
    }
}
