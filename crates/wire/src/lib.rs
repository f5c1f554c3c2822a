//! What goes over the wire: requests and responses, with the contract's field names. The workspace API's stand here, the
//! control plane's in [`control`].
//!
//! Requests ignore fields that they do not know and turn into the drafts and patches of `omni-domain`, which hold the rules.
//! Responses are made of its entities. Nothing here decides anything.

mod accounts;
mod agents;
mod ai_services;
mod api_keys;
mod apps;
mod audit;
mod chat;
mod citations;
mod collaborations;
pub mod control;
mod conversations;
mod domains;
mod embedding_services;
mod files;
mod folders;
mod people;
mod repositories;
mod search;
mod server;
mod silos;

pub use accounts::{AccountResponse, UpdateAccountRequest};
pub use agents::{AgentResponse, CreateAgentRequest, UpdateAgentRequest};
pub use ai_services::{AiServiceResponse, CreateAiServiceRequest, UpdateAiServiceRequest};
pub use api_keys::{ApiKeyResponse, CreateApiKeyRequest, KeyResponse, NewApiKeyResponse};
pub use apps::{AppResponse, CreateAppRequest, DayUsage, UpdateAppRequest, UsageResponse, UsageTotals};
pub use audit::{AuditActor, AuditChange, AuditCheckResponse, AuditEntryResponse, AuditOrigin, AuditTarget, AuditTold};
pub use chat::{ChatRequest, ChatResponse, ResetRequest, ResetResponse, TokenUsage};
pub use citations::{CitationResponse, RetrievalResponse, ScoresResponse};
pub use collaborations::{ChangeRoleRequest, CollaborationResponse, InviteRequest};
pub use conversations::{ConversationResponse, HistoryResponse, MessageResponse};
pub use domains::{
    AddDomainUrlsRequest, AddedUrls, CrawlPolicyRequest, CrawlPolicyResponse, CreateDomainRequest, DomainResponse,
    DomainUrlResponse, JobResponse, UpdateDomainRequest,
};
pub use embedding_services::{CreateEmbeddingServiceRequest, EmbeddingServiceResponse, UpdateEmbeddingServiceRequest};
pub use files::{
    FileEvent, FileNews, FileResponse, OcrPage, OcrResponse, ReceivedFile, UpdateFileRequest, UploadResponse,
};
pub use folders::{CreateFolderRequest, FolderResponse, UpdateFolderRequest};
pub use people::{
    DevLoginRequest, MeResponse, ProfileResponse, SessionResponse, SignedInResponse, SignedOutResponse,
    UpdateProfileRequest,
};
pub use repositories::{CreateRepositoryRequest, RepositoryResponse, UpdateRepositoryRequest};
pub use search::{
    DocumentCountResponse, DocumentsRequest, EmbedSiloRequest, IndexTextRequest, IndexedTextResponse, SearchRequest,
    SearchResponse, SearchResult,
};
pub use server::{AliveResponse, ReadyResponse, VersionResponse};
pub use silos::{CreateSiloRequest, SiloResponse, UpdateSiloRequest};
