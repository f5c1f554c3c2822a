//! Documents of a silo as a whole: those that a program indexes by itself, and those that go by a filter.

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{Audited, Deed, Document, DocumentId, MetadataFilter, Silo, SiloId, Timestamp};
use omni_rbac::{Editor, Grant};
use serde_json::{Map, Value};

use crate::audit;
use crate::connection::Sight;
use crate::search::filtered;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// A text that a program has indexed.
#[derive(Debug, Clone)]
pub struct NewText<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Where it is from, if that is an address.
    pub url: Option<&'a str>,
    /// How many bytes it has.
    pub bytes: u64,
    /// What is known of it.
    pub metadata: &'a Map<String, Value>,
}

/// Which documents go.
#[derive(Debug, Clone)]
pub enum Going<'a> {
    /// Those whose metadata pass.
    Passing(&'a MetadataFilter),
    /// These.
    Named(&'a [DocumentId]),
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    document_id: i64,
}

impl Store {
    /// Removes documents of a silo with everything that they are found by, and says which they were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn delete_documents(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        going: Going<'_>,
    ) -> Result<Vec<DocumentId>, StoreError> {
        let of_silo = Statement::new("DELETE FROM documents d WHERE d.app_id = ")
            .int(grant.app().get())
            .sql(" AND d.silo_id = ")
            .int(silo.get());
        let delete = match going {
            Going::Passing(filter) => filtered(of_silo, filter),
            Going::Named(documents) => of_silo
                .sql(" AND d.document_id = ANY(")
                .ints(documents.iter().map(|document| document.get()).collect::<Vec<_>>())
                .sql(")"),
        };
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let gone: Vec<NumberRow> = delete.sql(" RETURNING d.document_id").load(connection).await?;
            if !gone.is_empty() {
                let deed = Deed::plain(format!("silo.delete_documents ({})", gone.len())).at(Silo::KIND, silo.get());
                audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
            }
            Ok(gone.into_iter().map(|row| DocumentId::new(row.document_id)).collect())
        })
        .await
    }
}

/// Makes a document of a text, whose passages are written in the same transaction.
pub(crate) async fn insert_text(
    connection: &mut AsyncPgConnection,
    grant: &Grant<Editor>,
    silo: SiloId,
    new: &NewText<'_>,
    now: Timestamp,
) -> Result<DocumentId, StoreError> {
    let bytes = i64::try_from(new.bytes).unwrap_or(i64::MAX);
    let metadata = serde_json::to_string(new.metadata).map_err(|error| StoreError::inconsistent(error.to_string()))?;
    let made: NumberRow =
        Statement::new("INSERT INTO documents (app_id, silo_id, name, url, media_type, bytes, metadata, status, ")
            .sql("create_date, update_date) VALUES (")
            .int(grant.app().get())
            .sql(", ")
            .int(silo.get())
            .sql(", ")
            .text(new.name)
            .sql(", ")
            .optional_text(new.url.map(str::to_owned))
            .sql(", 'text/plain', ")
            .int(bytes)
            .sql(", ")
            .text(metadata)
            .sql("::jsonb, 'processing', ")
            .moment(now)
            .sql(", ")
            .moment(now)
            .sql(") RETURNING document_id")
            .get_result(connection)
            .await?;
    let deed = Deed::plain("document.create").at(Document::KIND, made.document_id);
    audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
    Ok(DocumentId::new(made.document_id))
}
