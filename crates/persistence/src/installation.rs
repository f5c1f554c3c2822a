use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl;
use omni_domain::Timestamp;
use omni_rbac::SystemGrant;
use uuid::Uuid;

use crate::statement::Statement;
use crate::{Store, StoreError};

#[derive(QueryableByName)]
struct InstallationRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl Store {
    /// Claims the first start: true for exactly one caller in the life of the installation, however many replicas ask.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn claim_first_start(&self, _leave: &SystemGrant, now: Timestamp) -> Result<bool, StoreError> {
        let claimed: Option<InstallationRow> = Statement::new("UPDATE installation SET welcomed = ")
            .moment(now)
            .sql(" WHERE welcomed IS NULL RETURNING id")
            .get_result(&mut self.lend().await?)
            .await
            .optional()?;
        Ok(claimed.is_some())
    }

    /// What this installation is called; it stays the same for as long as its database does.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn installation(&self) -> Result<Uuid, StoreError> {
        let row: InstallationRow =
            Statement::new("SELECT id FROM installation").get_result(&mut self.lend().await?).await?;
        Ok(row.id)
    }
}
