//! The table of a domain's pages, as people see and change it.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{AppId, Deed, DocumentId, DomainId, DomainUrl, DomainUrlId, Page, PageRequest, Timestamp, UrlStatus};
use omni_rbac::{Editor, Grant, Viewer};

use crate::audit;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

pub(crate) const URL: &str = "u.url_id, u.domain_id, u.url, u.address, u.via, u.depth, u.status, u.reason, u.etag, \
    u.last_modified, u.content_hash, u.document_id, u.unchanged, u.failures, u.last_visit, u.next_visit, u.create_date";

/// Which pages of a domain are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrlFilter {
    /// Only those of which the last visit came to this.
    pub status: Option<UrlStatus>,
    /// Only those with this in their address, in any case.
    pub containing: Option<String>,
}

/// An address: what tells a page from others, and what is requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUrl {
    /// The normalised address.
    pub url: String,
    /// The address as it is requested.
    pub address: String,
}

#[derive(QueryableByName)]
pub(crate) struct UrlRow {
    #[diesel(sql_type = BigInt)]
    url_id: i64,
    #[diesel(sql_type = BigInt)]
    domain_id: i64,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Text)]
    via: String,
    #[diesel(sql_type = BigInt)]
    depth: i64,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    etag: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_modified: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    content_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    document_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    unchanged: i64,
    #[diesel(sql_type = BigInt)]
    failures: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_visit: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_visit: Option<Timestamp>,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
}

impl TryFrom<UrlRow> for DomainUrl {
    type Error = StoreError;

    fn try_from(row: UrlRow) -> Result<Self, StoreError> {
        let tiny = |number: i64| {
            u8::try_from(number).map_err(|_| StoreError::inconsistent(format!("{number} where a small number belongs")))
        };
        Ok(Self {
            id: DomainUrlId::new(row.url_id),
            domain: DomainId::new(row.domain_id),
            url: row.url,
            address: row.address,
            via: row.via.parse().map_err(StoreError::inconsistent)?,
            depth: tiny(row.depth)?,
            status: row.status.parse().map_err(StoreError::inconsistent)?,
            reason: row.reason,
            etag: row.etag,
            last_modified: row.last_modified,
            content_hash: row.content_hash,
            document: row.document_id.map(DocumentId::new),
            unchanged: tiny(row.unchanged)?,
            failures: tiny(row.failures)?,
            last_visit: row.last_visit,
            next_visit: row.next_visit,
            created: row.create_date,
        })
    }
}

impl Store {
    /// One page of the pages that are known of a domain, in the order in which they became known.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_domain_urls(
        &self,
        grant: &Grant<Viewer>,
        domain: DomainId,
        filter: &UrlFilter,
        page: PageRequest,
    ) -> Result<Page<DomainUrl>, StoreError> {
        let from = |statement: Statement| {
            let mut statement = of_domain(statement, grant.app(), domain);
            if let Some(status) = filter.status {
                statement = statement.sql(" AND u.status = ").text(status.as_str());
            }
            if let Some(part) = &filter.containing {
                statement = statement.sql(" AND strpos(lower(u.address), lower(").text(part.as_str()).sql(")) > 0");
            }
            statement
        };
        self.page_of::<UrlRow, _>(Sight::of(grant), URL, from, "u.url_id", page).await
    }

    /// Lists pages for the next visit of a domain, and answers them as they are now; one that is known already is visited
    /// like a listed one from now on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such domain.
    pub async fn add_domain_urls(
        &self,
        grant: &Grant<Editor>,
        domain: DomainId,
        pages: &[NewUrl],
        now: Timestamp,
    ) -> Result<Vec<DomainUrl>, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let rows: Vec<UrlRow> = Statement::new("INSERT INTO domain_urls AS u ")
                .sql(
                    "(app_id, domain_id, url, address, via, depth, status, create_date) SELECT d.app_id, d.domain_id, ",
                )
                .sql("given.url, given.address, 'manual', 0, 'pending', ")
                .moment(now)
                .sql(" FROM domains d CROSS JOIN unnest(")
                .texts(pages.iter().map(|page| page.url.clone()).collect::<Vec<_>>())
                .sql(", ")
                .texts(pages.iter().map(|page| page.address.clone()).collect::<Vec<_>>())
                .sql(") AS given(url, address) WHERE d.app_id = ")
                .int(app.get())
                .sql(" AND d.domain_id = ")
                .int(domain.get())
                .sql(" ON CONFLICT (domain_id, url) DO UPDATE SET via = 'manual', depth = 0, ")
                .sql("status = CASE WHEN u.status IN ('excluded', 'removed') THEN 'pending' ELSE u.status END, ")
                .sql("reason = CASE WHEN u.status IN ('excluded', 'removed') THEN NULL ELSE u.reason END RETURNING ")
                .sql(URL)
                .load(connection)
                .await?;
            if rows.is_empty() {
                return Err(StoreError::NotFound);
            }
            let added = rows.into_iter().map(DomainUrl::try_from).collect::<Result<Vec<_>, _>>()?;
            for page in &added {
                audit::record(connection, Some(app), grant.by(), &Deed::create(page).called("domain_url.add")).await?;
            }
            Ok(added)
        })
        .await
    }

    /// Forgets a page of a domain and what it says. It comes back if it is found again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the domain has no such page.
    pub async fn delete_domain_url(
        &self,
        grant: &Grant<Editor>,
        domain: DomainId,
        id: DomainUrlId,
    ) -> Result<DomainUrl, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let row: UrlRow = of_domain(Statement::new("SELECT ").sql(URL), app, domain)
                .sql(" AND u.url_id = ")
                .int(id.get())
                .sql(" FOR UPDATE")
                .get_result(connection)
                .await?;
            let gone = DomainUrl::try_from(row)?;
            delete_document(connection, app, gone.document).await?;
            Statement::new("DELETE FROM domain_urls WHERE app_id = ")
                .int(app.get())
                .sql(" AND url_id = ")
                .int(id.get())
                .execute(connection)
                .await?;
            audit::record(connection, Some(app), grant.by(), &Deed::delete(&gone)).await?;
            Ok(gone)
        })
        .await
    }
}

/// The pages of a domain, from the `FROM` on.
pub(crate) fn of_domain(statement: Statement, app: AppId, domain: DomainId) -> Statement {
    statement.sql(" FROM domain_urls u WHERE u.app_id = ").int(app.get()).sql(" AND u.domain_id = ").int(domain.get())
}

/// Removes what is searched of a page, and with it its passages.
pub(crate) async fn delete_document(
    connection: &mut AsyncPgConnection,
    app: AppId,
    document: Option<DocumentId>,
) -> Result<(), StoreError> {
    let Some(document) = document else { return Ok(()) };
    Statement::new("DELETE FROM documents WHERE app_id = ")
        .int(app.get())
        .sql(" AND document_id = ")
        .int(document.get())
        .execute(connection)
        .await?;
    Ok(())
}
