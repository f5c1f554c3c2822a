use omni_domain::{AgentId, Conversation, ConversationId, Message, MessageId, Page, PageRequest};
use omni_persistence::{ConversationFilter, StoreError};
use omni_rbac::{Grant, Session, Viewer};

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// One page of the signed-in person's own conversations, latest first: in the grant's app, or without a grant
    /// wherever they may see the workspace.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list_conversations(
        &self,
        session: &Session,
        grant: Option<&Grant<Viewer>>,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<Conversation>, WorkspaceError> {
        Ok(match grant {
            Some(grant) => self.store.list_conversations(grant, filter, page).await?,
            None => self.store.list_own_conversations(session, filter, page).await?,
        })
    }

    /// One conversation of the grant holder, and its latest `most` messages before `before`, in the order they came.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not theirs.
    pub async fn conversation(
        &self,
        grant: &Grant<Viewer>,
        id: ConversationId,
        before: Option<MessageId>,
        most: u32,
    ) -> Result<(Conversation, Vec<Message>), WorkspaceError> {
        let conversation = self.store.find_conversation(grant, id).await?.ok_or(StoreError::NotFound)?;
        let messages = self.store.messages(grant, id, before, most).await?;
        Ok((conversation, messages))
    }

    /// Removes a conversation of the grant holder.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not theirs.
    pub async fn delete_conversation(&self, grant: &Grant<Viewer>, id: ConversationId) -> Result<(), WorkspaceError> {
        Ok(self.store.delete_conversation(grant, id).await?)
    }

    /// Empties the grant holder's conversation with an agent: the named one, or else the one that a chat would go on
    /// with. Says which one it was; none if there was none.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if the named one is not theirs with this agent.
    pub async fn reset_conversation(
        &self,
        grant: &Grant<Viewer>,
        agent: AgentId,
        named: Option<ConversationId>,
    ) -> Result<Option<ConversationId>, WorkspaceError> {
        Ok(self.store.reset_conversation(grant, agent, named).await?)
    }
}
