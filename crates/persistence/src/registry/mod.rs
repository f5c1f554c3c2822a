//! The service registry in the database: a slot is loaded under lock, `omni-registry` decides, and what it decided is
//! written in the same transaction. Leases are kept by the database's clock, which all replicas share.

mod rows;
mod slots;
mod sweep;

use diesel_async::AsyncConnection;
use omni_domain::{Entropy, Timestamp};
use omni_registry::{
    Action, DeregisterReply, Event, Fresh, Heartbeat, HeartbeatReply, Order, Outcome, Reason, RegisterReply,
    Registration, ServiceId, Slot, SlotKey, Terms,
};

use crate::connection::Sight;
use crate::{Store, StoreError};
use slots::Wanted;

pub use sweep::SweptServices;

/// What a transition answered, and what it brought about. It is committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<R> {
    /// The answer.
    pub reply: R,
    /// What happened, to be told.
    pub events: Vec<Event>,
    /// When, by the clock that leases are kept by.
    pub now: Timestamp,
}

/// What becomes of those that hold a slot when another registers in it that could stand beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Succession {
    /// They stay.
    Beside,
    /// They are told to shut down: there is to be one.
    Instead,
}

impl<R> Told<R> {
    fn of(outcome: Outcome<R>, now: Timestamp) -> Self {
        Self { reply: outcome.reply, events: outcome.events, now }
    }
}

impl Store {
    /// Registers a service, or renews its lease; see [`Slot::register`].
    ///
    /// # Errors
    /// [`StoreError::Registry`] if it is refused, [`StoreError::Unavailable`] if the server is away.
    pub async fn register_service(
        &self,
        terms: &Terms,
        key: &SlotKey,
        registration: Registration,
        succession: Succession,
        entropy: &dyn Entropy,
    ) -> Result<Told<RegisterReply>, StoreError> {
        let mut lent = self.lend(Sight::NoApp).await?;
        lent.transaction(async |connection| {
            let place = slots::lock_or_make(connection, key).await?;
            let mut slot = slots::load(connection, &place, Wanted::of_process(&registration.process)).await?;
            let (now, generation) = slots::next_generation(connection).await?;
            let outcome = slot.register(terms, registration, now, Fresh { generation, entropy })?;
            slots::write(connection, &place, &outcome.changes).await?;
            let mut told = Told::of(outcome, now);
            if let (Succession::Instead, RegisterReply::Accepted { service, .. }) = (succession, &told.reply) {
                slot = slots::load(connection, &place, Wanted::default()).await?;
                for ordered in retire_predecessors(&slot, service, now, entropy)? {
                    slots::write(connection, &place, &ordered.changes).await?;
                    told.events.extend(ordered.events);
                }
            }
            Ok(told)
        })
        .await
    }

    /// Hears a heartbeat; see [`Slot::heartbeat`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn heartbeat_service(
        &self,
        id: &ServiceId,
        beat: &Heartbeat,
    ) -> Result<Option<Told<HeartbeatReply>>, StoreError> {
        self.in_slot_of(id, |slot, now| slot.heartbeat(id, beat, now)).await
    }

    /// Ends an incarnation; see [`Slot::deregister`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn deregister_service(
        &self,
        id: &ServiceId,
        reason: Option<Reason>,
    ) -> Result<Option<Told<DeregisterReply>>, StoreError> {
        self.in_slot_of(id, |slot, now| slot.deregister(id, reason, now)).await
    }

    /// Makes a transition of the slot in which that service is; nothing if no slot has it.
    async fn in_slot_of<R: Send>(
        &self,
        id: &ServiceId,
        step: impl FnOnce(&Slot, Timestamp) -> Outcome<R> + Send,
    ) -> Result<Option<Told<R>>, StoreError> {
        let mut lent = self.lend(Sight::NoApp).await?;
        lent.transaction(async |connection| {
            let Some(place) = slots::lock_of_service(connection, id).await? else {
                return Ok(None);
            };
            let slot = slots::load(connection, &place, Wanted::of_service(id)).await?;
            let now = slots::clock(connection).await?;
            let outcome = step(&slot, now);
            slots::write(connection, &place, &outcome.changes).await?;
            Ok(Some(Told::of(outcome, now)))
        })
        .await
    }
}

/// Tells all that hold the slot and are older than `successor` to shut down.
fn retire_predecessors(
    slot: &Slot,
    successor: &ServiceId,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Vec<Outcome<omni_registry::Command>>, StoreError> {
    let Some(newest) = slot.find(successor).map(|incarnation| incarnation.generation) else {
        return Ok(Vec::new());
    };
    slot.current()
        .filter(|older| older.generation < newest && older.lease.phase.is_addressed())
        .map(|older| {
            let order = Order::new(Action::Shutdown).because("superseded");
            Ok(slot.issue(&older.id, order, now, entropy)?)
        })
        .collect()
}
