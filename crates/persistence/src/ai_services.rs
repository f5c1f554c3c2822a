use diesel::prelude::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable};
use diesel::{AsChangeset, SelectableHelper};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{AiService, AppId, ServiceId, Timestamp};

use crate::StoreError;
use crate::app_scoped::{NAMED, app_scoped, optional_small, quoted};
use crate::keyed_services::keyed_service;
use crate::schema::{agents, ai_services, silos};

#[derive(Queryable, Selectable)]
#[diesel(table_name = ai_services, check_for_backend(diesel::pg::Pg))]
pub(crate) struct AiServiceRow {
    service_id: i64,
    app_id: i64,
    name: String,
    description: Option<String>,
    provider: String,
    model: String,
    base_url: Option<String>,
    api_version: Option<String>,
    api_key_mask: Option<String>,
    temperature: Option<f32>,
    max_tokens: Option<i64>,
    create_date: Timestamp,
    update_date: Timestamp,
}

impl TryFrom<AiServiceRow> for AiService {
    type Error = StoreError;

    fn try_from(row: AiServiceRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ServiceId::new(row.service_id),
            app: AppId::new(row.app_id),
            name: row.name,
            description: row.description,
            provider: row.provider,
            model: row.model,
            base_url: row.base_url,
            api_version: row.api_version,
            key_mask: row.api_key_mask,
            temperature: row.temperature,
            max_tokens: optional_small(row.max_tokens)?,
            created: row.create_date,
            updated: row.update_date,
        })
    }
}

/// Everything that an insert or an update writes; the key goes beside it.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = ai_services, treat_none_as_null = true)]
struct AiServiceColumns<'a> {
    name: &'a str,
    description: Option<&'a str>,
    provider: &'a str,
    model: &'a str,
    base_url: Option<&'a str>,
    api_version: Option<&'a str>,
    temperature: Option<f32>,
    max_tokens: Option<i64>,
    update_date: Timestamp,
}

impl<'a> From<&'a AiService> for AiServiceColumns<'a> {
    fn from(service: &'a AiService) -> Self {
        Self {
            name: &service.name,
            description: service.description.as_deref(),
            provider: &service.provider,
            model: &service.model,
            base_url: service.base_url.as_deref(),
            api_version: service.api_version.as_deref(),
            temperature: service.temperature,
            max_tokens: service.max_tokens.map(i64::from),
            update_date: service.updated,
        }
    }
}

app_scoped!(AiService, id: ServiceId, table: ai_services.service_id, row: AiServiceRow, in_use: refuse_if_used);

async fn refuse_if_used(connection: &mut AsyncPgConnection, app: AppId, id: ServiceId) -> Result<(), StoreError> {
    let users: Vec<String> = agents::table
        .filter(agents::app_id.eq(app.get()))
        .filter(agents::service_id.eq(id.get()))
        .order(agents::agent_id.asc())
        .limit(NAMED)
        .select(agents::name)
        .load(connection)
        .await?;
    if !users.is_empty() {
        let named = quoted(&users);
        let problem = format!("this AI service is in use by {named}; give those agents another one first");
        return Err(StoreError::Conflict(problem));
    }
    let ordered: Vec<String> = silos::table
        .filter(silos::app_id.eq(app.get()))
        .filter(silos::reranking_service_id.eq(id.get()))
        .order(silos::silo_id.asc())
        .limit(NAMED)
        .select(silos::name)
        .load(connection)
        .await?;
    if ordered.is_empty() {
        return Ok(());
    }
    let named = quoted(&ordered);
    let problem =
        format!("this AI service puts in order what is found in {named}; give those silos another one or none first");
    Err(StoreError::Conflict(problem))
}

keyed_service!(
    AiService,
    id: ServiceId,
    table: ai_services,
    row: AiServiceRow,
    columns: AiServiceColumns,
    methods: [reserve_ai_service, create_ai_service, update_ai_service, ai_service_key],
    before_update: allow,
);

/// Each turn asks the model anew: nothing holds a service to the one that it is.
async fn allow(_: &mut AsyncPgConnection, _: &AiService, _: &AiService) -> Result<(), StoreError> {
    Ok(())
}
