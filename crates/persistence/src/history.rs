use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use omni_domain::{ConversationId, MessageId};
use omni_rbac::{Grant, Viewer};

use crate::app_scoped::count;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// How much of a conversation goes into one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excerpt {
    /// How many messages there are, as far as they were counted.
    pub found: u64,
    /// How many of them, from the latest back, hold no more text together than was asked for.
    pub fitting: u64,
}

#[derive(QueryableByName)]
struct ExcerptRow {
    #[diesel(sql_type = BigInt)]
    found: i64,
    #[diesel(sql_type = BigInt)]
    fitting: i64,
}

impl Store {
    /// Counts at most `most` messages before `before` of the grant holder's own conversation, from the latest back, and
    /// how many of them hold at most `bytes` of text together. Their text is not read for that.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn measure_messages(
        &self,
        grant: &Grant<Viewer>,
        id: ConversationId,
        before: Option<MessageId>,
        most: u32,
        bytes: u32,
    ) -> Result<Excerpt, StoreError> {
        let row: ExcerptRow = Statement::new("SELECT count(*) AS found, count(*) FILTER (WHERE total <= ")
            .int(i64::from(bytes))
            .sql(
                ") AS fitting FROM (SELECT sum(octet_length(content)) OVER (ORDER BY message_id DESC) AS total \
                 FROM (SELECT m.message_id, m.content FROM messages m \
                 JOIN conversations c ON c.conversation_id = m.conversation_id WHERE m.conversation_id = ",
            )
            .int(id.get())
            .sql(" AND c.app_id = ")
            .int(grant.app().get())
            .sql(" AND c.user_id = ")
            .int(grant.actor().get())
            .sql(" AND m.message_id < ")
            .int(before.map_or(i64::MAX, MessageId::get))
            .sql(" ORDER BY m.message_id DESC LIMIT ")
            .int(i64::from(most))
            .sql(") latest) measured")
            .get_result(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        Ok(Excerpt { found: count(row.found)?, fitting: count(row.fitting)? })
    }
}
