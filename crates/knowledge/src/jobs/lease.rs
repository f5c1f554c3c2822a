use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use omni_domain::error_chain;
use omni_persistence::{JobLease, JobProgress, LeaseStanding};
use omni_rbac::SystemGrant;
use tokio::time::{Instant, sleep};

use super::LEASE;
use crate::{Knowledge, KnowledgeError, Watch};

/// How often a lease is renewed while its holder works.
const BEAT: Duration = Duration::from_secs(5);
/// Progress within a stage is written so often at most.
const TELLING: Duration = Duration::from_millis(500);

/// The lease on a job, as the work under it sees it: each step is written down, and learns whether to go on.
pub(super) struct LeaseWatch<'a> {
    knowledge: &'a Knowledge,
    lease: JobLease,
    told: Mutex<Told>,
}

/// What the database was told last, and when.
#[derive(Clone, Copy)]
struct Told {
    progress: JobProgress,
    renewed: Instant,
}

impl<'a> LeaseWatch<'a> {
    pub(super) fn new(knowledge: &'a Knowledge, lease: JobLease) -> Self {
        let told = Told { progress: JobProgress::default(), renewed: Instant::now() };
        Self { knowledge, lease, told: Mutex::new(told) }
    }

    /// Renews the lease again and again; resolves when it is no longer ours to renew.
    pub(super) async fn heartbeat(&self) -> LeaseStanding {
        loop {
            tokio::select! {
                () = sleep(BEAT) => {}
                () = self.knowledge.cancels.notified() => {}
            }
            match self.standing().await {
                LeaseStanding::Held => {}
                standing => return standing,
            }
        }
    }

    /// Renews the lease, and says how it stands. While the database is away it stands until it has run out.
    pub(super) async fn standing(&self) -> LeaseStanding {
        let Told { progress, renewed } = *self.lock();
        match self.renew(progress).await {
            Ok(standing) => standing,
            Err(error) => {
                tracing::warn!(job = %self.lease.job, error = error_chain(&error), "the lease on a job is not renewed");
                if renewed.elapsed() < LEASE { LeaseStanding::Held } else { LeaseStanding::Lost }
            }
        }
    }

    async fn renew(&self, progress: JobProgress) -> Result<LeaseStanding, KnowledgeError> {
        let parts = &self.knowledge.parts;
        let leave = SystemGrant::because("a lease on a job is renewed");
        let until = parts.clock.now() + LEASE;
        let standing = parts.store.renew_job(&leave, self.lease, progress, until).await?;
        self.lock().renewed = Instant::now();
        Ok(standing)
    }

    /// Nothing that holds the lock can panic halfway, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the step, and says whether it is worth a round trip.
    fn note(&self, progress: JobProgress) -> bool {
        let mut told = self.lock();
        let is_news = told.progress.stage != progress.stage || told.renewed.elapsed() >= TELLING;
        told.progress = progress;
        is_news
    }
}

impl Watch for LeaseWatch<'_> {
    fn step(&self, stage: &'static str, done: u64, total: Option<u64>) -> BoxFuture<'_, Result<(), KnowledgeError>> {
        async move {
            let progress = JobProgress { stage: Some(stage), done, total };
            if !self.note(progress) {
                return Ok(());
            }
            match self.renew(progress).await? {
                LeaseStanding::Held => Ok(()),
                LeaseStanding::Cancelled | LeaseStanding::Lost => Err(KnowledgeError::Stopped),
            }
        }
        .boxed()
    }
}
