use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Date, Nullable, Text};
use diesel_async::RunQueryDsl;
use omni_domain::{AgentId, DailyUsage, Timestamp, TokenCount};
use omni_rbac::{Grant, Viewer};

use crate::app_scoped::{count, small};
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

#[derive(QueryableByName)]
struct DailyRow {
    #[diesel(sql_type = Date)]
    day: time::Date,
    #[diesel(sql_type = Nullable<BigInt>)]
    agent_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    agent_name: Option<String>,
    #[diesel(sql_type = BigInt)]
    turns: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = BigInt)]
    input_tokens: i64,
    #[diesel(sql_type = BigInt)]
    output_tokens: i64,
}

impl Store {
    /// What the agents of the grant's app did on each day since `since`, latest day first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn daily_usage(&self, grant: &Grant<Viewer>, since: time::Date) -> Result<Vec<DailyUsage>, StoreError> {
        let rows: Vec<DailyRow> = Statement::new(
            "SELECT u.day, g.agent_id, g.name AS agent_name, u.turns, u.failed, u.input_tokens, u.output_tokens \
             FROM usage_daily u LEFT JOIN agents g ON g.agent_id = u.agent_id AND g.app_id = u.app_id WHERE u.app_id = ",
        )
        .int(grant.app().get())
        .sql(" AND u.day >= ")
        .day(since)
        .sql(" ORDER BY u.day DESC, u.agent_id")
        .load(&mut self.lend(Sight::of(grant)).await?)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(DailyUsage {
                    day: row.day,
                    agent: row.agent_id.map(AgentId::new),
                    agent_name: row.agent_name,
                    turns: count(row.turns)?,
                    failed: count(row.failed)?,
                    tokens: TokenCount { input: count(row.input_tokens)?, output: count(row.output_tokens)? },
                })
            })
            .collect()
    }

    /// How many turns the grant's app has begun since `since`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn turns_since(&self, grant: &Grant<Viewer>, since: Timestamp) -> Result<u32, StoreError> {
        #[derive(QueryableByName)]
        struct Begun {
            #[diesel(sql_type = BigInt)]
            turns: i64,
        }
        let begun: Begun = Statement::new("SELECT greatest((SELECT count(*) FROM turns WHERE create_date >= ")
            .moment(since)
            .sql(" AND app_id = ")
            .int(grant.app().get())
            // What was deleted since still counts against a limit.
            .sql("), (SELECT turns FROM app_minutes WHERE minute = ")
            .moment(since)
            .sql(" AND app_id = ")
            .int(grant.app().get())
            .sql(")) AS turns")
            .get_result(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        small(begun.turns)
    }
}
