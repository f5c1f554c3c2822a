//! Visiting a domain: which pages, in which order, and what is done with what comes.
//!
//! The table of the domain's pages is the memory of a visit. Each page is noted when it is found and again when it was
//! visited, so a visit that was broken off anywhere goes on from there: what it visited after it was asked for is passed
//! over, and what it did not finish is done again and comes to the same.

mod page;
mod table;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use omni_crawl::{
    Agent, FetchLimits, Fetched, Fetcher, FetcherParts, Frontier, Origin, Outcome, PageUrl, Recorded, Refusal, Robots,
    Scope, Step, Stop, Validators, Via, Visit, resolve_links,
};
use omni_domain::{Domain, DomainId, DomainUrl, Invalid, Job, UrlStatus};
use omni_persistence::{Home, PageVisit, StoreError};
use omni_rbac::{Editor, Grant};
use serde_json::Map;

use self::page::Reading;
use self::table::Table;
use self::verdict::Verdict;
use crate::domains::{is_due, policy};
use crate::index::Indexing;
use crate::{JobReport, Knowledge, KnowledgeError, Watch};

/// What a visit is called while it is under way.
const STAGE: &str = "crawling";
/// What a job is told to have come to if a server could not be asked what to leave alone.
const UNREACHABLE: &str = "the robots.txt of a server could not be read, so its pages were left alone; what they said before \
    can still be found";

impl Knowledge {
    /// Visits a domain: new pages are found and indexed, those that changed indexed anew, and those that are gone forgotten.
    ///
    /// # Errors
    /// [`KnowledgeError::Stopped`] if the watch says so; else what the database or the provider of embeddings says. What is
    /// wrong with a page is noted with the page.
    pub async fn crawl(
        &self,
        grant: &Grant<Editor>,
        domain: DomainId,
        job: &Job,
        watch: &dyn Watch,
    ) -> Result<JobReport, KnowledgeError> {
        let mut crawl = Crawl::begin(self, grant, domain, job, watch).await?;
        crawl.gather().await?;
        crawl.visit_all().await?;
        crawl.report().await
    }
}

/// One visit of a domain.
struct Crawl<'a> {
    knowledge: &'a Knowledge,
    grant: &'a Grant<Editor>,
    domain: Domain,
    job: &'a Job,
    watch: &'a dyn Watch,
    refresh: Option<Duration>,
    scope: Arc<Scope>,
    fetcher: Fetcher,
    frontier: Frontier,
    table: Table,
    visited: u64,
    unreachable: bool,
    /// Why it is over, once it is.
    stop: Option<Stop>,
}

impl<'a> Crawl<'a> {
    async fn begin(
        knowledge: &'a Knowledge,
        grant: &'a Grant<Editor>,
        id: DomainId,
        job: &'a Job,
        watch: &'a dyn Watch,
    ) -> Result<Self, KnowledgeError> {
        let parts = &knowledge.parts;
        let domain = parts.store.find_domain(&grant.at(), id).await?.ok_or(StoreError::NotFound)?;
        let policy = policy(&domain.rules);
        let scope = Arc::new(Scope::new(&policy)?);
        let agent = Agent::new("OmniBot", parts.public_url.as_ref())
            .map_err(|error| Invalid::new("public_url", error.to_string()))?;
        let fetcher = Fetcher::new(FetcherParts {
            egress: parts.egress.clone(),
            pacer: Arc::clone(&knowledge.pacer),
            clock: Arc::clone(&parts.clock),
            scope: Arc::clone(&scope),
            pause: policy.pause(),
            agent,
            limits: FetchLimits::default(),
        });
        Ok(Self {
            frontier: Frontier::of_policy(&policy, parts.clock.now())?,
            table: Table::of(parts.store.known_pages(grant, id).await?),
            refresh: policy.refresh(),
            visited: 0,
            unreachable: false,
            stop: None,
            knowledge,
            grant,
            domain,
            job,
            watch,
            scope,
            fetcher,
        })
    }

    /// Has the frontier know all pages that there are to visit: those that somebody listed, the seed, those that a sitemap
    /// lists, and those that earlier visits found.
    async fn gather(&mut self) -> Result<(), KnowledgeError> {
        self.watch.step("gathering", 0, None).await?;
        let rules = &self.domain.rules;
        let read = |written: &String| PageUrl::parse(written).ok();
        let manual = rules.manual_urls.iter().filter_map(read).map(|page| (page, Via::Manual));
        let seed = rules.seed_url.iter().filter_map(read).map(|page| (page, Via::Seed));
        let mut found: Vec<(PageUrl, Via)> = manual.chain(seed).collect();
        if let Some(sitemap) = rules.sitemap_url.as_ref().and_then(read) {
            let listed = self.fetcher.sitemap(&sitemap).await.pages;
            found.extend(listed.into_iter().map(|listed| (listed.url, Via::Sitemap)));
        }
        for page in self.table.all() {
            self.reconsider(page).await?;
        }
        self.offer(found, 0).await
    }

    /// Decides about a page that an earlier visit found.
    async fn reconsider(&mut self, row: DomainUrl) -> Result<(), KnowledgeError> {
        let Ok(page) = PageUrl::parse(&row.address) else { return Ok(()) };
        let via = table::via_of(row.via);
        if let Err(reason) = self.scope.decide(&page, via, row.depth, None) {
            return self.exclude(&row, reason).await;
        }
        if self.is_settled(&row) {
            self.frontier.pass_over(&page);
        } else if row.status != UrlStatus::Removed {
            // One that is gone is asked for again once something leads to it again.
            self.frontier.offer(&page, via, row.depth);
        }
        Ok(())
    }

    /// Whether this visit has nothing to do with a page: it was there before it was broken off, or nobody asked for the
    /// visit and the page is not due.
    fn is_settled(&self, row: &DomainUrl) -> bool {
        let visited = row.last_visit.is_some_and(|visit| visit > self.job.created);
        let may_wait = self.job.asked_by.is_none() && !is_due(row, self.knowledge.parts.clock.now(), self.refresh);
        visited || may_wait
    }

    /// Offers pages that were found to the frontier, and takes note of those that belong to the site.
    async fn offer(&mut self, found: Vec<(PageUrl, Via)>, depth: u8) -> Result<(), KnowledgeError> {
        let mut news = Vec::new();
        for (page, via) in found {
            let offered = self.frontier.offer(&page, via, depth);
            if let Some(new) = self.table.news(&page, via, depth, offered) {
                news.push(new);
            }
        }
        let parts = &self.knowledge.parts;
        for found in table::batches(news) {
            let now = parts.clock.now();
            let noted = parts.store.note_found_pages(self.grant, self.domain.id, &found, self.job.created, now).await?;
            self.table.take(noted);
        }
        Ok(())
    }

    async fn visit_all(&mut self) -> Result<(), KnowledgeError> {
        loop {
            let total = self.frontier.tally().discovered.max(self.visited);
            self.watch.step(STAGE, self.visited, Some(total)).await?;
            match self.frontier.next(self.knowledge.parts.clock.now()) {
                Step::LearnRobots(origin) => {
                    let robots = self.fetcher.robots(&origin).await;
                    self.obey(&origin, &robots).await?;
                    self.frontier.learn(origin, robots);
                }
                Step::Visit(visit) => {
                    self.visit(&visit).await?;
                    self.visited += 1;
                }
                // Visits are made one after the other, so none is under way here.
                Step::Wait => return Ok(()),
                Step::Done(stop) => {
                    self.stop = Some(stop);
                    return Ok(());
                }
            }
        }
    }

    /// Forgets what a server wants to be left alone. One that could not be asked has not said so.
    async fn obey(&mut self, origin: &Origin, robots: &Robots) -> Result<(), KnowledgeError> {
        if robots.is_unreachable() {
            self.unreachable = true;
            return Ok(());
        }
        for row in self.table.all() {
            let Ok(page) = PageUrl::parse(&row.address) else { continue };
            if page.origin() != *origin {
                continue;
            }
            if let Err(reason) = self.scope.decide(&page, table::via_of(row.via), row.depth, Some(robots)) {
                self.exclude(&row, reason).await?;
            }
        }
        Ok(())
    }

    async fn exclude(&mut self, row: &DomainUrl, reason: Refusal) -> Result<(), KnowledgeError> {
        let reason = reason.as_str();
        if row.status == UrlStatus::Excluded && row.reason.as_deref() == Some(reason) {
            return Ok(());
        }
        self.knowledge.parts.store.exclude_page(self.grant, row.id, reason).await?;
        self.table.exclude(row, reason);
        Ok(())
    }

    async fn visit(&mut self, visit: &Visit) -> Result<(), KnowledgeError> {
        let row = match self.table.get(&visit.url) {
            Some(row) => row.clone(),
            None => return Err(StoreError::NotFound.into()),
        };
        // Without a document there is nothing that could be as it was.
        let validators =
            row.document.map(|_| Validators { etag: row.etag.clone(), last_modified: row.last_modified.clone() });
        let fetched = self.fetcher.fetch(&visit.url, &validators.unwrap_or_default()).await;
        let recorded = self.frontier.record(&visit.url, &fetched);
        let page = match fetched {
            Fetched::Page(page) => page,
            other => {
                let left_alone = self.is_left_alone(&other).await;
                return self.settle(&row, Verdict::of(&other, left_alone)).await;
            }
        };
        if page.final_url == visit.url {
            return self.read(row, visit.depth, page).await;
        }
        self.settle(&row, Verdict::excluded(format!("redirects to {}", page.final_url))).await?;
        if recorded == Recorded::Duplicate {
            return Ok(());
        }
        match self.target(visit, &page.final_url).await? {
            Some(target) => self.read(target, visit.depth, page).await,
            None => Ok(()),
        }
    }

    /// Whether a page was not taken because the server that it redirects to could not be asked what to leave alone.
    async fn is_left_alone(&self, fetched: &Fetched) -> bool {
        match fetched {
            Fetched::RedirectedOut { to: Some(to), reason: Refusal::Robots } => {
                self.fetcher.robots(&to.origin()).await.is_unreachable()
            }
            _ => false,
        }
    }

    /// The page that another one redirects to, as the table has it.
    async fn target(&mut self, visit: &Visit, to: &PageUrl) -> Result<Option<DomainUrl>, KnowledgeError> {
        let found = table::found(to, visit.via, visit.depth, None);
        let parts = &self.knowledge.parts;
        let now = parts.clock.now();
        let noted = parts.store.note_found_pages(self.grant, self.domain.id, &[found], self.job.created, now).await?;
        self.table.take(noted);
        Ok(self.table.get(to).cloned())
    }

    /// Reads a page that arrived, follows its links, and has it found if it says something new.
    async fn read(&mut self, row: DomainUrl, depth: u8, page: omni_crawl::Page) -> Result<(), KnowledgeError> {
        let reading = self.knowledge.read_page(&page, self.domain.rules.content_selector.as_deref()).await?;
        let web = match &reading {
            Reading::Text(text) => text.extract.web.as_ref(),
            Reading::Nothing { web, .. } => web.as_ref(),
            Reading::Unreadable { .. } => None,
        };
        if let Some(web) = web {
            let links = resolve_links(&page.final_url, web.base.as_deref(), &web.links);
            let links = links.into_iter().map(|link| (link, Via::Link)).collect();
            self.offer(links, depth.saturating_add(1)).await?;
        }
        let text = match reading {
            Reading::Text(text) => text,
            Reading::Nothing { reason, .. } => return self.settle(&row, Verdict::excluded(reason)).await,
            Reading::Unreadable { reason } => return self.settle(&row, Verdict::failed(reason)).await,
        };
        let is_new = row.document.is_none() || row.content_hash.as_deref() != Some(&text.hash[..]);
        let verdict = Verdict::given(is_new, text.hash.to_vec(), page.validators.clone());
        if is_new {
            self.index(&row, &page, *text).await?;
        }
        self.settle(&row, verdict).await
    }

    async fn index(
        &mut self,
        row: &DomainUrl,
        page: &omni_crawl::Page,
        text: page::PageContent,
    ) -> Result<(), KnowledgeError> {
        let parts = &self.knowledge.parts;
        let about = text.about(page);
        let (title, pages) = (text.extract.title.clone(), text.extract.pages);
        let chunker = parts.chunker;
        let chunks = tokio::task::spawn_blocking(move || chunker.chunks(&text.extract)).await;
        let chunks = chunks.map_err(|error| KnowledgeError::Defect(Box::new(error)))?;
        let within = Within { watch: self.watch, done: self.visited, total: self.frontier.tally().discovered };
        let home = Home::Page { domain: self.domain.id, page: row.id, text: &about };
        let (silo, metadata) = (self.domain.silo, &Map::new());
        let indexing = Indexing { home, silo, metadata, chunks, title, pages };
        match self.knowledge.index(self.grant, &indexing, &within).await {
            Ok((document, _)) => self.table.indexed(row, document),
            // Somebody has deleted the page since it was asked for. If it was the domain, the job is gone with it.
            Err(KnowledgeError::Store(StoreError::NotFound)) => {
                tracing::debug!(page = %row.id, "a page was deleted while it was read");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes note of what a visit of a page came to.
    async fn settle(&mut self, row: &DomainUrl, verdict: Verdict) -> Result<(), KnowledgeError> {
        let visit: PageVisit = verdict.note(row, self.knowledge.parts.clock.now(), self.refresh);
        Ok(self.knowledge.parts.store.note_page_visit(self.grant, row.id, &visit).await?)
    }

    async fn report(self) -> Result<JobReport, KnowledgeError> {
        let tally = self.knowledge.parts.store.crawl_tally(self.grant, self.domain.id, self.job.created).await?;
        let notes = [self.stop.and_then(cut_short), self.unreachable.then_some(UNREACHABLE)];
        let notes: Vec<&str> = notes.into_iter().flatten().collect();
        Ok(JobReport { tally, note: (!notes.is_empty()).then(|| notes.join("; ")) })
    }
}

/// Tells whoever watches a visit how far that is while one of its pages is embedded.
struct Within<'a> {
    watch: &'a dyn Watch,
    done: u64,
    total: u64,
}

impl Watch for Within<'_> {
    fn step(&self, _: &'static str, _: u64, _: Option<u64>) -> BoxFuture<'_, Result<(), KnowledgeError>> {
        self.watch.step(STAGE, self.done, Some(self.total)).boxed()
    }
}

/// What a person should know of a visit that left pages out.
const fn cut_short(stop: Stop) -> Option<&'static str> {
    match stop {
        Stop::Complete => None,
        Stop::Pages => {
            Some("max_pages were visited, and there are more that were left out; raise it or narrow the globs")
        }
        Stop::Bytes => Some("the visit has read as many bytes as one may, and left pages out; the next one goes on"),
        Stop::Time => Some("the visit has taken as long as one may, and left pages out; the next one goes on"),
    }
}

/// What a visit says about the next one.
fn outcome(status: UrlStatus) -> Outcome {
    match status {
        UrlStatus::Indexed | UrlStatus::Pending => Outcome::Changed,
        UrlStatus::Unchanged | UrlStatus::Excluded => Outcome::Unchanged,
        UrlStatus::Failed => Outcome::Failed,
        UrlStatus::Removed => Outcome::Removed,
    }
}
