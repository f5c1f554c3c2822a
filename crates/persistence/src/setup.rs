use diesel::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// What an installation has so far, of what it needs before people can use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct SetUp {
    /// Whether there is an app.
    #[diesel(sql_type = Bool)]
    pub has_app: bool,
}

impl Store {
    /// Says what the installation has so far.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn set_up(&self) -> Result<SetUp, StoreError> {
        Ok(Statement::new("SELECT EXISTS (SELECT FROM apps) AS has_app")
            .get_result(&mut self.lend(Sight::AllApps).await?)
            .await?)
    }
}
