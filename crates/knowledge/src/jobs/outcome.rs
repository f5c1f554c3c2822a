use std::collections::BTreeMap;
use std::time::Duration;

use omni_domain::{ErrorKind, Failure, Job, Timestamp, error_chain};
use omni_persistence::JobEnding;

use crate::KnowledgeError;

/// How often work is begun before it is given up.
const MOST_ATTEMPTS: u32 = 5;
/// How long the first failure keeps a job waiting; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest that a job is kept waiting.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// What work came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobReport {
    /// Counts by name.
    pub tally: BTreeMap<String, u64>,
    /// What a person should know of it: pages that could not be read, say.
    pub note: Option<String>,
}

/// Refuses a job whose workers died of it: each attempt began, and none ever said how it ended.
pub(super) fn refuse_poison(job: &Job) -> Result<(), KnowledgeError> {
    if job.attempts > MOST_ATTEMPTS { Err(KnowledgeError::GivenUp { attempts: job.attempts - 1 }) } else { Ok(()) }
}

/// How a job ends whose work came to this.
pub(super) fn ending_of(job: &Job, outcome: Result<JobReport, KnowledgeError>, now: Timestamp) -> JobEnding {
    let error = match outcome {
        Ok(JobReport { tally, note }) => return JobEnding::Done { tally, note },
        Err(error) => error,
    };
    let reason = reason(&error);
    if error.kind() == ErrorKind::Internal {
        tracing::error!(job = %job.id, error = error_chain(&error), "a job failed");
    } else {
        tracing::info!(job = %job.id, error = error_chain(&error), "a job failed");
    }
    if may_pass(&error) && job.attempts < MOST_ATTEMPTS {
        JobEnding::Later { reason, after: now + pause(job.attempts, error.retry_after()) }
    } else {
        JobEnding::Failed { reason }
    }
}

/// Whether the same work may succeed another time. What is wrong with a file stays wrong.
fn may_pass(error: &KnowledgeError) -> bool {
    let kinds = [
        ErrorKind::Unavailable,
        ErrorKind::Upstream,
        ErrorKind::UpstreamTimeout,
        ErrorKind::RateLimited,
        ErrorKind::StorageFull,
    ];
    let needs_a_person =
        matches!(error, KnowledgeError::NoQdrant | KnowledgeError::OcrMissing(_) | KnowledgeError::NotDoneHere { .. });
    !needs_a_person && kinds.contains(&error.kind())
}

/// What a person is told.
fn reason(error: &KnowledgeError) -> String {
    match error {
        KnowledgeError::Denied(_) => {
            "whoever asked for this may not do it any more; somebody who may edit the app can ask again".to_owned()
        }
        error if error.kind() == ErrorKind::Internal => {
            "something went wrong on our side; the log of the server says what".to_owned()
        }
        error => error.to_string(),
    }
}

/// How long a job waits after so many attempts, and never shorter than a provider asks for.
fn pause(attempts: u32, asked: Option<u32>) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let asked = Duration::from_secs(asked.unwrap_or(0).into());
    FIRST_PAUSE.saturating_mul(doubled).max(asked).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use omni_documents::{Flaw, Unreadable};
    use omni_domain::{AppId, DocumentId, JobId, JobStatus, Work};
    use omni_persistence::StoreError;

    use super::*;

    fn job(attempts: u32) -> Job {
        Job {
            id: JobId::new(1),
            app: AppId::new(1),
            work: Work::Ingest(DocumentId::new(1)),
            status: JobStatus::Running,
            stage: None,
            done: 0,
            total: None,
            attempts,
            error: None,
            tally: BTreeMap::new(),
            asked_by: None,
            created: Timestamp::UNIX_EPOCH,
            started: None,
            finished: None,
        }
    }

    #[test]
    fn pauses_double_up_to_ten_minutes() {
        let seconds: Vec<u64> = (1..=8).map(|attempts| pause(attempts, None).as_secs()).collect();
        assert_eq!(seconds, [10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(pause(1, Some(90)).as_secs(), 90);
        assert_eq!(pause(u32::MAX, Some(u32::MAX)).as_secs(), 600);
    }

    #[test]
    fn an_outage_is_tried_again_and_a_bad_file_is_not() {
        let outage = || Err(StoreError::Unavailable("away".into()).into());
        assert!(matches!(ending_of(&job(1), outage(), Timestamp::UNIX_EPOCH), JobEnding::Later { .. }));
        assert!(matches!(ending_of(&job(MOST_ATTEMPTS), outage(), Timestamp::UNIX_EPOCH), JobEnding::Failed { .. }));
        let flaw = Err(KnowledgeError::Unreadable(Unreadable::Flaw(Flaw::Empty)));
        let JobEnding::Failed { reason } = ending_of(&job(1), flaw, Timestamp::UNIX_EPOCH) else {
            panic!("it is final")
        };
        assert!(!reason.is_empty());
    }

    #[test]
    fn work_that_kills_its_workers_is_given_up() {
        assert!(refuse_poison(&job(MOST_ATTEMPTS)).is_ok());
        let refused = refuse_poison(&job(MOST_ATTEMPTS + 1)).unwrap_err();
        assert!(refused.to_string().contains("5 times"), "{refused}");
    }
}
