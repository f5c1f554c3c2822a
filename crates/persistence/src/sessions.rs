use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use omni_domain::{Timestamp, UserId};
use omni_rbac::{SessionKey, SystemGrant};

use crate::schema::sessions;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// A session that begins.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// What it is found by.
    pub key: SessionKey,
    /// Who is signed in.
    pub user: UserId,
    /// When it begins.
    pub created: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

impl Store {
    /// Begins a session and ends the one that the browser had before, if it had one: an id from before the sign-in never
    /// outlives it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn begin_session(&self, new: &NewSession, previous: Option<&SessionKey>) -> Result<(), StoreError> {
        let previous = previous.map(|key| key.as_bytes().to_vec()).unwrap_or_default();
        Statement::new("WITH ended AS (DELETE FROM sessions WHERE session_key = ")
            .bytes(previous)
            .sql(") INSERT INTO sessions (session_key, user_id, create_date, expires) VALUES (")
            .bytes(*new.key.as_bytes())
            .sql(", ")
            .int(new.user.get())
            .sql(", ")
            .moment(new.created)
            .sql(", ")
            .moment(new.expires)
            .sql(")")
            .execute(&mut self.lend().await?)
            .await?;
        Ok(())
    }

    /// Ends a session; ending one that is over already is no error.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn end_session(&self, key: &SessionKey) -> Result<(), StoreError> {
        diesel::delete(sessions::table.filter(sessions::session_key.eq(key.as_bytes().as_slice())))
            .execute(&mut self.lend().await?)
            .await?;
        Ok(())
    }

    /// Removes sessions that are over, and says how many there were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn sweep_sessions(&self, _leave: &SystemGrant, now: Timestamp) -> Result<usize, StoreError> {
        Ok(diesel::delete(sessions::table.filter(sessions::expires.le(now))).execute(&mut self.lend().await?).await?)
    }
}
