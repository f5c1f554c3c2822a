use diesel::QueryableByName;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{
    AppId, Deed, Page, PageRequest, Repository, RepositoryDraft, RepositoryId, RepositoryOverview, Silo, SiloDraft,
    SiloId, SiloType, Timestamp,
};
use omni_rbac::{Editor, Grant, Viewer};

use crate::app_scoped::count;
use crate::connection::Sight;
use crate::schema::repositories;
use crate::silo_settings::{SettingsRow, check_services, settings_columns};
use crate::statement::Statement;
use crate::{AppScoped, Store, StoreError, audit, silos};

/// What the overview of a repository shows.
const OVERVIEW: &str = concat!(
    settings_columns!(),
    ", r.repo_id, r.app_id, r.name, r.description, r.silo_id, r.create_date, r.update_date, \
    (SELECT count(*) FROM documents d WHERE d.repo_id = r.repo_id) AS documents, \
    (SELECT count(*) FROM folders f WHERE f.app_id = r.app_id AND f.repo_id = r.repo_id) AS folders, \
    EXISTS (SELECT FROM chunks c WHERE c.silo_id = r.silo_id) AS has_content"
);

/// Where that is from.
const FROM: &str =
    " FROM repositories r JOIN silos s ON s.app_id = r.app_id AND s.silo_id = r.silo_id WHERE r.app_id = ";

#[derive(QueryableByName)]
struct OverviewRow {
    #[diesel(sql_type = BigInt)]
    repo_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = BigInt)]
    silo_id: i64,
    #[diesel(embed)]
    settings: SettingsRow,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    update_date: Timestamp,
    #[diesel(sql_type = BigInt)]
    documents: i64,
    #[diesel(sql_type = BigInt)]
    folders: i64,
    #[diesel(sql_type = Bool)]
    has_content: bool,
}

impl TryFrom<OverviewRow> for RepositoryOverview {
    type Error = StoreError;

    fn try_from(row: OverviewRow) -> Result<Self, StoreError> {
        Ok(Self {
            repository: Repository {
                id: RepositoryId::new(row.repo_id),
                app: AppId::new(row.app_id),
                name: row.name,
                description: row.description,
                silo: SiloId::new(row.silo_id),
                settings: row.settings.try_into()?,
                created: row.create_date,
                updated: row.update_date,
            },
            documents: count(row.documents)?,
            folders: count(row.folders)?,
            has_content: row.has_content,
        })
    }
}

impl AppScoped for RepositoryOverview {
    type Id = RepositoryId;

    async fn list(store: &Store, grant: &Grant<Viewer>, page: PageRequest) -> Result<Page<Self>, StoreError> {
        let from = |start: Statement| start.sql(FROM).int(grant.app().get());
        store.page_of::<OverviewRow, _>(Sight::of(grant), OVERVIEW, from, "r.repo_id", page).await
    }

    async fn find(store: &Store, grant: &Grant<Viewer>, id: RepositoryId) -> Result<Option<Self>, StoreError> {
        let mut lent = store.lend(Sight::of(grant)).await?;
        let row: Option<OverviewRow> = overview(grant.app(), id).get_result(&mut lent).await.optional()?;
        row.map(Self::try_from).transpose()
    }

    async fn delete(store: &Store, grant: &Grant<Editor>, id: RepositoryId) -> Result<(), StoreError> {
        let mut lent = store.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let (gone, silo) = locked(connection, grant.app(), id).await?;
            silos::refuse_if_drawn_on(connection, &silo, "this repository").await?;
            silos::remove(connection, grant.app(), silo.id).await?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::delete(&gone.repository)).await
        })
        .await
    }
}

impl Store {
    /// Stores a new repository in the grant's app, and with it the silo that its files are searched in.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the name is taken, [`StoreError::Invalid`] if the app has no such services.
    pub async fn create_repository(
        &self,
        grant: &Grant<Editor>,
        draft: &RepositoryDraft,
        now: Timestamp,
    ) -> Result<RepositoryOverview, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let (name, description) = (draft.name.clone(), draft.description.clone());
            let silo = SiloDraft { name, description, settings: draft.settings };
            check_services(connection, app, draft.settings).await?;
            let silo = silos::insert_part(connection, app, SiloType::Repo, &silo, now).await?;
            let id: i64 = diesel::insert_into(repositories::table)
                .values((
                    repositories::app_id.eq(app.get()),
                    repositories::name.eq(&draft.name),
                    repositories::description.eq(draft.description.as_deref()),
                    repositories::silo_id.eq(silo.get()),
                    repositories::create_date.eq(now),
                    repositories::update_date.eq(now),
                ))
                .returning(repositories::repo_id)
                .get_result(connection)
                .await?;
            let made = read(connection, app, RepositoryId::new(id)).await?;
            audit::record(connection, Some(app), grant.by(), &Deed::create(&made.repository)).await?;
            Ok(made)
        })
        .await
    }

    /// Changes a repository of the grant's app and the settings of its silo: `change` gets it as it is now, and nobody else
    /// changes either or puts anything into the silo meanwhile. What `change` refuses is answered inside.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such repository, [`StoreError::Conflict`] if its new name is taken,
    /// [`StoreError::Invalid`] if the app has no such services.
    pub async fn update_repository<E: Send>(
        &self,
        grant: &Grant<Editor>,
        id: RepositoryId,
        change: impl FnOnce(RepositoryOverview) -> Result<Repository, E> + Send,
    ) -> Result<Result<RepositoryOverview, E>, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let (stored, silo) = locked(connection, app, id).await?;
            let before = stored.repository.clone();
            let next = match change(stored) {
                Ok(next) => next,
                Err(refusal) => return Ok(Err(refusal)),
            };
            diesel::update(of(app, id))
                .set((
                    repositories::name.eq(&next.name),
                    repositories::description.eq(next.description.as_deref()),
                    repositories::update_date.eq(next.updated),
                ))
                .execute(connection)
                .await?;
            if next.settings != before.settings {
                silos::write(connection, &silo, &silo.clone().with_settings(next.settings, next.updated)).await?;
            }
            audit::record(connection, Some(app), grant.by(), &Deed::update(&before, &next)).await?;
            Ok(Ok(read(connection, app, id).await?))
        })
        .await
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(app: AppId, id: RepositoryId) -> _ {
    let (app, id): (i64, i64) = (app.get(), id.get());
    repositories::table.filter(repositories::app_id.eq(app)).filter(repositories::repo_id.eq(id))
}

/// Selects one repository as members see it.
fn overview(app: AppId, id: RepositoryId) -> Statement {
    Statement::new("SELECT ").sql(OVERVIEW).sql(FROM).int(app.get()).sql(" AND r.repo_id = ").int(id.get())
}

async fn read(
    connection: &mut AsyncPgConnection,
    app: AppId,
    id: RepositoryId,
) -> Result<RepositoryOverview, StoreError> {
    overview(app, id).get_result::<OverviewRow>(connection).await?.try_into()
}

/// The repository and its silo as they stay until the end of the transaction. The silo first, as whoever deletes that does:
/// two who lock both never wait for each other.
async fn locked(
    connection: &mut AsyncPgConnection,
    app: AppId,
    id: RepositoryId,
) -> Result<(RepositoryOverview, Silo), StoreError> {
    let silo = SiloId::new(of(app, id).select(repositories::silo_id).first(connection).await?);
    let silo = silos::locked(connection, app, silo).await?.silo;
    of(app, id).select(repositories::repo_id).for_update().first::<i64>(connection).await?;
    Ok((read(connection, app, id).await?, silo))
}
