use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use reqwest::Client;
use tokio::runtime::{Handle, Id};

use crate::clients::{Clients, Parts, Purpose};
use crate::error::EgressError;

/// The most runtimes that get connections of their own; those beyond share one set.
const MOST_RUNTIMES: usize = 64;

/// The clients that are lent, one set for each runtime that asks.
///
/// A connection is read by the runtime on which it was opened. A server has a runtime on each of its threads; if they
/// shared connections, every piece of a model's answer would be read on one thread and wake another.
pub(crate) struct Lent {
    parts: Parts,
    shared: Clients,
    by_runtime: RwLock<HashMap<Id, Arc<Clients>>>,
}

impl Lent {
    pub(crate) fn new(parts: Parts) -> Result<Self, EgressError> {
        let shared = Clients::new(&parts, Purpose::Lent)?;
        Ok(Self { parts, shared, by_runtime: RwLock::default() })
    }

    /// The caller's client for a port.
    pub(crate) fn for_port(&self, port: u16) -> Result<Client, EgressError> {
        let Ok(runtime) = Handle::try_current().map(|runtime| runtime.id()) else {
            return Ok(self.shared.for_port(port).clone());
        };
        let known = self.by_runtime.read().unwrap_or_else(PoisonError::into_inner).get(&runtime).map(Arc::clone);
        if let Some(clients) = known {
            return Ok(clients.for_port(port).clone());
        }
        let mut by_runtime = self.by_runtime.write().unwrap_or_else(PoisonError::into_inner);
        if by_runtime.len() == MOST_RUNTIMES {
            return Ok(self.shared.for_port(port).clone());
        }
        let clients = Clients::new(&self.parts, Purpose::Lent)?;
        let client = clients.for_port(port).clone();
        by_runtime.insert(runtime, Arc::new(clients));
        Ok(client)
    }
}
