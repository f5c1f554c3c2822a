use omni_domain::{DomainId, Invalid};
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, Paged, Paging, Via};
use omni_persistence::UrlFilter;
use omni_rbac::Viewer;
use omni_wire::DomainUrlResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists the pages that are known of a domain.
pub(crate) enum ListUrls {}

/// Which pages are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// The number of the page, from 1.
    #[serde(default)]
    page: Option<u32>,
    /// How many items a page has.
    #[serde(default)]
    per_page: Option<u32>,
    /// Only those that are `pending`, `indexed`, `unchanged`, `failed`, `removed` or `excluded`.
    #[serde(default)]
    status: Option<String>,
    /// Only those with this in their address, in any case.
    #[serde(default)]
    q: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Result<UrlFilter, Invalid> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let status = given(&self.status).map(|word| word.parse()).transpose();
        Ok(UrlFilter {
            status: status.map_err(|problem: String| Invalid::new("status", problem))?,
            containing: given(&self.q),
        })
    }
}

impl Endpoint for ListUrls {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Viewer>;
    type Path = DomainId;
    type Query = Wanted;
    type Body = NoBody;
    type Reply = Paged<DomainUrlResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/domains/{domain_id}/urls";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List pages of domain";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<DomainId, Wanted, NoBody>) -> Result<Self::Reply, ApiError> {
        let filter = call.query.filter()?;
        let Wanted { page, per_page, .. } = call.query;
        let page = Paging { page, per_page }.of_long_list()?;
        let found = ctx.state.knowledge.domain_urls(&ctx.granted.grant, call.path, &filter, page).await?;
        Ok(Paged(found.map(DomainUrlResponse::from)))
    }
}
