mod add_urls;
mod cancel_job;
mod crawl;
mod create;
mod delete;
mod delete_url;
mod get;
mod job;
mod job_events;
mod jobs;
mod list;
mod update;
mod urls;

pub(crate) use add_urls::AddUrls;
pub(crate) use cancel_job::CancelJob;
pub(crate) use crawl::Crawl;
pub(crate) use create::Create;
pub(crate) use delete::Delete;
pub(crate) use delete_url::DeleteUrl;
pub(crate) use get::Get;
pub(crate) use job::GetJob;
pub(crate) use job_events::JobEvents;
pub(crate) use jobs::ListJobs;
pub(crate) use list::List;
pub(crate) use update::Update;
pub(crate) use urls::ListUrls;

use omni_domain::{DomainId, DomainUrlId, JobId};
use omni_http::{ApiError, FromPath, Visit};

/// The section of the documentation.
const SECTION: &str = "Domains";

/// A visit of a domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobPath {
    domain: DomainId,
    job: JobId,
}

impl FromPath for JobPath {
    const NAMES: &'static [&'static str] = &["domain_id", "job_id"];

    fn from_path(visit: &Visit) -> Result<Self, ApiError> {
        Ok(Self { domain: DomainId::from_path(visit)?, job: JobId::from_path(visit)? })
    }
}

/// A page of a domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UrlPath {
    domain: DomainId,
    url: DomainUrlId,
}

impl FromPath for UrlPath {
    const NAMES: &'static [&'static str] = &["domain_id", "url_id"];

    fn from_path(visit: &Visit) -> Result<Self, ApiError> {
        Ok(Self { domain: DomainId::from_path(visit)?, url: DomainUrlId::from_path(visit)? })
    }
}
