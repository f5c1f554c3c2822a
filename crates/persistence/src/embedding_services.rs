use diesel::prelude::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable};
use diesel::{AsChangeset, SelectableHelper};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{AppId, EmbeddingService, EmbeddingServiceId, Timestamp};

use crate::StoreError;
use crate::app_scoped::{NAMED, app_scoped, optional_small, quoted};
use crate::keyed_services::keyed_service;
use crate::schema::{embedding_services, silos};
use crate::statement::Statement;

#[derive(Queryable, Selectable)]
#[diesel(table_name = embedding_services, check_for_backend(diesel::pg::Pg))]
pub(crate) struct EmbeddingServiceRow {
    service_id: i64,
    app_id: i64,
    name: String,
    description: Option<String>,
    provider: String,
    model: String,
    base_url: Option<String>,
    api_version: Option<String>,
    api_key_mask: Option<String>,
    dimensions: Option<i64>,
    create_date: Timestamp,
    update_date: Timestamp,
}

impl TryFrom<EmbeddingServiceRow> for EmbeddingService {
    type Error = StoreError;

    fn try_from(row: EmbeddingServiceRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: EmbeddingServiceId::new(row.service_id),
            app: AppId::new(row.app_id),
            name: row.name,
            description: row.description,
            provider: row.provider,
            model: row.model,
            base_url: row.base_url,
            api_version: row.api_version,
            key_mask: row.api_key_mask,
            dimensions: optional_small(row.dimensions)?,
            created: row.create_date,
            updated: row.update_date,
        })
    }
}

/// Everything that an insert or an update writes; the key goes beside it.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = embedding_services, treat_none_as_null = true)]
struct EmbeddingServiceColumns<'a> {
    name: &'a str,
    description: Option<&'a str>,
    provider: &'a str,
    model: &'a str,
    base_url: Option<&'a str>,
    api_version: Option<&'a str>,
    dimensions: Option<i64>,
    update_date: Timestamp,
}

impl<'a> From<&'a EmbeddingService> for EmbeddingServiceColumns<'a> {
    fn from(service: &'a EmbeddingService) -> Self {
        Self {
            name: &service.name,
            description: service.description.as_deref(),
            provider: &service.provider,
            model: &service.model,
            base_url: service.base_url.as_deref(),
            api_version: service.api_version.as_deref(),
            dimensions: service.dimensions.map(i64::from),
            update_date: service.updated,
        }
    }
}

app_scoped!(EmbeddingService, id: EmbeddingServiceId, table: embedding_services.service_id, row: EmbeddingServiceRow, in_use: refuse_if_used);

#[derive(diesel::QueryableByName)]
struct NameRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

async fn refuse_if_used(
    connection: &mut AsyncPgConnection,
    app: AppId,
    id: EmbeddingServiceId,
) -> Result<(), StoreError> {
    let users: Vec<String> = silos::table
        .filter(silos::app_id.eq(app.get()))
        .filter(silos::embedding_service_id.eq(id.get()))
        .order(silos::silo_id.asc())
        .limit(NAMED)
        .select(silos::name)
        .load(connection)
        .await?;
    if !users.is_empty() {
        let named = quoted(&users);
        return Err(StoreError::Conflict(format!(
            "this embedding service is in use by {named}; delete those silos or give them another one first"
        )));
    }
    let next: Vec<String> = Statement::new("SELECT s.name FROM silos s JOIN jobs j ON j.silo_id = s.silo_id ")
        .sql("WHERE j.status IN ('queued', 'running') AND s.app_id = ")
        .int(app.get())
        .sql(" AND s.next_service_id = ")
        .int(id.get())
        .sql(" ORDER BY s.silo_id LIMIT ")
        .int(NAMED)
        .load::<NameRow>(connection)
        .await?
        .into_iter()
        .map(|row| row.name)
        .collect();
    if next.is_empty() {
        return Ok(());
    }
    let named = quoted(&next);
    Err(StoreError::Conflict(format!(
        "{named} is being embedded anew by this embedding service; wait until that is done"
    )))
}

/// Refuses to make another model of a service whose vectors are searched: a question is compared only with what the same
/// model made.
async fn refuse_if_embedded(
    connection: &mut AsyncPgConnection,
    before: &EmbeddingService,
    after: &EmbeddingService,
) -> Result<(), StoreError> {
    let model = |service: &EmbeddingService| (service.provider.clone(), service.model.clone(), service.dimensions);
    if model(before) == model(after) {
        return Ok(());
    }
    let embedded: Vec<String> = silos::table
        .filter(silos::app_id.eq(before.app.get()))
        .filter(silos::embedding_service_id.eq(before.id.get()))
        .filter(silos::embedding_model.is_not_null())
        .order(silos::silo_id.asc())
        .limit(NAMED)
        .select(silos::name)
        .load(connection)
        .await?;
    if embedded.is_empty() {
        return Ok(());
    }
    let named = quoted(&embedded);
    Err(StoreError::Conflict(format!(
        "the content of {named} was embedded with this model, so its provider, model and dimensions stay; make another \
         embedding service, and have those silos embedded anew by it"
    )))
}

keyed_service!(
    EmbeddingService,
    id: EmbeddingServiceId,
    table: embedding_services,
    row: EmbeddingServiceRow,
    columns: EmbeddingServiceColumns,
    methods: [reserve_embedding_service, create_embedding_service, update_embedding_service, embedding_service_key],
    before_update: refuse_if_embedded,
);
