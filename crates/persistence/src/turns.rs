//! How a turn begins in the database: planned in one round trip, opened in one. Until it ends no connection is held.

use diesel::prelude::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, SelectableHelper};
use diesel_async::RunQueryDsl;
use omni_domain::{
    Agent, AgentId, AiService, Author, ConversationId, MessageId, MinuteWindow, Timestamp, TurnId, title_from,
};
use omni_rbac::{Grant, Viewer};
use uuid::Uuid;

use crate::agents::AgentRow;
use crate::ai_services::AiServiceRow;
use crate::app_scoped::small;
use crate::connection::Sight;
use crate::conversations::{current_conversation, not_yours};
use crate::retrievals::{Retrieval, keeping};
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
    /// What was looked up for it.
    pub retrieval: Option<&'a Retrieval>,
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
        let lent = self.lend(Sight::of(grant)).await?;
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

    /// Begins a turn: its row, the person's message and the place where the agent's will be, what was looked up for it, and
    /// the conversation if there is none yet. Nothing, if the app has used up its turns of this minute.
    ///
    /// The commit does not wait for the disk. What makes the turn matter is its end, whose commit does wait, and which
    /// the log keeps behind this one; a crash in between loses nothing that anybody was told is kept.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the conversation or the agent has been deleted meanwhile.
    pub async fn open_turn(&self, grant: &Grant<Viewer>, new: &NewTurn<'_>) -> Result<Option<OpenedTurn>, StoreError> {
        let (app, user) = (grant.app().get(), grant.actor().get());
        let known = new.conversation.map(ConversationId::get);
        let opening = Statement::new("WITH known AS (SELECT ")
            .optional_int(known)
            .sql("::bigint AS id), counted AS (INSERT INTO app_minutes AS m (app_id, minute, turns) SELECT app_id, ")
            .moment(MinuteWindow::began(new.now))
            .sql(", 1 FROM apps WHERE agent_rate_limit > 0 AND app_id = ")
            .int(app)
            .sql(" ON CONFLICT (app_id) DO UPDATE SET minute = excluded.minute, ")
            .sql("turns = CASE WHEN m.minute = excluded.minute THEN m.turns + 1 ELSE 1 END WHERE m.minute <> excluded.minute ")
            .sql("OR m.turns < (SELECT agent_rate_limit FROM apps a WHERE a.app_id = m.app_id) RETURNING turns), ")
            .sql("admitted AS (SELECT id FROM known WHERE EXISTS (SELECT FROM counted) OR NOT EXISTS ")
            .sql("(SELECT FROM apps WHERE agent_rate_limit > 0 AND app_id = ")
            .int(app)
            .sql(")), begun AS (INSERT INTO conversations ")
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
            .sql(" FROM admitted WHERE id IS NULL RETURNING conversation_id), conversation AS (")
            .sql("SELECT conversation_id FROM begun UNION ALL SELECT id FROM admitted WHERE id IS NOT NULL), turn AS (")
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
            .sql(" FROM question RETURNING message_id)");
        let row: Option<OpenedRow> = keeping(opening, grant, new.retrieval, new.now)?
            .sql(" SELECT turn.turn_id, turn.conversation_id, question.message_id AS question, ")
            .sql("answer.message_id AS answer, set_config('synchronous_commit', 'off', true) FROM turn, question, answer")
            .get_result(&mut self.lend(Sight::of(grant)).await?)
            .await
            .optional()
            .map_err(deleted_meanwhile)?;
        Ok(row.map(|row| OpenedTurn {
            turn: TurnId::new(row.turn_id),
            conversation: ConversationId::new(row.conversation_id),
            question: MessageId::new(row.question),
            answer: MessageId::new(row.answer),
        }))
    }
}

/// How the app stands, and which conversation goes on.
fn stand(grant: &Grant<Viewer>, request: &TurnRequest) -> Statement {
    let statement = Statement::new("SELECT a.agent_rate_limit, CASE WHEN a.agent_rate_limit > 0 THEN ")
        .sql("coalesce((SELECT m.turns FROM app_minutes m WHERE m.app_id = a.app_id AND m.minute = ")
        .moment(request.minute)
        .sql("), 0) ELSE 0 END AS used, ");
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
