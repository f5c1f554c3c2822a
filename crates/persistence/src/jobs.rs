//! Work that outlives its request, with a lease for whoever works on it.
//!
//! A job is in the database before anybody is told of it, in the transaction of what it is for. Whoever claims it gets a
//! lease under a name of its own, and only that name can write to it afterwards: a worker that was thought dead and comes
//! back finds that it has lost the job.

mod of_person;
mod row;
mod settling;

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{AppId, Deed, Job, JobId, JobStatus, Page, PageRequest, Timestamp, UserId, Work};
use omni_rbac::{Editor, Grant, SystemGrant, Viewer};
use uuid::Uuid;

pub(crate) use self::of_person::cancel_jobs_of;
pub(crate) use self::row::JobRow;
use self::settling::{hold_document, settle};
use crate::audit;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

pub(crate) const JOB: &str = "j.job_id, j.app_id, j.kind, j.document_id, j.domain_id, j.silo_id, j.status, j.stage, j.done, j.total, \
    j.attempts, j.error, j.tally::text AS tally, j.user_id, j.create_date, j.start_date, j.finish_date";

/// A claim on a job. Each claim has a name that no other one has, be it by the same process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLease {
    /// The app that the job is done for.
    pub app: AppId,
    /// The job.
    pub job: JobId,
    /// The claim's name.
    pub holder: Uuid,
}

/// How far the work on a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// What is being done, in a word; none leaves what was said last.
    pub stage: Option<&'static str>,
    /// How much of the stage is done.
    pub done: u64,
    /// Out of how much, if that is known.
    pub total: Option<u64>,
}

/// What the holder of a lease learns when it renews it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStanding {
    /// It goes on.
    Held,
    /// Somebody cancelled the job: end it.
    Cancelled,
    /// The lease is another's, or the job is gone.
    Lost,
}

/// How a piece of work on a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnding {
    /// It is done.
    Done {
        /// What it came to: counts by name.
        tally: BTreeMap<String, u64>,
        /// What a person should know of it all the same: pages that could not be read.
        note: Option<String>,
    },
    /// It cannot be done, for a reason that a person understands.
    Failed {
        /// The reason.
        reason: String,
    },
    /// It may work another time.
    Later {
        /// Why it did not work now.
        reason: String,
        /// When it is due again.
        after: Timestamp,
    },
    /// Somebody stopped it.
    Cancelled,
    /// The process that worked on it stops; the job is as it was before, and the attempt does not count.
    Released,
}

/// Which jobs are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those that do this.
    pub work: Option<Work>,
    /// Only those in this state.
    pub status: Option<JobStatus>,
}

#[derive(QueryableByName)]
struct Renewed {
    #[diesel(sql_type = Bool)]
    cancelling: bool,
}

/// Puts a job beside what it is for, in the same transaction. `asked_by` is whose grant is minted for it; without one, the
/// owner's.
///
/// # Errors
/// [`StoreError::JobActive`] if one for the same thing waits or runs already.
pub(crate) async fn enqueue(
    connection: &mut AsyncPgConnection,
    app: AppId,
    work: Work,
    asked_by: Option<UserId>,
    now: Timestamp,
) -> Result<Job, StoreError> {
    let [document, domain, silo] = columns(work);
    let made: Option<JobRow> = Statement::new("INSERT INTO jobs AS j ")
        .sql("(app_id, kind, document_id, domain_id, silo_id, status, run_after, user_id, create_date) VALUES (")
        .int(app.get())
        .sql(", ")
        .text(work.kind())
        .sql(", ")
        .optional_int(document)
        .sql(", ")
        .optional_int(domain)
        .sql(", ")
        .optional_int(silo)
        .sql(", 'queued', ")
        .moment(now)
        .sql(", ")
        .optional_int(asked_by.map(UserId::get))
        .sql(", ")
        .moment(now)
        .sql(") ON CONFLICT DO NOTHING RETURNING ")
        .sql(JOB)
        .get_result(connection)
        .await
        .optional()?;
    if let Some(row) = made {
        return row.try_into();
    }
    let active = of_work(Statement::new("SELECT ").sql(JOB).sql(" FROM jobs j WHERE j.app_id = ").int(app.get()), work)
        .sql(" AND j.status IN ('queued', 'running')")
        .get_result::<JobRow>(connection)
        .await
        .optional()?;
    // It may have ended between the two statements; whoever asks again then succeeds.
    Err(active.map_or_else(
        || StoreError::Unavailable("a job ended while another was asked for".into()),
        |row| StoreError::JobActive(JobId::new(row.job_id)),
    ))
}

/// # Errors
/// [`StoreError::JobActive`] if a job for this waits or runs. Whoever asks holds the row of what it is for, so that none
/// can be asked for meanwhile.
pub(crate) async fn refuse_if_active(
    connection: &mut AsyncPgConnection,
    app: AppId,
    work: Work,
) -> Result<(), StoreError> {
    let active = of_work(Statement::new("SELECT ").sql(JOB).sql(" FROM jobs j WHERE j.app_id = ").int(app.get()), work)
        .sql(" AND j.status IN ('queued', 'running')")
        .get_result::<JobRow>(connection)
        .await
        .optional()?;
    active.map_or(Ok(()), |row| Err(StoreError::JobActive(JobId::new(row.job_id))))
}

/// What a job is about, as the three columns have it.
fn columns(work: Work) -> [Option<i64>; 3] {
    match work {
        Work::Ingest(document) => [Some(document.get()), None, None],
        Work::Crawl(domain) => [None, Some(domain.get()), None],
        Work::Embed(silo) => [None, None, Some(silo.get())],
    }
}

fn of_work(statement: Statement, work: Work) -> Statement {
    match work {
        Work::Ingest(document) => statement.sql(" AND j.document_id = ").int(document.get()),
        Work::Crawl(domain) => statement.sql(" AND j.domain_id = ").int(domain.get()),
        Work::Embed(silo) => statement.sql(" AND j.silo_id = ").int(silo.get()),
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Store {
    /// Asks for work on something that is there already, and records `deed`, which is what the person did.
    ///
    /// # Errors
    /// [`StoreError::JobActive`] if somebody asked before and that is not over.
    pub async fn enqueue_job(
        &self,
        grant: &Grant<Editor>,
        work: Work,
        deed: &Deed,
        now: Timestamp,
    ) -> Result<Job, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let job = enqueue(connection, grant.app(), work, Some(grant.actor()), now).await?;
            audit::record(connection, Some(grant.app()), grant.by(), deed).await?;
            Ok(job)
        })
        .await
    }

    /// Takes up the next job of one of these kinds that is due or whose lease ran out, of the app that the fewest of them
    /// are being worked on for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn claim_job(
        &self,
        _leave: &SystemGrant,
        kinds: &[&'static str],
        holder: Uuid,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Job>, StoreError> {
        let kinds = || kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
        Statement::new("WITH busy AS (SELECT app_id, count(*) AS jobs FROM jobs WHERE status = 'running' AND lease_until >= ")
            .moment(now)
            .sql(" AND kind = ANY(")
            .texts(kinds())
            .sql(") GROUP BY app_id), next AS MATERIALIZED (SELECT j.job_id FROM jobs j LEFT JOIN busy b ON b.app_id = j.app_id ")
            .sql("WHERE j.kind = ANY(")
            .texts(kinds())
            .sql(") AND ((j.status = 'queued' AND j.run_after <= ")
            .moment(now)
            .sql(") OR (j.status = 'running' AND j.lease_until < ")
            .moment(now)
            .sql(")) ORDER BY coalesce(b.jobs, 0), j.run_after, j.job_id LIMIT 1 FOR UPDATE OF j SKIP LOCKED) ")
            .sql("UPDATE jobs j SET status = 'running', attempts = j.attempts + 1, lease_holder = ")
            .uuid(holder)
            .sql(", lease_until = ")
            .moment(now + lease)
            .sql(", stage = NULL, done = 0, total = NULL, start_date = coalesce(j.start_date, ")
            .moment(now)
            .sql(") FROM next n WHERE j.job_id = n.job_id RETURNING ")
            .sql(JOB)
            .get_result::<JobRow>(&mut self.lend(Sight::AllApps).await?)
            .await
            .optional()?
            .map(Job::try_from)
            .transpose()
    }

    /// Makes a lease longer, says how far the work is, and learns whether it is to go on.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn renew_job(
        &self,
        _leave: &SystemGrant,
        lease: JobLease,
        progress: JobProgress,
        until: Timestamp,
    ) -> Result<LeaseStanding, StoreError> {
        let renewed: Option<Renewed> = held(
            Statement::new("UPDATE jobs j SET lease_until = greatest(j.lease_until, ")
                .moment(until)
                .sql("), stage = coalesce(")
                .optional_text(progress.stage.map(str::to_owned))
                .sql(", j.stage), done = ")
                .int(number(progress.done))
                .sql(", total = ")
                .optional_int(progress.total.map(number)),
            lease,
        )
        .sql(" RETURNING j.cancelling")
        .get_result(&mut self.lend(Sight::App(lease.app)).await?)
        .await
        .optional()?;
        Ok(match renewed {
            Some(Renewed { cancelling: false }) => LeaseStanding::Held,
            Some(Renewed { cancelling: true }) => LeaseStanding::Cancelled,
            None => LeaseStanding::Lost,
        })
    }

    /// Ends the work on a job, and with a job that takes in a document says of the document what became of it. Answers
    /// whether the lease was still held; if not, nothing is written.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn end_job(
        &self,
        _leave: &SystemGrant,
        lease: JobLease,
        ending: &JobEnding,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut lent = self.lend(Sight::App(lease.app)).await?;
        lent.transaction(async |connection| {
            hold_document(connection, lease.app, lease.job).await?;
            let ended: Option<JobRow> = held(ended_as(ending, now)?, lease)
                .sql(" RETURNING ")
                .sql(JOB)
                .get_result(connection)
                .await
                .optional()?;
            let Some(job) = ended.map(Job::try_from).transpose()? else { return Ok(false) };
            if let Work::Ingest(document) = job.work {
                settle(connection, lease.app, document, ending, now).await?;
            }
            Ok(true)
        })
        .await
    }

    /// Stops a job: one that waits at once, one that runs as soon as its worker asks.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such job, [`StoreError::Conflict`] if it is over.
    pub async fn cancel_job(&self, grant: &Grant<Editor>, id: JobId, now: Timestamp) -> Result<Job, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            hold_document(connection, grant.app(), id).await?;
            let stored: JobRow = Statement::new("SELECT ")
                .sql(JOB)
                .sql(" FROM jobs j WHERE j.app_id = ")
                .int(grant.app().get())
                .sql(" AND j.job_id = ")
                .int(id.get())
                .sql(" FOR UPDATE")
                .get_result(connection)
                .await?;
            let job = Job::try_from(stored)?;
            if job.status.is_over() {
                return Err(StoreError::Conflict(format!("job {id} is over: it is {}", job.status)));
            }
            let cancelled: JobRow = Statement::new("UPDATE jobs j SET cancelling = true, ")
                .sql("status = CASE j.status WHEN 'queued' THEN 'cancelled' ELSE j.status END, ")
                .sql("finish_date = CASE j.status WHEN 'queued' THEN ")
                .moment(now)
                .sql("::timestamptz END WHERE j.job_id = ")
                .int(id.get())
                .sql(" RETURNING ")
                .sql(JOB)
                .get_result(connection)
                .await?;
            let cancelled = Job::try_from(cancelled)?;
            if let (Work::Ingest(document), JobStatus::Cancelled) = (cancelled.work, cancelled.status) {
                settle(connection, grant.app(), document, &JobEnding::Cancelled, now).await?;
            }
            let deed = Deed::plain("job.cancel").at("job", id.get());
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
            Ok(cancelled)
        })
        .await
    }

    /// A job of the grant's app.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn find_job(&self, grant: &Grant<Viewer>, id: JobId) -> Result<Option<Job>, StoreError> {
        Statement::new("SELECT ")
            .sql(JOB)
            .sql(" FROM jobs j WHERE j.app_id = ")
            .int(grant.app().get())
            .sql(" AND j.job_id = ")
            .int(id.get())
            .get_result::<JobRow>(&mut self.lend(Sight::of(grant)).await?)
            .await
            .optional()?
            .map(Job::try_from)
            .transpose()
    }

    /// The last job of the grant's app that does or did this.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn latest_job(&self, grant: &Grant<Viewer>, work: Work) -> Result<Option<Job>, StoreError> {
        of_work(Statement::new("SELECT ").sql(JOB).sql(" FROM jobs j WHERE j.app_id = ").int(grant.app().get()), work)
            .sql(" ORDER BY j.job_id DESC LIMIT 1")
            .get_result::<JobRow>(&mut self.lend(Sight::of(grant)).await?)
            .await
            .optional()?
            .map(Job::try_from)
            .transpose()
    }

    /// One page of the app's jobs, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_jobs(
        &self,
        grant: &Grant<Viewer>,
        filter: JobFilter,
        page: PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        let from = |statement: Statement| {
            let mut statement = statement.sql(" FROM jobs j WHERE j.app_id = ").int(grant.app().get());
            if let Some(work) = filter.work {
                statement = of_work(statement, work);
            }
            if let Some(status) = filter.status {
                statement = statement.sql(" AND j.status = ").text(status.as_str());
            }
            statement
        };
        self.page_of::<JobRow, _>(Sight::of(grant), JOB, from, "j.job_id DESC", page).await
    }
}

/// Only the holder of the lease may write.
fn held(statement: Statement, lease: JobLease) -> Statement {
    statement
        .sql(" WHERE j.app_id = ")
        .int(lease.app.get())
        .sql(" AND j.job_id = ")
        .int(lease.job.get())
        .sql(" AND j.status = 'running' AND j.lease_holder = ")
        .uuid(lease.holder)
}

fn ended_as(ending: &JobEnding, now: Timestamp) -> Result<Statement, StoreError> {
    let let_go = Statement::new("UPDATE jobs j SET lease_holder = NULL, lease_until = NULL, ");
    Ok(match ending {
        JobEnding::Done { tally, note } => let_go
            .sql("status = 'done', error = ")
            .optional_text(note.clone())
            .sql(", tally = ")
            .text(serde_json::to_string(tally).map_err(|error| StoreError::inconsistent(error.to_string()))?)
            .sql("::jsonb, finish_date = ")
            .moment(now),
        JobEnding::Failed { reason } => {
            let_go.sql("status = 'failed', error = ").text(reason.as_str()).sql(", finish_date = ").moment(now)
        }
        JobEnding::Later { reason, after } => {
            let_go.sql("status = 'queued', error = ").text(reason.as_str()).sql(", run_after = ").moment(*after)
        }
        JobEnding::Cancelled => let_go.sql("status = 'cancelled', finish_date = ").moment(now),
        JobEnding::Released => {
            let_go.sql("status = 'queued', attempts = greatest(j.attempts - 1, 0), run_after = ").moment(now)
        }
    })
}
