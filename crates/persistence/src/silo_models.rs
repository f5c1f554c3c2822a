//! A silo with what embeds its texts, in one statement: what every search and every indexing begins with.

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use omni_domain::{AppId, EmbeddingService, EmbeddingServiceId, Silo, SiloId, SiloSettings, Timestamp};
use omni_rbac::{Editor, Grant, Viewer};

use crate::app_scoped::{count, optional_small, small};
use crate::connection::Sight;
use crate::silo_settings::{SettingsRow, settings_columns};
use crate::statement::Statement;
use crate::{Store, StoreError};

/// A silo, and its embedding service with the sealed key; none is the model that is built in.
#[derive(Debug, Clone)]
pub struct EmbeddedSilo {
    /// The silo.
    pub silo: Silo,
    /// What embeds its texts.
    pub service: Option<(EmbeddingService, Option<Vec<u8>>)>,
}

#[derive(QueryableByName)]
struct Row {
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
    embedded_dimensions: Option<i64>,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    update_date: Timestamp,
    #[diesel(sql_type = Nullable<BigInt>)]
    service_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    service_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    provider: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    model: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    base_url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    api_version: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    api_key_mask: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    api_key_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    dimensions: Option<i64>,
}

impl TryFrom<Row> for EmbeddedSilo {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let app = AppId::new(row.app_id);
        let embedded_with = match (row.embedding_model, optional_small(row.embedded_dimensions)?) {
            (Some(model), Some(dimensions)) => Some((model, dimensions)),
            _ => None,
        };
        let service = match (row.service_id, row.service_name, row.provider, row.model) {
            (Some(id), Some(name), Some(provider), Some(model)) => {
                let service = EmbeddingService {
                    id: EmbeddingServiceId::new(id),
                    app,
                    name,
                    description: None,
                    provider,
                    model,
                    base_url: row.base_url,
                    api_version: row.api_version,
                    key_mask: row.api_key_mask,
                    dimensions: optional_small(row.dimensions)?,
                    created: row.create_date,
                    updated: row.update_date,
                };
                Some((service, row.api_key_sealed))
            }
            _ => None,
        };
        let silo = Silo {
            id: SiloId::new(row.silo_id),
            app,
            name: row.name,
            description: row.description,
            kind: row.silo_type.parse().map_err(StoreError::Inconsistent)?,
            settings: SiloSettings {
                embedding_service: row.service_id.map(EmbeddingServiceId::new),
                ..row.settings.try_into()?
            },
            embedded_with,
            epoch: count(row.epoch)?,
            created: row.create_date,
            updated: row.update_date,
        };
        Ok(Self { silo, service })
    }
}

#[derive(QueryableByName)]
struct DimensionsRow {
    #[diesel(sql_type = BigInt)]
    dimensions: i64,
}

impl Store {
    /// A silo of the grant's app with what embeds its texts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such silo.
    pub async fn embedded_silo(&self, grant: &Grant<Viewer>, silo: SiloId) -> Result<EmbeddedSilo, StoreError> {
        self.silo_with(grant, silo, "s.embedding_service_id").await
    }

    /// A silo of the grant's app with what is to embed its texts once they are embedded anew.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such silo.
    pub async fn next_embedded_silo(&self, grant: &Grant<Viewer>, silo: SiloId) -> Result<EmbeddedSilo, StoreError> {
        self.silo_with(grant, silo, "s.next_service_id").await
    }

    /// How many dimensions the vectors of an epoch have, if there are any.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn dimensions_of(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        epoch: u64,
    ) -> Result<Option<u32>, StoreError> {
        let row: Option<DimensionsRow> = Statement::new("SELECT vector_dims(v.embedding)::bigint AS dimensions ")
            .sql("FROM chunk_vectors v JOIN silos s ON s.silo_id = v.silo_id WHERE s.app_id = ")
            .int(grant.app().get())
            .sql(" AND v.silo_id = ")
            .int(silo.get())
            .sql(" AND v.epoch = ")
            .int(i64::try_from(epoch).unwrap_or(i64::MAX))
            .sql(" LIMIT 1")
            .get_result(&mut self.lend(Sight::of(grant)).await?)
            .await
            .optional()?;
        row.map(|row| small(row.dimensions)).transpose()
    }

    async fn silo_with(
        &self,
        grant: &Grant<Viewer>,
        silo: SiloId,
        service: &'static str,
    ) -> Result<EmbeddedSilo, StoreError> {
        let row: Option<Row> = Statement::new(concat!("SELECT ", settings_columns!(), ", s.silo_id, s.app_id, s.name, "))
            .sql("s.description, s.silo_type, s.embedding_model, s.dimensions AS embedded_dimensions, s.epoch, ")
            .sql("s.create_date, s.update_date, e.service_id, e.name AS service_name, e.provider, e.model, e.base_url, ")
            .sql("e.api_version, e.api_key_mask, e.api_key_sealed, e.dimensions FROM silos s LEFT JOIN embedding_services e ")
            .sql("ON e.service_id = ")
            .sql(service)
            .sql(" AND e.app_id = s.app_id WHERE s.app_id = ")
            .int(grant.app().get())
            .sql(" AND s.silo_id = ")
            .int(silo.get())
            .get_result(&mut self.lend(Sight::of(grant)).await?)
            .await
            .optional()?;
        row.ok_or(StoreError::NotFound)?.try_into()
    }
}
