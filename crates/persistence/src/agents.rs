use diesel::prelude::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable};
use diesel::{AsChangeset, SelectableHelper};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{Agent, AgentDraft, AgentId, AppId, Deed, Memory, ServiceId, SiloId, Timestamp};
use omni_rbac::{Editor, Grant};

use crate::app_scoped::{app_scoped, count, optional_small, small};
use crate::audit;
use crate::connection::Sight;
use crate::schema::agents;
use crate::{Store, StoreError};

#[derive(Queryable, Selectable)]
#[diesel(table_name = agents, check_for_backend(diesel::pg::Pg))]
pub(crate) struct AgentRow {
    agent_id: i64,
    app_id: i64,
    name: String,
    description: Option<String>,
    system_prompt: Option<String>,
    prompt_template: Option<String>,
    service_id: Option<i64>,
    silo_id: Option<i64>,
    temperature: Option<f32>,
    max_tokens: Option<i64>,
    has_memory: bool,
    memory_max_messages: i64,
    memory_max_tokens: i64,
    request_count: i64,
    create_date: Timestamp,
    update_date: Timestamp,
}

impl TryFrom<AgentRow> for Agent {
    type Error = StoreError;

    fn try_from(row: AgentRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: AgentId::new(row.agent_id),
            app: AppId::new(row.app_id),
            name: row.name,
            description: row.description,
            system_prompt: row.system_prompt,
            prompt_template: row.prompt_template,
            service: row.service_id.map(ServiceId::new),
            silo: row.silo_id.map(SiloId::new),
            temperature: row.temperature,
            max_tokens: optional_small(row.max_tokens)?,
            memory: Memory {
                enabled: row.has_memory,
                max_messages: small(row.memory_max_messages)?,
                max_tokens: small(row.memory_max_tokens)?,
            },
            request_count: count(row.request_count)?,
            created: row.create_date,
            updated: row.update_date,
        })
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = agents, treat_none_as_null = true)]
struct AgentColumns<'a> {
    name: &'a str,
    description: Option<&'a str>,
    system_prompt: Option<&'a str>,
    prompt_template: Option<&'a str>,
    service_id: Option<i64>,
    silo_id: Option<i64>,
    temperature: Option<f32>,
    max_tokens: Option<i64>,
    has_memory: bool,
    memory_max_messages: i64,
    memory_max_tokens: i64,
    update_date: Timestamp,
}

app_scoped!(Agent, id: AgentId, table: agents.agent_id, row: AgentRow);

impl Store {
    /// Stores a new agent in the grant's app.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the name is taken, or if its service or silo has just been deleted.
    pub async fn create_agent(
        &self,
        grant: &Grant<Editor>,
        draft: &AgentDraft,
        now: Timestamp,
    ) -> Result<Agent, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let agent = insert_agent(connection, grant.app(), draft, now).await?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::create(&agent)).await?;
            Ok(agent)
        })
        .await
    }

    /// Changes an agent of the grant's app: `change` gets it as it is now, and nobody else changes it meanwhile. What
    /// `change` refuses is answered inside.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such agent, [`StoreError::Conflict`] if its new name is taken.
    pub async fn update_agent<E: Send>(
        &self,
        grant: &Grant<Editor>,
        id: AgentId,
        change: impl FnOnce(Agent) -> Result<Agent, E> + Send,
    ) -> Result<Result<Agent, E>, StoreError> {
        let wanted = agents::table.filter(agents::app_id.eq(grant.app().get())).filter(agents::agent_id.eq(id.get()));
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let stored: AgentRow = wanted.select(AgentRow::as_select()).for_no_key_update().first(connection).await?;
            let stored = Agent::try_from(stored)?;
            let next = match change(stored.clone()) {
                Ok(next) => next,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let row: AgentRow = diesel::update(wanted)
                .set(AgentColumns {
                    name: &next.name,
                    description: next.description.as_deref(),
                    system_prompt: next.system_prompt.as_deref(),
                    prompt_template: next.prompt_template.as_deref(),
                    service_id: next.service.map(ServiceId::get),
                    silo_id: next.silo.map(SiloId::get),
                    temperature: next.temperature,
                    max_tokens: next.max_tokens.map(i64::from),
                    has_memory: next.memory.enabled,
                    memory_max_messages: next.memory.max_messages.into(),
                    memory_max_tokens: next.memory.max_tokens.into(),
                    update_date: next.updated,
                })
                .returning(AgentRow::as_returning())
                .get_result(connection)
                .await?;
            let next = Agent::try_from(row)?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::update(&stored, &next)).await?;
            Ok(Ok(next))
        })
        .await
    }
}

pub(crate) async fn insert_agent(
    connection: &mut AsyncPgConnection,
    app: AppId,
    draft: &AgentDraft,
    now: Timestamp,
) -> Result<Agent, StoreError> {
    let columns = AgentColumns {
        name: &draft.name,
        description: draft.description.as_deref(),
        system_prompt: draft.system_prompt.as_deref(),
        prompt_template: draft.prompt_template.as_deref(),
        service_id: draft.service.map(ServiceId::get),
        silo_id: draft.silo.map(SiloId::get),
        temperature: draft.temperature,
        max_tokens: draft.max_tokens.map(i64::from),
        has_memory: draft.memory.enabled,
        memory_max_messages: draft.memory.max_messages.into(),
        memory_max_tokens: draft.memory.max_tokens.into(),
        update_date: now,
    };
    diesel::insert_into(agents::table)
        .values((columns, agents::app_id.eq(app.get()), agents::create_date.eq(now)))
        .returning(AgentRow::as_returning())
        .get_result::<AgentRow>(connection)
        .await?
        .try_into()
}
