//! Domains, each with the silo that its pages are searched in.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{
    AppId, Deed, Domain, DomainId, EmbeddingServiceId, Invalid, Job, Page, PageRequest, SiloId, Timestamp, Work,
};
use omni_rbac::{Editor, Grant, SystemGrant, Viewer};

use crate::app_scoped::{count, small};
use crate::audit;
use crate::connection::Sight;
use crate::jobs::{self, JobRow};
use crate::statement::Statement;
use crate::{Store, StoreError};

const DOMAIN: &str = "d.domain_id, d.app_id, d.silo_id, d.name, d.description, d.base_url, d.policy::text AS policy, \
    d.next_crawl, d.create_date, d.update_date, s.vector_db_type, s.embedding_service_id, s.retrieval_count, \
    (SELECT count(*) FROM domain_urls u WHERE u.domain_id = d.domain_id) AS url_count";
const FROM: &str = " FROM domains d JOIN silos s ON s.app_id = d.app_id AND s.silo_id = d.silo_id WHERE d.app_id = ";
/// How many users of a thing a refusal names.
const NAMED: i64 = 5;
/// How many domains one tick of the schedule takes up; the next tick takes the others.
const MOST_AT_ONCE: i64 = 100;
/// The longest name of a domain that its silo takes over whole, so that there is room for what makes it unique.
const MOST_OF_NAME: usize = 230;

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
    #[diesel(sql_type = Text)]
    vector_db_type: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    embedding_service_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    retrieval_count: i64,
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
            embedding_service: row.embedding_service_id.map(EmbeddingServiceId::new),
            vector_db: row.vector_db_type.parse().map_err(StoreError::inconsistent)?,
            retrieval_count: small(row.retrieval_count)?,
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

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
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
    /// [`StoreError::Conflict`] if the name is taken, [`StoreError::Invalid`] if the app has no such embedding service.
    pub async fn create_domain(&self, grant: &Grant<Editor>, domain: &Domain) -> Result<Domain, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            check_embedding_service(connection, app, domain.embedding_service).await?;
            let silo = insert_silo(connection, app, domain).await?;
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
                .int(silo)
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
    /// embedding service.
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
                let stored = locked(connection, app, id).await?;
                let next = match change(stored.clone()) {
                    Ok(next) => next,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                update_silo(connection, &stored, &next).await?;
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
            let gone = locked(connection, app, id).await?;
            jobs::refuse_if_active(connection, app, Work::Crawl(id)).await?;
            refuse_if_used(connection, &gone).await?;
            Statement::new("DELETE FROM silos WHERE app_id = ")
                .int(app.get())
                .sql(" AND silo_id = ")
                .int(gone.silo.get())
                .execute(connection)
                .await?;
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
            let domain = locked(connection, app, id).await?;
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

/// The domain, which nobody else changes until the end of the transaction.
async fn locked(connection: &mut AsyncPgConnection, app: AppId, id: DomainId) -> Result<Domain, StoreError> {
    wanted(app, id).sql(" FOR UPDATE OF d, s").get_result::<DomainRow>(connection).await?.try_into()
}

fn rules_of(domain: &Domain) -> Result<String, StoreError> {
    serde_json::to_string(&domain.rules).map_err(|error| StoreError::inconsistent(error.to_string()))
}

async fn check_embedding_service(
    connection: &mut AsyncPgConnection,
    app: AppId,
    service: Option<EmbeddingServiceId>,
) -> Result<(), StoreError> {
    let Some(service) = service else { return Ok(()) };
    let found: Option<Made> = Statement::new("SELECT service_id AS id FROM embedding_services WHERE app_id = ")
        .int(app.get())
        .sql(" AND service_id = ")
        .int(service.get())
        .sql(" FOR KEY SHARE")
        .get_result(connection)
        .await
        .optional()?;
    match found {
        Some(_) => Ok(()),
        None => Err(Invalid::new("embedding_service_id", "this app has no such embedding service").into()),
    }
}

/// Makes the silo of a new domain, by the domain's name or one that comes close to it and is not taken.
async fn insert_silo(connection: &mut AsyncPgConnection, app: AppId, domain: &Domain) -> Result<i64, StoreError> {
    let name: String = domain.name.chars().take(MOST_OF_NAME).collect();
    let made: Made = Statement::new("INSERT INTO silos (app_id, name, description, silo_type, vector_db_type, ")
        .sql("embedding_service_id, retrieval_count, create_date, update_date) SELECT ")
        .int(app.get())
        .sql(", free.name, ")
        .optional_text(domain.description.clone())
        .sql(", 'DOMAIN', ")
        .text(domain.vector_db.as_str())
        .sql(", ")
        .optional_int(domain.embedding_service.map(EmbeddingServiceId::get))
        .sql(", ")
        .int(i64::from(domain.retrieval_count))
        .sql(", ")
        .moment(domain.created)
        .sql(", ")
        .moment(domain.created)
        .sql(" FROM (SELECT n.name FROM generate_series(0, 10000) AS nth CROSS JOIN LATERAL (SELECT ")
        .text(name.as_str())
        .sql(" || CASE nth WHEN 0 THEN '' ELSE format(' (%s)', nth + 1) END AS name) n ")
        .sql("WHERE NOT EXISTS (SELECT FROM silos s WHERE s.app_id = ")
        .int(app.get())
        .sql(" AND s.name = n.name) ORDER BY nth LIMIT 1) free RETURNING silo_id AS id")
        .get_result(connection)
        .await?;
    Ok(made.id)
}

async fn update_silo(connection: &mut AsyncPgConnection, stored: &Domain, next: &Domain) -> Result<(), StoreError> {
    let moves = stored.embedding_service != next.embedding_service || stored.vector_db != next.vector_db;
    if moves {
        check_embedding_service(connection, next.app, next.embedding_service).await?;
        refuse_if_embedded(connection, stored).await?;
    }
    Statement::new("UPDATE silos SET description = ")
        .optional_text(next.description.clone())
        .sql(", vector_db_type = ")
        .text(next.vector_db.as_str())
        .sql(", embedding_service_id = ")
        .optional_int(next.embedding_service.map(EmbeddingServiceId::get))
        .sql(", retrieval_count = ")
        .int(i64::from(next.retrieval_count))
        .sql(", update_date = ")
        .moment(next.updated)
        .sql(" WHERE app_id = ")
        .int(next.app.get())
        .sql(" AND silo_id = ")
        .int(next.silo.get())
        .execute(connection)
        .await?;
    Ok(())
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

async fn refuse_if_embedded(connection: &mut AsyncPgConnection, domain: &Domain) -> Result<(), StoreError> {
    let holding: Option<Made> = Statement::new("SELECT silo_id AS id FROM silos WHERE app_id = ")
        .int(domain.app.get())
        .sql(" AND silo_id = ")
        .int(domain.silo.get())
        .sql(" AND embedding_model IS NOT NULL")
        .get_result(connection)
        .await
        .optional()?;
    match holding {
        None => Ok(()),
        Some(_) => Err(StoreError::Conflict(
            "this domain has pages that are embedded; its embedding service and its vector database stay as they are"
                .into(),
        )),
    }
}

async fn refuse_if_used(connection: &mut AsyncPgConnection, domain: &Domain) -> Result<(), StoreError> {
    let users: Vec<Named> = Statement::new("SELECT name FROM agents WHERE app_id = ")
        .int(domain.app.get())
        .sql(" AND silo_id = ")
        .int(domain.silo.get())
        .sql(" ORDER BY agent_id LIMIT ")
        .int(NAMED)
        .load(connection)
        .await?;
    if users.is_empty() {
        return Ok(());
    }
    let named = users.iter().map(|user| format!("\"{}\"", user.name)).collect::<Vec<_>>().join(", ");
    Err(StoreError::Conflict(format!("this domain is in use by {named}; give those agents another silo first")))
}
