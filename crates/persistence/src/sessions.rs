use diesel::QueryableByName;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use omni_domain::{Deed, OpenSession, Provenance, SessionId, Timestamp, UserId};
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
    /// outlives it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn begin_session(
        &self,
        new: &NewSession,
        previous: Option<&SessionKey>,
        by: &Provenance,
    ) -> Result<(), StoreError> {
        let previous = previous.map(|key| key.as_bytes().to_vec()).unwrap_or_default();
        let begin = Statement::new("WITH ended AS (DELETE FROM sessions WHERE session_key = ")
            .bytes(previous)
            .sql(
                ") INSERT INTO sessions \
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
            begin.execute(connection).await?;
            let deed = Deed::plain("session.begin").at("account", new.user.get());
            audit::record(connection, None, by, &deed).await
        })
        .await
    }

    /// Ends a session, and says whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn end_session(&self, key: &SessionKey) -> Result<bool, StoreError> {
        let ended = diesel::delete(sessions::table.filter(sessions::session_key.eq(key.as_bytes().as_slice())))
            .execute(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(ended > 0)
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
