use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use omni_domain::{ApiKey, ApiKeyDraft, ApiKeyId, AppId, Deed, Page, PageRequest, Timestamp, UserId};
use omni_rbac::{ApiKeyDigest, Grant, Owner, Viewer};

use crate::app_scoped::small;
use crate::audit;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

const API_KEY: &str =
    "k.key_id, k.app_id, k.name, k.key_mask, k.rate_limit, k.created_by, k.create_date, k.last_used_at";

#[derive(QueryableByName)]
struct ApiKeyRow {
    #[diesel(sql_type = BigInt)]
    key_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    key_mask: String,
    #[diesel(sql_type = BigInt)]
    rate_limit: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    created_by: Option<i64>,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_used_at: Option<Timestamp>,
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ApiKeyId::new(row.key_id),
            app: AppId::new(row.app_id),
            name: row.name,
            mask: row.key_mask,
            rate_limit: small(row.rate_limit)?,
            creator: row.created_by.map(UserId::new),
            created: row.create_date,
            last_used: row.last_used_at,
        })
    }
}

impl Store {
    /// One page of the grant's app's API keys, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_api_keys(&self, grant: &Grant<Viewer>, page: PageRequest) -> Result<Page<ApiKey>, StoreError> {
        let app = grant.app().get();
        let from = |start: Statement| start.sql(" FROM api_keys k WHERE k.app_id = ").int(app);
        self.page_of::<ApiKeyRow, _>(Sight::of(grant), API_KEY, from, "k.key_id", page).await
    }

    /// Keeps a new API key of the grant's app: its digest and its mask.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn create_api_key(
        &self,
        grant: &Grant<Owner>,
        draft: &ApiKeyDraft,
        digest: &ApiKeyDigest,
        mask: &str,
        now: Timestamp,
    ) -> Result<ApiKey, StoreError> {
        let insert = Statement::new("INSERT INTO api_keys AS k ")
            .sql("(app_id, name, key_digest, key_mask, rate_limit, created_by, create_date) VALUES (")
            .int(grant.app().get())
            .sql(", ")
            .text(draft.name.as_str())
            .sql(", ")
            .bytes(*digest.as_bytes())
            .sql(", ")
            .text(mask)
            .sql(", ")
            .int(draft.rate_limit)
            .sql(", ")
            .int(grant.actor().get())
            .sql(", ")
            .moment(now)
            .sql(") RETURNING ")
            .sql(API_KEY);
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let made = ApiKey::try_from(insert.get_result::<ApiKeyRow>(connection).await?)?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::create(&made)).await?;
            Ok(made)
        })
        .await
    }

    /// Revokes an API key of the grant's app. It opens nothing from now on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has none with this number.
    pub async fn revoke_api_key(&self, grant: &Grant<Owner>, id: ApiKeyId) -> Result<(), StoreError> {
        let revoke = Statement::new("DELETE FROM api_keys AS k WHERE k.app_id = ")
            .int(grant.app().get())
            .sql(" AND k.key_id = ")
            .int(id.get())
            .sql(" RETURNING ")
            .sql(API_KEY);
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let revoked = ApiKey::try_from(revoke.get_result::<ApiKeyRow>(connection).await?)?;
            let deed = Deed::delete(&revoked).called("api_key.revoke");
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await
        })
        .await
    }
}
