use omni_domain::{Agent, AgentDraft, AgentId, AgentPatch, AiService, Invalid, ServiceId};
use omni_persistence::{AppScoped, StoreError};
use omni_rbac::{Editor, Grant, Viewer};

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// Makes an agent in the grant's app.
    ///
    /// # Errors
    /// If it breaks a rule, refers to what the app does not have, or its name is taken.
    pub async fn create_agent(&self, grant: &Grant<Editor>, draft: AgentDraft) -> Result<Agent, WorkspaceError> {
        let draft = draft.check()?;
        self.check_service(&grant.at(), draft.service).await?;
        Ok(self.store.create_agent(grant, &draft, self.now()).await?)
    }

    /// Changes an agent of the grant's app.
    ///
    /// # Errors
    /// If there is none with this id, or the change breaks a rule or refers to what the app does not have.
    pub async fn update_agent(
        &self,
        grant: &Grant<Editor>,
        id: AgentId,
        patch: AgentPatch,
    ) -> Result<Agent, WorkspaceError> {
        let stored = Agent::find(&self.store, &grant.at(), id).await?.ok_or(StoreError::NotFound)?;
        let known_service = stored.service;
        let mut next = patch.apply(stored)?;
        next.updated = self.now();
        if next.service != known_service {
            self.check_service(&grant.at(), next.service).await?;
        }
        Ok(self.store.update_agent(grant, &next).await?)
    }

    async fn check_service(&self, grant: &Grant<Viewer>, id: Option<ServiceId>) -> Result<(), WorkspaceError> {
        let Some(id) = id else { return Ok(()) };
        match AiService::find(&self.store, grant, id).await? {
            Some(_) => Ok(()),
            None => Err(Invalid::unknown_reference("service_id", id.get()).into()),
        }
    }
}
