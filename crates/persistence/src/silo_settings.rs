//! How a silo is kept and searched: what silos, repositories and domains all show of it.

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use omni_domain::{AppId, EmbeddingServiceId, Invalid, ServiceId, SiloSettings};

use crate::StoreError;
use crate::app_scoped::small;
use crate::statement::Statement;

/// The columns of a [`SettingsRow`], in a statement that calls the silo `s`.
macro_rules! settings_columns {
    () => {
        "s.vector_db_type, s.embedding_service_id, s.reranking_service_id, s.retrieval_count"
    };
}
pub(crate) use settings_columns;

#[derive(QueryableByName)]
pub(crate) struct SettingsRow {
    #[diesel(sql_type = Text)]
    vector_db_type: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    embedding_service_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    reranking_service_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    retrieval_count: i64,
}

impl TryFrom<SettingsRow> for SiloSettings {
    type Error = StoreError;

    fn try_from(row: SettingsRow) -> Result<Self, StoreError> {
        Ok(Self {
            vector_db: row.vector_db_type.parse().map_err(StoreError::inconsistent)?,
            embedding_service: row.embedding_service_id.map(EmbeddingServiceId::new),
            reranking_service: row.reranking_service_id.map(ServiceId::new),
            retrieval_count: small(row.retrieval_count)?,
        })
    }
}

#[derive(QueryableByName)]
struct ServiceRow {
    #[diesel(sql_type = Nullable<Text>)]
    base_url: Option<String>,
}

/// Refuses settings that name services which the app does not have. Those that it has stay until the end of the transaction.
pub(crate) async fn check_services(
    connection: &mut AsyncPgConnection,
    app: AppId,
    settings: SiloSettings,
) -> Result<(), StoreError> {
    check_embedding_service(connection, app, settings.embedding_service).await?;
    let Some(reranker) = settings.reranking_service else { return Ok(()) };
    let field = "reranking_service_id";
    let found = find(connection, "SELECT base_url FROM ai_services WHERE app_id = ", app, reranker.get()).await?;
    match found.ok_or_else(|| Invalid::unknown_reference(field, reranker.get()))?.base_url {
        Some(_) => Ok(()),
        None => Err(Invalid::new(
            field,
            "this AI service has no base_url; give it the one that its reranker is asked at, such as https://api.cohere.com/v2",
        )
        .into()),
    }
}

/// Refuses an embedding service that the app does not have. One that it has stays until the end of the transaction.
pub(crate) async fn check_embedding_service(
    connection: &mut AsyncPgConnection,
    app: AppId,
    service: Option<EmbeddingServiceId>,
) -> Result<(), StoreError> {
    let Some(service) = service else { return Ok(()) };
    match find(connection, "SELECT base_url FROM embedding_services WHERE app_id = ", app, service.get()).await? {
        Some(_) => Ok(()),
        None => Err(Invalid::unknown_reference("embedding_service_id", service.get()).into()),
    }
}

async fn find(
    connection: &mut AsyncPgConnection,
    select: &'static str,
    app: AppId,
    service: i64,
) -> Result<Option<ServiceRow>, StoreError> {
    let found = Statement::new(select).int(app.get()).sql(" AND service_id = ").int(service).sql(" FOR KEY SHARE");
    Ok(found.get_result(connection).await.optional()?)
}
