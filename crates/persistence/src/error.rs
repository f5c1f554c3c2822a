use diesel::result::{DatabaseErrorKind, Error as DieselError};
use omni_domain::{ErrorKind, Failure};
use thiserror::Error;

/// Why the database did not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It contradicts what is stored: a name that is taken, a thing that is still in use.
    #[error("{0}")]
    Conflict(String),
    /// The same work on the same thing waits or runs already.
    #[error("job {0} is at it already; wait for it, or cancel it first")]
    JobActive(omni_domain::JobId),
    /// A reference of the input points at nothing in the app.
    #[error(transparent)]
    Invalid(#[from] omni_domain::Invalid),
    /// The service registry refused a transition.
    #[error(transparent)]
    Registry(#[from] omni_registry::RegistryError),
    /// What was to be changed is not there (any more).
    #[error("not found")]
    NotFound,
    /// PostgreSQL is away, or all connections stayed busy too long.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The schema could not be brought up to date; the failing migration was rolled back.
    #[error("a migration failed")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row that breaks a rule of the domain.
    #[error("stored data contradicts itself: {0}")]
    Inconsistent(String),
    /// A statement failed in a way that it never should.
    #[error("a statement failed")]
    Statement(#[source] DieselError),
}

impl Failure for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict(_) | Self::JobActive(_) => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Registry(error) => error.kind(),
            Self::NotFound => ErrorKind::NotFound,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Migration(_) | Self::Inconsistent(_) | Self::Statement(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::JobActive(_) => "job_active",
            Self::Invalid(_) => "invalid_reference",
            Self::Registry(error) => error.code(),
            Self::NotFound => "not_found",
            Self::Unavailable(_) => "database_unavailable",
            Self::Migration(_) => "migration_failed",
            Self::Inconsistent(_) => "inconsistent_data",
            Self::Statement(_) => "statement_failed",
        }
    }

    fn retry_after(&self) -> Option<u32> {
        matches!(self, Self::Unavailable(_)).then_some(1)
    }
}

impl StoreError {
    fn is_deadlock(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.to_string().contains("deadlock detected"))
    }

    /// Whether PostgreSQL's disk is full.
    pub(crate) fn is_without_room(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.to_string().contains(NO_ROOM))
    }

    pub(crate) fn inconsistent(problem: impl Into<String>) -> Self {
        Self::Inconsistent(problem.into())
    }
}

/// How often something is tried that loses a deadlock.
const ATTEMPTS: usize = 4;

/// Does a transaction, again if it was the one of a deadlock that PostgreSQL gave up: the other one is through by then.
pub(crate) async fn through_deadlocks<T>(
    mut transaction: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    for _ in 1..ATTEMPTS {
        match transaction().await {
            Err(error) if error.is_deadlock() => {}
            outcome => return outcome,
        }
    }
    transaction().await
}

/// What a broken constraint means to the person who broke it.
fn conflict_of(constraint: &str) -> Option<&'static str> {
    Some(match constraint {
        "agents_app_id_name_key" => "name: another agent of this app has this name",
        "ai_services_app_id_name_key" => "name: another AI service of this app has this name",
        "embedding_services_app_id_name_key" => "name: another embedding service of this app has this name",
        "silos_app_id_name_key" => crate::silos::NAME_TAKEN,
        "repositories_app_id_name_key" => "name: another repository of this app has this name",
        "folders_name_key" => "name: another folder beside it has this name",
        "silos_reranking_service_fkey" => {
            "this AI service puts in order what is found in a silo, or has just been deleted"
        }
        "silos_embedding_service_fkey" => "this embedding service is in use or has just been deleted",
        "agents_silo_fkey" => "this silo is in use or has just been deleted",
        "domains_app_id_name_key" => "name: another domain of this app has this name",
        "agents_service_fkey" => "this AI service is in use or has just been deleted",
        "apps_owner_id_fkey" => "the account that would own this has just been removed",
        "collaborations_app_id_user_id_key" => "this account belongs to the app already",
        "users_email_key" => "email: another account has this address",
        // What refers to a person, by whichever name, was to be made in that person's name.
        _ if ["_user_id_fkey", "_created_by_fkey", "_invited_by_fkey"].iter().any(|end| constraint.ends_with(end)) => {
            "the account that this would be of has just been removed"
        }
        _ => return None,
    })
}

/// Whether a constraint says that something is in an app, or in a thing of an app: what it was to be made in has just gone.
/// That nothing is removed while it is in use is said by constraints with names of their own.
fn is_of_app(constraint: &str) -> bool {
    constraint.ends_with("_fkey") && constraint.contains("_app_id_")
}

fn violated(constraint: &str) -> Option<StoreError> {
    match conflict_of(constraint) {
        Some(meaning) => Some(StoreError::Conflict(meaning.to_owned())),
        None => is_of_app(constraint).then_some(StoreError::NotFound),
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation,
                ref information,
            ) => information.constraint_name().and_then(violated).unwrap_or(Self::Statement(error)),
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::SerializationFailure,
                _,
            )
            | DieselError::BrokenTransactionManager => Self::Unavailable(Box::new(error)),
            // diesel files everything it has no kind for under `Unknown`: a server that shuts down, starts up or has no
            // connection left says so there, and only in its message.
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, ref information)
                if is_outage(information.message()) =>
            {
                Self::Unavailable(Box::new(error))
            }
            error => Self::Statement(error),
        }
    }
}

impl From<diesel::ConnectionError> for StoreError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

/// What the operating system says, and PostgreSQL repeats, when a disk is full.
const NO_ROOM: &str = "No space left on device";

fn is_outage(message: &str) -> bool {
    const OUTAGES: [&str; 8] = [
        "deadlock detected",
        "canceling statement due to lock timeout",
        "terminating connection",
        "the database system is",
        "connection closed",
        "too many clients",
        "remaining connection slots",
        NO_ROOM,
    ];
    OUTAGES.iter().any(|outage| message.contains(outage))
}

impl From<StoreError> for omni_rbac::DirectoryError {
    fn from(error: StoreError) -> Self {
        Self { kind: error.kind(), cause: Box::new(error) }
    }
}
