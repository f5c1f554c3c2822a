use std::sync::Arc;
use std::time::Duration;

use omni_domain::{EmbeddingService, Silo};
use omni_models::{EmbeddingModel, EmbeddingTarget, ModelError, ModelTarget, Provider, Purpose, parse_base_url};
use omni_persistence::EmbeddedSilo;
use omni_sealing::Place;

use crate::{Knowledge, KnowledgeError};

/// Where an embedding service's key is sealed for.
pub const EMBEDDING_SERVICE_KEY: &str = "embedding_services.api_key";
/// How long a question may take to become a vector: somebody waits for it.
const QUESTION: Duration = Duration::from_secs(10);

impl Knowledge {
    /// The model that embeds a silo's texts.
    pub(crate) fn embedder(&self, embedded: &EmbeddedSilo) -> Result<Arc<dyn EmbeddingModel>, KnowledgeError> {
        let target = match &embedded.service {
            None => EmbeddingTarget::new(ModelTarget::new(Provider::Local, "")),
            Some((service, sealed)) => self.embedding_target(service, sealed.as_deref())?,
        };
        Ok(self.parts.models.embedding(target)?)
    }

    fn embedding_target(
        &self,
        service: &EmbeddingService,
        sealed: Option<&[u8]>,
    ) -> Result<EmbeddingTarget, KnowledgeError> {
        let place = Place { column: EMBEDDING_SERVICE_KEY, app: service.app, row: service.id.get() };
        let key = sealed.map(|sealed| self.parts.key.open(sealed, place)).transpose();
        let key = key.map_err(|cause| KnowledgeError::KeyLost { service: service.name.clone(), cause })?;
        let provider: Provider = service.provider.parse().map_err(KnowledgeError::Model)?;
        let mut target = ModelTarget::new(provider, service.model.as_str());
        target.base_url = service.base_url.as_deref().map(parse_base_url).transpose()?;
        target.api_version.clone_from(&service.api_version);
        target.api_key = key;
        Ok(EmbeddingTarget { dimensions: service.dimensions, ..EmbeddingTarget::new(target) })
    }

    /// A question as a vector, by the model that the silo was embedded with.
    pub(crate) async fn embed_question(
        &self,
        silo: &Silo,
        model: &Arc<dyn EmbeddingModel>,
        question: &str,
    ) -> Result<Vec<f32>, KnowledgeError> {
        if let Some((known, _)) = &silo.embedded_with
            && known != model.id()
        {
            let (known, wanted) = (known.clone(), model.id().to_owned());
            return Err(KnowledgeError::OtherModel { known, wanted });
        }
        let asking = model.embed(vec![question.to_owned()], Purpose::Query);
        let embedded = tokio::time::timeout(QUESTION, asking).await;
        let late = |_| ModelError::TimedOut { waited_for: omni_models::WaitedFor::FirstByte, after: QUESTION };
        let mut embedded = embedded.map_err(late)??;
        embedded.vectors.pop().ok_or_else(|| ModelError::Malformed { what: "it has no vector" }.into())
    }
}
