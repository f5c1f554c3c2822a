//! The directory that the authority mints grants from: two statements, both answered from an index.

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use futures::FutureExt;
use futures::future::BoxFuture;
use omni_domain::{AppId, CollaborationId, Timestamp, User, UserId};
use omni_rbac::{Directory, DirectoryError, Member, Scope, SessionKey, Standing};
use time::Duration;

use crate::statement::Statement;
use crate::{Store, StoreError};

/// How exactly it is known when a session was last used.
const SEEN_EVERY: Duration = Duration::minutes(1);

#[derive(QueryableByName)]
struct PersonRow {
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Bool)]
    email_verified: bool,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
}

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = BigInt)]
    owner_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    role: Option<String>,
}

#[derive(QueryableByName)]
struct SeenRow {
    #[diesel(sql_type = Timestamptz)]
    last_seen: Timestamp,
}

impl From<PersonRow> for User {
    fn from(row: PersonRow) -> Self {
        Self {
            id: UserId::new(row.user_id),
            email: row.email,
            email_verified: row.email_verified,
            name: row.name,
            is_active: row.is_active,
            created: row.create_date,
        }
    }
}

impl StandingRow {
    fn of(self, user: UserId) -> Result<Standing, StoreError> {
        let member = match self.role {
            _ if self.owner_id == user.get() => Member::Owner,
            None => Member::No,
            Some(role) => Member::As(role.parse().map_err(|_| StoreError::inconsistent(format!("role {role}")))?),
        };
        Ok(Standing { app: AppId::new(self.app_id), member })
    }
}

impl Store {
    /// Finds who is signed in, in one statement, and notes that they are still here in another, once a minute.
    async fn find_person(&self, key: &SessionKey, now: Timestamp) -> Result<Option<User>, StoreError> {
        let mut lent = self.lend().await?;
        let found: Option<(PersonRow, SeenRow)> = Statement::new(
            "SELECT u.user_id, u.email, u.email_verified, u.name, u.is_active, u.create_date, s.last_seen \
             FROM sessions s JOIN users u ON u.user_id = s.user_id WHERE s.session_key = ",
        )
        .bytes(*key.as_bytes())
        .sql(" AND least(s.expires, s.last_seen + make_interval(secs => s.idle_seconds)) > ")
        .moment(now)
        .get_result(&mut lent)
        .await
        .optional()?;
        let Some((person, SeenRow { last_seen })) = found else { return Ok(None) };
        if last_seen <= now - SEEN_EVERY {
            // Only ever forward: another replica's clock may be ahead.
            Statement::new("UPDATE sessions SET last_seen = ")
                .moment(now)
                .sql(" WHERE last_seen < ")
                .moment(now)
                .sql(" AND session_key = ")
                .bytes(*key.as_bytes())
                .execute(&mut lent)
                .await?;
        }
        Ok(Some(person.into()))
    }

    async fn find_standing(&self, user: UserId, scope: &Scope) -> Result<Option<Standing>, StoreError> {
        let statement = Statement::new(
            "SELECT a.app_id, a.owner_id, c.role FROM apps a LEFT JOIN collaborations c \
             ON c.app_id = a.app_id AND c.status = 'accepted' AND c.user_id = ",
        )
        .int(user.get())
        .sql(" WHERE ");
        let statement = match scope {
            Scope::App(app) => statement.sql("a.app_id = ").int(app.get()),
            Scope::Slug(slug) => statement.sql("a.slug = ").text(slug.as_str()),
            Scope::Agent(agent) => {
                statement.sql("a.app_id = (SELECT app_id FROM agents WHERE agent_id = ").int(agent.get()).sql(")")
            }
            Scope::AiService(service) => statement
                .sql("a.app_id = (SELECT app_id FROM ai_services WHERE service_id = ")
                .int(service.get())
                .sql(")"),
            Scope::Collaboration(collaboration) => statement
                .sql("a.app_id = (SELECT app_id FROM collaborations WHERE collab_id = ")
                .int(collaboration.get())
                .sql(")"),
            Scope::ApiKey(key) => {
                statement.sql("a.app_id = (SELECT app_id FROM api_keys WHERE key_id = ").int(key.get()).sql(")")
            }
            Scope::Conversation(conversation) => statement
                .sql("a.app_id = (SELECT app_id FROM conversations WHERE conversation_id = ")
                .int(conversation.get())
                .sql(")"),
        };
        let row: Option<StandingRow> = statement.get_result(&mut self.lend().await?).await.optional()?;
        row.map(|row| row.of(user)).transpose()
    }

    async fn find_standings(&self, pairs: &[(UserId, AppId)]) -> Result<Vec<(User, Standing)>, StoreError> {
        let rows: Vec<(PersonRow, StandingRow)> = Statement::new(
            "SELECT u.user_id, u.email, u.email_verified, u.name, u.is_active, u.create_date, a.app_id, a.owner_id, c.role ",
        )
        .sql("FROM unnest(")
        .ints(pairs.iter().map(|(user, _)| user.get()).collect::<Vec<_>>())
        .sql(", ")
        .ints(pairs.iter().map(|(_, app)| app.get()).collect::<Vec<_>>())
        .sql(") AS w (user_id, app_id) JOIN users u ON u.user_id = w.user_id JOIN apps a ON a.app_id = w.app_id ")
        .sql("LEFT JOIN collaborations c ")
        .sql("ON c.app_id = a.app_id AND c.status = 'accepted' AND c.user_id = u.user_id")
        .load(&mut self.lend().await?)
        .await?;
        rows.into_iter()
            .map(|(person, standing)| {
                let user = User::from(person);
                let standing = standing.of(user.id)?;
                Ok((user, standing))
            })
            .collect()
    }

    async fn find_invitation(&self, person: &User, invitation: CollaborationId) -> Result<bool, StoreError> {
        let row: InvitedRow = Statement::new("SELECT EXISTS (SELECT FROM collaborations WHERE collab_id = ")
            .int(invitation.get())
            .sql(" AND email = ")
            .text(person.email.as_str())
            .sql(") AS invited")
            .get_result(&mut self.lend().await?)
            .await?;
        Ok(row.invited)
    }
}

#[derive(QueryableByName)]
struct InvitedRow {
    #[diesel(sql_type = Bool)]
    invited: bool,
}

impl Directory for Store {
    fn person<'a>(
        &'a self,
        session: &'a SessionKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<User>, DirectoryError>> {
        async move { Ok(self.find_person(session, now).await?) }.boxed()
    }

    fn standing<'a>(
        &'a self,
        user: UserId,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Option<Standing>, DirectoryError>> {
        async move { Ok(self.find_standing(user, scope).await?) }.boxed()
    }

    fn standings<'a>(
        &'a self,
        pairs: &'a [(UserId, AppId)],
    ) -> BoxFuture<'a, Result<Vec<(User, Standing)>, DirectoryError>> {
        async move { Ok(self.find_standings(pairs).await?) }.boxed()
    }

    fn is_invited<'a>(
        &'a self,
        person: &'a User,
        invitation: CollaborationId,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        async move { Ok(self.find_invitation(person, invitation).await?) }.boxed()
    }
}
