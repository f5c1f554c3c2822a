//! What becomes of somebody's jobs when they go.

use diesel::QueryableByName;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use omni_domain::{AppId, Job, JobId, JobStatus, Timestamp, UserId, Work};

use super::{JOB, JobEnding, JobRow, settle};
use crate::StoreError;
use crate::statement::Statement;

/// Stops every job that somebody has asked for and that is not over: those that wait at once, those that run as soon as
/// their workers ask. Without who asked, a job would be taken for one that was due by itself and be done with the rights of
/// the app's owner. Whoever calls it holds the person's row, so that they ask for nothing more meanwhile.
pub(crate) async fn cancel_jobs_of(
    connection: &mut AsyncPgConnection,
    person: UserId,
    now: Timestamp,
) -> Result<Vec<(AppId, JobId)>, StoreError> {
    // In the order of their numbers, as whoever else stops several would.
    let open: Vec<Open> =
        Statement::new("SELECT job_id FROM jobs WHERE status IN ('queued', 'running') AND user_id = ")
            .int(person.get())
            .sql(" ORDER BY job_id FOR UPDATE")
            .load(connection)
            .await?;
    let rows: Vec<JobRow> = Statement::new("UPDATE jobs j SET cancelling = true, ")
        .sql("status = CASE j.status WHEN 'queued' THEN 'cancelled' ELSE j.status END, ")
        .sql("finish_date = CASE j.status WHEN 'queued' THEN ")
        .moment(now)
        .sql("::timestamptz END WHERE j.status IN ('queued', 'running') AND j.job_id = ANY (")
        .ints(open.iter().map(|open| open.job_id).collect::<Vec<_>>())
        .sql(") RETURNING ")
        .sql(JOB)
        .load(connection)
        .await?;
    let mut stopped = Vec::with_capacity(rows.len());
    for row in rows {
        let job = Job::try_from(row)?;
        if let (Work::Ingest(document), JobStatus::Cancelled) = (job.work, job.status) {
            settle(connection, job.app, document, &JobEnding::Cancelled, now).await?;
        }
        stopped.push((job.app, job.id));
    }
    stopped.sort_unstable();
    Ok(stopped)
}

#[derive(QueryableByName)]
struct Open {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    job_id: i64,
}
