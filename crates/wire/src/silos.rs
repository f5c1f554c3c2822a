use omni_domain::{
    AppId, EmbeddingServiceId, Invalid, Patch, ServiceId, SiloDraft, SiloId, SiloOverview, SiloPatch, SiloSettings,
    SiloSettingsPatch, Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new silo.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateSiloRequest {
    /// What members will call it; unique in the app.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Where its vectors are: `PGVECTOR`, which it is if left out, or `QDRANT`.
    #[serde(default)]
    pub vector_db_type: Option<String>,
    /// What embeds its texts; without one the model that is built in does.
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

impl CreateSiloRequest {
    /// Checks it, except for what it refers to.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn into_draft(self) -> Result<SiloDraft, Invalid> {
        let settings = SiloSettings::new(
            self.vector_db_type.as_deref(),
            self.embedding_service_id,
            self.reranking_service_id,
            self.retrieval_count,
        )?;
        SiloDraft::new(&self.name, self.description.as_deref(), settings)
    }
}

/// A change of a silo; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateSiloRequest {
    /// A new name.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub name: Patch<String>,
    /// A new description.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    /// Another place for its vectors; only while it is empty.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub vector_db_type: Patch<String>,
    /// Another embedding service; only while it is empty. Null goes back to the model that is built in.
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

impl From<UpdateSiloRequest> for SiloPatch {
    fn from(request: UpdateSiloRequest) -> Self {
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

/// A silo.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SiloResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub silo_id: SiloId,
    /// The app that it belongs to.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// What members call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// `CUSTOM`, or `REPO` or `DOMAIN` if it was made with a repository or a domain, which it goes with.
    pub silo_type: &'static str,
    /// Where its vectors are: `PGVECTOR` or `QDRANT`.
    pub vector_db_type: &'static str,
    /// What embeds its texts; null is the model that is built in.
    #[schema(value_type = Option<i64>)]
    pub embedding_service_id: Option<EmbeddingServiceId>,
    /// The AI service that puts what was found in order; null if ranks decide.
    #[schema(value_type = Option<i64>)]
    pub reranking_service_id: Option<ServiceId>,
    /// How many passages an agent is given for a question.
    pub retrieval_count: u32,
    /// What its vectors were made with; null before the first one.
    pub embedding_model: Option<String>,
    /// How many dimensions they have.
    pub dimensions: Option<u32>,
    /// How many documents it has, read or not.
    pub document_count: u64,
    /// The same, under the name that clients of earlier systems read.
    pub docs_count: u64,
    /// How many passages its documents were cut into.
    pub chunk_count: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<SiloOverview> for SiloResponse {
    fn from(overview: SiloOverview) -> Self {
        let SiloOverview { silo, documents, chunks, .. } = overview;
        let (embedding_model, dimensions) = silo.embedded_with.unzip();
        Self {
            silo_id: silo.id,
            app_id: silo.app,
            name: silo.name,
            description: silo.description,
            silo_type: silo.kind.as_str(),
            vector_db_type: silo.settings.vector_db.as_str(),
            embedding_service_id: silo.settings.embedding_service,
            reranking_service_id: silo.settings.reranking_service,
            retrieval_count: silo.settings.retrieval_count,
            embedding_model,
            dimensions,
            document_count: documents,
            docs_count: documents,
            chunk_count: chunks,
            create_date: silo.created,
            update_date: silo.updated,
        }
    }
}
