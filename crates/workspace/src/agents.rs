use omni_domain::{Agent, AgentDraft, AgentId, AgentPatch, AiService, Invalid, ServiceId, SiloId, SiloOverview};
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
        self.check_silo(&grant.at(), draft.silo).await?;
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
        let (service, silo) = (patch.service.clone().over(None), patch.silo.clone().over(None));
        if service.is_some() || silo.is_some() {
            // Whether there is such an agent is known first: a wrong reference in what does not exist is not found.
            Agent::find(&self.store, &grant.at(), id).await?.ok_or(StoreError::NotFound)?;
            self.check_service(&grant.at(), service).await?;
            self.check_silo(&grant.at(), silo).await?;
        }
        let now = self.now();
        let change = |stored| patch.apply(stored).map(|next| Agent { updated: now, ..next });
        Ok(self.store.update_agent(grant, id, change).await??)
    }

    async fn check_service(&self, grant: &Grant<Viewer>, id: Option<ServiceId>) -> Result<(), WorkspaceError> {
        let Some(id) = id else { return Ok(()) };
        match AiService::find(&self.store, grant, id).await? {
            Some(_) => Ok(()),
            None => Err(Invalid::unknown_reference("service_id", id.get()).into()),
        }
    }

    async fn check_silo(&self, grant: &Grant<Viewer>, id: Option<SiloId>) -> Result<(), WorkspaceError> {
        let Some(id) = id else { return Ok(()) };
        match SiloOverview::find(&self.store, grant, id).await? {
            Some(_) => Ok(()),
            None => Err(Invalid::unknown_reference("silo_id", id.get()).into()),
        }
    }
}
