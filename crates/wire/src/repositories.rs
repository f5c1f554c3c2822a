use omni_domain::{
    AppId, EmbeddingServiceId, Invalid, Patch, RepositoryDraft, RepositoryId, RepositoryOverview, RepositoryPatch,
    ServiceId, SiloId, SiloSettings, SiloSettingsPatch, Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new repository; the settings are those of the silo that is made with it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateRepositoryRequest {
    /// What members will call it; unique in the app.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Where the vectors are: `PGVECTOR`, which it is if left out, or `QDRANT`.
    #[serde(default)]
    pub vector_db_type: Option<String>,
    /// What embeds the files; without one the model that is built in does.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub embedding_service_id: Option<EmbeddingServiceId>,
    /// An AI service with a `base_url` whose `/rerank` puts what was found in order: that of Cohere, Jina, Voyage, or a server
    /// that speaks as they do. Without one, and while it fails, ranks decide.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub reranking_service_id: Option<ServiceId>,
    /// How many passages an agent is given for a question, from 1 to 100; 5 if left out.
    #[serde(default)]
    pub retrieval_count: Option<u32>,
}

impl CreateRepositoryRequest {
    /// Checks it, except for what it refers to.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn into_draft(self) -> Result<RepositoryDraft, Invalid> {
        let settings = SiloSettings::new(
            self.vector_db_type.as_deref(),
            self.embedding_service_id,
            self.reranking_service_id,
            self.retrieval_count,
        )?;
        RepositoryDraft::new(&self.name, self.description.as_deref(), settings)
    }
}

/// A change of a repository and of its silo's settings; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateRepositoryRequest {
    /// A new name; its silo keeps the one that it has.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub name: Patch<String>,
    /// A new description.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    /// Another place for the vectors; only while nothing is embedded.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub vector_db_type: Patch<String>,
    /// Another embedding service; only while nothing is embedded. Null goes back to the model that is built in.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub embedding_service_id: Patch<EmbeddingServiceId>,
    /// Another AI service that puts what was found in order, at any time; null for none.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub reranking_service_id: Patch<ServiceId>,
    /// Another number of passages; null goes back to 5.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub retrieval_count: Patch<u32>,
}

impl From<UpdateRepositoryRequest> for RepositoryPatch {
    fn from(request: UpdateRepositoryRequest) -> Self {
        Self {
            name: request.name,
            description: request.description,
            settings: SiloSettingsPatch {
                vector_db: request.vector_db_type,
                embedding_service: request.embedding_service_id,
                reranking_service: request.reranking_service_id,
                retrieval_count: request.retrieval_count,
            },
        }
    }
}

/// A repository.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RepositoryResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub repo_id: RepositoryId,
    /// The same, under the name that clients of earlier systems read.
    #[schema(value_type = i64)]
    pub repository_id: RepositoryId,
    /// The app that it belongs to.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// What members call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The silo that its files are searched in; it was made with the repository and goes with it.
    #[schema(value_type = i64)]
    pub silo_id: SiloId,
    /// Where the vectors are: `PGVECTOR` or `QDRANT`.
    pub vector_db_type: &'static str,
    /// What embeds the files; null is the model that is built in.
    #[schema(value_type = Option<i64>)]
    pub embedding_service_id: Option<EmbeddingServiceId>,
    /// The AI service that puts what was found in order; null if ranks decide.
    #[schema(value_type = Option<i64>)]
    pub reranking_service_id: Option<ServiceId>,
    /// How many passages an agent is given for a question.
    pub retrieval_count: u32,
    /// How many files it has, read or not.
    pub document_count: u64,
    /// How many folders it has, at whatever depth.
    pub folder_count: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<RepositoryOverview> for RepositoryResponse {
    fn from(overview: RepositoryOverview) -> Self {
        let RepositoryOverview { repository, documents, folders, .. } = overview;
        Self {
            repo_id: repository.id,
            repository_id: repository.id,
            app_id: repository.app,
            name: repository.name,
            description: repository.description,
            silo_id: repository.silo,
            vector_db_type: repository.settings.vector_db.as_str(),
            embedding_service_id: repository.settings.embedding_service,
            reranking_service_id: repository.settings.reranking_service,
            retrieval_count: repository.settings.retrieval_count,
            document_count: documents,
            folder_count: folders,
            create_date: repository.created,
            update_date: repository.updated,
        }
    }
}
