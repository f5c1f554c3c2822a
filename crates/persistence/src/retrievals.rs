//! What was found for turns, with the scores that chose it.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use omni_domain::{Citation, SiloId, Timestamp, TurnId};
use omni_rbac::{Grant, Viewer};
use serde_json::Value;

use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// What was looked up for a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieval {
    /// In which silo; none if it is gone.
    pub silo: Option<SiloId>,
    /// The question as it was looked up.
    pub query: String,
    /// What was found, best first.
    pub citations: Vec<Citation>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    turn_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    silo_id: Option<i64>,
    #[diesel(sql_type = Text)]
    query: String,
    #[diesel(sql_type = Jsonb)]
    passages: Value,
}

impl TryFrom<Row> for Retrieval {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let citations =
            serde_json::from_value(row.passages).map_err(|error| StoreError::inconsistent(error.to_string()))?;
        Ok(Self { silo: row.silo_id.map(SiloId::new), query: row.query, citations })
    }
}

impl Store {
    /// What was found for a turn of the grant holder's own; nothing if nothing was looked up.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn retrieval(&self, grant: &Grant<Viewer>, turn: TurnId) -> Result<Option<Retrieval>, StoreError> {
        let row: Option<Row> = owned(grant)
            .sql(" AND r.turn_id = ")
            .int(turn.get())
            .get_result(&mut self.lend(Sight::of(grant)).await?)
            .await
            .optional()?;
        row.map(Retrieval::try_from).transpose()
    }

    /// What was found for these turns of the grant holder's own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn retrievals(
        &self,
        grant: &Grant<Viewer>,
        turns: &[TurnId],
    ) -> Result<BTreeMap<TurnId, Retrieval>, StoreError> {
        let rows: Vec<Row> = owned(grant)
            .sql(" AND r.turn_id = ANY(")
            .ints(turns.iter().map(|turn| turn.get()).collect::<Vec<_>>())
            .sql(")")
            .load(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        rows.into_iter().map(|row| Ok((TurnId::new(row.turn_id), row.try_into()?))).collect()
    }
}

/// Has the statement that begins a `turn` keep what was looked up for it.
pub(crate) fn keeping(
    opening: Statement,
    grant: &Grant<Viewer>,
    retrieval: Option<&Retrieval>,
    now: Timestamp,
) -> Result<Statement, StoreError> {
    let Some(retrieval) = retrieval else { return Ok(opening) };
    let passages =
        serde_json::to_string(&retrieval.citations).map_err(|error| StoreError::inconsistent(error.to_string()))?;
    Ok(opening
        .sql(", kept AS (INSERT INTO retrievals (turn_id, app_id, silo_id, query, passages, create_date) SELECT turn_id, ")
        .int(grant.app().get())
        .sql(", ")
        .optional_int(retrieval.silo.map(SiloId::get))
        .sql("::bigint, ")
        .text(retrieval.query.as_str())
        .sql(", ")
        .text(passages)
        .sql("::jsonb, ")
        .moment(now)
        .sql(" FROM turn)"))
}

fn owned(grant: &Grant<Viewer>) -> Statement {
    Statement::new("SELECT r.turn_id, r.silo_id, r.query, r.passages FROM retrievals r ")
        .sql("JOIN turns t ON t.turn_id = r.turn_id WHERE r.app_id = ")
        .int(grant.app().get())
        .sql(" AND t.user_id = ")
        .int(grant.actor().get())
}
