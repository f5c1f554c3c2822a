//! Domains: what people do with them, and when they are visited by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use omni_crawl::{CrawlPolicy, PageUrl};
use omni_documents::check_selector;
use omni_domain::{
    CrawlRules, Domain, DomainDraft, DomainId, DomainPatch, DomainUrl, DomainUrlId, Invalid, Job, JobId, Page,
    PageRequest, Patch, Timestamp, VectorDbType, Work, error_chain,
};
use omni_persistence::{JobFilter, NewUrl, StoreError, UrlFilter};
use omni_rbac::{Editor, Grant, SystemGrant, Viewer};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{Knowledge, KnowledgeError};

/// How often it is looked for domains that are due.
const TICK: Duration = Duration::from_secs(60);
/// The most pages that are added in one request.
const MOST_ADDED: usize = 1_000;

impl Knowledge {
    /// One page of the domains of the grant's app, oldest first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn domains(&self, grant: &Grant<Viewer>, page: PageRequest) -> Result<Page<Domain>, KnowledgeError> {
        Ok(self.parts.store.list_domains(grant, page).await?)
    }

    /// A domain of the grant's app.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has none with this id.
    pub async fn domain(&self, grant: &Grant<Viewer>, id: DomainId) -> Result<Domain, KnowledgeError> {
        Ok(self.parts.store.find_domain(grant, id).await?.ok_or(StoreError::NotFound)?)
    }

    /// Makes a domain in the grant's app, and the silo that its pages are searched in. Without a seed it begins with the
    /// site's address.
    ///
    /// # Errors
    /// If it breaks a rule, or its name is taken.
    pub async fn create_domain(&self, grant: &Grant<Editor>, draft: DomainDraft) -> Result<Domain, KnowledgeError> {
        let mut draft = draft.check()?;
        if draft.rules.seed_url == Patch::Keep {
            draft.rules.seed_url = Patch::Set(draft.base_url.clone());
        }
        let now = self.parts.clock.now();
        let rules = draft.rules.over(CrawlRules::default());
        let domain = self.checked(Domain {
            id: DomainId::new(0),
            app: grant.app(),
            silo: omni_domain::SiloId::new(0),
            name: draft.name,
            description: draft.description,
            base_url: draft.base_url,
            next_crawl: rules.next_crawl(now),
            rules,
            settings: draft.settings,
            urls: 0,
            last_job: None,
            created: now,
            updated: now,
        })?;
        Ok(self.parts.store.create_domain(grant, &domain).await?)
    }

    /// Changes a domain of the grant's app. Its next visit is counted from now if what decides about it changes.
    ///
    /// # Errors
    /// If there is none with this id, the change breaks a rule, or its silo would have to be embedded anew.
    pub async fn update_domain(
        &self,
        grant: &Grant<Editor>,
        id: DomainId,
        patch: DomainPatch,
    ) -> Result<Domain, KnowledgeError> {
        let now = self.parts.clock.now();
        let change = |stored: Domain| -> Result<Domain, KnowledgeError> {
            let schedule = |rules: &CrawlRules| (rules.is_active, rules.refresh_interval_hours);
            let before = schedule(&stored.rules);
            let mut next = patch.apply(stored)?;
            next.updated = now;
            if schedule(&next.rules) != before {
                next.next_crawl = next.rules.next_crawl(now);
            }
            self.checked(next)
        };
        self.parts.store.update_domain(grant, id, change).await?
    }

    /// Removes a domain of the grant's app, with all that is known of it.
    ///
    /// # Errors
    /// If there is none with this id, it is being visited, or agents use its silo.
    pub async fn delete_domain(&self, grant: &Grant<Editor>, id: DomainId) -> Result<(), KnowledgeError> {
        self.parts.store.delete_domain(grant, id).await?;
        self.something_was_deleted();
        Ok(())
    }

    /// Asks for a visit of a domain now.
    ///
    /// # Errors
    /// If there is none with this id, or it is being visited.
    pub async fn start_crawl(&self, grant: &Grant<Editor>, id: DomainId) -> Result<Job, KnowledgeError> {
        let job = self.parts.store.start_crawl(grant, id, self.parts.clock.now()).await?;
        self.wake();
        Ok(job)
    }

    /// One page of the visits of a domain, latest first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn crawls(
        &self,
        grant: &Grant<Viewer>,
        id: DomainId,
        page: PageRequest,
    ) -> Result<Page<Job>, KnowledgeError> {
        let filter = JobFilter { work: Some(Work::Crawl(id)), status: None };
        Ok(self.parts.store.list_jobs(grant, filter, page).await?)
    }

    /// One visit of a domain.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the domain has no such job.
    pub async fn crawl_job(&self, grant: &Grant<Viewer>, id: DomainId, job: JobId) -> Result<Job, KnowledgeError> {
        let job = self.parts.store.find_job(grant, job).await?.filter(|job| job.work == Work::Crawl(id));
        Ok(job.ok_or(StoreError::NotFound)?)
    }

    /// Stops a visit of a domain. What it has found so far stays.
    ///
    /// # Errors
    /// If the domain has no such job, or it is over.
    pub async fn cancel_crawl(&self, grant: &Grant<Editor>, id: DomainId, job: JobId) -> Result<Job, KnowledgeError> {
        self.crawl_job(&grant.at(), id, job).await?;
        self.cancel_job(grant, job).await
    }

    /// One page of the pages that are known of a domain.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn domain_urls(
        &self,
        grant: &Grant<Viewer>,
        id: DomainId,
        filter: &UrlFilter,
        page: PageRequest,
    ) -> Result<Page<DomainUrl>, KnowledgeError> {
        Ok(self.parts.store.list_domain_urls(grant, id, filter, page).await?)
    }

    /// Lists single pages for the next visit of a domain; they may be of any host.
    ///
    /// # Errors
    /// If one of them is not the address of a web page, or there are too many.
    pub async fn add_domain_urls(
        &self,
        grant: &Grant<Editor>,
        id: DomainId,
        urls: &[(&'static str, String)],
    ) -> Result<Vec<DomainUrl>, KnowledgeError> {
        if urls.is_empty() || urls.len() > MOST_ADDED {
            return Err(Invalid::new("urls", format!("give from 1 to {MOST_ADDED} URLs")).into());
        }
        // By what tells them apart: one that is given twice is one.
        let mut pages = BTreeMap::new();
        for (field, written) in urls {
            let page = PageUrl::parse(written).map_err(|error| {
                let shown: String = written.chars().take(80).collect();
                Invalid::new(field, format!("{shown:?}: {error}"))
            })?;
            pages.insert(page.as_str().to_owned(), page.address().to_string());
        }
        let pages: Vec<NewUrl> = pages.into_iter().map(|(url, address)| NewUrl { url, address }).collect();
        Ok(self.parts.store.add_domain_urls(grant, id, &pages, self.parts.clock.now()).await?)
    }

    /// Forgets a page of a domain and what it says.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the domain has no such page.
    pub async fn delete_domain_url(
        &self,
        grant: &Grant<Editor>,
        id: DomainId,
        url: DomainUrlId,
    ) -> Result<(), KnowledgeError> {
        self.parts.store.delete_domain_url(grant, id, url).await?;
        self.something_was_deleted();
        Ok(())
    }

    /// Has domains visited when they are due, until `token` is cancelled. Any number of replicas may do so at once.
    pub(crate) async fn run_schedule(self: Arc<Self>, token: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.start_due_crawls().await {
                tracing::warn!(error = error_chain(&error), "domains that are due cannot be looked for");
            }
        }
    }

    /// Asks for the visits that are due now, and says how many those are.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn start_due_crawls(&self) -> Result<u64, KnowledgeError> {
        let leave = SystemGrant::because("domains that are due are visited");
        let started = self.parts.store.start_due_crawls(&leave, self.parts.clock.now()).await?;
        if started > 0 {
            self.wake();
        }
        Ok(started)
    }

    /// The domain with its addresses in the form that the crawler gives them, if it could be visited.
    fn checked(&self, domain: Domain) -> Result<Domain, KnowledgeError> {
        if domain.settings.vector_db == VectorDbType::Qdrant && self.parts.qdrant.is_none() {
            return Err(KnowledgeError::NoQdrant);
        }
        PageUrl::parse(&domain.base_url).map_err(|error| Invalid::new("base_url", error.to_string()))?;
        policy(&domain.rules).check()?;
        if let Some(selector) = &domain.rules.content_selector {
            check_selector(selector).map_err(|flaw| Invalid::new("content_selector", flaw.to_string()))?;
        }
        Ok(domain)
    }
}

/// The rules as the crawler knows them.
pub(crate) fn policy(rules: &CrawlRules) -> CrawlPolicy {
    CrawlPolicy {
        seed_url: rules.seed_url.clone(),
        sitemap_url: rules.sitemap_url.clone(),
        manual_urls: rules.manual_urls.clone(),
        max_depth: rules.max_depth,
        include_globs: rules.include_globs.clone(),
        exclude_globs: rules.exclude_globs.clone(),
        rate_limit_rps: rules.rate_limit_rps,
        refresh_interval_hours: rules.refresh_interval_hours,
        respect_robots_txt: rules.respect_robots_txt,
        max_pages: rules.max_pages,
        content_selector: rules.content_selector.clone(),
    }
}

/// Whether a page is due in a visit that nobody asked for by hand. Half an interval early is due: the pages of a visit are
/// visited one after the other, and the last ones would else wait for the visit after the next.
pub(crate) fn is_due(page: &DomainUrl, now: Timestamp, refresh: Option<Duration>) -> bool {
    let early = refresh.unwrap_or_default() / 2;
    page.last_visit.is_none() || page.next_visit.is_some_and(|next| next <= now + early)
}
