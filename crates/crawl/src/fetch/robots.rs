//! Asking servers what to leave alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::StatusCode;
use omni_egress::{EgressError, Response};
use tokio::sync::OnceCell;

use super::{Fetcher, retry_after};
use crate::{
    origin::Origin,
    robots::{MAX_ROBOTS_BYTES, Robots},
};

/// The most origins whose wishes one crawl remembers. A crawl has its host's few, and those of single pages.
const MAX_REMEMBERED: usize = 2_000;

/// The wishes that are known, each asked for once.
#[derive(Default)]
pub(super) struct RobotsCache(Mutex<HashMap<Origin, Arc<OnceCell<Arc<Robots>>>>>);

impl RobotsCache {
    fn cell(&self, origin: &Origin) -> Arc<OnceCell<Arc<Robots>>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() >= MAX_REMEMBERED && !cells.contains_key(origin) {
            cells.clear();
        }
        Arc::clone(cells.entry(origin.clone()).or_default())
    }

    pub(super) fn known(&self, origin: &Origin) -> Option<Arc<Robots>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(origin)?.get().map(Arc::clone)
    }
}

impl Fetcher {
    /// The wishes of an origin, asked for once in a crawl, when it is the origin's turn.
    ///
    /// A server without the file allows everything, one that cannot be asked nothing (RFC 9309, 2.3.1). Being asked to
    /// come back later (429) is no permission either.
    pub async fn robots(&self, origin: &Origin) -> Arc<Robots> {
        let cell = self.robots.cell(origin);
        let robots = cell.get_or_init(|| async { Arc::new(self.ask(origin).await) }).await;
        Arc::clone(robots)
    }

    async fn ask(&self, origin: &Origin) -> Robots {
        let Some(url) = origin.robots_url() else { return Robots::unreachable() };
        let Some(turn) = self.turn(origin).await else { return Robots::unreachable() };
        // The length is limited by reading no further, since the beginning of a longer file counts.
        let answer = match self.parts.egress.send(self.request(url, u64::MAX)).await {
            Ok(answer) => answer,
            // Where redirects lead nowhere, there is no file.
            Err(EgressError::TooManyRedirects { .. }) => return Robots::everything(),
            Err(_) => return Robots::unreachable(),
        };
        let status = answer.status();
        if let Some(wait) = retry_after::wait(status, answer.headers(), self.parts.clock.now()) {
            turn.back_off(wait);
            return Robots::unreachable();
        }
        match status {
            StatusCode::OK => match beginning(answer).await {
                Ok(file) => Robots::parse(self.parts.agent.product(), &file),
                Err(_) => Robots::unreachable(),
            },
            status if status.is_success() || status.is_client_error() => Robots::everything(),
            _ => Robots::unreachable(),
        }
    }
}

/// As much of a body as is read of a `robots.txt`, and a byte more if there is more.
async fn beginning(mut answer: Response) -> Result<Vec<u8>, EgressError> {
    let mut file = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = (MAX_ROBOTS_BYTES + 1).saturating_sub(file.len());
        file.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if file.len() > MAX_ROBOTS_BYTES {
            break;
        }
    }
    Ok(file)
}
