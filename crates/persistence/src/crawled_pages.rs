//! The table of a domain's pages, as a visit of the domain reads and writes it.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{AppId, DocumentId, DomainId, DomainUrl, DomainUrlId, SiloId, Timestamp, UrlStatus, UrlVia};
use omni_rbac::{Editor, Grant};

use crate::app_scoped::count;
use crate::connection::Sight;
use crate::domain_urls::{NewUrl, URL, UrlRow, of_domain};
use crate::statement::Statement;
use crate::{Store, StoreError};

/// The most pages of a domain that a visit knows.
const MOST_KNOWN: i64 = 50_000;

/// A page that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundUrl {
    /// Its address.
    pub page: NewUrl,
    /// How it was found.
    pub via: UrlVia,
    /// How many links lead to it.
    pub depth: u8,
    /// Why it is not visited, if it is not.
    pub excluded: Option<&'static str>,
}

/// What a visit of a page came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageVisit {
    /// What it came to.
    pub status: UrlStatus,
    /// Why, if that needs saying.
    pub reason: Option<String>,
    /// What the server gave to ask by next time.
    pub etag: Option<String>,
    /// The same, as a date.
    pub last_modified: Option<String>,
    /// The SHA-256 of the text.
    pub content_hash: Option<Vec<u8>>,
    /// Visits since the page last changed.
    pub unchanged: u8,
    /// Failures since it was last given.
    pub failures: u8,
    /// When the visit was.
    pub at: Timestamp,
    /// When the page is due again.
    pub next_visit: Option<Timestamp>,
}

/// What is known of a page before its text is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    /// What the page calls itself, or its address.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What its bytes are.
    pub media_type: String,
    /// How many bytes it has.
    pub bytes: u64,
}

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    pages: i64,
}

impl Store {
    /// All pages that are known of a domain, those that were not visited for longest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn known_pages(&self, grant: &Grant<Editor>, domain: DomainId) -> Result<Vec<DomainUrl>, StoreError> {
        let rows: Vec<UrlRow> = of_domain(Statement::new("SELECT ").sql(URL), grant.app(), domain)
            .sql(" ORDER BY u.last_visit NULLS FIRST, u.url_id LIMIT ")
            .int(MOST_KNOWN)
            .load(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        rows.into_iter().map(DomainUrl::try_from).collect()
    }

    /// Takes note of pages that were found, each at most once in `found`, and answers them as they are now. One that is
    /// known keeps what is known of it, unless it was found by a better way, or was not there before the visit of the
    /// domain that began at `since` and is now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn note_found_pages(
        &self,
        grant: &Grant<Editor>,
        domain: DomainId,
        found: &[FoundUrl],
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<DomainUrl>, StoreError> {
        let each = |part: fn(&FoundUrl) -> String| found.iter().map(part).collect::<Vec<_>>();
        let rows: Vec<UrlRow> = Statement::new("INSERT INTO domain_urls AS u ")
            .sql("(app_id, domain_id, url, address, via, depth, status, reason, create_date) SELECT d.app_id, d.domain_id, ")
            .sql("f.url, f.address, f.via, f.depth, CASE WHEN f.excluded IS NULL THEN 'pending' ELSE 'excluded' END, f.excluded, ")
            .moment(now)
            .sql(" FROM domains d CROSS JOIN unnest(")
            .texts(each(|found| found.page.url.clone()))
            .sql(", ")
            .texts(each(|found| found.page.address.clone()))
            .sql(", ")
            .texts(each(|found| found.via.as_str().to_owned()))
            .sql(", ")
            .ints(found.iter().map(|found| i64::from(found.depth)).collect::<Vec<_>>())
            .sql(", ")
            .optional_texts(found.iter().map(|found| found.excluded.map(str::to_owned)).collect::<Vec<_>>())
            .sql(") AS f(url, address, via, depth, excluded) WHERE d.app_id = ")
            .int(grant.app().get())
            .sql(" AND d.domain_id = ")
            .int(domain.get())
            // What somebody listed stays listed; a link never makes a page farther away than it was.
            .sql(" ON CONFLICT (domain_id, url) DO UPDATE SET via = CASE WHEN excluded.status = 'excluded' THEN u.via ")
            .sql("WHEN array_position(ARRAY['manual', 'seed', 'sitemap', 'link'], excluded.via) ")
            .sql("< array_position(ARRAY['manual', 'seed', 'sitemap', 'link'], u.via) THEN excluded.via ELSE u.via END, ")
            .sql("depth = CASE WHEN excluded.status = 'excluded' THEN u.depth ELSE least(u.depth, excluded.depth) END, ")
            .sql("(status, reason) = (SELECT CASE WHEN again THEN excluded.status ELSE u.status END, ")
            .sql("CASE WHEN again THEN excluded.reason ELSE u.reason END FROM (SELECT u.status IN ('excluded', 'removed') ")
            .sql("AND coalesce(u.last_visit < ")
            .moment(since)
            .sql(", true) AS again) a) RETURNING ")
            .sql(URL)
            .load(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        rows.into_iter().map(DomainUrl::try_from).collect()
    }

    /// Takes note of what a visit of a page came to. One that is gone or is not part of the domain loses its document.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn note_page_visit(
        &self,
        grant: &Grant<Editor>,
        page: DomainUrlId,
        visit: &PageVisit,
    ) -> Result<(), StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            // The page before its document, as whoever deletes a page takes them.
            Statement::new("UPDATE domain_urls SET status = ")
                .text(visit.status.as_str())
                .sql(", reason = ")
                .optional_text(visit.reason.clone())
                .sql(", etag = ")
                .optional_text(visit.etag.clone())
                .sql(", last_modified = ")
                .optional_text(visit.last_modified.clone())
                .sql(", content_hash = ")
                .optional_bytes(visit.content_hash.clone())
                .sql(", unchanged = ")
                .int(i64::from(visit.unchanged))
                .sql(", failures = ")
                .int(i64::from(visit.failures))
                .sql(", last_visit = ")
                .moment(visit.at)
                .sql(", next_visit = ")
                .optional_moment(visit.next_visit)
                .sql(" WHERE app_id = ")
                .int(app.get())
                .sql(" AND url_id = ")
                .int(page.get())
                .execute(connection)
                .await?;
            if matches!(visit.status, UrlStatus::Removed | UrlStatus::Excluded) {
                forget(connection, app, page).await?;
            }
            Ok(())
        })
        .await
    }

    /// Takes note that a page is not part of its domain any more, without having visited it. What it said is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn exclude_page(
        &self,
        grant: &Grant<Editor>,
        page: DomainUrlId,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            Statement::new("UPDATE domain_urls SET status = 'excluded', etag = NULL, last_modified = NULL, ")
                .sql("content_hash = NULL, next_visit = NULL, reason = ")
                .text(reason)
                .sql(" WHERE app_id = ")
                .int(app.get())
                .sql(" AND url_id = ")
                .int(page.get())
                .execute(connection)
                .await?;
            forget(connection, app, page).await
        })
        .await
    }

    /// What a visit of a domain that began at `since` has come to so far. It is read from the table, so that a visit which
    /// was taken up again counts nothing twice and forgets nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn crawl_tally(
        &self,
        grant: &Grant<Editor>,
        domain: DomainId,
        since: Timestamp,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<Counted> = of_domain(
            Statement::new("SELECT t.name, count(*) AS pages FROM (SELECT CASE WHEN u.last_visit >= ")
                .moment(since)
                .sql(" THEN CASE u.status WHEN 'unchanged' THEN 'skipped' WHEN 'excluded' THEN 'skipped' ELSE u.status END ")
                .sql("WHEN u.status = 'excluded' THEN 'excluded' END AS name"),
            grant.app(),
            domain,
        )
        .sql(" UNION ALL SELECT 'discovered'")
        .sql(" FROM domain_urls u WHERE u.status <> 'excluded' AND u.create_date >= ")
        .moment(since)
        .sql(" AND u.app_id = ")
        .int(grant.app().get())
        .sql(" AND u.domain_id = ")
        .int(domain.get())
        .sql(") t WHERE t.name IS NOT NULL AND t.name <> 'pending' GROUP BY t.name")
        .load(&mut self.lend(Sight::of(grant)).await?)
        .await?;
        let mut tally: BTreeMap<String, u64> = ["discovered", "indexed", "skipped", "removed", "failed", "excluded"]
            .map(|name| (name.to_owned(), 0))
            .into();
        for row in rows {
            tally.insert(row.name, count(row.pages)?);
        }
        Ok(tally)
    }
}

/// Makes or brings up to date the document that a page is searched as. Its passages are written in the same transaction: a
/// visit that is broken off leaves a page as it was.
pub(crate) async fn hold_document(
    connection: &mut AsyncPgConnection,
    app: AppId,
    (domain, page, silo): (DomainId, DomainUrlId, SiloId),
    text: &PageText,
    now: Timestamp,
) -> Result<DocumentId, StoreError> {
    let row: UrlRow = of_domain(Statement::new("SELECT ").sql(URL), app, domain)
        .sql(" AND u.url_id = ")
        .int(page.get())
        .sql(" FOR UPDATE")
        .get_result(connection)
        .await?;
    match DomainUrl::try_from(row)?.document {
        Some(document) => rewrite(connection, app, document, text, now).await,
        None => write(connection, app, silo, page, text, now).await,
    }
}

async fn forget(connection: &mut AsyncPgConnection, app: AppId, page: DomainUrlId) -> Result<(), StoreError> {
    Statement::new("DELETE FROM documents t USING domain_urls u WHERE t.app_id = ")
        .int(app.get())
        .sql(" AND u.app_id = t.app_id AND u.document_id = t.document_id AND u.url_id = ")
        .int(page.get())
        .execute(connection)
        .await?;
    Ok(())
}

async fn rewrite(
    connection: &mut AsyncPgConnection,
    app: AppId,
    document: DocumentId,
    text: &PageText,
    now: Timestamp,
) -> Result<DocumentId, StoreError> {
    Statement::new("UPDATE documents SET name = ")
        .text(text.name.as_str())
        .sql(", url = ")
        .text(text.url.as_str())
        .sql(", media_type = ")
        .text(text.media_type.as_str())
        .sql(", bytes = ")
        .int(size(text))
        .sql(", status = 'processing', error = NULL, update_date = ")
        .moment(now)
        .sql(" WHERE app_id = ")
        .int(app.get())
        .sql(" AND document_id = ")
        .int(document.get())
        .execute(connection)
        .await?;
    // Until the new text is found, nothing that the server says can mean that the old one is.
    Statement::new("UPDATE domain_urls SET content_hash = NULL, etag = NULL, last_modified = NULL WHERE app_id = ")
        .int(app.get())
        .sql(" AND document_id = ")
        .int(document.get())
        .execute(connection)
        .await?;
    Ok(document)
}

async fn write(
    connection: &mut AsyncPgConnection,
    app: AppId,
    silo: SiloId,
    page: DomainUrlId,
    text: &PageText,
    now: Timestamp,
) -> Result<DocumentId, StoreError> {
    let made: Made = Statement::new("INSERT INTO documents ")
        .sql("(app_id, silo_id, name, url, media_type, bytes, status, create_date, update_date) VALUES (")
        .int(app.get())
        .sql(", ")
        .int(silo.get())
        .sql(", ")
        .text(text.name.as_str())
        .sql(", ")
        .text(text.url.as_str())
        .sql(", ")
        .text(text.media_type.as_str())
        .sql(", ")
        .int(size(text))
        .sql(", 'processing', ")
        .moment(now)
        .sql(", ")
        .moment(now)
        .sql(") RETURNING document_id AS id")
        .get_result(connection)
        .await?;
    Statement::new("UPDATE domain_urls SET document_id = ")
        .int(made.id)
        .sql(" WHERE app_id = ")
        .int(app.get())
        .sql(" AND url_id = ")
        .int(page.get())
        .execute(connection)
        .await?;
    Ok(DocumentId::new(made.id))
}

fn size(text: &PageText) -> i64 {
    i64::try_from(text.bytes).unwrap_or(i64::MAX)
}
