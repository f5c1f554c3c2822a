use diesel::QueryableByName;
use diesel::sql_types::{Binary, Nullable, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, RunQueryDsl};
use omni_domain::{AgentDraft, App, AppDraft, Deed, Provenance, Timestamp};
use omni_rbac::SystemGrant;
use uuid::Uuid;

use crate::agents::insert_agent;
use crate::apps::insert_app;
use crate::audit;
use crate::connection::Sight;
use crate::people::person_by_email;
use crate::statement::Statement;
use crate::{Store, StoreError};

#[derive(QueryableByName)]
struct InstallationRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct KeyCheckRow {
    #[diesel(sql_type = Nullable<Binary>)]
    key_check: Option<Vec<u8>>,
}

impl Store {
    /// Makes the demonstration of a first start: a person, their app and an agent in it, all or nothing. Nothing for all
    /// but one caller in the life of the installation, however many replicas ask.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn welcome(
        &self,
        leave: &SystemGrant,
        email: &str,
        name: &str,
        (app, agent): (&AppDraft, &AgentDraft),
        now: Timestamp,
    ) -> Result<Option<App>, StoreError> {
        let by = Provenance::of_the_program(leave.reason(), now);
        let mut lent = self.lend(Sight::AllApps).await?;
        lent.transaction(async |connection| {
            let claimed = Statement::new("UPDATE installation SET welcomed = ")
                .moment(now)
                .sql(" WHERE welcomed IS NULL")
                .execute(connection)
                .await?;
            if claimed == 0 {
                return Ok(None);
            }
            let owner = person_by_email(connection, email, name, now).await?;
            let app = insert_app(connection, owner.id, app, now).await?;
            let agent = insert_agent(connection, app.id, agent, now).await?;
            for deed in [Deed::create(&app), Deed::create(&agent)] {
                audit::record(connection, Some(app.id), &by, &deed).await?;
            }
            Ok(Some(app))
        })
        .await
    }

    /// What this installation is called; it stays the same for as long as its database does.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn installation(&self) -> Result<Uuid, StoreError> {
        let row: InstallationRow =
            Statement::new("SELECT id FROM installation").get_result(&mut self.lend(Sight::NoApp).await?).await?;
        Ok(row.id)
    }

    /// What the master key of this installation is known by; nothing before its first start.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn key_check(&self, _leave: &SystemGrant) -> Result<Option<Vec<u8>>, StoreError> {
        let row: KeyCheckRow = Statement::new("SELECT key_check FROM installation")
            .get_result(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(row.key_check)
    }

    /// Has the master key known by `check` from now on, unless it is no longer known by `known`: of several replicas that
    /// start at once with a key of their own, one is answered true.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn replace_key_check(
        &self,
        _leave: &SystemGrant,
        known: Option<Vec<u8>>,
        check: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let update = Statement::new("UPDATE installation SET key_check = ").bytes(check).sql(" WHERE key_check ");
        let update = match known {
            Some(known) => update.sql("= ").bytes(known),
            None => update.sql("IS NULL"),
        };
        Ok(update.execute(&mut self.lend(Sight::NoApp).await?).await? == 1)
    }
}
