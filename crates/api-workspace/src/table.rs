use omni_http::RouteSpec;

use crate::agents::{self, Agents};
use crate::ai_services::AiServices;
use crate::collaboration::{Documented, Plain};
use crate::embedding_services::EmbeddingServices;
use crate::folders::{Folders, ListFolders};
use crate::repositories::Repositories;
use crate::resource::{Create, Delete, Get, List, Update};
use crate::silos::Silos;
use crate::{
    WorkspaceApi, admin, api_keys, apps, audit, auth, collaboration, conversations, domains, files, ocr, server,
    silo_search, user,
};

/// Every endpoint of the workspace API. What is not here is not served.
pub static ROUTES: &[RouteSpec<WorkspaceApi>] = &[
    // Apps & Workspaces
    RouteSpec::of::<apps::List>(),
    RouteSpec::of::<apps::Create>(),
    RouteSpec::of::<apps::Get>(),
    RouteSpec::of::<apps::Update>(),
    RouteSpec::of::<apps::Delete>(),
    RouteSpec::of::<apps::Usage>(),
    // Collaboration
    RouteSpec::of::<collaboration::List>(),
    RouteSpec::of::<collaboration::Invite>(),
    RouteSpec::of::<collaboration::Invitations>(),
    RouteSpec::of::<collaboration::Accept<Documented>>(),
    RouteSpec::of::<collaboration::Accept<Plain>>(),
    RouteSpec::of::<collaboration::Decline<Documented>>(),
    RouteSpec::of::<collaboration::Decline<Plain>>(),
    RouteSpec::of::<collaboration::ChangeRole<Documented>>(),
    RouteSpec::of::<collaboration::ChangeRole<Plain>>(),
    RouteSpec::of::<collaboration::Remove<Documented>>(),
    RouteSpec::of::<collaboration::Remove<Plain>>(),
    RouteSpec::of::<collaboration::Leave>(),
    // Agents
    RouteSpec::of::<List<Agents>>(),
    RouteSpec::of::<Create<Agents>>(),
    RouteSpec::of::<Get<Agents>>(),
    RouteSpec::of::<Update<Agents>>(),
    RouteSpec::of::<Delete<Agents>>(),
    RouteSpec::of::<agents::Chat>(),
    RouteSpec::of::<agents::Reset>(),
    RouteSpec::of::<agents::TurnEvents>(),
    RouteSpec::of::<agents::CancelTurn>(),
    RouteSpec::of::<agents::TurnRetrieval>(),
    // Silos & Vector Stores
    RouteSpec::of::<List<Silos>>(),
    RouteSpec::of::<Create<Silos>>(),
    RouteSpec::of::<Get<Silos>>(),
    RouteSpec::of::<Update<Silos>>(),
    RouteSpec::of::<Delete<Silos>>(),
    // Repositories
    RouteSpec::of::<List<Repositories>>(),
    RouteSpec::of::<Create<Repositories>>(),
    RouteSpec::of::<Get<Repositories>>(),
    RouteSpec::of::<Update<Repositories>>(),
    RouteSpec::of::<Delete<Repositories>>(),
    // Folders
    RouteSpec::of::<ListFolders>(),
    RouteSpec::of::<Create<Folders>>(),
    RouteSpec::of::<Get<Folders>>(),
    RouteSpec::of::<Update<Folders>>(),
    RouteSpec::of::<Delete<Folders>>(),
    // AI Services
    RouteSpec::of::<List<AiServices>>(),
    RouteSpec::of::<Create<AiServices>>(),
    RouteSpec::of::<Get<AiServices>>(),
    RouteSpec::of::<Update<AiServices>>(),
    RouteSpec::of::<Delete<AiServices>>(),
    // Files
    RouteSpec::of::<files::List>(),
    RouteSpec::of::<files::Upload>(),
    RouteSpec::of::<files::Get>(),
    RouteSpec::of::<files::Content>(),
    RouteSpec::of::<files::Update>(),
    RouteSpec::of::<files::Delete>(),
    RouteSpec::of::<files::Retry>(),
    RouteSpec::of::<files::Cancel>(),
    RouteSpec::of::<files::Events>(),
    RouteSpec::of::<files::RepositoryEvents>(),
    // OCR
    RouteSpec::of::<ocr::Extract>(),
    // Embedding Services
    RouteSpec::of::<List<EmbeddingServices>>(),
    RouteSpec::of::<Create<EmbeddingServices>>(),
    RouteSpec::of::<Get<EmbeddingServices>>(),
    RouteSpec::of::<Update<EmbeddingServices>>(),
    RouteSpec::of::<Delete<EmbeddingServices>>(),
    // API Keys
    RouteSpec::of::<api_keys::List>(),
    RouteSpec::of::<api_keys::Create>(),
    RouteSpec::of::<api_keys::Revoke>(),
    // Domains
    RouteSpec::of::<domains::List>(),
    RouteSpec::of::<domains::Create>(),
    RouteSpec::of::<domains::Get>(),
    RouteSpec::of::<domains::Update>(),
    RouteSpec::of::<domains::Delete>(),
    RouteSpec::of::<domains::Crawl>(),
    RouteSpec::of::<domains::ListJobs>(),
    RouteSpec::of::<domains::GetJob>(),
    RouteSpec::of::<domains::CancelJob>(),
    RouteSpec::of::<domains::JobEvents>(),
    RouteSpec::of::<domains::ListUrls>(),
    RouteSpec::of::<domains::AddUrls>(),
    RouteSpec::of::<domains::DeleteUrl>(),
    // Conversations
    RouteSpec::of::<conversations::List>(),
    RouteSpec::of::<conversations::History>(),
    RouteSpec::of::<conversations::Delete>(),
    // Admin
    RouteSpec::of::<admin::List>(),
    RouteSpec::of::<admin::Get>(),
    RouteSpec::of::<admin::Update>(),
    RouteSpec::of::<admin::Delete>(),
    // Silos, as a whole
    RouteSpec::of::<silo_search::Search>(),
    RouteSpec::of::<silo_search::Embed>(),
    RouteSpec::of::<silo_search::Index>(),
    RouteSpec::of::<silo_search::Count>(),
    RouteSpec::of::<silo_search::DeleteDocuments>(),
    // Audit
    RouteSpec::of::<audit::List>(),
    RouteSpec::of::<audit::Verify>(),
    RouteSpec::of::<audit::AdminList>(),
    RouteSpec::of::<audit::AdminVerify>(),
    // Authentication
    RouteSpec::of::<auth::Login>(),
    RouteSpec::of::<auth::Callback>(),
    RouteSpec::of::<auth::DevLogin>(),
    RouteSpec::of::<auth::Logout>(),
    RouteSpec::of::<auth::Me>(),
    RouteSpec::of::<auth::MeInShort>(),
    RouteSpec::of::<auth::Sessions>(),
    RouteSpec::of::<auth::EndSession>(),
    // User Profile
    RouteSpec::of::<user::Profile>(),
    RouteSpec::of::<user::UpdateProfile>(),
    // Version and operation
    RouteSpec::of::<server::Version>(),
    RouteSpec::of::<server::Home>(),
    RouteSpec::of::<server::Healthz>(),
    RouteSpec::of::<server::Readyz>(),
];
