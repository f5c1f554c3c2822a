//! Domains, each with the silo that its pages are searched in.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{
    AppId, Deed, Domain, DomainId, Job, Page, PageRequest, Silo, SiloDraft, SiloId, SiloOverview, SiloType, Timestamp,
    Work,
};
use omni_rbac::{Editor, Grant, SystemGrant, Viewer};

use crate::app_scoped::count;
use crate::connection::Sight;
use crate::jobs::{self, JobRow};
use crate::silo_settings::{SettingsRow, check_services, settings_columns};
use crate::statement::Statement;
use crate::{Store, StoreError, audit, silos};

const DOMAIN: &str = concat!(
    settings_columns!(),
    ", d.domain_id, d.app_id, d.silo_id, d.name, d.description, d.base_url, d.policy::text AS policy, d.next_crawl, \
    d.create_date, d.update_date, (SELECT count(*) FROM domain_urls u WHERE u.domain_id = d.domain_id) AS url_count"
);
const FROM: &str = " FROM domains d JOIN silos s ON s.app_id = d.app_id AND s.silo_id = d.silo_id WHERE d.app_id = ";
/// How many domains one tick of the schedule takes up; the next tick takes the others.
const MOST_AT_ONCE: i64 = 100;

#[derive(QueryableByName)]
struct DomainRow {
    #[diesel(sql_type = BigInt)]
    domain_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = BigInt)]
    silo_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = Text)]
    base_url: String,
    #[diesel(sql_type = Text)]
    policy: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_crawl: Option<Timestamp>,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    update_date: Timestamp,
    #[diesel(embed)]
    settings: SettingsRow,
    #[diesel(sql_type = BigInt)]
    url_count: i64,
}

impl TryFrom<DomainRow> for Domain {
    type Error = StoreError;

    fn try_from(row: DomainRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: DomainId::new(row.domain_id),
            app: AppId::new(row.app_id),
            silo: SiloId::new(row.silo_id),
            name: row.name,
            description: row.description,
            base_url: row.base_url,
            rules: serde_json::from_str(&row.policy).map_err(|error| StoreError::inconsistent(error.to_string()))?,
            settings: row.settings.try_into()?,
            urls: count(row.url_count)?,
            next_crawl: row.next_crawl,
            last_job: None,
            created: row.create_date,
            updated: row.update_date,
        })
    }
}

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl Store {
    /// One page of the domains of the grant's app, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_domains(&self, grant: &Grant<Viewer>, page: PageRequest) -> Result<Page<Domain>, StoreError> {
        let from = |statement: Statement| statement.sql(FROM).int(grant.app().get());
        // Counting needs no join, but one statement says what both mean.
        let mut found = self.page_of::<DomainRow, Domain>(Sight::of(grant), DOMAIN, from, "d.domain_id", page).await?;
        let mut latest = self.latest_crawls(grant, found.items.iter().map(|domain| domain.id.get()).collect()).await?;
        for domain in &mut found.items {
            domain.last_job = latest.remove(&domain.id);
        }
        Ok(found)
    }

    /// A domain of the grant's app.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn find_domain(&self, grant: &Grant<Viewer>, id: DomainId) -> Result<Option<Domain>, StoreError> {
        let row = wanted(grant.app(), id).get_result::<DomainRow>(&mut self.lend(Sight::of(grant)).await?).await;
        let Some(mut domain) = row.optional()?.map(Domain::try_from).transpose()? else { return Ok(None) };
        domain.last_job = self.latest_crawls(grant, vec![id.get()]).await?.remove(&id);
        Ok(Some(domain))
    }

    /// The last job of each of these domains.
    async fn latest_crawls(
        &self,
        grant: &Grant<Viewer>,
        domains: Vec<i64>,
    ) -> Result<HashMap<DomainId, Job>, StoreError> {
        if domains.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<JobRow> = Statement::new("SELECT DISTINCT ON (j.domain_id) ")
            .sql(jobs::JOB)
            .sql(" FROM jobs j WHERE j.app_id = ")
            .int(grant.app().get())
            .sql(" AND j.domain_id = ANY(")
            .ints(domains)
            .sql(") ORDER BY j.domain_id, j.job_id DESC")
            .load(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        let mut latest = HashMap::new();
        for row in rows {
            let job = Job::try_from(row)?;
            if let Work::Crawl(domain) = job.work {
                latest.insert(domain, job);
            }
        }
        Ok(latest)
    }

    /// Stores a new domain in the grant's app, and its silo. The numbers in `domain` are not looked at.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the name is taken, [`StoreError::Invalid`] if the app has no such services.
    pub async fn create_domain(&self, grant: &Grant<Editor>, domain: &Domain) -> Result<Domain, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            check_services(connection, app, domain.settings).await?;
            let (name, description) = (domain.name.clone(), domain.description.clone());
            let silo = SiloDraft { name, description, settings: domain.settings };
            let silo = silos::insert_part(connection, app, SiloType::Domain, &silo, domain.created).await?;
            let made: Made = Statement::new("INSERT INTO domains ")
                .sql("(app_id, name, description, base_url, silo_id, policy, next_crawl, create_date, update_date) VALUES (")
                .int(app.get())
                .sql(", ")
                .text(domain.name.as_str())
                .sql(", ")
                .optional_text(domain.description.clone())
                .sql(", ")
                .text(domain.base_url.as_str())
                .sql(", ")
                .int(silo.get())
                .sql(", ")
                .text(rules_of(domain)?)
                .sql("::jsonb, ")
                .optional_moment(domain.next_crawl)
                .sql(", ")
                .moment(domain.created)
                .sql(", ")
                .moment(domain.created)
                .sql(") RETURNING domain_id AS id")
                .get_result(connection)
                .await?;
            let domain = read(connection, app, DomainId::new(made.id)).await?;
            audit::record(connection, Some(app), grant.by(), &Deed::create(&domain)).await?;
            Ok(domain)
        })
        .await
    }

    /// Changes a domain of the grant's app: `change` gets it as it is now, and nobody else changes it meanwhile. What
    /// `change` refuses is answered inside.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such domain, [`StoreError::Conflict`] if its new name is taken or its
    /// silo holds something already and would have to be embedded anew, [`StoreError::Invalid`] if the app has no such
    /// services.
    pub async fn update_domain<E: Send>(
        &self,
        grant: &Grant<Editor>,
        id: DomainId,
        change: impl FnOnce(Domain) -> Result<Domain, E> + Send,
    ) -> Result<Result<Domain, E>, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        let changed: Result<Domain, E> = lent
            .transaction::<_, StoreError, _>(async |connection| {
                let (stored, silo) = locked(connection, app, id).await?;
                let next = match change(stored.clone()) {
                    Ok(next) => next,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                write_silo(connection, silo, &stored, &next).await?;
                if stored.rules.content_selector != next.rules.content_selector {
                    // Another part of the same pages: what their servers said of the whole page tells nothing about it.
                    Statement::new("UPDATE domain_urls SET etag = NULL, last_modified = NULL WHERE app_id = ")
                        .int(app.get())
                        .sql(" AND domain_id = ")
                        .int(id.get())
                        .execute(connection)
                        .await?;
                }
                update_columns(connection, &next).await?;
                let next = read(connection, app, id).await?;
                audit::record(connection, Some(app), grant.by(), &Deed::update(&stored, &next)).await?;
                Ok(Ok(next))
            })
            .await?;
        match changed {
            Ok(_) => Ok(Ok(self.find_domain(&grant.at(), id).await?.ok_or(StoreError::NotFound)?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Removes a domain of the grant's app, with its silo, its pages and its jobs.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such domain, [`StoreError::Conflict`] if agents use its silo,
    /// [`StoreError::JobActive`] while it is visited.
    pub async fn delete_domain(&self, grant: &Grant<Editor>, id: DomainId) -> Result<Domain, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let (gone, silo) = locked(connection, app, id).await?;
            jobs::refuse_if_active(connection, app, Work::Crawl(id)).await?;
            silos::refuse_if_drawn_on(connection, &silo.silo, "this domain").await?;
            silos::remove(connection, app, gone.silo).await?;
            audit::record(connection, Some(app), grant.by(), &Deed::delete(&gone)).await?;
            Ok(gone)
        })
        .await
    }

    /// Asks for a visit of a domain now; the next one by itself is as far away as after any other.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such domain, [`StoreError::JobActive`] while it is visited.
    pub async fn start_crawl(&self, grant: &Grant<Editor>, id: DomainId, now: Timestamp) -> Result<Job, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let (domain, _) = locked(connection, app, id).await?;
            let job = jobs::enqueue(connection, app, Work::Crawl(id), Some(grant.actor()), now).await?;
            Statement::new("UPDATE domains SET next_crawl = ")
                .optional_moment(domain.rules.next_crawl(now))
                .sql(" WHERE app_id = ")
                .int(app.get())
                .sql(" AND domain_id = ")
                .int(id.get())
                .execute(connection)
                .await?;
            let deed = Deed::update(&domain, &domain).called("domain.crawl");
            audit::record(connection, Some(app), grant.by(), &deed).await?;
            Ok(job)
        })
        .await
    }

    /// Asks for the visits that are due, and says how many those are. One statement moves the date and asks for the job,
    /// and passes over what another replica does the same with, so each is asked for once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn start_due_crawls(&self, _leave: &SystemGrant, now: Timestamp) -> Result<u64, StoreError> {
        let started: Made = Statement::new("WITH due AS (SELECT domain_id FROM domains WHERE next_crawl <= ")
            .moment(now)
            .sql(" ORDER BY next_crawl LIMIT ")
            .int(MOST_AT_ONCE)
            .sql(" FOR UPDATE SKIP LOCKED), moved AS (UPDATE domains d SET next_crawl = CASE ")
            .sql("WHEN (d.policy ->> 'is_active')::boolean AND (d.policy ->> 'refresh_interval_hours')::bigint > 0 THEN ")
            .moment(now)
            .sql("::timestamptz + make_interval(hours => (d.policy ->> 'refresh_interval_hours')::int) END ")
            .sql("FROM due WHERE d.domain_id = due.domain_id RETURNING d.domain_id, d.app_id), ")
            .sql("asked AS (INSERT INTO jobs (app_id, kind, domain_id, status, run_after, create_date) ")
            .sql("SELECT app_id, 'crawl', domain_id, 'queued', ")
            .moment(now)
            .sql(", ")
            .moment(now)
            // One that still runs is visited already.
            .sql(" FROM moved ON CONFLICT DO NOTHING RETURNING job_id) SELECT count(*) AS id FROM asked")
            .get_result(&mut self.lend(Sight::AllApps).await?)
            .await?;
        count(started.id)
    }
}

fn wanted(app: AppId, id: DomainId) -> Statement {
    Statement::new("SELECT ").sql(DOMAIN).sql(FROM).int(app.get()).sql(" AND d.domain_id = ").int(id.get())
}

async fn read(connection: &mut AsyncPgConnection, app: AppId, id: DomainId) -> Result<Domain, StoreError> {
    wanted(app, id).get_result::<DomainRow>(connection).await?.try_into()
}

/// The domain and its silo as they stay until the end of the transaction. The silo first, as whoever deletes that does: two
/// who lock both never wait for each other.
async fn locked(
    connection: &mut AsyncPgConnection,
    app: AppId,
    id: DomainId,
) -> Result<(Domain, SiloOverview), StoreError> {
    let unlocked: Domain = read(connection, app, id).await?;
    let silo = silos::locked(connection, app, unlocked.silo).await?;
    let domain = wanted(app, id).sql(" FOR UPDATE OF d").get_result::<DomainRow>(connection).await?.try_into()?;
    Ok((domain, silo))
}

fn rules_of(domain: &Domain) -> Result<String, StoreError> {
    serde_json::to_string(&domain.rules).map_err(|error| StoreError::inconsistent(error.to_string()))
}

/// Writes what a domain says of its silo.
async fn write_silo(
    connection: &mut AsyncPgConnection,
    silo: SiloOverview,
    stored: &Domain,
    next: &Domain,
) -> Result<(), StoreError> {
    if silo.has_content && !next.settings.embeds_like(stored.settings) {
        return Err(StoreError::Conflict(
            "this domain has pages that are embedded; its embedding service and its vector database stay as they are"
                .into(),
        ));
    }
    let before = silo.silo;
    let after = Silo { description: next.description.clone(), ..before.clone() };
    silos::write(connection, &before, &after.with_settings(next.settings, next.updated)).await
}

async fn update_columns(connection: &mut AsyncPgConnection, next: &Domain) -> Result<(), StoreError> {
    Statement::new("UPDATE domains SET name = ")
        .text(next.name.as_str())
        .sql(", description = ")
        .optional_text(next.description.clone())
        .sql(", base_url = ")
        .text(next.base_url.as_str())
        .sql(", policy = ")
        .text(rules_of(next)?)
        .sql("::jsonb, next_crawl = ")
        .optional_moment(next.next_crawl)
        .sql(", update_date = ")
        .moment(next.updated)
        .sql(" WHERE app_id = ")
        .int(next.app.get())
        .sql(" AND domain_id = ")
        .int(next.id.get())
        .execute(connection)
        .await?;
    Ok(())
}
