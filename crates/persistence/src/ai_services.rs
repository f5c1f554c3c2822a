use diesel::prelude::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable};
use diesel::{AsChangeset, SelectableHelper};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{AiService, AppId, Deed, ServiceId, Timestamp};
use omni_rbac::{Editor, Grant, Viewer};

use crate::app_scoped::{NAMED, app_scoped, optional_small, quoted};
use crate::audit;
use crate::connection::Sight;
use crate::schema::{agents, ai_services, silos};
use crate::statement::Statement;
use crate::{Store, StoreError};

/// A provider's key as it is kept: sealed, beside the mask that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// What only the master key opens.
    pub sealed: Vec<u8>,
    /// What stands in for it.
    pub mask: String,
}

/// What becomes of the stored key in an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredKey {
    /// It stays.
    Keep,
    /// It becomes this, or none.
    Replace(Option<SealedKey>),
}

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

impl Store {
    /// Sets a number aside for a service that is about to be made, so that its key can be bound to it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn reserve_ai_service(&self, _grant: &Grant<Editor>) -> Result<ServiceId, StoreError> {
        #[derive(diesel::QueryableByName)]
        struct Reserved {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            id: i64,
        }
        let reserved: Reserved =
            Statement::new("SELECT nextval(pg_get_serial_sequence('ai_services', 'service_id')) AS id")
                .get_result(&mut self.lend(Sight::NoApp).await?)
                .await?;
        Ok(ServiceId::new(reserved.id))
    }

    /// Stores a new service in the grant's app, under the number that it carries.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the name is taken.
    pub async fn create_ai_service(
        &self,
        grant: &Grant<Editor>,
        service: &AiService,
        key: Option<&SealedKey>,
    ) -> Result<AiService, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let row: AiServiceRow = diesel::insert_into(ai_services::table)
                .values((
                    AiServiceColumns::from(service),
                    ai_services::service_id.eq(service.id.get()),
                    ai_services::app_id.eq(grant.app().get()),
                    ai_services::create_date.eq(service.created),
                    ai_services::api_key_sealed.eq(key.map(|key| key.sealed.as_slice())),
                    ai_services::api_key_mask.eq(key.map(|key| key.mask.as_str())),
                ))
                .returning(AiServiceRow::as_returning())
                .get_result(connection)
                .await?;
            let made = AiService::try_from(row)?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::create(&made)).await?;
            Ok(made)
        })
        .await
    }

    /// Changes a service of the grant's app: `change` gets it as it is now and says what becomes of it and of its key, and
    /// nobody else changes either meanwhile. What `change` refuses is answered inside.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such service, [`StoreError::Conflict`] if its new name is taken.
    pub async fn update_ai_service<E: Send>(
        &self,
        grant: &Grant<Editor>,
        id: ServiceId,
        change: impl FnOnce(AiService) -> Result<(AiService, StoredKey), E> + Send,
    ) -> Result<Result<AiService, E>, StoreError> {
        let wanted = ai_services::table
            .filter(ai_services::app_id.eq(grant.app().get()))
            .filter(ai_services::service_id.eq(id.get()));
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let stored: AiServiceRow =
                wanted.select(AiServiceRow::as_select()).for_no_key_update().first(connection).await?;
            let stored = AiService::try_from(stored)?;
            let (next, key) = match change(stored.clone()) {
                Ok(next) => next,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if let StoredKey::Replace(key) = &key {
                let columns = (
                    ai_services::api_key_sealed.eq(key.as_ref().map(|key| key.sealed.as_slice())),
                    ai_services::api_key_mask.eq(key.as_ref().map(|key| key.mask.as_str())),
                );
                diesel::update(wanted).set(columns).execute(connection).await?;
            }
            let row: AiServiceRow = diesel::update(wanted)
                .set(AiServiceColumns::from(&next))
                .returning(AiServiceRow::as_returning())
                .get_result(connection)
                .await?;
            let next = AiService::try_from(row)?;
            let deed = match key {
                // Two keys may end alike.
                StoredKey::Replace(_) if stored.key_mask == next.key_mask => {
                    Deed::update(&AiService { key_mask: None, ..stored }, &next)
                }
                _ => Deed::update(&stored, &next),
            };
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
            Ok(Ok(next))
        })
        .await
    }

    /// The sealed key of a service of the grant's app.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such service.
    pub async fn ai_service_key(&self, grant: &Grant<Viewer>, id: ServiceId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(ai_services::table
            .filter(ai_services::app_id.eq(grant.app().get()))
            .filter(ai_services::service_id.eq(id.get()))
            .select(ai_services::api_key_sealed)
            .first(&mut self.lend(Sight::of(grant)).await?)
            .await?)
    }
}
