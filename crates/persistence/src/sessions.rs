use diesel::QueryableByName;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{Actor, Deed, OpenSession, Origin, Provenance, SessionId, Timestamp, UserId};
use omni_rbac::{Session, SessionKey, SystemGrant};
use time::Duration;

use crate::audit;
use crate::connection::Sight;
use crate::schema::sessions;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// A session that begins.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// What it is found by.
    pub key: SessionKey,
    /// Who is signed in.
    pub user: UserId,
    /// How.
    pub way: Way,
    /// When it begins.
    pub created: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// It ends before that when it was not used for so long, counted in whole seconds.
    pub idle: Duration,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// Where it comes from.
    pub address: Option<String>,
}

/// How somebody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// FAKE mode believed them.
    Fake,
    /// An identity provider vouched for them.
    Oidc,
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fake => "fake",
            Self::Oidc => "oidc",
        }
    }
}

#[derive(QueryableByName)]
struct OpenSessionRow {
    #[diesel(sql_type = BigInt)]
    session_id: i64,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    last_seen: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    expires: Timestamp,
    #[diesel(sql_type = Nullable<Text>)]
    user_agent: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    address: Option<String>,
    #[diesel(sql_type = Bool)]
    is_current: bool,
}

impl From<OpenSessionRow> for OpenSession {
    fn from(row: OpenSessionRow) -> Self {
        Self {
            id: SessionId::new(row.session_id),
            created: row.create_date,
            last_seen: row.last_seen,
            expires: row.expires,
            user_agent: row.user_agent,
            address: row.address,
            is_current: row.is_current,
        }
    }
}

impl Store {
    /// Begins a session and ends the one that the browser had before, if it had one: an id from before the sign-in never
    /// outlives it. Answers whether it did; it does not for an account that is shut or gone by now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn begin_session(
        &self,
        new: &NewSession,
        previous: Option<&SessionKey>,
        by: &Provenance,
    ) -> Result<bool, StoreError> {
        // Whoever shuts the account either is waited for here, or finds the session.
        let is_open = Statement::new("SELECT user_id FROM users WHERE is_active AND user_id = ")
            .int(new.user.get())
            .sql(" FOR SHARE");
        let begin = Statement::new(
            "INSERT INTO sessions \
             (session_key, user_id, way, create_date, last_seen, expires, idle_seconds, user_agent, address) VALUES (",
        )
        .bytes(*new.key.as_bytes())
        .sql(", ")
        .int(new.user.get())
        .sql(", ")
        .text(new.way.as_str())
        .sql(", ")
        .moment(new.created)
        .sql(", ")
        .moment(new.created)
        .sql(", ")
        .moment(new.expires)
        .sql(", ")
        .int(new.idle.whole_seconds())
        .sql(", ")
        .optional_text(new.user_agent.clone())
        .sql(", ")
        .optional_text(new.address.clone())
        .sql(")");
        let mut lent = self.lend(Sight::NoApp).await?;
        lent.transaction(async |connection| {
            if is_open.execute(connection).await? == 0 {
                return Ok(false);
            }
            let ended = match previous {
                Some(previous) => end(connection, previous).await?,
                None => None,
            };
            begin.execute(connection).await?;
            if let Some(ended) = ended {
                let deed = Deed::plain("session.end").at("session", ended.session_id);
                audit::record(connection, None, by, &deed).await?;
            }
            let deed = Deed::plain("session.begin").at("account", new.user.get());
            audit::record(connection, None, by, &deed).await?;
            Ok(true)
        })
        .await
    }

    /// Ends a session, which its holder asked for from `origin`, and says whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn end_session(&self, key: &SessionKey, origin: &Origin, now: Timestamp) -> Result<bool, StoreError> {
        let mut lent = self.lend(Sight::NoApp).await?;
        lent.transaction(async |connection| {
            let Some(ended) = end(connection, key).await? else { return Ok(false) };
            let actor = Actor { user: Some(UserId::new(ended.user_id)), key: None, name: ended.email };
            let by = Provenance { actor, origin: origin.clone(), at: now };
            let deed = Deed::plain("session.end").at("session", ended.session_id);
            audit::record(connection, None, &by, &deed).await?;
            Ok(true)
        })
        .await
    }

    /// The sessions of whoever asks that are open now, the last used first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn own_sessions(&self, session: &Session, now: Timestamp) -> Result<Vec<OpenSession>, StoreError> {
        let rows: Vec<OpenSessionRow> =
            Statement::new("SELECT session_id, create_date, last_seen, expires, user_agent, address, session_key = ")
                .bytes(*session.key().as_bytes())
                .sql(" AS is_current FROM sessions WHERE user_id = ")
                .int(session.user_id().get())
                .sql(" AND expires > ")
                .moment(now)
                .sql(" AND last_seen + make_interval(secs => idle_seconds) > ")
                .moment(now)
                .sql(" ORDER BY last_seen DESC, session_id DESC LIMIT 1000")
                .load(&mut self.lend(Sight::NoApp).await?)
                .await?;
        Ok(rows.into_iter().map(OpenSession::from).collect())
    }

    /// Ends one session of whoever asks.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if they have no such session.
    pub async fn end_own_session(&self, session: &Session, id: SessionId) -> Result<(), StoreError> {
        let own = sessions::table
            .filter(sessions::session_id.eq(id.get()))
            .filter(sessions::user_id.eq(session.user_id().get()));
        let mut lent = self.lend(Sight::NoApp).await?;
        lent.transaction(async |connection| {
            if diesel::delete(own).execute(connection).await? == 0 {
                return Err(StoreError::NotFound);
            }
            let deed = Deed::plain("session.revoke").at("session", id.get());
            audit::record(connection, None, session.by(), &deed).await
        })
        .await
    }

    /// Ends every session that began in another way than this, and says how many there were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn end_sessions_not_by(&self, _leave: &SystemGrant, way: Way) -> Result<usize, StoreError> {
        Ok(diesel::delete(sessions::table.filter(sessions::way.ne(way.as_str())))
            .execute(&mut self.lend(Sight::NoApp).await?)
            .await?)
    }

    /// Removes sessions and sign-ins that are over, and says how many sessions there were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn sweep_sessions(&self, _leave: &SystemGrant, now: Timestamp) -> Result<usize, StoreError> {
        Ok(Statement::new("WITH given_up AS (DELETE FROM sign_in_attempts WHERE expires <= ")
            .moment(now)
            .sql(") DELETE FROM sessions WHERE expires <= ")
            .moment(now)
            .sql(" OR last_seen + make_interval(secs => idle_seconds) <= ")
            .moment(now)
            .execute(&mut self.lend(Sight::NoApp).await?)
            .await?)
    }
}

#[derive(QueryableByName)]
struct EndedSession {
    #[diesel(sql_type = BigInt)]
    session_id: i64,
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = Text)]
    email: String,
}

/// Ends a session, and says whose it was.
async fn end(connection: &mut AsyncPgConnection, key: &SessionKey) -> Result<Option<EndedSession>, StoreError> {
    let ended = Statement::new("DELETE FROM sessions s USING users u WHERE u.user_id = s.user_id AND s.session_key = ")
        .bytes(*key.as_bytes())
        .sql(" RETURNING s.session_id, s.user_id, u.email")
        .get_result(connection)
        .await;
    Ok(ended.optional()?)
}
