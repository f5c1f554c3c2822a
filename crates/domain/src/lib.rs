//! The words of the house and the rules that hold whatever stores or serves them.
//!
//! Ids, entities, the ladder of roles, validated text, the mask that stands in for a secret, the clock and the source of
//! randomness as traits. Nothing here knows a web framework, a database, a network or a runtime, so another service can
//! embed it for nothing.
//!
//! Where to start: [`App`], [`AiService`], [`Agent`] and [`Conversation`] are what a workspace holds; [`Role`] is who may
//! touch them; [`Invalid`] is what a rule answers when input breaks it, and it always names the field.

mod account;
mod agent;
mod ai_service;
mod api_key;
mod app;
mod audit;
mod citation;
mod clock;
mod collaboration;
mod conversation;
mod document;
mod domain;
mod embedding_service;
mod error;
mod folder;
mod ids;
mod job;
mod mask;
mod metadata_filter;
mod page;
mod patch;
mod repository;
mod role;
mod session;
mod silo;
mod slug;
mod text;
mod usage;
mod user;

pub use account::{Account, AccountCounts, AccountFilter, AccountPatch};
pub use agent::{Agent, AgentDraft, AgentPatch, Memory};
pub use ai_service::{AiService, AiServiceDraft, AiServicePatch, KeyChange};
pub use api_key::{API_KEY_PREFIX, ApiKey, ApiKeyDraft};
pub use app::{App, AppCounts, AppDraft, AppOverview, AppPatch};
pub use audit::{
    Actor, AuditCheck, AuditEntry, AuditFilter, Audited, Change, Deed, Facts, Origin, Outcome, Provenance, Target,
};
pub use citation::{Citation, CitationScores};
pub use clock::{Clock, Entropy, Timestamp};
pub use collaboration::{Collaboration, InvitationDraft, InvitationStatus, Inviter, grantable_role, overreaches};
pub use conversation::{Author, Conversation, ConversationSource, Message, MessageStatus, excerpt, title_from};
pub use document::{Document, DocumentStatus};
pub use domain::{CrawlRules, CrawlRulesPatch, Domain, DomainDraft, DomainPatch, DomainUrl, UrlStatus, UrlVia};
pub use embedding_service::{EmbeddingService, EmbeddingServiceDraft, EmbeddingServicePatch};
pub use error::{ErrorKind, Failure, Invalid, error_chain};
pub use folder::{Folder, FolderDraft, FolderOverview, FolderPatch};
pub use ids::{
    AgentId, ApiKeyId, AppId, ChunkId, CollaborationId, ConversationId, DocumentId, DomainId, DomainUrlId,
    EmbeddingServiceId, FolderId, JobId, MessageId, RepositoryId, ServiceId, SessionId, SiloId, TurnId, UserId,
};
pub use job::{Job, JobStatus, Work};
pub use mask::{MASK_PREFIX, is_masked, mask};
pub use metadata_filter::{
    Comparison, MetadataCondition, MetadataField, MetadataFilter, MetadataTest, MetadataValue, Quantity,
};
pub use page::{Page, PageRequest};
pub use patch::Patch;
pub use repository::{Repository, RepositoryDraft, RepositoryOverview, RepositoryPatch};
pub use role::{Role, UnknownRole};
pub use session::OpenSession;
pub use silo::{Silo, SiloDraft, SiloOverview, SiloPatch, SiloSettings, SiloSettingsPatch, SiloType, VectorDbType};
pub use slug::slugify;
pub use text::{Text, email, optional_text, required_text};
pub use usage::{DailyUsage, MinuteWindow, StressLevel, TokenCount, TurnUsage};
pub use user::User;
