use std::collections::BTreeMap;

use omni_domain::{AgentId, Citation, Conversation, ConversationId, Message, MessageId, Page, PageRequest, TurnId};
use omni_persistence::{ConversationFilter, Retrieval, StoreError};
use omni_rbac::{Grant, Session, Viewer};

use crate::{Workspace, WorkspaceError};

/// The most bytes of messages' text that are shown at once: more of a long conversation is asked for page by page.
pub const MOST_TEXT: u32 = 4 * 1024 * 1024;

/// A conversation and some of what was said in it.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The conversation.
    pub conversation: Conversation,
    /// The messages, in the order they came.
    pub messages: Vec<Message>,
    /// What the model was given for the answers among them.
    pub citations: BTreeMap<TurnId, Vec<Citation>>,
    /// Whether there are messages before these.
    pub has_more: bool,
}

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

    /// One conversation of the grant holder, and its latest messages before `before`, in the order they came: at most
    /// `most` of them with at most [`MOST_TEXT`] bytes of text together, but always one if there is one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not theirs.
    pub async fn conversation(
        &self,
        grant: &Grant<Viewer>,
        id: ConversationId,
        before: Option<MessageId>,
        most: u32,
    ) -> Result<History, WorkspaceError> {
        let conversation = self.store.find_conversation(grant, id).await?.ok_or(StoreError::NotFound)?;
        // One more than is shown tells whether there are more.
        let excerpt = self.store.measure_messages(grant, id, before, most.saturating_add(1), MOST_TEXT).await?;
        let shown = u32::try_from(excerpt.fitting).unwrap_or(u32::MAX).clamp(1, most.max(1));
        let messages = self.store.messages(grant, id, before, shown).await?;
        let turns: Vec<TurnId> = messages.iter().map(|message| message.turn).collect();
        let retrievals = self.store.retrievals(grant, &turns).await?;
        let citations = retrievals.into_iter().map(|(turn, retrieval)| (turn, retrieval.citations)).collect();
        Ok(History { conversation, messages, citations, has_more: excerpt.found > u64::from(shown) })
    }

    /// What was looked up for a turn of the grant holder's own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if nothing was, or it is not theirs.
    pub async fn retrieval(&self, grant: &Grant<Viewer>, turn: TurnId) -> Result<Retrieval, WorkspaceError> {
        Ok(self.store.retrieval(grant, turn).await?.ok_or(StoreError::NotFound)?)
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
