//! A turn in the database: planned in one round trip, opened in one, and finished together with whatever else finishes at
//! the same moment. Between the second and the third no connection is held.

use diesel::prelude::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, SelectableHelper};
use diesel_async::RunQueryDsl;
use omni_domain::{
    Agent, AgentId, AiService, Author, ConversationId, MessageId, MessageStatus, MinuteWindow, Timestamp, TurnId,
    TurnUsage, title_from,
};
use omni_rbac::{Grant, SystemGrant, Viewer};
use uuid::Uuid;

use crate::agents::AgentRow;
use crate::ai_services::AiServiceRow;
use crate::app_scoped::small;
use crate::conversations::{current_conversation, not_yours};
use crate::schema::{agents, ai_services};
use crate::statement::Statement;
use crate::{Store, StoreError};

/// A process that runs turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runner(pub Uuid);

/// What a person asks of an agent, before it is known what that takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnRequest {
    /// Whom.
    pub agent: AgentId,
    /// In which conversation, if the person says so; it must be theirs and with this agent.
    pub conversation: Option<ConversationId>,
    /// Whether a new conversation begins, whatever there was before.
    pub afresh: bool,
    /// When the running minute began, for the app's limit.
    pub minute: Timestamp,
}

/// All that a turn takes.
#[derive(Debug, Clone)]
pub struct TurnPlan {
    /// The agent.
    pub agent: Agent,
    /// Its AI service, and the service's key as it is kept.
    pub service: Option<(AiService, Option<Vec<u8>>)>,
    /// The conversation that goes on; none begins a new one.
    pub conversation: Option<ConversationId>,
    /// What the agent remembers of it, oldest first.
    pub history: Vec<(Author, String)>,
    /// How the app stands against its limit; the seconds are for the caller to fill in.
    pub window: MinuteWindow,
}

/// A turn that begins.
#[derive(Debug, Clone)]
pub struct NewTurn<'a> {
    /// The agent.
    pub agent: AgentId,
    /// The conversation that goes on; none begins a new one.
    pub conversation: Option<ConversationId>,
    /// What the person says.
    pub message: &'a str,
    /// The provider that answers.
    pub provider: &'a str,
    /// The model that answers.
    pub model: &'a str,
    /// The process that runs the turn.
    pub runner: Runner,
    /// When it begins.
    pub now: Timestamp,
}

/// A turn that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedTurn {
    /// The turn.
    pub turn: TurnId,
    /// The conversation that it is part of.
    pub conversation: ConversationId,
    /// The person's message.
    pub question: MessageId,
    /// The agent's message, which is being written.
    pub answer: MessageId,
}

/// A turn that is over.
#[derive(Debug)]
pub struct FinishedTurn {
    /// Leave to write in the turn's app.
    pub grant: Grant<Viewer>,
    /// Which turn.
    pub turn: TurnId,
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
struct StandRow {
    #[diesel(sql_type = BigInt)]
    agent_rate_limit: i64,
    #[diesel(sql_type = BigInt)]
    used: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    conversation_id: Option<i64>,
}

#[derive(QueryableByName)]
struct SaidRow {
    #[diesel(sql_type = Text)]
    author: String,
    #[diesel(sql_type = Text)]
    content: String,
}

#[derive(QueryableByName)]
struct OpenedRow {
    #[diesel(sql_type = BigInt)]
    turn_id: i64,
    #[diesel(sql_type = BigInt)]
    conversation_id: i64,
    #[diesel(sql_type = BigInt)]
    question: i64,
    #[diesel(sql_type = BigInt)]
    answer: i64,
}

impl Store {
    /// Collects what a turn takes, in one round trip.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the grant's app has no such agent, [`StoreError::Invalid`] if the named conversation is
    /// not the grant holder's own with this agent.
    pub async fn plan_turn(&self, grant: &Grant<Viewer>, request: &TurnRequest) -> Result<TurnPlan, StoreError> {
        let lent = self.lend().await?;
        let connection: &diesel_async::AsyncPgConnection = &lent;
        let (mut first, mut second, mut third, mut fourth) = (connection, connection, connection, connection);
        let agent =
            agents::table.filter(agents::app_id.eq(grant.app().get())).filter(agents::agent_id.eq(request.agent.get()));
        let service = ai_services::table
            .inner_join(agents::table.on(agents::service_id.eq(ai_services::service_id.nullable())))
            .filter(ai_services::app_id.eq(grant.app().get()))
            .filter(agents::agent_id.eq(request.agent.get()));
        let (agent, service, stand, said) = futures::try_join!(
            async { agent.select(AgentRow::as_select()).first::<AgentRow>(&mut first).await.optional() },
            async {
                service
                    .select((AiServiceRow::as_select(), ai_services::api_key_sealed))
                    .first::<(AiServiceRow, Option<Vec<u8>>)>(&mut second)
                    .await
                    .optional()
            },
            stand(grant, request).get_result::<StandRow>(&mut third),
            remembered(grant, request).load::<SaidRow>(&mut fourth),
        )?;
        let agent: Agent = agent.ok_or(StoreError::NotFound)?.try_into()?;
        if let (Some(named), None) = (request.conversation, stand.conversation_id) {
            return Err(not_yours(named));
        }
        let history = said
            .into_iter()
            .rev()
            .map(|row| Ok((row.author.parse().map_err(StoreError::Inconsistent)?, row.content)))
            .collect::<Result<_, StoreError>>()?;
        Ok(TurnPlan {
            agent,
            service: service.map(|(row, key)| Ok::<_, StoreError>((row.try_into()?, key))).transpose()?,
            conversation: stand.conversation_id.map(ConversationId::new),
            history,
            window: MinuteWindow { used: small(stand.used)?, limit: small(stand.agent_rate_limit)?, resets_in: 0 },
        })
    }

    /// Begins a turn: its row, the person's message and the place where the agent's will be, and the conversation if
    /// there is none yet.
    ///
    /// The commit does not wait for the disk. What makes the turn matter is its end, whose commit does wait, and which
    /// the log keeps behind this one; a crash in between loses nothing that anybody was told is kept.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the conversation or the agent has been deleted meanwhile.
    pub async fn open_turn(&self, grant: &Grant<Viewer>, new: &NewTurn<'_>) -> Result<OpenedTurn, StoreError> {
        let (app, user) = (grant.app().get(), grant.actor().get());
        let known = new.conversation.map(ConversationId::get);
        let row: OpenedRow = Statement::new("WITH known AS (SELECT ")
            .optional_int(known)
            .sql("::bigint AS id), begun AS (INSERT INTO conversations ")
            .sql("(app_id, agent_id, user_id, title, source, create_date, update_date) SELECT ")
            .int(app)
            .sql(", ")
            .int(new.agent.get())
            .sql(", ")
            .int(user)
            .sql(", ")
            .text(title_from(new.message))
            .sql(", 'playground', ")
            .moment(new.now)
            .sql(", ")
            .moment(new.now)
            .sql(" FROM known WHERE id IS NULL RETURNING conversation_id), conversation AS (")
            .sql("SELECT conversation_id FROM begun UNION ALL SELECT id FROM known WHERE id IS NOT NULL), turn AS (")
            .sql("INSERT INTO turns (app_id, conversation_id, agent_id, user_id, runner_id, status, provider, model, ")
            .sql("create_date) SELECT ")
            .int(app)
            .sql(", conversation_id, ")
            .int(new.agent.get())
            .sql(", ")
            .int(user)
            .sql(", ")
            .uuid(new.runner.0)
            .sql(", 'streaming', ")
            .text(new.provider)
            .sql(", ")
            .text(new.model)
            .sql(", ")
            .moment(new.now)
            .sql(" FROM conversation RETURNING turn_id, conversation_id), question AS (")
            .sql("INSERT INTO messages (app_id, conversation_id, turn_id, author, content, status, create_date) SELECT ")
            .int(app)
            .sql(", conversation_id, turn_id, 'user', ")
            .text(new.message)
            .sql(", 'complete', ")
            .moment(new.now)
            .sql(" FROM turn RETURNING message_id, conversation_id, turn_id), answer AS (")
            // Reads from `question`, so that its number is the higher one.
            .sql("INSERT INTO messages (app_id, conversation_id, turn_id, author, content, status, create_date) SELECT ")
            .int(app)
            .sql(", conversation_id, turn_id, 'agent', '', 'streaming', ")
            .moment(new.now)
            .sql(" FROM question RETURNING message_id) ")
            .sql("SELECT turn.turn_id, turn.conversation_id, question.message_id AS question, ")
            .sql("answer.message_id AS answer, set_config('synchronous_commit', 'off', true) FROM turn, question, answer")
            .get_result(&mut self.lend().await?)
            .await
            .map_err(deleted_meanwhile)?;
        Ok(OpenedTurn {
            turn: TurnId::new(row.turn_id),
            conversation: ConversationId::new(row.conversation_id),
            question: MessageId::new(row.question),
            answer: MessageId::new(row.answer),
        })
    }

    /// Ends turns: their rows, the agents' messages, the conversations' dates and the counters, all in one transaction.
    /// A turn that has ended already is left as it is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away; then none has ended.
    pub async fn finish_turns(&self, finished: &[FinishedTurn]) -> Result<(), StoreError> {
        Statement::new("WITH done AS (SELECT * FROM unnest(")
            .ints(column(finished, |one| one.turn.get()))
            .sql(", ")
            .ints(column(finished, |one| one.grant.app().get()))
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
            .sql(") AS d (turn_id, app_id, status, content, error, error_code, input_tokens, output_tokens, estimated, at)), ")
            .sql(ENDINGS)
            .execute(&mut self.lend().await?)
            .await?;
        Ok(())
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
            .execute(&mut self.lend().await?)
            .await?;
        Ok(())
    }

    /// Ends the turns of processes that have not been seen since `since`, and of `stopped` if one is named, as
    /// interrupted. Says how many there were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn interrupt_abandoned_turns(
        &self,
        _leave: &SystemGrant,
        since: Timestamp,
        stopped: Option<Runner>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let stopped = stopped.map_or_else(Uuid::nil, |runner| runner.0);
        Ok(Statement::new("WITH done AS (SELECT t.turn_id, t.app_id, 'interrupted' AS status, m.content, ")
            .sql("'The answer was interrupted: the server stopped.' AS error, 'interrupted' AS error_code, ")
            .sql("t.input_tokens, t.output_tokens, t.usage_estimated AS estimated, ")
            .moment(now)
            .sql("::timestamptz AS at FROM turns t JOIN messages m ON m.turn_id = t.turn_id AND m.author = 'agent' ")
            .sql("WHERE t.status = 'streaming' AND (t.runner_id = ")
            .uuid(stopped)
            .sql(" OR NOT EXISTS (SELECT FROM runners r WHERE r.runner_id = t.runner_id AND r.last_seen >= ")
            .moment(since)
            .sql(")) FOR UPDATE OF t SKIP LOCKED), forgotten AS (DELETE FROM runners WHERE last_seen < ")
            .moment(since - time::Duration::days(1))
            .sql("), ")
            .sql(ENDINGS)
            .execute(&mut self.lend().await?)
            .await?)
    }
}

/// What the end of turns writes, given them as `done`. The counters are added up first, so that each row of theirs is
/// touched once however many turns end together.
const ENDINGS: &str = "ended AS (\
    UPDATE turns t SET status = d.status, error_code = d.error_code, input_tokens = d.input_tokens, \
    output_tokens = d.output_tokens, usage_estimated = d.estimated, finish_date = d.at FROM done d \
    WHERE t.turn_id = d.turn_id AND t.app_id = d.app_id AND t.status = 'streaming' \
    RETURNING t.turn_id, t.app_id, t.conversation_id, t.agent_id, t.status, t.input_tokens, t.output_tokens, d.at\
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
    ) INSERT INTO usage_daily AS u (app_id, day, agent_id, turns, failed, input_tokens, output_tokens) \
    SELECT app_id, (at AT TIME ZONE 'UTC')::date, agent_id, count(*), count(*) FILTER (WHERE status <> 'complete'), \
    coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0) FROM ended GROUP BY 1, 2, 3 \
    ON CONFLICT (app_id, day, agent_id) DO UPDATE SET turns = u.turns + excluded.turns, \
    failed = u.failed + excluded.failed, input_tokens = u.input_tokens + excluded.input_tokens, \
    output_tokens = u.output_tokens + excluded.output_tokens";

/// How the app stands, and which conversation goes on.
fn stand(grant: &Grant<Viewer>, request: &TurnRequest) -> Statement {
    let statement = Statement::new("SELECT a.agent_rate_limit, CASE WHEN a.agent_rate_limit > 0 THEN ")
        .sql("(SELECT count(*) FROM turns t WHERE t.app_id = a.app_id AND t.create_date >= ")
        .moment(request.minute)
        .sql(") ELSE 0 END AS used, ");
    let statement = if request.afresh {
        statement.sql("NULL::bigint")
    } else {
        current_conversation(statement.sql("("), grant, request.agent, request.conversation).sql(")")
    };
    statement.sql(" AS conversation_id FROM apps a WHERE a.app_id = ").int(grant.app().get())
}

/// The latest whole messages of that conversation, as many as the agent remembers, latest first.
fn remembered(grant: &Grant<Viewer>, request: &TurnRequest) -> Statement {
    let statement =
        Statement::new("SELECT author, content FROM messages WHERE status = 'complete' AND conversation_id = ");
    let statement = if request.afresh {
        statement.sql("NULL")
    } else {
        current_conversation(statement.sql("("), grant, request.agent, request.conversation).sql(")")
    };
    statement
        .sql(" ORDER BY message_id DESC LIMIT (SELECT CASE WHEN has_memory THEN memory_max_messages ELSE 0 END ")
        .sql("FROM agents WHERE agent_id = ")
        .int(request.agent.get())
        .sql(")")
}

fn column<T>(finished: &[FinishedTurn], value: impl Fn(&FinishedTurn) -> T) -> Vec<T> {
    finished.iter().map(value).collect()
}

fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The only constraints that opening a turn can break are its references.
fn deleted_meanwhile(error: diesel::result::Error) -> StoreError {
    use diesel::result::DatabaseErrorKind::ForeignKeyViolation;
    match error {
        diesel::result::Error::DatabaseError(ForeignKeyViolation, _) => {
            StoreError::Conflict("the agent or the conversation has just been deleted".into())
        }
        other => other.into(),
    }
}
