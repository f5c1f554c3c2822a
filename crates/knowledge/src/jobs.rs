//! Who does the work that outlives its request.

mod lanes;
mod lease;
mod outcome;

use std::sync::Arc;
use std::time::Duration;

use omni_domain::{Job, JobId, Work, error_chain};
use omni_persistence::{JobEnding, JobLease, LeaseStanding};
use omni_rbac::{Denied, Editor, Grant, SystemGrant};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::outcome::JobReport;

pub(crate) use self::lanes::Bells;
use self::lanes::{LANES, Lane};
use self::lease::LeaseWatch;
use self::outcome::ending_of;
use crate::{Knowledge, KnowledgeError};

/// How often a worker looks for jobs of other processes; those of its own wake it.
const POLL: Duration = Duration::from_secs(1);
/// How often blobs that nobody refers to are looked for.
const SWEEP: Duration = Duration::from_secs(3_600);
/// How often it is looked whether who asked for a job that runs may still have it done.
const LOOK: Duration = Duration::from_secs(3);
/// How long a job stays with a worker that says nothing.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// Why a worker is done with a job.
enum Stop {
    /// The work came to its end, or could not.
    Worked(Result<JobReport, KnowledgeError>),
    /// The job was cancelled, or is another's.
    Told(LeaseStanding),
    /// The process stops.
    Shutdown,
}

impl Knowledge {
    /// Works on jobs until `token` is cancelled; then those that run go back to where they were, at once. The database must
    /// be there until this returns.
    pub async fn run_jobs(self: Arc<Self>, token: CancellationToken) {
        let mut workers = JoinSet::new();
        for lane in LANES {
            for _ in 0..lane.workers {
                workers.spawn(Arc::clone(&self).work(lane, token.clone()));
            }
        }
        workers.spawn(Arc::clone(&self).tend_indexes(token.clone()));
        workers.spawn(Arc::clone(&self).tend_blobs(token.clone()));
        workers.spawn(Arc::clone(&self).tend_forgotten_blobs(token.clone()));
        workers.spawn(Arc::clone(&self).tend_forgotten_points(token.clone()));
        workers.spawn(Arc::clone(&self).run_schedule(token));
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker on jobs ended before its time");
            }
        }
    }

    /// Stops a job of the grant's app.
    ///
    /// # Errors
    /// If there is none, or it is over.
    pub async fn cancel_job(&self, grant: &Grant<Editor>, id: JobId) -> Result<Job, KnowledgeError> {
        let job = self.parts.store.cancel_job(grant, id, self.parts.clock.now()).await?;
        self.cancels.notify_waiters();
        Ok(job)
    }

    /// Has a worker of this process look for jobs now. Whoever enqueues one calls it after the commit.
    pub(crate) fn wake(&self) {
        self.bells.ring();
    }

    async fn work(self: Arc<Self>, lane: Lane, token: CancellationToken) {
        while !token.is_cancelled() {
            match self.claim(lane).await {
                Ok(Some((job, lease))) => self.attend(&job, lease, &token).await,
                Ok(None) => self.rest(lane, &token).await,
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), "no job can be taken up");
                    self.rest(lane, &token).await;
                }
            }
        }
    }

    /// Removes blobs that nobody refers to and nobody noted, as a process that died in an upload leaves them.
    async fn tend_blobs(self: Arc<Self>, token: CancellationToken) {
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                () = sleep(SWEEP) => {}
            }
            let (knowledge, runtime) = (Arc::clone(&self), Handle::current());
            // The compiler does not see that the sweep can be sent between threads, so it stays on one.
            let sweep = tokio::task::spawn_blocking(move || runtime.block_on(knowledge.sweep_blobs()));
            let swept = sweep.await.unwrap_or_else(|error| Err(KnowledgeError::Defect(Box::new(error))));
            match swept {
                Ok(swept) => tracing::debug!(?swept, "swept the store of files"),
                Err(error) => tracing::warn!(error = error_chain(&error), "the store of files cannot be swept"),
            }
        }
    }

    async fn rest(&self, lane: Lane, token: &CancellationToken) {
        tokio::select! {
            () = token.cancelled() => {}
            () = self.bells.rung(lane) => {}
            () = sleep(POLL) => {}
        }
    }

    async fn claim(&self, lane: Lane) -> Result<Option<(Job, JobLease)>, KnowledgeError> {
        let mut name = [0; 16];
        self.parts.entropy.fill(&mut name);
        let holder = Uuid::from_bytes(name);
        let leave = SystemGrant::because("the next job is taken up");
        let now = self.parts.clock.now();
        let claimed = self.parts.store.claim_job(&leave, &[lane.kind], holder, now, LEASE).await?;
        Ok(claimed.map(|job| {
            let lease = JobLease { app: job.app, job: job.id, holder };
            (job, lease)
        }))
    }

    /// Works on a job while its lease is renewed, and says how it ended.
    async fn attend(&self, job: &Job, lease: JobLease, token: &CancellationToken) {
        let watch = LeaseWatch::new(self, lease);
        let stop = tokio::select! {
            biased;
            // Boxed: it is large, and begun once a job.
            outcome = Box::pin(self.perform(job, &watch)) => Stop::Worked(outcome),
            denied = self.barred(job) => Stop::Worked(Err(denied.into())),
            () = token.cancelled() => Stop::Shutdown,
            standing = watch.heartbeat() => Stop::Told(standing),
        };
        let ending = match stop {
            Stop::Shutdown => Some(JobEnding::Released),
            Stop::Told(standing) => told(standing),
            // The work says that it was stopped; only the lease knows why.
            Stop::Worked(Err(KnowledgeError::Stopped)) => told(watch.standing().await),
            Stop::Worked(outcome) => Some(ending_of(job, outcome, self.parts.clock.now())),
        };
        if let Some(ending) = ending {
            self.end(lease, &ending).await;
        }
    }

    async fn end(&self, lease: JobLease, ending: &JobEnding) {
        let leave = SystemGrant::because("a job ends");
        match self.parts.store.end_job(&leave, lease, ending, self.parts.clock.now()).await {
            Ok(true) => tracing::debug!(job = %lease.job, ?ending, "a job ended"),
            Ok(false) => tracing::info!(job = %lease.job, "a job was lost to another worker before it ended"),
            // The lease runs out, and the job is done once more; it is made for that.
            Err(error) => {
                tracing::warn!(job = %lease.job, error = error_chain(&error), "the end of a job is not stored");
            }
        }
    }

    async fn perform(&self, job: &Job, watch: &LeaseWatch<'_>) -> Result<JobReport, KnowledgeError> {
        outcome::refuse_poison(job)?;
        // One that was cancelled under a worker that died is not begun again, least of all if who asked for it is gone.
        if watch.standing().await != LeaseStanding::Held {
            return Err(KnowledgeError::Stopped);
        }
        let grant = self.leave_for(job).await?;
        match job.work {
            Work::Ingest(document) => self.ingest(&grant, document, watch).await,
            Work::Crawl(domain) => self.crawl(&grant, domain, job, watch).await,
            Work::Embed(silo) => self.embed_anew(&grant, silo, watch).await,
        }
    }

    /// The grant that a job is done with: of who asked for it, as they stand now.
    async fn leave_for(&self, job: &Job) -> Result<Grant<Editor>, Denied> {
        let what = format!("job {}: {}", job.id, job.work.kind());
        self.parts.authority.work(job.app, job.asked_by, &what).await
    }

    /// Looks again and again whether the job may still be done; resolves when whoever asked for it may not do it any more.
    async fn barred(&self, job: &Job) -> Denied {
        loop {
            sleep(LOOK).await;
            match self.leave_for(job).await {
                Ok(_) | Err(Denied::Unanswered(_)) => {}
                Err(denied) => return denied,
            }
        }
    }
}

/// How a job ends that was taken from its worker.
fn told(standing: LeaseStanding) -> Option<JobEnding> {
    match standing {
        LeaseStanding::Cancelled => Some(JobEnding::Cancelled),
        LeaseStanding::Lost => None,
        LeaseStanding::Held => Some(JobEnding::Released),
    }
}
