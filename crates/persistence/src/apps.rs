use diesel::QueryableByName;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, TextExpressionMethods};
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{App, AppCounts, AppDraft, AppId, AppOverview, Deed, Page, PageRequest, Timestamp, UserId, slugify};
use omni_rbac::{Grant, Owner, Session, Viewer};

use crate::app_scoped::{count, small};
use crate::audit;
use crate::connection::Sight;
use crate::error::through_deadlocks;
use crate::schema::apps;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// How often a new app looks for a free slug before it gives up: each time an app of another name took the one it had
/// found, as "demo 2" can take the second of "demo".
const SLUG_ATTEMPTS: usize = 8;

/// What the overview of an app shows, after the `SELECT` and before the role.
const OVERVIEW: &str = "a.app_id, a.name, a.slug, a.owner_id, a.agent_rate_limit, a.max_file_size_mb, a.create_date, a.update_date, \
    o.name AS owner_name, o.email AS owner_email, \
    (SELECT count(*) FROM agents g WHERE g.app_id = a.app_id) AS agents, \
    (SELECT count(*) FROM ai_services s WHERE s.app_id = a.app_id) AS ai_services, \
    (SELECT count(*) FROM collaborations c WHERE c.app_id = a.app_id AND c.status = 'accepted') AS collaborators, ";

#[derive(Queryable)]
pub(crate) struct AppRow {
    app_id: i64,
    name: String,
    slug: String,
    owner_id: i64,
    agent_rate_limit: i64,
    create_date: Timestamp,
    update_date: Timestamp,
    max_file_size_mb: i64,
}

impl TryFrom<AppRow> for App {
    type Error = StoreError;

    fn try_from(row: AppRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: AppId::new(row.app_id),
            name: row.name,
            slug: row.slug,
            owner: UserId::new(row.owner_id),
            agent_rate_limit: small(row.agent_rate_limit)?,
            max_file_size_mb: small(row.max_file_size_mb)?,
            created: row.create_date,
            updated: row.update_date,
        })
    }
}

#[derive(QueryableByName)]
struct OverviewRow {
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = BigInt)]
    owner_id: i64,
    #[diesel(sql_type = BigInt)]
    agent_rate_limit: i64,
    #[diesel(sql_type = BigInt)]
    max_file_size_mb: i64,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    update_date: Timestamp,
    #[diesel(sql_type = Text)]
    owner_name: String,
    #[diesel(sql_type = Text)]
    owner_email: String,
    #[diesel(sql_type = BigInt)]
    agents: i64,
    #[diesel(sql_type = BigInt)]
    ai_services: i64,
    #[diesel(sql_type = BigInt)]
    collaborators: i64,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = BigInt)]
    total: i64,
}

impl TryFrom<OverviewRow> for AppOverview {
    type Error = StoreError;

    fn try_from(row: OverviewRow) -> Result<Self, StoreError> {
        Ok(Self {
            app: App {
                id: AppId::new(row.app_id),
                name: row.name,
                slug: row.slug,
                owner: UserId::new(row.owner_id),
                agent_rate_limit: small(row.agent_rate_limit)?,
                max_file_size_mb: small(row.max_file_size_mb)?,
                created: row.create_date,
                updated: row.update_date,
            },
            owner_name: row.owner_name,
            owner_email: row.owner_email,
            role: row.role.parse().map_err(|_| StoreError::inconsistent(format!("role {}", row.role)))?,
            counts: AppCounts {
                agents: count(row.agents)?,
                ai_services: count(row.ai_services)?,
                collaborators: count(row.collaborators)?,
            },
        })
    }
}

impl Store {
    /// One page of the apps that the signed-in person owns or belongs to, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_apps(&self, session: &Session, page: PageRequest) -> Result<Page<AppOverview>, StoreError> {
        let user = session.user_id().get();
        let rows: Vec<OverviewRow> = Statement::new(
            "WITH mine AS (SELECT app_id, 'owner' AS role FROM apps WHERE owner_id = ",
        )
        .int(user)
        .sql(" UNION ALL SELECT app_id, role FROM collaborations WHERE status = 'accepted' AND user_id = ")
        .int(user)
        .sql("), wanted AS (SELECT a.*, m.role, count(*) OVER () AS total FROM mine m JOIN apps a ON a.app_id = m.app_id")
        .sql(" ORDER BY a.create_date DESC, a.app_id DESC LIMIT ")
        .int(page.limit())
        .sql(" OFFSET ")
        .int(page.offset())
        .sql(") SELECT ")
        .sql(OVERVIEW)
        .sql("a.role, a.total FROM wanted a JOIN users o ON o.user_id = a.owner_id")
        .sql(" ORDER BY a.create_date DESC, a.app_id DESC")
        .load(&mut self.lend(Sight::AllApps).await?)
        .await?;
        // A page past the end has no row to say how many there are.
        let total = match rows.as_slice() {
            [first, ..] => count(first.total)?,
            [] if page.page == 1 => 0,
            [] => self.count_apps(session).await?,
        };
        let items = rows.into_iter().map(AppOverview::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, total, request: page })
    }

    async fn count_apps(&self, session: &Session) -> Result<u64, StoreError> {
        #[derive(QueryableByName)]
        struct Total {
            #[diesel(sql_type = BigInt)]
            total: i64,
        }
        let user = session.user_id().get();
        let row: Total = Statement::new("SELECT (SELECT count(*) FROM apps WHERE owner_id = ")
            .int(user)
            .sql(") + (SELECT count(*) FROM collaborations WHERE status = 'accepted' AND user_id = ")
            .int(user)
            .sql(") AS total")
            .get_result(&mut self.lend(Sight::AllApps).await?)
            .await?;
        count(row.total)
    }

    /// The grant's app as its holder sees it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it has just been deleted.
    pub async fn app_overview(&self, grant: &Grant<Viewer>) -> Result<AppOverview, StoreError> {
        overview(grant).get_result::<OverviewRow>(&mut self.lend(Sight::of(grant)).await?).await?.try_into()
    }

    /// Makes an app that the signed-in person owns.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if everybody else keeps taking the slugs that its name makes.
    pub async fn create_app(&self, session: &Session, draft: &AppDraft, now: Timestamp) -> Result<App, StoreError> {
        let mut lent = self.lend(Sight::AllApps).await?;
        lent.transaction(async |connection| {
            let app = insert_app(connection, session.user_id(), draft, now).await?;
            audit::record(connection, Some(app.id), session.by(), &Deed::create(&app)).await?;
            Ok(app)
        })
        .await
    }

    /// Changes the grant's app: `change` gets it as it is now, and nobody else changes it meanwhile. What `change` refuses
    /// is answered inside.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it has just been deleted.
    pub async fn update_app<E: Send>(
        &self,
        grant: &Grant<Owner>,
        change: impl FnOnce(AppOverview) -> Result<AppOverview, E> + Send,
    ) -> Result<Result<AppOverview, E>, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let wanted = apps::table.find(grant.app().get());
            wanted.select(apps::app_id).for_no_key_update().first::<i64>(connection).await?;
            let stored = overview(&grant.at()).get_result::<OverviewRow>(connection).await?;
            let stored = AppOverview::try_from(stored)?;
            let next = match change(stored.clone()) {
                Ok(next) => next,
                Err(refusal) => return Ok(Err(refusal)),
            };
            diesel::update(wanted)
                .set((
                    apps::name.eq(&next.app.name),
                    apps::agent_rate_limit.eq(i64::from(next.app.agent_rate_limit)),
                    apps::max_file_size_mb.eq(i64::from(next.app.max_file_size_mb)),
                    apps::update_date.eq(next.app.updated),
                ))
                .execute(connection)
                .await?;
            let deed = Deed::update(&stored.app, &next.app);
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
            Ok(Ok(next))
        })
        .await
    }

    /// Removes the grant's app and everything in it. Who indexes into it just now holds a silo or a document and then needs
    /// the app; of the two one is given up, and if it is this, it is tried again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is gone already.
    pub async fn delete_app(&self, grant: &Grant<Owner>) -> Result<(), StoreError> {
        through_deadlocks(async || self.try_delete_app(grant).await).await
    }

    async fn try_delete_app(&self, grant: &Grant<Owner>) -> Result<(), StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let wanted = apps::table.find(grant.app().get());
            wanted.select(apps::app_id).for_update().first::<i64>(connection).await?;
            let gone = overview(&grant.at()).get_result::<OverviewRow>(connection).await?;
            let gone = AppOverview::try_from(gone)?;
            diesel::delete(wanted).execute(connection).await?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::delete(&gone.app)).await
        })
        .await
    }
}

/// Selects the grant's app as its holder sees it.
fn overview(grant: &Grant<Viewer>) -> Statement {
    Statement::new("SELECT ")
        .sql(OVERVIEW)
        .text(grant.held().as_str())
        .sql(" AS role, 1::bigint AS total FROM apps a JOIN users o ON o.user_id = a.owner_id WHERE a.app_id = ")
        .int(grant.app().get())
}

/// Makes an app; belongs into a transaction.
pub(crate) async fn insert_app(
    connection: &mut AsyncPgConnection,
    owner: UserId,
    draft: &AppDraft,
    now: Timestamp,
) -> Result<App, StoreError> {
    let base = slugify(&draft.name);
    // Those who make apps of one name wait for each other, or else most would find the same slug and lose it.
    Statement::new("SELECT pg_advisory_xact_lock(hashtextextended(")
        .text(&base)
        .sql(", 0))")
        .execute(connection)
        .await?;
    for _ in 0..SLUG_ATTEMPTS {
        if let Some(app) = try_insert(connection, owner, &base, draft, now).await? {
            return Ok(app);
        }
    }
    Err(StoreError::Conflict("name: too many apps of this name are being made at once; try again".into()))
}

/// Makes the app under a slug that is free, unless somebody takes that meanwhile.
async fn try_insert(
    connection: &mut AsyncPgConnection,
    owner: UserId,
    base: &str,
    draft: &AppDraft,
    now: Timestamp,
) -> Result<Option<App>, StoreError> {
    let taken: Vec<String> = apps::table
        .filter(apps::slug.eq(base))
        .or_filter(apps::slug.like(format!("{base}-%")))
        .select(apps::slug)
        .load(connection)
        .await?;
    let slug = free_slug(base, &taken);
    let made: Option<i64> = diesel::insert_into(apps::table)
        .values((
            apps::name.eq(&draft.name),
            apps::slug.eq(&slug),
            apps::owner_id.eq(owner.get()),
            apps::agent_rate_limit.eq(i64::from(draft.agent_rate_limit)),
            apps::max_file_size_mb.eq(i64::from(draft.max_file_size_mb)),
            apps::create_date.eq(now),
            apps::update_date.eq(now),
        ))
        .on_conflict(apps::slug)
        .do_nothing()
        .returning(apps::app_id)
        .get_result(connection)
        .await
        .optional()?;
    Ok(made.map(|id| App {
        id: AppId::new(id),
        name: draft.name.clone(),
        slug,
        owner,
        agent_rate_limit: draft.agent_rate_limit,
        max_file_size_mb: draft.max_file_size_mb,
        created: now,
        updated: now,
    }))
}

/// `base`, or `base` with the lowest number from 2 that nobody has.
fn free_slug(base: &str, taken: &[String]) -> String {
    let is_free = |slug: &String| !taken.contains(slug);
    let mut numbered = (2_u64..).map(|number| format!("{base}-{number}"));
    Some(base.to_owned()).filter(is_free).or_else(|| numbered.find(is_free)).unwrap_or_else(|| base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_slug_gets_a_number() {
        let taken = ["demo", "demo-2", "demo-4"].map(str::to_owned);
        assert_eq!(free_slug("demo", &[]), "demo");
        assert_eq!(free_slug("demo", &taken), "demo-3");
    }
}
