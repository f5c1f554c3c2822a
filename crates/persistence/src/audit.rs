//! The audit trail: an entry is written in the transaction of what it tells, and never rewritten.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use omni_domain::{
    AppId, AuditCheck, AuditEntry, AuditFilter, Deed, Outcome, Page, PageRequest, Provenance, Timestamp,
};
use omni_rbac::{Grant, Omniadmin, Owner, PlatformGrant, SystemGrant};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::app_scoped::count;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// The chain of what is done above all apps.
const PLATFORM: i64 = 0;

const ENTRY: &str = "e.chain, e.seq, e.at, e.entry, e.hash";

/// Adds an entry to the trail of `app`, or to the platform's. It belongs to the end of the transaction of what it tells:
/// from here to the commit nobody else adds to the same trail.
pub(crate) async fn record(
    connection: &mut AsyncPgConnection,
    app: Option<AppId>,
    by: &Provenance,
    deed: &Deed,
) -> Result<(), StoreError> {
    let chain = app.map_or(PLATFORM, AppId::get);
    let entry = told(by, deed).to_string();
    Statement::new("WITH head AS (INSERT INTO audit_chains AS c (chain, seq, hash) VALUES (")
        .int(chain)
        .sql(", 1, sha256(convert_to(")
        .text(entry.as_str())
        .sql(", 'UTF8'))) ON CONFLICT (chain) DO UPDATE SET seq = c.seq + 1, hash = sha256(c.hash || convert_to(")
        .text(entry.as_str())
        .sql(", 'UTF8')) RETURNING seq, hash) INSERT INTO audit_entries ")
        .sql("(chain, seq, at, actor_id, action, refused, entry, hash) SELECT ")
        .int(chain)
        .sql(", seq, ")
        .moment(by.at)
        .sql(", ")
        .optional_int(by.actor.user.map(omni_domain::UserId::get))
        .sql(", ")
        .text(deed.action.as_str())
        .sql(", ")
        .boolean(matches!(deed.outcome, Outcome::Refused(_)))
        .sql(", ")
        .text(entry.as_str())
        .sql(", hash FROM head")
        .execute(connection)
        .await?;
    Ok(())
}

/// An entry as it is kept. Its order of fields is part of what is hashed.
fn told(by: &Provenance, deed: &Deed) -> Value {
    let mut told = json!({
        "at": by.at.format(&Rfc3339).unwrap_or_default(),
        "actor": { "user_id": by.actor.user, "key_id": by.actor.key, "name": by.actor.name },
        "action": deed.action,
        "outcome": match &deed.outcome {
            Outcome::Done => "done",
            Outcome::Refused(_) => "refused",
        },
        "target": deed.target,
        "changes": deed.changes,
        "origin": {
            "call": by.origin.call,
            "request_id": by.origin.request_id,
            "address": by.origin.address.map(|address| address.to_canonical()),
            "user_agent": by.origin.user_agent,
        },
    });
    if let (Outcome::Refused(code), Some(told)) = (&deed.outcome, told.as_object_mut()) {
        told.insert("reason".to_owned(), code.as_str().into());
    }
    told
}

#[derive(QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = BigInt)]
    chain: i64,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Timestamptz)]
    at: Timestamp,
    #[diesel(sql_type = Text)]
    entry: String,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

impl TryFrom<EntryRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let app = (row.chain != PLATFORM).then(|| AppId::new(row.chain));
        Ok(Self { app, seq: count(row.seq)?, at: row.at, entry: row.entry, hash: row.hash })
    }
}

#[derive(QueryableByName)]
struct CheckRow {
    #[diesel(sql_type = BigInt)]
    entries: i64,
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    broken_at: Option<i64>,
    #[diesel(sql_type = Binary)]
    head: Vec<u8>,
}

#[derive(QueryableByName)]
struct Forgotten {
    #[diesel(sql_type = BigInt)]
    forgotten: i64,
}

/// Everything that a filter picks, after the `WHERE`.
fn picked(statement: Statement, filter: &AuditFilter) -> Statement {
    let mut statement = statement;
    if let Some(actor) = filter.actor {
        statement = statement.sql(" AND e.actor_id = ").int(actor.get());
    }
    if let Some(action) = &filter.action {
        statement = match action.strip_suffix('.') {
            Some(kind) => statement.sql(" AND starts_with(e.action, ").text(format!("{kind}.")).sql(")"),
            None => statement.sql(" AND e.action = ").text(action.as_str()),
        };
    }
    if let Some(refused) = filter.refused {
        statement = statement.sql(" AND e.refused = ").boolean(refused);
    }
    if let Some(since) = filter.since {
        statement = statement.sql(" AND e.at >= ").moment(since);
    }
    if let Some(until) = filter.until {
        statement = statement.sql(" AND e.at < ").moment(until);
    }
    statement
}

impl Store {
    /// One page of the trail of the grant's app, latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn app_audit(
        &self,
        grant: &Grant<Owner>,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let chain = grant.app().get();
        let from = |start: Statement| picked(start.sql(" FROM audit_entries e WHERE e.chain = ").int(chain), filter);
        self.page_of::<EntryRow, _>(Sight::of(grant), ENTRY, from, "e.seq DESC", page).await
    }

    /// One page of all trails, or of that of one app, latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn platform_audit(
        &self,
        _grant: &PlatformGrant<Omniadmin>,
        app: Option<AppId>,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let from = |start: Statement| {
            let all = start.sql(" FROM audit_entries e WHERE true");
            let of = match app {
                Some(app) => all.sql(" AND e.chain = ").int(app.get()),
                None => all,
            };
            picked(of, filter)
        };
        self.page_of::<EntryRow, _>(Sight::AllApps, ENTRY, from, "e.at DESC, e.chain, e.seq DESC", page).await
    }

    /// Whether the trail of the grant's app is what was written.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn check_app_audit(&self, grant: &Grant<Owner>) -> Result<AuditCheck, StoreError> {
        self.check_chain(Sight::of(grant), grant.app().get()).await
    }

    /// Whether the trail of an app is what was written, or without one the platform's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn check_audit(
        &self,
        _grant: &PlatformGrant<Omniadmin>,
        app: Option<AppId>,
    ) -> Result<AuditCheck, StoreError> {
        self.check_chain(Sight::AllApps, app.map_or(PLATFORM, AppId::get)).await
    }

    /// Every entry must follow the one before it, the first one what the chain says it follows, and the last one must be
    /// the end that the chain knows; and what an entry is found by must be what it says.
    async fn check_chain(&self, sight: Sight, chain: i64) -> Result<AuditCheck, StoreError> {
        let row: CheckRow = Statement::new("WITH chain AS (SELECT * FROM audit_chains WHERE chain = ")
            .int(chain)
            .sql("), linked AS (SELECT e.seq, e.hash, e.entry, e.action, e.refused, e.actor_id, e.at, ")
            .sql("lag(e.hash, 1, c.anchor_hash) OVER w AS previous, lag(e.seq, 1, c.anchor_seq) OVER w + 1 AS expected ")
            .sql("FROM audit_entries e JOIN chain c ON c.chain = e.chain WINDOW w AS (ORDER BY e.seq)), ")
            .sql("broken AS (SELECT min(expected) AS seq FROM linked l WHERE seq <> expected ")
            .sql("OR hash <> sha256(previous || convert_to(entry, 'UTF8')) ")
            .sql("OR action IS DISTINCT FROM entry::jsonb ->> 'action' ")
            .sql("OR refused IS DISTINCT FROM (entry::jsonb ->> 'outcome' = 'refused') ")
            .sql("OR actor_id IS DISTINCT FROM (entry::jsonb #>> '{actor,user_id}')::bigint ")
            .sql("OR at IS DISTINCT FROM (entry::jsonb ->> 'at')::timestamptz), ")
            .sql("ends AS (SELECT count(*) AS entries, min(seq) AS first, max(seq) AS last FROM linked) ")
            .sql("SELECT e.entries, coalesce(e.first, c.seq, 0) AS first, coalesce(c.seq, 0) AS last, ")
            .sql("coalesce(b.seq, CASE WHEN coalesce(e.last, c.anchor_seq) <> c.seq THEN coalesce(e.last, c.anchor_seq) + 1 ")
            .sql("WHEN (SELECT hash FROM linked WHERE seq = e.last) <> c.hash THEN e.last END) AS broken_at, ")
            .sql("coalesce(c.hash, '') AS head FROM ends e CROSS JOIN broken b LEFT JOIN chain c ON true")
            .get_result(&mut self.lend(sight).await?)
            .await?;
        Ok(AuditCheck {
            entries: count(row.entries)?,
            first: count(row.first)?,
            last: count(row.last)?,
            broken_at: row.broken_at.map(count).transpose()?,
            head: row.head,
        })
    }

    /// Forgets what was done before `before`, and says how many entries that were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn forget_audit(&self, _leave: &SystemGrant, before: Timestamp) -> Result<u64, StoreError> {
        let row: Forgotten = Statement::new("SELECT omni_forget_audit(")
            .moment(before)
            .sql(") AS forgotten")
            .get_result(&mut self.lend(Sight::AllApps).await?)
            .await?;
        count(row.forgotten)
    }

    /// Adds to the platform's trail what belongs to no transaction: a sign-in that was refused, say.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn record_platform(&self, by: &Provenance, deed: &Deed) -> Result<(), StoreError> {
        record(&mut *self.lend(Sight::NoApp).await?, None, by, deed).await
    }
}
