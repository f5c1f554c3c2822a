use std::sync::Arc;

use futures::future::BoxFuture;
use omni_domain::{
    AgentId, ApiKeyId, AppId, CollaborationId, ConversationId, DocumentId, DomainId, EmbeddingServiceId, ErrorKind,
    FolderId, JobId, Provenance, RepositoryId, Role, ServiceId, SiloId, Timestamp, User, UserId,
};
use thiserror::Error;

use crate::{ApiKeyDigest, KnownKey, SessionKey};

/// Where an [`Authority`](crate::Authority) looks people and memberships up: a store that answers from what is committed
/// now, never from a cache that could outlive a revocation.
pub trait Directory: Send + Sync {
    /// The person behind a session that is valid at `now`, active or not.
    fn person<'a>(
        &'a self,
        session: &'a SessionKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<User>, DirectoryError>>;

    /// The app that `scope` points at and how `user` stands in it, or nothing if it points at nothing.
    fn standing<'a>(
        &'a self,
        user: UserId,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Option<Standing>, DirectoryError>>;

    /// How each of these people stands in the app beside them; nothing of people and apps that are gone.
    fn standings<'a>(
        &'a self,
        pairs: &'a [(UserId, AppId)],
    ) -> BoxFuture<'a, Result<Vec<(User, Standing)>, DirectoryError>>;

    /// Who owns an app; nobody if it is gone.
    fn owner<'a>(&'a self, app: AppId) -> BoxFuture<'a, Result<Option<UserId>, DirectoryError>>;

    /// Whether this invitation, answered or not, was sent to this person's address.
    fn is_invited<'a>(
        &'a self,
        person: &'a User,
        invitation: CollaborationId,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>>;

    /// Those of these sessions that are over at `now`.
    fn ended<'a>(
        &'a self,
        sessions: &'a [SessionKey],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionKey>, DirectoryError>>;

    /// The API key behind a digest, if there is one; it counts as used at `now`.
    fn key<'a>(
        &'a self,
        digest: &'a ApiKeyDigest,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<KnownKey>, DirectoryError>>;

    /// Has the audit trail keep that somebody was refused, for the reason of this code: the trail of the app that they were
    /// refused in, or the platform's. Nobody waits for that: how long a refusal takes must not tell whether there is anything
    /// to be refused.
    fn refused(&self, app: Option<AppId>, by: &Arc<Provenance>, code: &'static str);
}

/// How a request points at an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// By its number.
    App(AppId),
    /// By its slug.
    Slug(String),
    /// By one of its agents.
    Agent(AgentId),
    /// By one of its AI services.
    AiService(ServiceId),
    /// By a person's place in it.
    Collaboration(CollaborationId),
    /// By one of its API keys.
    ApiKey(ApiKeyId),
    /// By a conversation with one of its agents.
    Conversation(ConversationId),
    /// By one of its embedding services.
    EmbeddingService(EmbeddingServiceId),
    /// By one of its silos.
    Silo(SiloId),
    /// By one of its repositories.
    Repository(RepositoryId),
    /// By a folder of one of its repositories.
    Folder(FolderId),
    /// By a document of one of its silos.
    Document(DocumentId),
    /// By one of its domains.
    Domain(DomainId),
    /// By work that is done for it.
    Job(JobId),
}

/// How a person stands in an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The app.
    pub app: AppId,
    /// Whether and how the person belongs to it.
    pub member: Member,
}

/// Whether and how a person belongs to an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// Not at all.
    No,
    /// Owns it.
    Owner,
    /// Accepted an invitation to this role.
    As(Role),
}

/// The directory could not answer.
#[derive(Debug, Error)]
#[error("the directory of people and memberships could not answer")]
pub struct DirectoryError {
    /// [`ErrorKind::Unavailable`] if it may answer later, else [`ErrorKind::Internal`].
    pub kind: ErrorKind,
    /// What happened.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

macro_rules! scopes {
    ($($id:ident => $scope:ident),* $(,)?) => {$(
        impl From<$id> for Scope {
            fn from(id: $id) -> Self {
                Self::$scope(id)
            }
        }
    )*};
}

scopes! {
    AppId => App,
    AgentId => Agent,
    ServiceId => AiService,
    CollaborationId => Collaboration,
    ApiKeyId => ApiKey,
    ConversationId => Conversation,
    EmbeddingServiceId => EmbeddingService,
    SiloId => Silo,
    RepositoryId => Repository,
    FolderId => Folder,
    DocumentId => Document,
    DomainId => Domain,
    JobId => Job,
}
