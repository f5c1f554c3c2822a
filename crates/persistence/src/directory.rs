//! The directory that the authority mints grants from: two statements, both answered from an index.

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use omni_domain::{ApiKeyId, AppId, CollaborationId, Deed, Provenance, Timestamp, User, UserId};
use omni_rbac::{ApiKeyDigest, Grant, KnownKey, Member, Rank, Scope, SessionKey, Standing};
use time::Duration;

use crate::app_scoped::small;
use crate::audit;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Allowance, Store, StoreError};

/// How exactly it is known when a session or a key was last used.
const SEEN_EVERY: Duration = Duration::minutes(1);
/// How many refusals of one caller a minute the trail keeps: enough to see what they try, and no way to fill a disk.
const MOST_REFUSALS: u32 = 30;

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

#[derive(QueryableByName)]
struct OwnerRow {
    #[diesel(sql_type = BigInt)]
    owner_id: i64,
}

#[derive(QueryableByName)]
struct EndedRow {
    #[diesel(sql_type = Binary)]
    session_key: Vec<u8>,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = BigInt)]
    key_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    rate_limit: i64,
    #[diesel(sql_type = Bool)]
    owner_is_active: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_used_at: Option<Timestamp>,
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

/// Takes what came of a note that is made beside reading: while the database has no room for it, people still read.
fn if_there_is_room(noted: Result<usize, diesel::result::Error>) -> Result<(), StoreError> {
    match noted.map_err(StoreError::from) {
        Err(error) if error.is_without_room() => {
            tracing::warn!(
                error = omni_domain::error_chain(&error),
                "it is not noted who is here: the database is full"
            );
            Ok(())
        }
        noted => noted.map(|_| ()),
    }
}

impl Store {
    /// Finds who is signed in, in one statement, and notes that they are still here in another, once a minute.
    pub(crate) async fn find_person(&self, key: &SessionKey, now: Timestamp) -> Result<Option<User>, StoreError> {
        let mut lent = self.lend(Sight::AllApps).await?;
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
            let noted = Statement::new("UPDATE sessions SET last_seen = ")
                .moment(now)
                .sql(" WHERE last_seen < ")
                .moment(now)
                .sql(" AND session_key = ")
                .bytes(*key.as_bytes())
                .execute(&mut lent)
                .await;
            if_there_is_room(noted)?;
        }
        Ok(Some(person.into()))
    }

    pub(crate) async fn find_standing(&self, user: UserId, scope: &Scope) -> Result<Option<Standing>, StoreError> {
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
            Scope::EmbeddingService(service) => statement
                .sql("a.app_id = (SELECT app_id FROM embedding_services WHERE service_id = ")
                .int(service.get())
                .sql(")"),
            Scope::Silo(silo) => {
                statement.sql("a.app_id = (SELECT app_id FROM silos WHERE silo_id = ").int(silo.get()).sql(")")
            }
            Scope::Repository(repository) => statement
                .sql("a.app_id = (SELECT app_id FROM repositories WHERE repo_id = ")
                .int(repository.get())
                .sql(")"),
            Scope::Folder(folder) => {
                statement.sql("a.app_id = (SELECT app_id FROM folders WHERE folder_id = ").int(folder.get()).sql(")")
            }
            Scope::Document(document) => statement
                .sql("a.app_id = (SELECT app_id FROM documents WHERE document_id = ")
                .int(document.get())
                .sql(")"),
            Scope::Domain(domain) => {
                statement.sql("a.app_id = (SELECT app_id FROM domains WHERE domain_id = ").int(domain.get()).sql(")")
            }
            Scope::Job(job) => {
                statement.sql("a.app_id = (SELECT app_id FROM jobs WHERE job_id = ").int(job.get()).sql(")")
            }
            Scope::Conversation(conversation) => statement
                .sql("a.app_id = (SELECT app_id FROM conversations WHERE conversation_id = ")
                .int(conversation.get())
                .sql(")"),
        };
        let row: Option<StandingRow> = statement.get_result(&mut self.lend(Sight::AllApps).await?).await.optional()?;
        row.map(|row| row.of(user)).transpose()
    }

    pub(crate) async fn find_standings(&self, pairs: &[(UserId, AppId)]) -> Result<Vec<(User, Standing)>, StoreError> {
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
        .load(&mut self.lend(Sight::AllApps).await?)
        .await?;
        rows.into_iter()
            .map(|(person, standing)| {
                let user = User::from(person);
                let standing = standing.of(user.id)?;
                Ok((user, standing))
            })
            .collect()
    }

    pub(crate) async fn find_invitation(&self, person: &User, invitation: CollaborationId) -> Result<bool, StoreError> {
        let row: InvitedRow = Statement::new("SELECT EXISTS (SELECT FROM collaborations WHERE collab_id = ")
            .int(invitation.get())
            .sql(" AND email = ")
            .text(person.email.as_str())
            .sql(") AS invited")
            .get_result(&mut self.lend(Sight::AllApps).await?)
            .await?;
        Ok(row.invited)
    }
}

impl Store {
    pub(crate) async fn find_owner(&self, app: AppId) -> Result<Option<UserId>, StoreError> {
        let row: Option<OwnerRow> = Statement::new("SELECT owner_id FROM apps WHERE app_id = ")
            .int(app.get())
            .get_result(&mut self.lend(Sight::AllApps).await?)
            .await
            .optional()?;
        Ok(row.map(|row| UserId::new(row.owner_id)))
    }

    pub(crate) async fn find_ended(
        &self,
        sessions: &[SessionKey],
        now: Timestamp,
    ) -> Result<Vec<SessionKey>, StoreError> {
        let rows: Vec<EndedRow> = Statement::new("SELECT w.session_key FROM unnest(")
            .byte_strings(sessions.iter().map(|key| key.as_bytes().to_vec()).collect::<Vec<_>>())
            .sql(") AS w (session_key) WHERE NOT EXISTS (SELECT FROM sessions s JOIN users u ON u.user_id = s.user_id ")
            .sql("WHERE s.session_key = w.session_key AND u.is_active ")
            .sql("AND least(s.expires, s.last_seen + make_interval(secs => s.idle_seconds)) > ")
            .moment(now)
            .sql(")")
            .load(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(sessions.iter().filter(|key| rows.iter().any(|row| row.session_key == key.as_bytes())).copied().collect())
    }

    /// Finds a key, in one statement, and notes that it is still used in another, once a minute.
    pub(crate) async fn find_key(&self, digest: &ApiKeyDigest, now: Timestamp) -> Result<Option<KnownKey>, StoreError> {
        let mut lent = self.lend(Sight::AllApps).await?;
        let found: Option<KeyRow> = Statement::new(
            "SELECT k.key_id, k.app_id, k.name, k.rate_limit, o.is_active AS owner_is_active, k.last_used_at \
             FROM api_keys k JOIN apps a ON a.app_id = k.app_id JOIN users o ON o.user_id = a.owner_id \
             WHERE k.key_digest = ",
        )
        .bytes(*digest.as_bytes())
        .get_result(&mut lent)
        .await
        .optional()?;
        let Some(row) = found else { return Ok(None) };
        if row.last_used_at.is_none_or(|used| used <= now - SEEN_EVERY) {
            let noted = Statement::new("UPDATE api_keys SET last_used_at = greatest(last_used_at, ")
                .moment(now)
                .sql(") WHERE key_id = ")
                .int(row.key_id)
                .execute(&mut lent)
                .await;
            if_there_is_room(noted)?;
        }
        Ok(Some(KnownKey {
            id: ApiKeyId::new(row.key_id),
            name: row.name,
            app: AppId::new(row.app_id),
            rate_limit: small(row.rate_limit)?,
            owner_is_active: row.owner_is_active,
        }))
    }

    /// Has the trail of the grant's app keep that its holder tried what nobody is let do, for the reason of this code.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn keep_attempt<R: Rank>(&self, grant: &Grant<R>, code: &str) -> Result<(), StoreError> {
        self.keep_refusal(Some(grant.app()), grant.by(), code).await
    }

    pub(crate) async fn keep_refusal(&self, app: Option<AppId>, by: &Provenance, code: &str) -> Result<(), StoreError> {
        let subject = match (by.actor.user, by.actor.key) {
            (Some(user), _) => format!("user {user}"),
            (None, Some(key)) => format!("key {key}"),
            (None, None) => "nobody".to_owned(),
        };
        let allowance = Allowance { kind: "refusal", subject: &subject, most: MOST_REFUSALS };
        if self.draw(allowance, by.at).await?.is_none() {
            return Ok(());
        }
        let sight = app.map_or(Sight::NoApp, Sight::App);
        let deed = Deed::refused(by.origin.call.as_str(), code);
        audit::record(&mut *self.lend(sight).await?, app, by, &deed).await
    }
}

#[derive(QueryableByName)]
struct InvitedRow {
    #[diesel(sql_type = Bool)]
    invited: bool,
}
