use omni_domain::{
    Collaboration, CollaborationId, Invalid, InvitationDraft, Page, PageRequest, error_chain, grantable_role,
    overreaches,
};
use omni_rbac::{Administrator, Grant, Invited, Owner, Rank, Session, User, Viewer};

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// One page of the people who were invited to the grant's app, however they answered.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list_collaborations(
        &self,
        grant: &Grant<Viewer>,
        page: PageRequest,
    ) -> Result<Page<Collaboration>, WorkspaceError> {
        Ok(self.store.list_collaborations(grant, page).await?)
    }

    /// One page of the invitations that wait for the signed-in person's answer.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list_invitations(
        &self,
        session: &Session,
        page: PageRequest,
    ) -> Result<Page<Collaboration>, WorkspaceError> {
        Ok(self.store.list_invitations(session, page).await?)
    }

    /// Invites somebody by e-mail, who need not have signed in yet.
    ///
    /// # Errors
    /// If it is no address, the role cannot be given by the inviter, or the person is there already.
    pub async fn invite(
        &self,
        grant: &Grant<Administrator>,
        email: &str,
        role: Option<&str>,
    ) -> Result<Collaboration, WorkspaceError> {
        let draft = match InvitationDraft::new(email, role, grant.held()) {
            Ok(draft) => draft,
            Err(invalid) => return Err(self.refuse_role(grant, role.unwrap_or_default(), invalid).await),
        };
        Ok(self.store.invite(grant, &draft, self.now()).await?)
    }

    /// Accepts or declines an invitation.
    ///
    /// # Errors
    /// If it has been answered, or taken back.
    pub async fn answer_invitation(&self, invited: &Invited, accept: bool) -> Result<Collaboration, WorkspaceError> {
        Ok(self.store.answer_invitation(invited, accept, self.now()).await?)
    }

    /// Gives a member another role, or offers another to who has not answered.
    ///
    /// # Errors
    /// If the role cannot be given, or the person has declined.
    pub async fn change_role(
        &self,
        grant: &Grant<Owner>,
        id: CollaborationId,
        role: &str,
    ) -> Result<Collaboration, WorkspaceError> {
        match grantable_role(role, grant.held()) {
            Ok(role) => Ok(self.store.change_role(grant, id, role).await?),
            Err(invalid) => Err(self.refuse_role(grant, role, invalid).await),
        }
    }

    /// Has the trail keep that somebody tried to give what is not theirs to give. That it could not be kept makes it no
    /// better.
    async fn refuse_role<R: Rank>(&self, grant: &Grant<R>, role: &str, invalid: Invalid) -> WorkspaceError {
        if overreaches(role, grant.held())
            && let Err(error) = self.store.keep_attempt(grant, "role_not_grantable").await
        {
            tracing::warn!(error = error_chain(&error), "a refusal is missing in the audit trail");
        }
        invalid.into()
    }

    /// Removes a member, or takes an invitation back.
    ///
    /// # Errors
    /// If the app has nobody by this number.
    pub async fn remove_collaboration(
        &self,
        grant: &Grant<Administrator>,
        id: CollaborationId,
    ) -> Result<(), WorkspaceError> {
        Ok(self.store.remove_collaboration(grant, id).await?)
    }

    /// Ends the grant holder's own membership.
    ///
    /// # Errors
    /// If they are no collaborator.
    pub async fn leave_app(&self, grant: &Grant<User>) -> Result<(), WorkspaceError> {
        Ok(self.store.leave_app(grant).await?)
    }
}
