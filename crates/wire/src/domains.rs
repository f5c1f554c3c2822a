use std::collections::BTreeMap;

use omni_domain::{
    AppId, CrawlRules, CrawlRulesPatch, Domain, DomainDraft, DomainId, DomainPatch, DomainUrl, DomainUrlId,
    EmbeddingServiceId, Invalid, Job, JobId, Patch, ServiceId, SiloId, SiloSettings, SiloSettingsPatch, Timestamp,
    UserId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a site is visited. What is left out is as usual, or stays; null goes back to what is usual.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct CrawlPolicyRequest {
    /// The page to begin with; the crawl stays on its host. Without one, the site's address.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub seed_url: Patch<String>,
    /// A sitemap whose pages are visited.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub sitemap_url: Patch<String>,
    /// Single pages, of any host.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub manual_urls: Patch<Vec<String>>,
    /// How many links lead to the farthest page: 0 to 5, usually 2.
    #[serde(default)]
    #[schema(value_type = Option<u8>, maximum = 5)]
    pub max_depth: Patch<u8>,
    /// If there are any, only what matches one of them is visited: `/docs/**`.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub include_globs: Patch<Vec<String>>,
    /// What matches one of them is not visited.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub exclude_globs: Patch<Vec<String>>,
    /// The most requests per second: over 0, at most 10, usually 1.
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    pub rate_limit_rps: Patch<f64>,
    /// After how many hours the site is visited again: 1 to 720, usually 168, or 0 for never.
    #[serde(default)]
    #[schema(value_type = Option<u16>, maximum = 720)]
    pub refresh_interval_hours: Patch<u16>,
    /// Whether `robots.txt` is obeyed; usually yes.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub respect_robots_txt: Patch<bool>,
    /// The most pages of one crawl: 1 to 10 000, usually 1 000.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    pub max_pages: Patch<u32>,
    /// Which part of a page is its content, as a CSS selector; without one, what looks like it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub content_selector: Patch<String>,
    /// Whether the site is visited by itself; usually yes.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub is_active: Patch<bool>,
}

impl CrawlPolicyRequest {
    /// The change: what stands in `policy` goes before what stands beside it.
    fn merged(beside: Self, policy: Option<Self>) -> CrawlRulesPatch {
        let policy = policy.unwrap_or_default();
        CrawlRulesPatch {
            seed_url: first(policy.seed_url, beside.seed_url),
            sitemap_url: first(policy.sitemap_url, beside.sitemap_url),
            manual_urls: first(policy.manual_urls, beside.manual_urls),
            max_depth: first(policy.max_depth, beside.max_depth),
            include_globs: first(policy.include_globs, beside.include_globs),
            exclude_globs: first(policy.exclude_globs, beside.exclude_globs),
            rate_limit_rps: first(policy.rate_limit_rps, beside.rate_limit_rps),
            refresh_interval_hours: first(policy.refresh_interval_hours, beside.refresh_interval_hours),
            respect_robots_txt: first(policy.respect_robots_txt, beside.respect_robots_txt),
            max_pages: first(policy.max_pages, beside.max_pages),
            content_selector: first(policy.content_selector, beside.content_selector),
            is_active: first(policy.is_active, beside.is_active),
        }
    }
}

fn first<T>(one: Patch<T>, other: Patch<T>) -> Patch<T> {
    match one {
        Patch::Keep => other,
        said => said,
    }
}

/// A new domain.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateDomainRequest {
    /// What members will call it; unique in the app.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What it is for; an agent's model reads it, too.
    #[serde(default)]
    pub description: Option<String>,
    /// Where the site is, by http or https.
    pub base_url: String,
    /// The embedding service of its silo; without one, the model that is built in.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub embedding_service_id: Option<EmbeddingServiceId>,
    /// An AI service with a `base_url` whose `/rerank` puts what was found in order: that of Cohere, Jina, Voyage, or a server
    /// that speaks as they do. Without one, and while it fails, ranks decide.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub reranking_service_id: Option<ServiceId>,
    /// Where its vectors are: `PGVECTOR`, which is usual, or `QDRANT`.
    #[serde(default)]
    pub vector_db_type: Option<String>,
    /// How many passages an agent is given for a question: 1 to 100, usually 5.
    #[serde(default)]
    pub retrieval_count: Option<u32>,
    /// How it is visited. The same fields are also read beside this one.
    #[serde(default)]
    pub policy: Option<CrawlPolicyRequest>,
    /// How it is visited.
    #[serde(flatten)]
    pub beside: CrawlPolicyRequest,
}

impl CreateDomainRequest {
    /// The draft, which is still to be checked.
    ///
    /// # Errors
    /// An [`Invalid`] for settings of its silo that there are none of.
    pub fn into_draft(self) -> Result<DomainDraft, Invalid> {
        let settings = SiloSettings::new(
            self.vector_db_type.as_deref(),
            self.embedding_service_id,
            self.reranking_service_id,
            self.retrieval_count,
        )?;
        Ok(DomainDraft {
            name: self.name,
            description: self.description,
            base_url: self.base_url,
            rules: CrawlPolicyRequest::merged(self.beside, self.policy),
            settings,
        })
    }
}

/// A change of a domain; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateDomainRequest {
    /// A new name.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub name: Patch<String>,
    /// A new description.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    /// Another address.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub base_url: Patch<String>,
    /// Another embedding service, as long as nothing is embedded.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub embedding_service_id: Patch<EmbeddingServiceId>,
    /// Another AI service that puts what was found in order, at any time; null for none.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub reranking_service_id: Patch<ServiceId>,
    /// Another vector database, as long as nothing is embedded.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub vector_db_type: Patch<String>,
    /// Another count.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub retrieval_count: Patch<u32>,
    /// How it is visited. The same fields are also read beside this one.
    #[serde(default)]
    pub policy: Option<CrawlPolicyRequest>,
    /// How it is visited.
    #[serde(flatten)]
    pub beside: CrawlPolicyRequest,
}

impl From<UpdateDomainRequest> for DomainPatch {
    fn from(request: UpdateDomainRequest) -> Self {
        Self {
            name: request.name,
            description: request.description,
            base_url: request.base_url,
            rules: CrawlPolicyRequest::merged(request.beside, request.policy),
            settings: SiloSettingsPatch {
                vector_db: request.vector_db_type,
                embedding_service: request.embedding_service_id,
                reranking_service: request.reranking_service_id,
                retrieval_count: request.retrieval_count,
            },
        }
    }
}

/// How a site is visited.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CrawlPolicyResponse {
    /// The page to begin with.
    pub seed_url: Option<String>,
    /// A sitemap whose pages are visited.
    pub sitemap_url: Option<String>,
    /// Single pages.
    pub manual_urls: Vec<String>,
    /// How many links lead to the farthest page.
    pub max_depth: u8,
    /// If there are any, only what matches one of them is visited.
    pub include_globs: Vec<String>,
    /// What matches one of them is not visited.
    pub exclude_globs: Vec<String>,
    /// The most requests per second.
    pub rate_limit_rps: f64,
    /// After how many hours the site is visited again; 0 for never.
    pub refresh_interval_hours: u16,
    /// Whether `robots.txt` is obeyed.
    pub respect_robots_txt: bool,
    /// The most pages of one crawl.
    pub max_pages: u32,
    /// Which part of a page is its content.
    pub content_selector: Option<String>,
    /// Whether the site is visited by itself.
    pub is_active: bool,
}

impl From<CrawlRules> for CrawlPolicyResponse {
    fn from(rules: CrawlRules) -> Self {
        Self {
            seed_url: rules.seed_url,
            sitemap_url: rules.sitemap_url,
            manual_urls: rules.manual_urls,
            max_depth: rules.max_depth,
            include_globs: rules.include_globs,
            exclude_globs: rules.exclude_globs,
            rate_limit_rps: rules.rate_limit_rps,
            refresh_interval_hours: rules.refresh_interval_hours,
            respect_robots_txt: rules.respect_robots_txt,
            max_pages: rules.max_pages,
            content_selector: rules.content_selector,
            is_active: rules.is_active,
        }
    }
}

/// A domain.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DomainResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub domain_id: DomainId,
    /// The app that it belongs to.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// The silo that its pages are searched in.
    #[schema(value_type = i64)]
    pub silo_id: SiloId,
    /// What members call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where the site is.
    pub base_url: String,
    /// Which part of a page is its content.
    pub content_selector: Option<String>,
    /// How it is visited.
    pub policy: CrawlPolicyResponse,
    /// The embedding service of its silo.
    #[schema(value_type = Option<i64>)]
    pub embedding_service_id: Option<EmbeddingServiceId>,
    /// The AI service that puts what was found in order; null if ranks decide.
    #[schema(value_type = Option<i64>)]
    pub reranking_service_id: Option<ServiceId>,
    /// Where its vectors are.
    pub vector_db_type: String,
    /// How many passages an agent is given for a question.
    pub retrieval_count: u32,
    /// How many addresses are known of it.
    pub url_count: u64,
    /// When it is visited by itself; never if null.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_crawl: Option<Timestamp>,
    /// The latest visit.
    pub last_job: Option<JobResponse>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<Domain> for DomainResponse {
    fn from(domain: Domain) -> Self {
        Self {
            domain_id: domain.id,
            app_id: domain.app,
            silo_id: domain.silo,
            name: domain.name,
            description: domain.description,
            base_url: domain.base_url,
            content_selector: domain.rules.content_selector.clone(),
            policy: domain.rules.into(),
            embedding_service_id: domain.settings.embedding_service,
            reranking_service_id: domain.settings.reranking_service,
            vector_db_type: domain.settings.vector_db.to_string(),
            retrieval_count: domain.settings.retrieval_count,
            url_count: domain.urls,
            next_crawl: domain.next_crawl,
            last_job: domain.last_job.map(Into::into),
            create_date: domain.created,
            update_date: domain.updated,
        }
    }
}

/// Work that outlives its request: the visit of a domain, the embedding anew of a silo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub job_id: JobId,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    pub status: String,
    /// What is being done: `gathering` or `crawling`, `embedding`.
    pub stage: Option<String>,
    /// How many pages or passages are done.
    pub done: u64,
    /// Out of how many that are known so far.
    pub total: Option<u64>,
    /// How often it was taken up.
    pub attempts: u32,
    /// Why it failed, why it is tried again, or what went wrong though it is done.
    pub error: Option<String>,
    /// What it came to: of a silo `embedded` passages; of a domain counts of pages, `discovered`, `indexed`, `skipped`,
    /// `removed`, `failed` and `excluded`.
    pub tally: BTreeMap<String, u64>,
    /// Who asked for it; none if it was due by itself.
    #[schema(value_type = Option<i64>)]
    pub user_id: Option<UserId>,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it was first taken up.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_date: Option<Timestamp>,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finish_date: Option<Timestamp>,
}

impl From<Job> for JobResponse {
    fn from(job: Job) -> Self {
        Self {
            job_id: job.id,
            status: job.status.to_string(),
            stage: job.stage,
            done: job.done,
            total: job.total,
            attempts: job.attempts,
            error: job.error,
            tally: job.tally,
            user_id: job.asked_by,
            create_date: job.created,
            start_date: job.started,
            finish_date: job.finished,
        }
    }
}

/// Pages to visit besides those that the policy leads to.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct AddDomainUrlsRequest {
    /// One page.
    #[serde(default)]
    pub url: Option<String>,
    /// Several pages, at most 1 000.
    #[serde(default)]
    pub urls: Vec<String>,
}

impl AddDomainUrlsRequest {
    /// All of them, each with the field that it stood in.
    #[must_use]
    pub fn into_urls(self) -> Vec<(&'static str, String)> {
        let one = self.url.map(|url| ("url", url));
        one.into_iter().chain(self.urls.into_iter().map(|url| ("urls", url))).collect()
    }
}

/// Pages that were added to a domain, or were known and are visited like added ones now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AddedUrls {
    /// The pages.
    pub items: Vec<DomainUrlResponse>,
}

/// A page of a domain.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DomainUrlResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub url_id: DomainUrlId,
    /// Its address.
    pub url: String,
    /// How it became known: `manual`, `seed`, `sitemap` or `link`.
    pub via: String,
    /// How many links lead to it.
    pub depth: u8,
    /// What the last visit came to: `pending`, `indexed`, `unchanged`, `failed`, `removed` or `excluded`.
    pub status: String,
    /// Why it is so, if that needs saying.
    pub reason: Option<String>,
    /// How often in a row its server did not give it.
    pub failures: u8,
    /// When it was last visited.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_visit: Option<Timestamp>,
    /// When it is due again.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_visit: Option<Timestamp>,
    /// When it became known.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
}

impl From<DomainUrl> for DomainUrlResponse {
    fn from(url: DomainUrl) -> Self {
        Self {
            url_id: url.id,
            url: url.address,
            via: url.via.to_string(),
            depth: url.depth,
            status: url.status.to_string(),
            reason: url.reason,
            failures: url.failures,
            last_visit: url.last_visit,
            next_visit: url.next_visit,
            create_date: url.created,
        }
    }
}
