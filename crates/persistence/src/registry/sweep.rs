//! What time alone brings about, over all slots.

use std::time::Duration;

use diesel::QueryableByName;

use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use omni_domain::Timestamp;
use omni_rbac::SystemGrant;
use omni_registry::{Census, Event, SweepLicence, Sweeper, Swept, Terms, Verdict};

use super::slots::{self, Wanted};

use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// What a sweep did, and what it was allowed to do.
#[derive(Debug, Clone, PartialEq)]
pub struct SweptServices {
    /// How much of each.
    pub swept: Swept,
    /// What happened, to be told.
    pub events: Vec<Event>,
    /// What the sweep was allowed to do.
    pub verdict: Verdict,
}

#[derive(QueryableByName)]
struct CensusRow {
    #[diesel(sql_type = Timestamptz)]
    now: Timestamp,
    #[diesel(sql_type = BigInt)]
    addressed: i64,
    #[diesel(sql_type = BigInt)]
    silent: i64,
    #[diesel(sql_type = BigInt)]
    overdue: i64,
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = BigInt)]
    slot_id: i64,
}

#[derive(QueryableByName)]
struct ChannelRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    is_up: bool,
}

impl Store {
    /// Sweeps every slot in which something is due, each in a transaction of its own; a slot that somebody else works on
    /// is left to the next sweep. `monotonic` is what [`Sweeper::plan`] asks for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn sweep_services(
        &self,
        _leave: &SystemGrant,
        terms: &Terms,
        sweeper: &mut Sweeper,
        monotonic: Duration,
    ) -> Result<SweptServices, StoreError> {
        let (census, now) = self.census(terms).await?;
        let licence = sweeper.plan(census, now, monotonic);
        let mut done = SweptServices { swept: Swept::default(), events: Vec::new(), verdict: licence.verdict() };
        for slot in self.due_slots(terms, now).await? {
            self.sweep_slot(slot, &licence, &mut done).await?;
        }
        Ok(done)
    }

    /// Every channel that is registered, and whether it can be counted on: on each of its nodes it beats, and does not say
    /// that it is unhealthy.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn channel_services(&self) -> Result<Vec<(String, bool)>, StoreError> {
        let rows: Vec<ChannelRow> = Statement::new(
            "SELECT s.name, bool_and(i.phase = 'live' AND i.status IS DISTINCT FROM 'unhealthy') AS is_up \
             FROM services i JOIN service_slots s ON s.slot_id = i.slot_id \
             WHERE i.service_type = 'channel' AND i.phase IN ('live', 'suspect', 'expired') GROUP BY s.name",
        )
        .load(&mut self.lend(Sight::NoApp).await?)
        .await?;
        Ok(rows.into_iter().map(|row| (row.name, row.is_up)).collect())
    }

    async fn census(&self, terms: &Terms) -> Result<(Census, Timestamp), StoreError> {
        let row: CensusRow = Statement::new(
            "SELECT c.now, count(i.*) AS addressed, \
             count(*) FILTER (WHERE c.now - i.last_seen >= make_interval(secs => 0.001 * ",
        )
        .int(milliseconds(terms.suspect_after()))
        .sql(")) AS silent, count(*) FILTER (WHERE c.now - i.last_seen >= make_interval(secs => 0.001 * ")
        .int(milliseconds(terms.lease_ttl()))
        .sql(
            ")) AS overdue FROM (SELECT clock_timestamp() AS now) c \
             LEFT JOIN services i ON i.phase IN ('live', 'suspect') GROUP BY c.now",
        )
        .get_result(&mut self.lend(Sight::NoApp).await?)
        .await?;
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        let census = Census { addressed: count(row.addressed), silent: count(row.silent), overdue: count(row.overdue) };
        Ok((census, row.now))
    }

    /// The slots in which time may have brought something about.
    async fn due_slots(&self, terms: &Terms, now: Timestamp) -> Result<Vec<i64>, StoreError> {
        let (silent, ahead) = (now - terms.suspect_after(), now + terms.clock_tolerance());
        let rows: Vec<DueRow> =
            Statement::new("SELECT slot_id FROM services WHERE phase IN ('live', 'suspect') AND (last_seen <= ")
                .moment(silent)
                .sql(" OR last_seen > ")
                .moment(ahead)
                .sql(") UNION SELECT slot_id FROM services WHERE phase NOT IN ('live', 'suspect') AND since <= ")
                .moment(now - Terms::RETENTION)
                .sql(
                    " UNION SELECT i.slot_id FROM service_commands c JOIN services i ON i.service_id = c.service_id \
             WHERE c.state IN ('open', 'acknowledged') AND (c.deadline <= ",
                )
                .moment(now)
                .sql(" OR c.issued > ")
                .moment(ahead)
                .sql(")")
                .load(&mut self.lend(Sight::NoApp).await?)
                .await?;
        Ok(rows.into_iter().map(|row| row.slot_id).collect())
    }

    async fn sweep_slot(&self, slot: i64, licence: &SweepLicence, done: &mut SweptServices) -> Result<(), StoreError> {
        let mut lent = self.lend(Sight::NoApp).await?;
        let outcome = lent
            .transaction(async |connection| {
                let Some(place) = slots::lock_if_free(connection, slot).await? else {
                    return Ok::<_, StoreError>(None);
                };
                let over = Wanted::over_since(licence.now() - Terms::RETENTION);
                let outcome = slots::load(connection, &place, over).await?.sweep(licence);
                slots::write(connection, &place, &outcome.changes).await?;
                Ok(Some(outcome))
            })
            .await?;
        if let Some(outcome) = outcome {
            done.swept += outcome.reply;
            done.events.extend(outcome.events);
        }
        Ok(())
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
