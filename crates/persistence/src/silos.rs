use diesel::QueryableByName;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{
    AppId, Deed, EmbeddingServiceId, Page, PageRequest, ServiceId, Silo, SiloDraft, SiloId, SiloOverview, SiloType,
    Text as TextKind, Timestamp,
};
use omni_rbac::{Editor, Grant, Viewer};

use crate::app_scoped::{NAMED, count, optional_small, quoted};
use crate::audit;
use crate::connection::Sight;
use crate::schema::{agents, silos};
use crate::silo_settings::{SettingsRow, check_services, settings_columns};
use crate::statement::Statement;
use crate::{AppScoped, Store, StoreError};

/// What whoever gives a silo a name is told that another one has.
pub(crate) const NAME_TAKEN: &str = "name: another silo of this app has this name";
/// How many silos of one name, but for a number, are made by themselves.
const MOST_OF_ONE_NAME: u32 = 1_000;

/// What the overview of a silo shows.
const OVERVIEW: &str = concat!(
    settings_columns!(),
    ", s.silo_id, s.app_id, s.name, s.description, s.silo_type, s.embedding_model, s.dimensions, s.epoch, s.create_date, \
    s.update_date, \
    (SELECT count(*) FROM documents d WHERE d.silo_id = s.silo_id) AS documents, \
    (SELECT coalesce(sum(d.chunk_count), 0)::bigint FROM documents d WHERE d.silo_id = s.silo_id) AS chunks, \
    EXISTS (SELECT FROM chunks c WHERE c.silo_id = s.silo_id) AS has_content"
);

#[derive(QueryableByName)]
struct OverviewRow {
    #[diesel(sql_type = BigInt)]
    silo_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = Text)]
    silo_type: String,
    #[diesel(embed)]
    settings: SettingsRow,
    #[diesel(sql_type = Nullable<Text>)]
    embedding_model: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    dimensions: Option<i64>,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    update_date: Timestamp,
    #[diesel(sql_type = BigInt)]
    documents: i64,
    #[diesel(sql_type = BigInt)]
    chunks: i64,
    #[diesel(sql_type = Bool)]
    has_content: bool,
}

impl TryFrom<OverviewRow> for SiloOverview {
    type Error = StoreError;

    fn try_from(row: OverviewRow) -> Result<Self, StoreError> {
        Ok(Self {
            silo: Silo {
                id: SiloId::new(row.silo_id),
                app: AppId::new(row.app_id),
                name: row.name,
                description: row.description,
                kind: row.silo_type.parse().map_err(StoreError::inconsistent)?,
                settings: row.settings.try_into()?,
                embedded_with: row.embedding_model.zip(optional_small(row.dimensions)?),
                epoch: count(row.epoch)?,
                created: row.create_date,
                updated: row.update_date,
            },
            documents: count(row.documents)?,
            chunks: count(row.chunks)?,
            has_content: row.has_content,
        })
    }
}

impl AppScoped for SiloOverview {
    type Id = SiloId;

    async fn list(store: &Store, grant: &Grant<Viewer>, page: PageRequest) -> Result<Page<Self>, StoreError> {
        let from = |start: Statement| start.sql(" FROM silos s WHERE s.app_id = ").int(grant.app().get());
        store.page_of::<OverviewRow, _>(Sight::of(grant), OVERVIEW, from, "s.silo_id", page).await
    }

    async fn find(store: &Store, grant: &Grant<Viewer>, id: SiloId) -> Result<Option<Self>, StoreError> {
        let mut lent = store.lend(Sight::of(grant)).await?;
        let row: Option<OverviewRow> = overview(grant.app(), id).get_result(&mut lent).await.optional()?;
        row.map(Self::try_from).transpose()
    }

    async fn delete(store: &Store, grant: &Grant<Editor>, id: SiloId) -> Result<(), StoreError> {
        let mut lent = store.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let gone = locked(connection, grant.app(), id).await?.silo;
            refuse_if_part(connection, &gone).await?;
            refuse_if_drawn_on(connection, &gone, "this silo").await?;
            remove(connection, grant.app(), id).await?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::delete(&gone)).await
        })
        .await
    }
}

impl Store {
    /// Stores a new silo in the grant's app, which belongs to nothing else.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the name is taken, [`StoreError::Invalid`] if the app has no such services.
    pub async fn create_silo(
        &self,
        grant: &Grant<Editor>,
        draft: &SiloDraft,
        now: Timestamp,
    ) -> Result<SiloOverview, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            check_services(connection, grant.app(), draft.settings).await?;
            let id = insert_unless_taken(connection, grant.app(), SiloType::Custom, draft, now)
                .await?
                .ok_or_else(|| StoreError::Conflict(NAME_TAKEN.to_owned()))?;
            let made = read(connection, grant.app(), id).await?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::create(&made.silo)).await?;
            Ok(made)
        })
        .await
    }

    /// Changes a silo of the grant's app: `change` gets it as it is now, and nobody else changes it or puts anything into it
    /// meanwhile. What `change` refuses is answered inside.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such silo, [`StoreError::Conflict`] if its new name is taken,
    /// [`StoreError::Invalid`] if the app has no such services.
    pub async fn update_silo<E: Send>(
        &self,
        grant: &Grant<Editor>,
        id: SiloId,
        change: impl FnOnce(SiloOverview) -> Result<Silo, E> + Send,
    ) -> Result<Result<SiloOverview, E>, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let stored = locked(connection, grant.app(), id).await?;
            let before = stored.silo.clone();
            let next = match change(stored) {
                Ok(next) => next,
                Err(refusal) => return Ok(Err(refusal)),
            };
            write(connection, &before, &next).await?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::update(&before, &next)).await?;
            Ok(Ok(read(connection, grant.app(), id).await?))
        })
        .await
    }
}

/// Selects one silo as members see it.
fn overview(app: AppId, id: SiloId) -> Statement {
    Statement::new("SELECT ")
        .sql(OVERVIEW)
        .sql(" FROM silos s WHERE s.app_id = ")
        .int(app.get())
        .sql(" AND s.silo_id = ")
        .int(id.get())
}

async fn read(connection: &mut AsyncPgConnection, app: AppId, id: SiloId) -> Result<SiloOverview, StoreError> {
    overview(app, id).get_result::<OverviewRow>(connection).await?.try_into()
}

/// The silo as it stays until the end of the transaction: not even a passage is added to it meanwhile.
pub(crate) async fn locked(
    connection: &mut AsyncPgConnection,
    app: AppId,
    id: SiloId,
) -> Result<SiloOverview, StoreError> {
    silos::table
        .filter(silos::app_id.eq(app.get()))
        .filter(silos::silo_id.eq(id.get()))
        .select(silos::silo_id)
        .for_update()
        .first::<i64>(connection)
        .await?;
    read(connection, app, id).await
}

/// Stores a silo that is part of `kind`, unless another one of the app has its name.
pub(crate) async fn insert_unless_taken(
    connection: &mut AsyncPgConnection,
    app: AppId,
    kind: SiloType,
    draft: &SiloDraft,
    now: Timestamp,
) -> Result<Option<SiloId>, StoreError> {
    let id: Option<i64> = diesel::insert_into(silos::table)
        .values((
            silos::app_id.eq(app.get()),
            silos::name.eq(&draft.name),
            silos::description.eq(draft.description.as_deref()),
            silos::silo_type.eq(kind.as_str()),
            silos::vector_db_type.eq(draft.settings.vector_db.as_str()),
            silos::embedding_service_id.eq(draft.settings.embedding_service.map(EmbeddingServiceId::get)),
            silos::reranking_service_id.eq(draft.settings.reranking_service.map(ServiceId::get)),
            silos::retrieval_count.eq(i64::from(draft.settings.retrieval_count)),
            silos::create_date.eq(now),
            silos::update_date.eq(now),
        ))
        .on_conflict((silos::app_id, silos::name))
        .do_nothing()
        .returning(silos::silo_id)
        .get_result(connection)
        .await
        .optional()?;
    Ok(id.map(SiloId::new))
}

/// Stores a silo that is part of `kind`, under the name of the draft or, where another one has that, with the lowest number
/// behind it that is free.
pub(crate) async fn insert_part(
    connection: &mut AsyncPgConnection,
    app: AppId,
    kind: SiloType,
    draft: &SiloDraft,
    now: Timestamp,
) -> Result<SiloId, StoreError> {
    let mut numbered = draft.clone();
    for number in 2..=MOST_OF_ONE_NAME {
        if let Some(id) = insert_unless_taken(connection, app, kind, &numbered, now).await? {
            return Ok(id);
        }
        numbered.name = with_number(&draft.name, number);
    }
    Err(StoreError::Conflict("name: too many silos of this app have this name".to_owned()))
}

/// The name with a number behind it, still no longer than a name can be.
fn with_number(name: &str, number: u32) -> String {
    let suffix = format!(" ({number})");
    let kept: String = name.chars().take(TextKind::Name.most().saturating_sub(suffix.len())).collect();
    format!("{}{suffix}", kept.trim_end())
}

/// Writes everything of a silo that people change, if the app has the services that are new in it.
pub(crate) async fn write(connection: &mut AsyncPgConnection, before: &Silo, silo: &Silo) -> Result<(), StoreError> {
    if silo.settings != before.settings {
        check_services(connection, silo.app, silo.settings).await?;
    }
    let (model, dimensions) = silo.embedded_with.as_ref().map(|(model, dimensions)| (model, *dimensions)).unzip();
    diesel::update(silos::table.filter(silos::app_id.eq(silo.app.get())).filter(silos::silo_id.eq(silo.id.get())))
        .set((
            silos::name.eq(&silo.name),
            silos::description.eq(silo.description.as_deref()),
            silos::vector_db_type.eq(silo.settings.vector_db.as_str()),
            silos::embedding_service_id.eq(silo.settings.embedding_service.map(EmbeddingServiceId::get)),
            silos::reranking_service_id.eq(silo.settings.reranking_service.map(ServiceId::get)),
            silos::retrieval_count.eq(i64::from(silo.settings.retrieval_count)),
            silos::embedding_model.eq(model),
            silos::dimensions.eq(dimensions.map(i64::from)),
            silos::update_date.eq(silo.updated),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a silo with all that is in it, and the repository or domain that it is of.
pub(crate) async fn remove(connection: &mut AsyncPgConnection, app: AppId, id: SiloId) -> Result<(), StoreError> {
    let wanted = silos::table.filter(silos::app_id.eq(app.get())).filter(silos::silo_id.eq(id.get()));
    diesel::delete(wanted).execute(connection).await?;
    Ok(())
}

/// What a refusal of deletion is named after.
#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// A silo that is part of something goes with it, and never by itself.
async fn refuse_if_part(connection: &mut AsyncPgConnection, silo: &Silo) -> Result<(), StoreError> {
    let (kind, owner) = match silo.kind {
        SiloType::Custom => return Ok(()),
        SiloType::Repo => ("repository", "SELECT name FROM repositories WHERE app_id = "),
        SiloType::Domain => ("domain", "SELECT name FROM domains WHERE app_id = "),
    };
    let owner: Named = Statement::new(owner)
        .int(silo.app.get())
        .sql(" AND silo_id = ")
        .int(silo.id.get())
        .get_result(connection)
        .await?;
    let name = quoted(&[owner.name]);
    Err(StoreError::Conflict(format!("this silo is part of the {kind} {name}; delete the {kind}, and it goes with it")))
}

/// Refuses to delete what agents answer from. `what` is what the refusal is about.
pub(crate) async fn refuse_if_drawn_on(
    connection: &mut AsyncPgConnection,
    silo: &Silo,
    what: &str,
) -> Result<(), StoreError> {
    let users: Vec<String> = agents::table
        .filter(agents::app_id.eq(silo.app.get()))
        .filter(agents::silo_id.eq(silo.id.get()))
        .order(agents::agent_id.asc())
        .limit(NAMED)
        .select(agents::name)
        .load(connection)
        .await?;
    if users.is_empty() {
        return Ok(());
    }
    let named = quoted(&users);
    Err(StoreError::Conflict(format!("{what} is in use by {named}; give those agents another silo or none first")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_number_is_no_longer_than_a_name() {
        assert_eq!(with_number("Handbook", 2), "Handbook (2)");
        let long = with_number(&"ü".repeat(255), 12);
        assert_eq!((long.chars().count(), long.ends_with(" (12)")), (255, true));
    }
}
