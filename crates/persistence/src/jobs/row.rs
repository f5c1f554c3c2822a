//! The row that a job is read from.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use omni_domain::{AppId, DocumentId, DomainId, Job, JobId, SiloId, Timestamp, UserId, Work};

use crate::StoreError;
use crate::app_scoped::{count, small};

#[derive(QueryableByName)]
pub(crate) struct JobRow {
    #[diesel(sql_type = BigInt)]
    pub(super) job_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    document_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    domain_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    silo_id: Option<i64>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    stage: Option<String>,
    #[diesel(sql_type = BigInt)]
    done: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    total: Option<i64>,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    #[diesel(sql_type = Text)]
    tally: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    user_id: Option<i64>,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    start_date: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finish_date: Option<Timestamp>,
}

impl TryFrom<JobRow> for Job {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        let work = match (row.kind.as_str(), row.document_id, row.domain_id, row.silo_id) {
            ("ingest", Some(id), None, None) => Work::Ingest(DocumentId::new(id)),
            ("crawl", None, Some(id), None) => Work::Crawl(DomainId::new(id)),
            ("embed", None, None, Some(id)) => Work::Embed(SiloId::new(id)),
            (kind, ..) => return Err(StoreError::inconsistent(format!("job {} of the kind {kind}", row.job_id))),
        };
        Ok(Self {
            id: JobId::new(row.job_id),
            app: AppId::new(row.app_id),
            work,
            status: row.status.parse().map_err(StoreError::inconsistent)?,
            stage: row.stage,
            done: count(row.done)?,
            total: row.total.map(count).transpose()?,
            attempts: small(row.attempts)?,
            error: row.error,
            tally: serde_json::from_str(&row.tally).map_err(|error| StoreError::inconsistent(error.to_string()))?,
            asked_by: row.user_id.map(UserId::new),
            created: row.create_date,
            started: row.start_date,
            finished: row.finish_date,
        })
    }
}
