use std::sync::atomic::Ordering;
use std::time::Instant;

use omni_domain::error_chain;
use omni_persistence::StoreError;
use omni_rbac::SystemGrant;
use omni_registry::{Event, Happening, Sweeper, Verdict};
use tokio::time::{MissedTickBehavior, interval};

use crate::ControlPlane;

/// Looks twice an interval for leases that ran out, commands past their deadline and services to be forgotten, for as long
/// as it is polled. Any number of replicas may do so at once.
pub async fn keep_leases(state: &ControlPlane) {
    let leave = SystemGrant::because("leases that ran out");
    let began = Instant::now();
    let mut sweeper = Sweeper::new(state.terms, began.elapsed());
    let mut ticks = interval(state.terms.sweep_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    loop {
        ticks.tick().await;
        match state.store.sweep_services(&leave, &state.terms, &mut sweeper, began.elapsed()).await {
            Ok(swept) => {
                if std::mem::take(&mut is_failing) {
                    tracing::info!("leases are kept again");
                }
                tell(&swept.events);
                note_silence(state, swept.verdict);
            }
            Err(error) => {
                if !std::mem::replace(&mut is_failing, true) {
                    warn(&error);
                }
                // Beats could not be written either, so silence is nobody's fault.
                sweeper.begin_grace(began.elapsed());
            }
        }
    }
}

fn warn(error: &StoreError) {
    tracing::warn!(cause = error_chain(error), "leases cannot be kept; nobody expires until they can");
}

fn note_silence(state: &ControlPlane, verdict: Verdict) {
    let is_silent = verdict == Verdict::Preserve;
    let was_silent = state.mass_silence.swap(is_silent, Ordering::Relaxed);
    if is_silent && !was_silent {
        tracing::warn!("most services fell silent at once, so nobody expires for the length of a lease");
    }
}

/// Says in the log what happened to services.
pub(crate) fn tell(events: &[Event]) {
    for event in events {
        let (service, generation, name) = (&event.slot, event.generation, event.name());
        match &event.what {
            Happening::Expired | Happening::Suspect | Happening::MustEnd { .. } => {
                tracing::warn!(%service, %generation, what = ?event.what, "{name}");
            }
            what => tracing::info!(%service, %generation, ?what, "{name}"),
        }
    }
}
