use std::sync::Arc;

use omni_egress::Egress;

use crate::chat::ChatModel;
use crate::deadlines::Deadlines;
use crate::error::ModelError;
use crate::local::LocalModel;
use crate::remote::{Remote, RemoteModel};
use crate::target::ModelTarget;
use crate::wire::line_to;

/// The most bytes of text in an answer, reasoning included, unless told otherwise.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// All models, at whatever provider. Made once; clones share their connections.
#[derive(Debug, Clone)]
pub struct Models {
    egress: Egress,
    deadlines: Deadlines,
    longest_answer: usize,
}

impl Models {
    /// Models that are talked to through `egress`, within these deadlines, with answers of at most 1 MiB of text.
    #[must_use]
    pub const fn new(egress: Egress, deadlines: Deadlines) -> Self {
        Self { egress, deadlines, longest_answer: LONGEST_ANSWER }
    }

    /// The same with answers of at most so many bytes of text, reasoning included.
    #[must_use]
    pub fn with_longest_answer(self, bytes: usize) -> Self {
        Self { longest_answer: bytes, ..self }
    }

    /// Whether a target could be talked to, as far as that can be told without asking anybody: what it needs is there, and
    /// its address may be requested.
    ///
    /// # Errors
    /// The [`ModelError`] that [`Models::chat`] or the first question would give; [`ModelError::field`] says what to
    /// change.
    pub fn check(&self, target: &ModelTarget) -> Result<(), ModelError> {
        let Some(line) = line_to(target)? else { return Ok(()) };
        let host = line.url.host_str().unwrap_or_default();
        self.egress.check(&line.url).map_err(|error| ModelError::of_sending(error, host))
    }

    /// The model at a target. This only prepares: nobody is asked until the model is.
    ///
    /// # Errors
    /// What is wrong with the target itself: [`ModelError::BaseUrl`], [`ModelError::Missing`] and
    /// [`ModelError::KeyUnusable`].
    pub fn chat(&self, target: ModelTarget) -> Result<Arc<dyn ChatModel>, ModelError> {
        let Some(line) = line_to(&target)? else { return Ok(Arc::new(LocalModel)) };
        Ok(Arc::new(RemoteModel(Arc::new(Remote {
            egress: self.egress.clone(),
            deadlines: self.deadlines,
            longest_answer: self.longest_answer,
            line,
            model: target.model,
            key: target.api_key,
        }))))
    }
}
