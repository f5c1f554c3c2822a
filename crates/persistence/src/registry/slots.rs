//! One slot at a time: locked, loaded, written.

use diesel::prelude::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl,
};
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel::{QueryableByName, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use omni_domain::Timestamp;
use omni_registry::{Change, CommandState, Generation, NodeId, Phase, Process, ServiceId, ServiceName, Slot, SlotKey};

use super::rows::{CommandRow, Description, IncarnationRow, LeaseColumns};
use crate::StoreError;
use crate::schema::{service_commands, services};
use crate::statement::Statement;

/// A slot whose row this transaction has locked.
pub(super) struct Place {
    id: i64,
    key: SlotKey,
}

/// Which incarnations a transition looks at, besides those that hold the slot.
#[derive(Default)]
pub(super) struct Wanted {
    pid: Option<i64>,
    token: Option<String>,
    service: Option<String>,
    over_since: Option<Timestamp>,
}

impl Wanted {
    /// Those that may be the same process.
    pub(super) fn of_process(process: &Process) -> Self {
        let token = process.token.as_ref().map(|token| token.as_str().to_owned());
        Self { pid: Some(process.pid.get().into()), token, ..Self::default() }
    }

    /// The one with that id.
    pub(super) fn of_service(id: &ServiceId) -> Self {
        Self { service: Some(id.as_str().to_owned()), ..Self::default() }
    }

    /// Those that stand as they do since then or longer.
    pub(super) fn over_since(moment: Timestamp) -> Self {
        Self { over_since: Some(moment), ..Self::default() }
    }
}

#[derive(QueryableByName)]
struct PlaceRow {
    #[diesel(sql_type = BigInt)]
    slot_id: i64,
    #[diesel(sql_type = Text)]
    node_id: String,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct ClockRow {
    #[diesel(sql_type = Timestamptz)]
    now: Timestamp,
}

#[derive(QueryableByName)]
struct GenerationRow {
    #[diesel(sql_type = Timestamptz)]
    now: Timestamp,
    #[diesel(sql_type = BigInt)]
    generation: i64,
}

impl TryFrom<PlaceRow> for Place {
    type Error = StoreError;

    fn try_from(row: PlaceRow) -> Result<Self, StoreError> {
        let wrong = |error: omni_domain::Invalid| StoreError::inconsistent(error.to_string());
        let node = NodeId::new(&row.node_id).map_err(wrong)?;
        let name = ServiceName::new(&row.name).map_err(wrong)?;
        Ok(Self { id: row.slot_id, key: SlotKey { node, name } })
    }
}

/// Locks a slot, which begins to exist if it did not.
pub(super) async fn lock_or_make(connection: &mut AsyncPgConnection, key: &SlotKey) -> Result<Place, StoreError> {
    // The update changes nothing; it is what locks a row that is there.
    let row: PlaceRow = Statement::new("INSERT INTO service_slots (node_id, name) VALUES (")
        .text(key.node.as_str())
        .sql(", ")
        .text(key.name.as_str())
        .sql(") ON CONFLICT (node_id, name) DO UPDATE SET name = EXCLUDED.name RETURNING slot_id, node_id, name")
        .get_result(connection)
        .await?;
    row.try_into()
}

/// Locks the slot in which that service is.
pub(super) async fn lock_of_service(
    connection: &mut AsyncPgConnection,
    id: &ServiceId,
) -> Result<Option<Place>, StoreError> {
    // The slot's row alone is locked, by everybody first: two transitions cannot wait for each other.
    let row: Option<PlaceRow> = Statement::new(
        "SELECT s.slot_id, s.node_id, s.name FROM service_slots s JOIN services i ON i.slot_id = s.slot_id \
         WHERE i.service_id = ",
    )
    .text(id.as_str())
    .sql(" FOR UPDATE OF s")
    .get_result(connection)
    .await
    .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// Locks a slot by its number, unless somebody else works on it.
pub(super) async fn lock_if_free(connection: &mut AsyncPgConnection, id: i64) -> Result<Option<Place>, StoreError> {
    let row: Option<PlaceRow> = Statement::new("SELECT slot_id, node_id, name FROM service_slots WHERE slot_id = ")
        .int(id)
        .sql(" FOR UPDATE SKIP LOCKED")
        .get_result(connection)
        .await
        .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// What the database's clock shows. Asked after the lock, so that the moments of a slot follow one another.
pub(super) async fn clock(connection: &mut AsyncPgConnection) -> Result<Timestamp, StoreError> {
    let row: ClockRow = Statement::new("SELECT clock_timestamp() AS now").get_result(connection).await?;
    Ok(row.now)
}

/// The clock, and the next generation. Drawn after the lock, so that it is above all that the slot has seen.
pub(super) async fn next_generation(connection: &mut AsyncPgConnection) -> Result<(Timestamp, Generation), StoreError> {
    let row: GenerationRow =
        Statement::new("SELECT clock_timestamp() AS now, nextval('service_generations') AS generation")
            .get_result(connection)
            .await?;
    Ok((row.now, Generation::new(row.generation)))
}

/// Loads what a transition looks at: who holds the slot, what they have been told, and who else is wanted.
pub(super) async fn load(
    connection: &mut AsyncPgConnection,
    place: &Place,
    wanted: Wanted,
) -> Result<Slot, StoreError> {
    let holds = Phase::ALL.iter().filter(|phase| !phase.is_final()).map(|phase| phase.as_str());
    let rows: Vec<IncarnationRow> = services::table
        .filter(services::slot_id.eq(place.id))
        .filter(
            services::phase
                .eq_any(holds)
                .nullable()
                .or(services::pid.nullable().eq(wanted.pid))
                .or(services::spawn_token.eq(wanted.token))
                .or(services::service_id.nullable().eq(wanted.service))
                .or(services::since.nullable().le(wanted.over_since)),
        )
        .select(IncarnationRow::as_select())
        .load(connection)
        .await?;
    let ids: Vec<String> = rows.iter().map(|row| row.service_id.clone()).collect();
    let pending = CommandState::ALL.iter().filter(|state| state.is_pending()).map(|state| state.as_str());
    let commands: Vec<CommandRow> = service_commands::table
        .filter(service_commands::service_id.eq_any(ids))
        .filter(service_commands::state.eq_any(pending))
        .select(CommandRow::as_select())
        .load(connection)
        .await?;
    let incarnations = rows.into_iter().map(TryInto::try_into).collect::<Result<_, StoreError>>()?;
    let commands = commands.into_iter().map(TryInto::try_into).collect::<Result<_, StoreError>>()?;
    Ok(Slot::load(place.key.clone(), incarnations, commands)?)
}

/// Writes what a transition changed, in its order.
pub(super) async fn write(
    connection: &mut AsyncPgConnection,
    place: &Place,
    changes: &[Change],
) -> Result<(), StoreError> {
    for change in changes {
        match change {
            Change::Insert(incarnation) => {
                let row = IncarnationRow::of(place.id, incarnation)?;
                diesel::insert_into(services::table).values(row).execute(connection).await?;
            }
            Change::Describe { id, process, profile } => {
                let columns = Description::of(process, profile)?;
                diesel::update(services::table.find(id.as_str())).set(columns).execute(connection).await?;
            }
            Change::Lease { id, lease } => {
                let columns = LeaseColumns::of(lease)?;
                diesel::update(services::table.find(id.as_str())).set(columns).execute(connection).await?;
            }
            Change::Forget(id) => {
                diesel::delete(services::table.find(id.as_str())).execute(connection).await?;
            }
            Change::Command(command) => {
                let row = CommandRow::of(command);
                diesel::insert_into(service_commands::table)
                    .values(&row)
                    .on_conflict(service_commands::command_id)
                    .do_update()
                    .set(&row)
                    .execute(connection)
                    .await?;
            }
        }
    }
    Ok(())
}
