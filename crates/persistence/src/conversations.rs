use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use omni_domain::{
    AgentId, AppId, Audited, Conversation, ConversationId, Deed, Invalid, Message, MessageId, Page, PageRequest,
    Timestamp, TokenCount, TurnId, TurnUsage, UserId, excerpt,
};
use omni_rbac::{Grant, Session, Viewer};

use crate::app_scoped::count;
use crate::audit;
use crate::connection::Sight;
use crate::error::through_deadlocks;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// A conversation with what is counted and quoted of its messages rather than kept twice.
const CONVERSATION: &str = "c.conversation_id, c.app_id, c.agent_id, g.name AS agent_name, c.user_id, c.title, c.source, \
    c.create_date, c.update_date, \
    (SELECT count(*) FROM messages m WHERE m.conversation_id = c.conversation_id) AS messages, \
    (SELECT left(m.content, 800) FROM messages m WHERE m.conversation_id = c.conversation_id \
     ORDER BY m.message_id DESC LIMIT 1) AS last_message";

const LATEST_FIRST: &str = "c.update_date DESC, c.conversation_id DESC";

/// Which conversations are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Only those with this agent.
    pub agent: Option<AgentId>,
}

#[derive(QueryableByName)]
struct ConversationRow {
    #[diesel(sql_type = BigInt)]
    conversation_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = BigInt)]
    agent_id: i64,
    #[diesel(sql_type = Text)]
    agent_name: String,
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    update_date: Timestamp,
    #[diesel(sql_type = BigInt)]
    messages: i64,
    #[diesel(sql_type = Nullable<Text>)]
    last_message: Option<String>,
}

impl TryFrom<ConversationRow> for Conversation {
    type Error = StoreError;

    fn try_from(row: ConversationRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConversationId::new(row.conversation_id),
            app: AppId::new(row.app_id),
            agent: AgentId::new(row.agent_id),
            agent_name: row.agent_name,
            user: UserId::new(row.user_id),
            title: row.title,
            source: row.source.parse().map_err(StoreError::Inconsistent)?,
            message_count: count(row.messages)?,
            last_message: row.last_message.as_deref().map(excerpt),
            created: row.create_date,
            updated: row.update_date,
        })
    }
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = BigInt)]
    conversation_id: i64,
}

#[derive(QueryableByName)]
struct MessageRow {
    #[diesel(sql_type = BigInt)]
    message_id: i64,
    #[diesel(sql_type = BigInt)]
    turn_id: i64,
    #[diesel(sql_type = Text)]
    author: String,
    #[diesel(sql_type = Text)]
    content: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    input_tokens: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    output_tokens: Option<i64>,
    #[diesel(sql_type = Bool)]
    usage_estimated: bool,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
}

impl TryFrom<MessageRow> for Message {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        let usage = match (row.input_tokens, row.output_tokens) {
            (None, None) => None,
            (input, output) => Some(TurnUsage {
                tokens: TokenCount { input: count(input.unwrap_or(0))?, output: count(output.unwrap_or(0))? },
                estimated: row.usage_estimated,
            }),
        };
        Ok(Self {
            id: MessageId::new(row.message_id),
            turn: TurnId::new(row.turn_id),
            author: row.author.parse().map_err(StoreError::Inconsistent)?,
            content: row.content,
            status: row.status.parse().map_err(StoreError::Inconsistent)?,
            error: row.error,
            usage,
            created: row.create_date,
        })
    }
}

/// The conversations of one person, after the `FROM`: wherever they still may see the workspace, or in one app.
fn of_person(statement: Statement, user: UserId, app: Option<AppId>, everywhere: bool) -> Statement {
    let statement = statement
        .sql(" FROM conversations c JOIN agents g ON g.agent_id = c.agent_id WHERE c.user_id = ")
        .int(user.get());
    match app {
        Some(app) => statement.sql(" AND c.app_id = ").int(app.get()),
        None if everywhere => statement,
        None => statement
            .sql(" AND c.app_id IN (SELECT app_id FROM apps WHERE owner_id = ")
            .int(user.get())
            .sql(
                " UNION ALL SELECT app_id FROM collaborations \
                 WHERE status = 'accepted' AND role <> 'user' AND user_id = ",
            )
            .int(user.get())
            .sql(")"),
    }
}

fn narrowed(statement: Statement, filter: ConversationFilter) -> Statement {
    match filter.agent {
        Some(agent) => statement.sql(" AND c.agent_id = ").int(agent.get()),
        None => statement,
    }
}

impl Store {
    /// One page of the signed-in person's conversations in all apps where they may see the workspace, latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_own_conversations(
        &self,
        session: &Session,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<Conversation>, StoreError> {
        let user = session.user_id();
        let from = |start| narrowed(of_person(start, user, None, session.is_omniadmin()), filter);
        self.page_of::<ConversationRow, _>(Sight::AllApps, CONVERSATION, from, LATEST_FIRST, page).await
    }

    /// One page of the grant holder's own conversations in the grant's app, latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_conversations(
        &self,
        grant: &Grant<Viewer>,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<Conversation>, StoreError> {
        let (user, app) = (grant.actor(), grant.app());
        let from = |start| narrowed(of_person(start, user, Some(app), false), filter);
        self.page_of::<ConversationRow, _>(Sight::of(grant), CONVERSATION, from, LATEST_FIRST, page).await
    }

    /// The grant holder's own conversation with this number, if it is in the grant's app.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn find_conversation(
        &self,
        grant: &Grant<Viewer>,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let start = Statement::new("SELECT ").sql(CONVERSATION);
        of_person(start, grant.actor(), Some(grant.app()), false)
            .sql(" AND c.conversation_id = ")
            .int(id.get())
            .get_result::<ConversationRow>(&mut self.lend(Sight::of(grant)).await?)
            .await
            .optional()?
            .map(Conversation::try_from)
            .transpose()
    }

    /// The latest `most` messages before `before` of the grant holder's own conversation, in the order they came.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn messages(
        &self,
        grant: &Grant<Viewer>,
        id: ConversationId,
        before: Option<MessageId>,
        most: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let rows: Vec<MessageRow> = Statement::new(
            "SELECT m.message_id, m.turn_id, m.author, m.content, m.status, m.error, m.create_date, t.usage_estimated, \
             CASE WHEN m.author = 'agent' THEN t.input_tokens END AS input_tokens, \
             CASE WHEN m.author = 'agent' THEN t.output_tokens END AS output_tokens \
             FROM messages m JOIN turns t ON t.turn_id = m.turn_id \
             JOIN conversations c ON c.conversation_id = m.conversation_id WHERE m.conversation_id = ",
        )
        .int(id.get())
        .sql(" AND c.app_id = ")
        .int(grant.app().get())
        .sql(" AND c.user_id = ")
        .int(grant.actor().get())
        .sql(" AND m.message_id < ")
        .int(before.map_or(i64::MAX, MessageId::get))
        .sql(" ORDER BY m.message_id DESC LIMIT ")
        .int(i64::from(most))
        .load(&mut self.lend(Sight::of(grant)).await?)
        .await?;
        rows.into_iter().rev().map(Message::try_from).collect()
    }

    /// Removes the grant holder's own conversation with all its messages.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if they have none with this number in the grant's app.
    pub async fn delete_conversation(&self, grant: &Grant<Viewer>, id: ConversationId) -> Result<(), StoreError> {
        through_deadlocks(async || self.try_delete_conversation(grant, id).await).await
    }

    async fn try_delete_conversation(&self, grant: &Grant<Viewer>, id: ConversationId) -> Result<(), StoreError> {
        let own = |start: &'static str| {
            let of = Statement::new(start).int(id.get()).sql(" AND app_id = ").int(grant.app().get());
            of.sql(" AND user_id = ").int(grant.actor().get())
        };
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let locked = own("SELECT conversation_id FROM conversations WHERE conversation_id = ").sql(" FOR UPDATE");
            locked.get_result::<Locked>(connection).await?;
            let gone = of_person(Statement::new("SELECT ").sql(CONVERSATION), grant.actor(), Some(grant.app()), false)
                .sql(" AND c.conversation_id = ")
                .int(id.get())
                .get_result::<ConversationRow>(connection)
                .await?;
            own("DELETE FROM conversations WHERE conversation_id = ").execute(connection).await?;
            let deed = Deed::delete(&Conversation::try_from(gone)?);
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await
        })
        .await
    }

    /// Empties the grant holder's conversation with an agent: the one that is named, or else the one that a chat without
    /// a name would go on with. Says which one it was, or that there was none.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if the named one is not theirs or not with this agent.
    pub async fn reset_conversation(
        &self,
        grant: &Grant<Viewer>,
        agent: AgentId,
        named: Option<ConversationId>,
    ) -> Result<Option<ConversationId>, StoreError> {
        through_deadlocks(async || self.try_reset_conversation(grant, agent, named).await).await
    }

    async fn try_reset_conversation(
        &self,
        grant: &Grant<Viewer>,
        agent: AgentId,
        named: Option<ConversationId>,
    ) -> Result<Option<ConversationId>, StoreError> {
        // Turns go with their messages; what they cost stays in the counters.
        let empty = current_conversation(Statement::new("WITH emptied AS ("), grant, agent, named)
            // Its row first, as the end of a turn takes it.
            .sql(" FOR NO KEY UPDATE), gone AS (DELETE FROM turns t USING emptied e WHERE t.conversation_id = e.conversation_id) ")
            .sql("UPDATE conversations c SET title = NULL FROM emptied e ")
            .sql("WHERE c.conversation_id = e.conversation_id RETURNING c.conversation_id");
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let emptied: Option<Locked> = empty.get_result(connection).await.optional()?;
            let Some(emptied) = emptied else {
                return named.map_or(Ok(None), |named| Err(not_yours(named)));
            };
            let deed = Deed::plain("conversation.reset").at(Conversation::KIND, emptied.conversation_id);
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
            Ok(Some(ConversationId::new(emptied.conversation_id)))
        })
        .await
    }
}

/// What is said of a conversation that a request's body names and that is not the asker's with this agent.
pub(crate) fn not_yours(named: ConversationId) -> StoreError {
    Invalid::new("conversation_id", format!("you have no conversation {named} with this agent")).into()
}

/// Selects the number of the conversation that a chat with `agent` goes on with.
pub(crate) fn current_conversation(
    statement: Statement,
    grant: &Grant<Viewer>,
    agent: AgentId,
    named: Option<ConversationId>,
) -> Statement {
    let statement = statement
        .sql("SELECT conversation_id FROM conversations WHERE app_id = ")
        .int(grant.app().get())
        .sql(" AND agent_id = ")
        .int(agent.get())
        .sql(" AND user_id = ")
        .int(grant.actor().get());
    match named {
        Some(named) => statement.sql(" AND conversation_id = ").int(named.get()),
        None => statement.sql(" AND source = 'playground' ORDER BY update_date DESC, conversation_id DESC LIMIT 1"),
    }
}
