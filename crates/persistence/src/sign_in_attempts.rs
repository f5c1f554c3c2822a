use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use omni_domain::Timestamp;

use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// Somebody who goes to the identity provider.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// The SHA-256 of what comes back.
    pub state: [u8; 32],
    /// The SHA-256 of what the browser keeps.
    pub browser: [u8; 32],
    /// What the ID token has to repeat.
    pub nonce: String,
    /// Where the browser wants to go afterwards.
    pub return_path: String,
    /// When the attempt is over.
    pub expires: Timestamp,
}

/// Somebody who has come back, in the browser that left, in time, and for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenAttempt {
    /// What the ID token has to repeat.
    pub nonce: String,
    /// Where the browser wants to go.
    pub return_path: String,
}

#[derive(QueryableByName)]
struct AttemptRow {
    #[diesel(sql_type = Text)]
    nonce: String,
    #[diesel(sql_type = Text)]
    return_path: String,
    #[diesel(sql_type = Bool)]
    is_good: bool,
}

impl Store {
    /// Remembers an attempt to sign in.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn begin_sign_in(&self, new: NewAttempt) -> Result<(), StoreError> {
        Statement::new("INSERT INTO sign_in_attempts (state_hash, browser_hash, nonce, return_path, expires) VALUES (")
            .bytes(new.state)
            .sql(", ")
            .bytes(new.browser)
            .sql(", ")
            .text(new.nonce)
            .sql(", ")
            .text(new.return_path)
            .sql(", ")
            .moment(new.expires)
            .sql(")")
            .execute(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(())
    }

    /// Takes an attempt away, for good and for one caller only, and answers it if it is this browser's and not over. What
    /// comes back in another browser has been seen by somebody whom it was not for, so it is used up as well.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn take_sign_in(
        &self,
        state: [u8; 32],
        browser: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TakenAttempt>, StoreError> {
        let row: Option<AttemptRow> = Statement::new("DELETE FROM sign_in_attempts WHERE state_hash = ")
            .bytes(state)
            .sql(" RETURNING nonce, return_path, browser_hash = ")
            .bytes(browser)
            .sql(" AND expires > ")
            .moment(now)
            .sql(" AS is_good")
            .get_result(&mut self.lend(Sight::NoApp).await?)
            .await
            .optional()?;
        let good = row.filter(|row| row.is_good);
        Ok(good.map(|row| TakenAttempt { nonce: row.nonce, return_path: row.return_path }))
    }
}
