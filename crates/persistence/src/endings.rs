//! How turns end in the database: together with whatever else ends at the same moment, in one statement.
//!
//! Rows are locked from the outside in, as the deletion of an app, an agent or a conversation does it: app, agents,
//! conversations, turns. A statement waits for a lock for two seconds at most, so that a row which somebody holds keeps
//! nobody else's turn from ending for longer.

use std::collections::BTreeSet;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use omni_domain::{AgentId, MessageStatus, Timestamp, TurnId, TurnUsage};
use omni_rbac::{Grant, SystemGrant, Viewer};
use uuid::Uuid;

use crate::connection::Sight;
use crate::statement::Statement;
use crate::turns::Runner;
use crate::{Store, StoreError};

/// A turn that is over.
#[derive(Debug)]
pub struct FinishedTurn {
    /// Leave to write in the turn's app.
    pub grant: Grant<Viewer>,
    /// Which turn.
    pub turn: TurnId,
    /// Whose answer it was.
    pub agent: AgentId,
    /// How it ended.
    pub status: MessageStatus,
    /// What the agent said.
    pub content: String,
    /// Why it failed, for the person.
    pub error: Option<String>,
    /// Why it failed, for programs.
    pub error_code: Option<&'static str>,
    /// What it cost, if that is known.
    pub usage: Option<TurnUsage>,
    /// When it ended.
    pub now: Timestamp,
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = BigInt)]
    turn_id: i64,
}

impl Store {
    /// Ends turns: their rows, the agents' messages, the conversations' dates and the counters, all in one transaction.
    /// Says which of them are now stored as they are given here, be it by an earlier attempt. The others are left as they
    /// are: somebody else has ended them, or they are gone with their conversation. What those cost is counted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away or a row stays locked; then, as far as this call knows, none has
    /// ended.
    pub async fn finish_turns(&self, finished: &[FinishedTurn]) -> Result<BTreeSet<TurnId>, StoreError> {
        let ended: Vec<Ended> = Statement::new("WITH patience AS MATERIALIZED (")
            .sql("SELECT set_config('lock_timeout', '2s', true)), done AS MATERIALIZED (SELECT * FROM unnest(")
            .ints(column(finished, |one| one.turn.get()))
            .sql(", ")
            .ints(column(finished, |one| one.grant.app().get()))
            .sql(", ")
            .ints(column(finished, |one| one.agent.get()))
            .sql(", ")
            .texts(column(finished, |one| one.status.as_str().to_owned()))
            .sql(", ")
            .texts(column(finished, |one| one.content.clone()))
            .sql(", ")
            .optional_texts(column(finished, |one| one.error.clone()))
            .sql(", ")
            .optional_texts(column(finished, |one| one.error_code.map(str::to_owned)))
            .sql(", ")
            .optional_ints(column(finished, |one| one.usage.map(|usage| tokens(usage.tokens.input))))
            .sql(", ")
            .optional_ints(column(finished, |one| one.usage.map(|usage| tokens(usage.tokens.output))))
            .sql(", ")
            .bools(column(finished, |one| one.usage.is_some_and(|usage| usage.estimated)))
            .sql(", ")
            .moments(column(finished, |one| one.now))
            .sql(") AS d (turn_id, app_id, agent_id, status, content, error, error_code, input_tokens, output_tokens, ")
            .sql("estimated, at)), ")
            .sql(ENDINGS)
            .sql("SELECT d.turn_id FROM done d WHERE EXISTS (SELECT FROM ended e WHERE e.turn_id = d.turn_id) OR EXISTS (")
            .sql("SELECT FROM turns t WHERE t.turn_id = d.turn_id AND t.status = d.status AND t.finish_date = d.at)")
            .load(&mut self.lend(Sight::AllApps).await?)
            .await?;
        Ok(ended.into_iter().map(|ended| TurnId::new(ended.turn_id)).collect())
    }

    /// Says that a process which runs turns is alive.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn beat(&self, _leave: &SystemGrant, runner: Runner, now: Timestamp) -> Result<(), StoreError> {
        Statement::new("INSERT INTO runners (runner_id, last_seen) VALUES (")
            .uuid(runner.0)
            .sql(", ")
            .moment(now)
            .sql(") ON CONFLICT (runner_id) DO UPDATE SET last_seen = excluded.last_seen")
            .execute(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(())
    }

    /// Ends the turns of processes that have not been seen since `since`, and of `stopped` if one is named, as
    /// interrupted. Says how many there were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away or a row stays locked.
    pub async fn interrupt_abandoned_turns(
        &self,
        _leave: &SystemGrant,
        since: Timestamp,
        stopped: Option<Runner>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let stopped = stopped.map_or_else(Uuid::nil, |runner| runner.0);
        let ended: Vec<Ended> = Statement::new("WITH patience AS MATERIALIZED (")
            .sql("SELECT set_config('lock_timeout', '2s', true)), done AS MATERIALIZED (")
            .sql("SELECT t.turn_id, t.app_id, t.agent_id, 'interrupted' AS status, m.content, ")
            .sql("'The answer was interrupted: the server stopped.' AS error, 'interrupted' AS error_code, ")
            .sql("t.input_tokens, t.output_tokens, t.usage_estimated AS estimated, ")
            .moment(now)
            .sql("::timestamptz AS at FROM turns t JOIN messages m ON m.turn_id = t.turn_id AND m.author = 'agent' ")
            .sql("WHERE t.status = 'streaming' AND (t.runner_id = ")
            .uuid(stopped)
            .sql(" OR NOT EXISTS (SELECT FROM runners r WHERE r.runner_id = t.runner_id AND r.last_seen >= ")
            .moment(since)
            .sql("))), forgotten AS (DELETE FROM runners WHERE last_seen < ")
            .moment(since - time::Duration::days(1))
            .sql("), ")
            .sql(ENDINGS)
            .sql("SELECT turn_id FROM ended")
            .load(&mut self.lend(Sight::AllApps).await?)
            .await?;
        Ok(ended.len())
    }
}

/// What the end of turns writes, given them as `done`. Each `…_held` is read before the next lock is taken. The counters
/// are added up first, so that each row of theirs is touched once however many turns end together.
const ENDINGS: &str = "apps_held AS MATERIALIZED (\
    SELECT app_id FROM apps WHERE (SELECT count(*) FROM patience) = 1 AND app_id IN (SELECT app_id FROM done) \
    ORDER BY app_id FOR KEY SHARE\
    ), agents_held AS MATERIALIZED (\
    SELECT agent_id FROM agents WHERE (SELECT count(*) FROM apps_held) >= 0 \
    AND agent_id IN (SELECT agent_id FROM done) ORDER BY agent_id FOR NO KEY UPDATE\
    ), conversations_held AS MATERIALIZED (\
    SELECT conversation_id FROM conversations WHERE (SELECT count(*) FROM agents_held) >= 0 \
    AND conversation_id IN (SELECT t.conversation_id FROM turns t JOIN done d ON d.turn_id = t.turn_id) \
    ORDER BY conversation_id FOR NO KEY UPDATE\
    ), ended AS (\
    UPDATE turns t SET status = d.status, error_code = d.error_code, input_tokens = d.input_tokens, \
    output_tokens = d.output_tokens, usage_estimated = d.estimated, finish_date = d.at FROM done d \
    WHERE (SELECT count(*) FROM conversations_held) >= 0 \
    AND t.turn_id = d.turn_id AND t.app_id = d.app_id AND t.status = 'streaming' \
    RETURNING t.turn_id, t.conversation_id, t.agent_id, d.at\
    ), written AS (\
    UPDATE messages m SET content = d.content, status = d.status, error = d.error \
    FROM done d JOIN ended e ON e.turn_id = d.turn_id WHERE m.turn_id = d.turn_id AND m.author = 'agent'\
    ), talked AS (\
    UPDATE conversations c SET update_date = e.at \
    FROM (SELECT conversation_id, max(at) AS at FROM ended GROUP BY conversation_id) e \
    WHERE c.conversation_id = e.conversation_id\
    ), asked AS (\
    UPDATE agents a SET request_count = a.request_count + e.turns \
    FROM (SELECT agent_id, count(*) AS turns FROM ended GROUP BY agent_id) e WHERE a.agent_id = e.agent_id\
    ), counted AS (\
    INSERT INTO usage_daily AS u (app_id, day, agent_id, turns, failed, input_tokens, output_tokens) \
    SELECT d.app_id, (d.at AT TIME ZONE 'UTC')::date, d.agent_id, count(*), \
    count(*) FILTER (WHERE d.status <> 'complete'), coalesce(sum(d.input_tokens), 0), coalesce(sum(d.output_tokens), 0) \
    FROM done d WHERE d.app_id IN (SELECT app_id FROM apps_held) AND (d.turn_id IN (SELECT turn_id FROM ended) \
    OR NOT EXISTS (SELECT FROM turns t WHERE t.turn_id = d.turn_id)) GROUP BY 1, 2, 3 \
    ON CONFLICT (app_id, day, agent_id) DO UPDATE SET turns = u.turns + excluded.turns, \
    failed = u.failed + excluded.failed, input_tokens = u.input_tokens + excluded.input_tokens, \
    output_tokens = u.output_tokens + excluded.output_tokens) ";

fn column<T>(finished: &[FinishedTurn], value: impl Fn(&FinishedTurn) -> T) -> Vec<T> {
    finished.iter().map(value).collect()
}

fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
