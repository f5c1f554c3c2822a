//! The files of repositories: documents whose bytes are in the store of blobs.

mod row;

use std::collections::HashSet;

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Binary};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{
    AppId, Deed, Document, DocumentId, DocumentStatus, FolderId, Invalid, Job, Page, PageRequest, Patch, RepositoryId,
    SiloId, Timestamp, Work,
};
use omni_rbac::{Editor, Grant, SystemGrant, Viewer};
use serde_json::{Map, Value};

use self::row::{FileRow, ProgressRow};
use crate::app_scoped::count;
use crate::connection::Sight;
use crate::forgotten::{Halt, hold_blobs};
use crate::statement::Statement;
use crate::{Store, StoreError, audit, jobs};

const FILE: &str = "d.document_id, d.app_id, d.silo_id, d.repo_id, d.folder_id, d.name, d.url, d.media_type, d.blob_hash, \
    d.bytes, d.metadata::text AS metadata, d.status, d.error, d.title, d.pages, d.chunk_count, d.create_date, d.update_date";

/// A file that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// What its sender calls it.
    pub name: String,
    /// What its bytes are.
    pub media_type: String,
    /// The SHA-256 of its bytes.
    pub blob: [u8; 32],
    /// How many there are.
    pub bytes: u64,
    /// What is known of it, for filters.
    pub metadata: Map<String, Value>,
}

/// Which files of a repository are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// Only those in this folder, or with none in it those in no folder.
    pub folder: Option<Option<FolderId>>,
    /// Only those that are so far.
    pub status: Option<DocumentStatus>,
    /// Only those whose name has this in it, in whatever case.
    pub name: Option<String>,
}

/// What becomes of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePatch {
    /// What it is called.
    pub name: Option<String>,
    /// The folder that it is in.
    pub folder: Patch<FolderId>,
    /// What is known of it, in place of what was.
    pub metadata: Option<Map<String, Value>>,
}

/// How far a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProgress {
    /// The file.
    pub file: DocumentId,
    /// What it is called.
    pub name: String,
    /// How far it is.
    pub status: DocumentStatus,
    /// Why it failed, or is tried again, or what was left out.
    pub error: Option<String>,
    /// How many passages it was cut into.
    pub chunks: u64,
    /// What is being done, in a word.
    pub stage: Option<String>,
    /// How much of the stage is done.
    pub done: u64,
    /// Out of how much, if that is known.
    pub total: Option<u64>,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct HashRow {
    #[diesel(sql_type = Binary)]
    blob_hash: Vec<u8>,
}

impl Store {
    /// The most megabytes that the grant's app takes of one file; 0 leaves it to the server.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app is gone.
    pub async fn max_file_size_mb(&self, grant: &Grant<Viewer>) -> Result<u64, StoreError> {
        let row: NumberRow = Statement::new("SELECT max_file_size_mb AS number FROM apps WHERE app_id = ")
            .int(grant.app().get())
            .get_result(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        count(row.number)
    }

    /// Puts files into a repository, each with the job that takes it in: all of them or none. `keeping` makes them blobs, and
    /// is begun only when all of them have their place; nobody removes one of them between that and the commit.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such repository, [`StoreError::Invalid`] if the repository has no such
    /// folder, and that of `keeping`.
    pub async fn add_files<E: From<StoreError> + Send>(
        &self,
        grant: &Grant<Editor>,
        place: (RepositoryId, Option<FolderId>),
        files: &[NewFile],
        now: Timestamp,
        keeping: impl Future<Output = Result<(), E>> + Send,
    ) -> Result<Vec<Document>, E> {
        let (app, (repository, folder)) = (grant.app(), place);
        let mut lent = self.lend(Sight::of(grant)).await?;
        let added = lent.transaction::<_, Halt<E>, _>(async |connection| {
            hold_blobs(connection, files.iter().map(|file| &file.blob)).await?;
            let silo: NumberRow = Statement::new("SELECT silo_id AS number FROM repositories WHERE app_id = ")
                .int(app.get())
                .sql(" AND repo_id = ")
                .int(repository.get())
                .sql(" FOR KEY SHARE")
                .get_result(connection)
                .await?;
            hold_folder(connection, app, repository, folder).await?;
            let mut made = Vec::with_capacity(files.len());
            for file in files {
                let place = Place { silo: SiloId::new(silo.number), repository, folder };
                let document = insert(connection, app, place, file, now).await?;
                jobs::enqueue(connection, app, Work::Ingest(document.id), Some(grant.actor()), now).await?;
                made.push(document);
            }
            for document in &made {
                audit::record(connection, Some(app), grant.by(), &Deed::create(document)).await?;
            }
            keeping.await.map_err(Halt::Work)?;
            Ok(made)
        });
        let added = added.await;
        drop(lent);
        if let Err(Halt::Work(_)) = &added
            && let Err(error) = self.note_blobs(files.iter().map(|file| file.blob)).await
        {
            tracing::debug!(%error, "what was kept of an upload that failed waits for the sweep");
        }
        added.map_err(Halt::into_error)
    }

    /// A document of the grant's app, be it a file, a page or a text.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn find_document(&self, grant: &Grant<Viewer>, id: DocumentId) -> Result<Option<Document>, StoreError> {
        wanted(grant.app(), None, id)
            .get_result::<FileRow>(&mut self.lend(Sight::of(grant)).await?)
            .await
            .optional()?
            .map(Document::try_from)
            .transpose()
    }

    /// A file of this repository.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the repository has none.
    pub async fn find_file(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        id: DocumentId,
    ) -> Result<Document, StoreError> {
        wanted(grant.app(), Some(repository), id)
            .get_result::<FileRow>(&mut self.lend(Sight::of(grant)).await?)
            .await?
            .try_into()
    }

    /// One page of a repository's files, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_files(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        filter: &FileFilter,
        page: PageRequest,
    ) -> Result<Page<Document>, StoreError> {
        let from = |statement: Statement| {
            let mut statement = statement
                .sql(" FROM documents d WHERE d.app_id = ")
                .int(grant.app().get())
                .sql(" AND d.repo_id = ")
                .int(repository.get());
            match filter.folder {
                None => {}
                Some(None) => statement = statement.sql(" AND d.folder_id IS NULL"),
                Some(Some(folder)) => statement = statement.sql(" AND d.folder_id = ").int(folder.get()),
            }
            if let Some(status) = filter.status {
                statement = statement.sql(" AND d.status = ").text(status.as_str());
            }
            if let Some(name) = &filter.name {
                statement = statement.sql(" AND strpos(lower(d.name), lower(").text(name.as_str()).sql(")) > 0");
            }
            statement
        };
        self.page_of::<FileRow, _>(Sight::of(grant), FILE, from, "d.document_id DESC", page).await
    }

    /// Renames a file, moves it to another folder of its repository, or says what is known of it. Filters in a Qdrant server
    /// go by what is kept there with its points, so there it is taken in once more for that.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the repository has no such file, [`StoreError::Invalid`] if it has no such folder,
    /// [`StoreError::JobActive`] if it would have to be taken in once more and is being taken in.
    pub async fn update_file(
        &self,
        grant: &Grant<Editor>,
        repository: RepositoryId,
        id: DocumentId,
        patch: &FilePatch,
        now: Timestamp,
    ) -> Result<Document, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let stored = hold(connection, app, repository, id).await?;
            let folder = patch.folder.clone().over(stored.folder);
            if folder != stored.folder {
                hold_folder(connection, app, repository, folder).await?;
            }
            let name = patch.name.as_deref().unwrap_or(&stored.name);
            let metadata = patch.metadata.as_ref().unwrap_or(&stored.metadata);
            let again = *metadata != stored.metadata && is_in_qdrant(connection, &stored).await?;
            if again {
                jobs::enqueue(connection, app, Work::Ingest(id), Some(grant.actor()), now).await?;
            }
            let row: FileRow = Statement::new("UPDATE documents d SET name = ")
                .text(name)
                .sql(", folder_id = ")
                .optional_int(folder.map(FolderId::get))
                .sql(", metadata = ")
                .text(json(metadata)?)
                .sql("::jsonb, status = CASE WHEN ")
                .boolean(again)
                .sql(" THEN 'processing' ELSE d.status END")
                .sql(", update_date = ")
                .moment(now)
                .sql(" WHERE d.document_id = ")
                .int(id.get())
                .sql(" RETURNING ")
                .sql(FILE)
                .get_result(connection)
                .await?;
            let next = Document::try_from(row)?;
            audit::record(connection, Some(app), grant.by(), &Deed::update(&stored, &next)).await?;
            Ok(next)
        })
        .await
    }

    /// Removes a file, its passages and its jobs. Its blob is for the sweep: another file may be the same.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the repository has no such file.
    pub async fn delete_file(
        &self,
        grant: &Grant<Editor>,
        repository: RepositoryId,
        id: DocumentId,
    ) -> Result<Document, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let gone = hold(connection, app, repository, id).await?;
            Statement::new("DELETE FROM documents WHERE document_id = ").int(id.get()).execute(connection).await?;
            audit::record(connection, Some(app), grant.by(), &Deed::delete(&gone)).await?;
            Ok(gone)
        })
        .await
    }

    /// Takes a file in once more, whatever became of it before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the repository has no such file, [`StoreError::JobActive`] if it is being taken in.
    pub async fn retry_file(
        &self,
        grant: &Grant<Editor>,
        repository: RepositoryId,
        id: DocumentId,
        now: Timestamp,
    ) -> Result<(Document, Job), StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let stored = hold(connection, app, repository, id).await?;
            let job = jobs::enqueue(connection, app, Work::Ingest(id), Some(grant.actor()), now).await?;
            let row: FileRow =
                Statement::new("UPDATE documents d SET status = 'processing', error = NULL, update_date = ")
                    .moment(now)
                    .sql(" WHERE d.document_id = ")
                    .int(id.get())
                    .sql(" RETURNING ")
                    .sql(FILE)
                    .get_result(connection)
                    .await?;
            let deed = Deed::update(&stored, &stored).called("file.retry");
            audit::record(connection, Some(app), grant.by(), &deed).await?;
            Ok((row.try_into()?, job))
        })
        .await
    }

    /// How far these files of a repository are, and with `others` those that are being taken in besides: of all of them a
    /// thousand, those first that are not over.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn file_progress(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        files: &[DocumentId],
        others: bool,
    ) -> Result<Vec<FileProgress>, StoreError> {
        let rows: Vec<ProgressRow> = Statement::new(
            "SELECT d.document_id, d.name, d.status, d.error, d.chunk_count, j.stage, ",
        )
        .sql("coalesce(j.done, 0) AS done, j.total FROM documents d LEFT JOIN LATERAL (SELECT stage, done, total ")
        .sql("FROM jobs WHERE document_id = d.document_id AND status = 'running') j ON true WHERE d.app_id = ")
        .int(grant.app().get())
        .sql(" AND d.repo_id = ")
        .int(repository.get())
        .sql(" AND (d.document_id = ANY(")
        .ints(files.iter().map(|file| file.get()).collect::<Vec<_>>())
        .sql(") OR (")
        .boolean(others)
        .sql(" AND d.status = 'processing')) ORDER BY d.status <> 'processing', d.document_id LIMIT 1000")
        .load(&mut self.lend(Sight::of(grant)).await?)
        .await?;
        rows.into_iter().map(FileProgress::try_from).collect()
    }

    /// Which of these blobs a document refers to, of whichever app.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn blobs_in_use(
        &self,
        _leave: &SystemGrant,
        hashes: &[[u8; 32]],
    ) -> Result<HashSet<[u8; 32]>, StoreError> {
        let rows: Vec<HashRow> = Statement::new("SELECT DISTINCT blob_hash FROM documents WHERE blob_hash = ANY(")
            .byte_strings(hashes.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>())
            .sql(")")
            .load(&mut self.lend(Sight::AllApps).await?)
            .await?;
        let hash = |row: HashRow| <[u8; 32]>::try_from(row.blob_hash);
        rows.into_iter()
            .map(hash)
            .collect::<Result<_, _>>()
            .map_err(|_| StoreError::inconsistent("a hash that is not of 32 bytes"))
    }
}

/// Where a new file goes.
#[derive(Clone, Copy)]
struct Place {
    silo: SiloId,
    repository: RepositoryId,
    folder: Option<FolderId>,
}

async fn insert(
    connection: &mut AsyncPgConnection,
    app: AppId,
    place: Place,
    file: &NewFile,
    now: Timestamp,
) -> Result<Document, StoreError> {
    let bytes = i64::try_from(file.bytes).map_err(|_| Invalid::new("file", "is too large"))?;
    let row: FileRow =
        Statement::new("INSERT INTO documents AS d (app_id, silo_id, repo_id, folder_id, name, media_type, ")
            .sql("blob_hash, bytes, metadata, status, create_date, update_date) VALUES (")
            .int(app.get())
            .sql(", ")
            .int(place.silo.get())
            .sql(", ")
            .int(place.repository.get())
            .sql(", ")
            .optional_int(place.folder.map(FolderId::get))
            .sql(", ")
            .text(file.name.as_str())
            .sql(", ")
            .text(file.media_type.as_str())
            .sql(", ")
            .bytes(file.blob)
            .sql(", ")
            .int(bytes)
            .sql(", ")
            .text(json(&file.metadata)?)
            .sql("::jsonb, 'processing', ")
            .moment(now)
            .sql(", ")
            .moment(now)
            .sql(") RETURNING ")
            .sql(FILE)
            .get_result(connection)
            .await?;
    row.try_into()
}

fn json(metadata: &Map<String, Value>) -> Result<String, StoreError> {
    serde_json::to_string(metadata).map_err(|error| StoreError::inconsistent(error.to_string()))
}

async fn is_in_qdrant(connection: &mut AsyncPgConnection, file: &Document) -> Result<bool, StoreError> {
    let silo: Option<NumberRow> = Statement::new("SELECT silo_id AS number FROM silos WHERE app_id = ")
        .int(file.app.get())
        .sql(" AND silo_id = ")
        .int(file.silo.get())
        .sql(" AND vector_db_type = 'QDRANT'")
        .get_result(connection)
        .await
        .optional()?;
    Ok(silo.is_some())
}

fn wanted(app: AppId, repository: Option<RepositoryId>, id: DocumentId) -> Statement {
    let statement = Statement::new("SELECT ")
        .sql(FILE)
        .sql(" FROM documents d WHERE d.app_id = ")
        .int(app.get())
        .sql(" AND d.document_id = ")
        .int(id.get());
    match repository {
        Some(repository) => statement.sql(" AND d.repo_id = ").int(repository.get()),
        None => statement,
    }
}

/// The file, which nobody else changes before the transaction ends.
async fn hold(
    connection: &mut AsyncPgConnection,
    app: AppId,
    repository: RepositoryId,
    id: DocumentId,
) -> Result<Document, StoreError> {
    let row: FileRow = wanted(app, Some(repository), id).sql(" FOR UPDATE").get_result(connection).await?;
    row.try_into()
}

/// Sees to it that the folder is one of the repository, and stays until the transaction ends.
async fn hold_folder(
    connection: &mut AsyncPgConnection,
    app: AppId,
    repository: RepositoryId,
    folder: Option<FolderId>,
) -> Result<(), StoreError> {
    let Some(folder) = folder else { return Ok(()) };
    let found: Option<NumberRow> = Statement::new("SELECT folder_id AS number FROM folders WHERE app_id = ")
        .int(app.get())
        .sql(" AND repo_id = ")
        .int(repository.get())
        .sql(" AND folder_id = ")
        .int(folder.get())
        .sql(" FOR KEY SHARE")
        .get_result(connection)
        .await
        .optional()?;
    match found {
        Some(_) => Ok(()),
        None => Err(Invalid::unknown_reference("folder_id", folder.get()).into()),
    }
}
