use omni_domain::{AgentDraft, AppDraft, Memory};
use omni_rbac::SystemGrant;

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// Makes the demonstration of a first start: an app that `email` owns, with an agent that needs no model. Once in the
    /// life of an installation, however many replicas start; deleting it does not bring it back. Says whether it was made.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn welcome(&self, leave: &SystemGrant, email: &str) -> Result<bool, WorkspaceError> {
        let app = AppDraft::new("Demo", None, None)?;
        let agent = AgentDraft {
            name: "First steps".into(),
            description: Some("Answers without any model, and says how to add one.".into()),
            system_prompt: Some("You help people to find their way in Omni.".into()),
            prompt_template: None,
            service: None,
            silo: None,
            temperature: None,
            max_tokens: None,
            memory: Memory::default(),
        };
        let name = email.split('@').next().unwrap_or(email);
        let Some(app) = self.store.welcome(leave, email, name, (&app, &agent), self.now()).await? else {
            return Ok(false);
        };
        tracing::info!(app = %app.slug, owner = email, "first start: made a demonstration app");
        Ok(true)
    }
}
