//! What may be done so often a minute, counted for all replicas together: requests by a key, wrong guesses, refusals that
//! are kept.

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use omni_domain::{MinuteWindow, Timestamp};
use omni_rbac::SystemGrant;

use crate::app_scoped::small;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// Something that may be done so often a minute, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance<'a> {
    /// What it is.
    pub kind: &'static str,
    /// Who it is counted for.
    pub subject: &'a str,
    /// How often a minute.
    pub most: u32,
}

#[derive(QueryableByName)]
struct Used {
    #[diesel(sql_type = BigInt)]
    used: i64,
}

impl Store {
    /// Takes one of an allowance, and says how many of this minute's have been taken; nothing if all were already.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn draw(&self, allowance: Allowance<'_>, now: Timestamp) -> Result<Option<u32>, StoreError> {
        let minute = MinuteWindow::began(now);
        let used: Option<Used> = Statement::new("INSERT INTO allowances AS a (kind, subject, began, used) SELECT ")
            .text(allowance.kind)
            .sql(", ")
            .text(allowance.subject)
            .sql(", ")
            .moment(minute)
            .sql("::timestamptz, 1 WHERE ")
            .int(allowance.most)
            .sql(" > 0 ON CONFLICT (kind, subject) DO UPDATE SET began = greatest(a.began, excluded.began), ")
            // A replica whose clock is behind counts in the minute of the others.
            .sql("used = CASE WHEN a.began >= excluded.began THEN a.used + 1 ELSE 1 END ")
            .sql("WHERE a.began < excluded.began OR a.used < ")
            .int(allowance.most)
            .sql(" RETURNING used")
            .get_result(&mut self.lend(Sight::NoApp).await?)
            .await
            .optional()?;
        used.map(|row| small(row.used)).transpose()
    }

    /// How many of this minute's have been taken of an allowance.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn drawn(&self, allowance: Allowance<'_>, now: Timestamp) -> Result<u32, StoreError> {
        let used: Option<Used> = Statement::new("SELECT used FROM allowances WHERE kind = ")
            .text(allowance.kind)
            .sql(" AND subject = ")
            .text(allowance.subject)
            .sql(" AND began >= ")
            .moment(MinuteWindow::began(now))
            .get_result(&mut self.lend(Sight::NoApp).await?)
            .await
            .optional()?;
        used.map_or(Ok(0), |row| small(row.used))
    }

    /// Removes the counts of minutes that are over, and says how many there were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn sweep_allowances(&self, _leave: &SystemGrant, now: Timestamp) -> Result<usize, StoreError> {
        Ok(Statement::new("DELETE FROM allowances WHERE began < ")
            .moment(MinuteWindow::began(now) - time::Duration::minutes(5))
            .execute(&mut self.lend(Sight::NoApp).await?)
            .await?)
    }
}
