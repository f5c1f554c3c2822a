//! What the end of a job means for the document that it takes in.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use omni_domain::{AppId, DocumentId, JobId, Timestamp};

use super::JobEnding;
use crate::StoreError;
use crate::statement::Statement;

/// Holds the document that a job takes in, if it takes in one, before the job itself and before its passages. Whoever deletes
/// a document or takes it in once more begins with it, too, so that none of them waits for another in a circle.
pub(super) async fn hold_document(
    connection: &mut AsyncPgConnection,
    app: AppId,
    job: JobId,
) -> Result<(), StoreError> {
    Statement::new("SELECT FROM documents d JOIN jobs j ON j.document_id = d.document_id WHERE d.app_id = ")
        .int(app.get())
        .sql(" AND j.app_id = d.app_id AND j.job_id = ")
        .int(job.get())
        .sql(" FOR UPDATE OF d")
        .execute(connection)
        .await?;
    Ok(())
}

/// Says of a document, which the caller holds, what the end of its job means for it.
pub(super) async fn settle(
    connection: &mut AsyncPgConnection,
    app: AppId,
    document: DocumentId,
    ending: &JobEnding,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (status, error) = match ending {
        JobEnding::Done { note, .. } => ("ready", note.as_deref()),
        JobEnding::Failed { reason } => ("failed", Some(reason.as_str())),
        JobEnding::Cancelled => ("cancelled", None),
        JobEnding::Later { reason, .. } => ("processing", Some(reason.as_str())),
        JobEnding::Released => return Ok(()),
    };
    // What failed or was stopped is not found, not even as it was before.
    let is_found = matches!(ending, JobEnding::Done { .. } | JobEnding::Later { .. });
    if !is_found {
        Statement::new("DELETE FROM chunks WHERE app_id = ")
            .int(app.get())
            .sql(" AND document_id = ")
            .int(document.get())
            .execute(connection)
            .await?;
    }
    Statement::new("UPDATE documents SET chunk_count = CASE WHEN ")
        .boolean(is_found)
        .sql(" THEN chunk_count ELSE 0 END, status = ")
        .text(status)
        .sql(", error = ")
        .optional_text(error.map(str::to_owned))
        .sql(", update_date = ")
        .moment(now)
        .sql(" WHERE app_id = ")
        .int(app.get())
        .sql(" AND document_id = ")
        .int(document.get())
        .execute(connection)
        .await?;
    Ok(())
}
